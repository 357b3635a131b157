import io
import json
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.baselines.batch import PATHS
from rnncast.core.loss_table import STUDENT_T
from rnncast.data.transform import is_logarithmic
from rnncast.errors import DataError, InputNotFoundError, ModelFileError, OutputError, TrainingError
from rnncast.forecasting.predict import forecast
from rnncast.model.artifact import FORMAT_VERSION, load_model, save_model
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import GROUPS, Blend
from rnncast.model.intervals import LEVELS, Calibration, Volatility
from rnncast.model.model import History, Model
from rnncast.model.network import initial_parameters, loss_table
from rnncast.report.training import training_verdict

FIXTURES = Path(__file__).parent / "fixtures"


@pytest.fixture
def model(rng):
    config = NetworkConfig(cell="gru", hidden_size=4, layers=2, input_size=8, horizon=3)
    panel = make_panel({"007": random_walk(rng, 30), "1e5": random_walk(rng, 25) - 200.0})
    return Model(
        network=config,
        parameters=np.stack([initial_parameters(config.shape, rng) for _ in range(2)]),
        head=loss_table(config, np.array([1.0, 1.5, 2.0]), rng.uniform(0.5, 1.0, (3, 5))),
        gate=tuple(Blend(name, 0.2 * place) for place, name in enumerate(list(PATHS)[: len(GROUPS)])),
        calibration=Calibration(Volatility(0.94, 0.97, 0.5), np.sort(rng.standard_normal((5, 3, len(LEVELS))), axis=2)),
        columns=panel.columns,
        calendar=panel.calendar,
        trained_until=str(panel.times.max()),
        history=History(panel.tail(16), is_logarithmic(panel)),
        record={
            "training": {"learning_rate": 0.01, "batch_size": 128, "seed": 0},
            **{"series": 2, "rows": 55, "windows": 40, "updates": [3, 3], "best_epoch": 1},
            "note": "Öl [close]",
        },
    )


def of_student_t(rng, model):
    """The same description, with networks of another loss."""
    network = replace(model.network, loss="student-t", quantile_levels=(0.05, 0.5, 0.95))
    parameters = np.stack([initial_parameters(network.shape, rng) for _ in range(2)])
    parameters += 0.1 * rng.standard_normal(parameters.shape).astype(np.float32)
    head = loss_table(network, np.array([1.0, 1.5, 2.0]), rng.uniform(0.5, 3.0, (3, 3)))
    return replace(model, network=network, parameters=parameters, head=head)


@pytest.fixture
def path(model, tmp_path):
    save_model(model, tmp_path / "m.npz")
    return tmp_path / "m.npz"


def rewrite(path, change):
    """The file again, with its members (name -> bytes) changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def as_npy(array, **options):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array), **options)
    return stream.getvalue()


def test_round_trip_keeps_everything(model, path):
    got = load_model(path)
    for name in ("network", "gate", "columns", "calendar", "trained_until", "record"):
        assert getattr(got, name) == getattr(model, name), name
    np.testing.assert_array_equal(got.parameters, model.parameters)
    np.testing.assert_array_equal(got.head.spread, model.head.spread)
    np.testing.assert_array_equal(got.head.base_gap, model.head.base_gap)
    assert got.calibration.volatility == model.calibration.volatility
    np.testing.assert_array_equal(got.calibration.scores, model.calibration.scores)
    assert got.history.panel.ids == ("007", "1e5")
    np.testing.assert_array_equal(got.history.panel.values, model.history.panel.values)
    np.testing.assert_array_equal(got.history.panel.times, model.history.panel.times)
    np.testing.assert_array_equal(got.history.logarithmic, [True, False])


def test_a_distribution_is_kept_and_forecasts_the_same_bytes(rng, model, tmp_path):
    model = of_student_t(rng, model)
    save_model(model, tmp_path / "m.npz")
    got = load_model(tmp_path / "m.npz")
    assert got.network == model.network
    assert got.head.kind == STUDENT_T
    np.testing.assert_array_equal(got.head.base_gap, model.head.base_gap)
    levels = (0.01, 0.05, 0.5, 0.95)
    before, after = forecast(model, None, 5, levels), forecast(got, None, 5, levels)
    assert (before.point.tobytes(), before.quantiles.tobytes()) == (after.point.tobytes(), after.quantiles.tobytes())


@pytest.mark.parametrize("bases", [np.ones((3, 5)), np.zeros((3, 3))], ids=["a column for each level", "no scale"])
def test_a_distribution_with_impossible_bases_is_refused(rng, model, tmp_path, bases):
    save_model(of_student_t(rng, model), tmp_path / "m.npz")
    rewrite(tmp_path / "m.npz", lambda members: members.update({"base_gap.npy": as_npy(bases)}))
    with pytest.raises(ModelFileError, match="base_gap"):
        load_model(tmp_path / "m.npz")


def test_model_without_history_and_calibration(model, tmp_path):
    save_model(replace(model, history=None, calibration=None), tmp_path / "m.npz")
    got = load_model(tmp_path / "m.npz")
    assert got.history is None
    assert got.calibration is None


def test_model_of_the_first_format_still_opens_and_forecasts_what_it_did():
    """Written by the version before gates had groups and intervals were calibrated."""
    model = load_model(FIXTURES / "model_format_1.npz")
    levels = (0.025, 0.1, 0.9, 0.975)
    got = forecast(model, None, 12, levels)
    expected = np.loadtxt(FIXTURES / "model_format_1.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3, 4, 5))
    np.testing.assert_allclose(got.point, expected[:, 0], rtol=1e-6)
    np.testing.assert_allclose(got.quantiles, expected[:, [3, 1, 2, 4]], rtol=1e-6)
    assert 0 < model.network_share < 1
    assert model.calibration is None
    assert "of the network's correction of the last season is used" in training_verdict(model)


@pytest.fixture
def stateful(model, rng):
    """The same with a stateful network, and the states of its two members after the rows of the two series."""
    config = replace(model.network, cell="lstm", stateful=True, direct=False, channels=("change", "mean"))
    states = rng.standard_normal((2, 2, 2, 1, 4, 2)).astype(np.float32)
    parameters = np.stack([initial_parameters(config.shape, rng) for _ in range(2)])
    return replace(model, network=config, parameters=parameters, history=replace(model.history, states=states))


def test_states_are_kept_beside_the_rows(stateful, path):
    save_model(stateful, path)
    got = load_model(path)
    assert got.network.stateful
    assert got.history.states.tobytes() == stateful.history.states.tobytes()
    save_model(replace(stateful, history=None), path)
    assert load_model(path).history is None


def declaring(shape, kind="<f8"):
    """Header of an array of floats of that shape, and no data."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": kind, "fortran_order": False, "shape": shape})
    return stream.getvalue()


STATES = {
    "another number of series": as_npy(np.zeros((2, 2, 2, 1, 4, 3), np.float32)),
    "another number of members": as_npy(np.zeros((1, 2, 2, 1, 4, 2), np.float32)),
    "double precision": as_npy(np.zeros((2, 2, 2, 1, 4, 2))),
    "not finite": as_npy(np.full((2, 2, 2, 1, 4, 2), np.inf, np.float32)),
    "more declared than held": declaring((2, 2, 2, 1, 4, 2), "<f4"),
    "gigantic": declaring((2, 2, 2, 1, 4, 1 << 40), "<f4"),
}


@pytest.mark.parametrize("states", [None, *STATES.values()], ids=["missing", *STATES])
def test_states_that_do_not_fit_are_refused(stateful, path, states):
    save_model(stateful, path)
    rewrite(path, lambda members: members.pop("history.states.npy"))
    if states is not None:
        rewrite(path, lambda members: members.update({"history.states.npy": states}))
    with pytest.raises(ModelFileError):
        load_model(path)


def test_states_of_a_model_of_windows_are_refused(path):
    rewrite(path, lambda m: m.update({"history.states.npy": as_npy(np.zeros((2, 1, 2, 1, 4, 2), "f4"))}))
    with pytest.raises(ModelFileError, match="unexpected members"):
        load_model(path)


def test_states_that_are_not_finite_are_never_saved(stateful, path):
    stateful.history.states[0, 0, 0, 0, 0, 0] = np.nan
    with pytest.raises(TrainingError, match="history.states"):
        save_model(stateful, path)


def test_description_of_a_network_from_before_there_were_stateful_ones_is_read(model, path):
    def older(members):
        meta = json.loads(np.lib.format.read_array(io.BytesIO(members["meta.npy"])).tobytes())
        del meta["network"]["stateful"]
        members["meta.npy"] = as_npy(np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8))

    rewrite(path, older)
    assert load_model(path).network == model.network


def test_same_model_gives_the_same_bytes(model, path, tmp_path):
    save_model(model, tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_arrays_stand_under_the_names_of_the_layout(path):
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["layer0.input_weight"].shape == (2, 12, 2)
        meta = json.loads(arrays["meta"].tobytes())
    assert meta["format"] == "rnncast"
    assert meta["format_version"] == FORMAT_VERSION


@pytest.mark.parametrize("bad", [np.nan, np.inf], ids=str)
def test_weights_that_are_not_finite_are_never_saved(model, path, bad):
    before = path.read_bytes()
    model.parameters[1, 3] = bad
    with pytest.raises(TrainingError, match="not saved"):
        save_model(model, path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["m.npz"]


def test_a_model_that_could_not_be_read_again_is_never_saved(model, path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr("rnncast.model.artifact.LARGEST_META", 1000)
    with pytest.raises(DataError, match="names of its series") as caught:
        save_model(model, path)
    assert "--no-history" in caught.value.hint
    assert path.read_bytes() == before


def test_no_clobber_keeps_the_file(model, path):
    before = path.read_bytes()
    with pytest.raises(OutputError):
        save_model(replace(model, calibration=None), path, clobber=False)
    assert path.read_bytes() == before


def test_missing_file(tmp_path):
    with pytest.raises(InputNotFoundError):
        load_model(tmp_path / "none.npz")


def test_every_truncation_is_refused(path):
    data = path.read_bytes()
    for length in range(0, len(data), 97):
        path.write_bytes(data[:length])
        with pytest.raises(ModelFileError):
            load_model(path)


def test_flipped_bytes_are_refused_or_load_the_same_model(model, path, rng):
    data = path.read_bytes()
    for place in rng.integers(0, len(data), 300):
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bytes(damaged))
        try:
            got = load_model(path)
        except ModelFileError:
            continue
        np.testing.assert_array_equal(got.parameters, model.parameters)
        assert got.record == model.record


def _pickle_in(members):
    members["spread.npy"] = as_npy(np.array([{"a": 1}, None, 2], dtype=object), allow_pickle=True)


def _description(members):
    return json.loads(np.lib.format.read_array(io.BytesIO(members["meta.npy"])).tobytes())


def _described(**changes):
    """A change of the description."""

    def change(members):
        meta = _description(members) | changes
        members["meta.npy"] = as_npy(np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8))

    return change


def _recorded(**changes):
    """A change of the record."""
    return lambda members: _described(record=_description(members)["record"] | changes)(members)


def _networked(**changes):
    """A change of the network's configuration."""
    return lambda members: _described(network=_description(members)["network"] | changes)(members)


def _backwards(members):
    times = np.lib.format.read_array(io.BytesIO(members["history.times.npy"]))
    members["history.times.npy"] = as_npy(times[::-1].copy())


CRAFTED = {
    "pickle instead of an array": lambda m: m.update({"spread.npy": pickle.dumps([1, 2, 3])}),
    "object array": _pickle_in,
    "missing array": lambda m: m.pop("output.bias.npy"),
    "unknown member": lambda m: m.update({"../evil.npy": as_npy(np.zeros(1))}),
    "no description": lambda m: m.pop("meta.npy"),
    "description is no JSON": lambda m: m.update({"meta.npy": as_npy(np.frombuffer(b"{", dtype=np.uint8))}),
    "NaN weight": lambda m: m.update({"output.bias.npy": as_npy(np.full((2, 15), np.nan, dtype=np.float32))}),
    "wrong shape": lambda m: m.update({"output.bias.npy": as_npy(np.zeros((2, 14), dtype=np.float32))}),
    "wrong type": lambda m: m.update({"output.bias.npy": as_npy(np.zeros((2, 15)))}),
    "gigantic declared size": lambda m: m.update({"history.values.npy": declaring((1 << 45, 1))}),
    "more declared than held": lambda m: m.update({"history.values.npy": declaring((1000, 1))}),
    "newer format": _described(format_version=FORMAT_VERSION + 1),
    "no members": _described(members=0),
    "blend beyond one": _described(gate=[{"baseline": "drift", "share": 1.5}] * 5),
    "blend with an unknown baseline": _described(gate=[{"baseline": "magic", "share": 0.5}] * 5),
    "gate of too few groups": _described(gate=[{"baseline": "drift", "share": 0.5}] * 4),
    "impossible volatility": _described(calibration={"decay": 2.0, "persistence": 0.9, "width": 0.0}),
    "scores that descend": lambda m: m.update(
        {"calibration.scores.npy": as_npy(-np.cumsum(np.ones((3, len(LEVELS))), 1))}
    ),
    "last training row that is no date": _described(trained_until="nonsense"),
    "empty record": _described(record={}),
    "preset that is no name": _recorded(training={"learning_rate": 0.01, "batch_size": 8, "seed": 0, "preset": 1}),
    "recurrent rows that are no whole number": _networked(recurrent_size=4.5),
    "recurrent rows that are a flag": _networked(recurrent_size=True),
    "recurrent rows that are null": _networked(recurrent_size=None),
    "long season that is no whole number": _networked(long_season=168.0),
    "long season without a season": _networked(long_season=168),
    "channel named twice": _networked(channels=["level", "level"]),
    "phases before values": _networked(channels=["day sine", "level"]),
    "columns that are no names": _described(columns={"time": 1, "id": None, "target": []}),
    "calendar of steps for a history of dates": _described(
        calendar={"freq": "1", "weekmask": "1111111", "given": False}
    ),
    "history out of order": _backwards,
    "logarithms of negative rows": lambda m: m.update({"history.logarithmic.npy": as_npy(np.array([True, True]))}),
}


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED.keys())
def test_crafted_files_are_refused(path, change):
    rewrite(path, change)
    with pytest.raises(ModelFileError) as caught:
        load_model(path)
    assert caught.value.where == str(path)
    assert caught.value.exit_code == 65


def test_a_file_that_is_no_model(tmp_path):
    (tmp_path / "prices.csv").write_text("date,close\n2020-01-01,1\n")
    with pytest.raises(ModelFileError, match="not a model file"):
        load_model(tmp_path / "prices.csv")


def test_archive_that_inflates_is_refused_before_it_is_read(path):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["history.values.npy"] = as_npy(np.zeros((5_000_000, 1)))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    assert path.stat().st_size < 200_000
    with pytest.raises(ModelFileError, match="declares 40"):
        load_model(path)
