"""An interrupted backtest goes on from its checkpoint, to the same bytes; another's, or a damaged one, is refused."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data import checkpoint as files
from rnncast.errors import DataError, RnncastError, UsageError
from rnncast.evaluation import checkpoint as module
from rnncast.evaluation.backtest import Keeping, evaluate_model, evaluate_panel
from rnncast.evaluation.checkpoint import Checkpoint, Progress
from rnncast.evaluation.methods import Terms
from rnncast.evaluation.origins import Origins, Plan
from rnncast.evaluation.table import Table
from rnncast.training import train as train_module
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train

OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=1, max_epochs=1, horizon=5)
PLAN = Plan(n_windows=5, step_size=10)


@pytest.fixture
def panel(rng):
    return make_panel({"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(236)})


def stop_after(origins):
    def on_origin(done, total):
        if done == origins:
            raise KeyboardInterrupt

    return on_origin


def check_same(got, expected):
    for name in ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared"):
        assert getattr(got.backtest, name).tobytes() == getattr(expected.backtest, name).tobytes(), name
    assert got.backtest.volatility.tobytes() == expected.backtest.volatility.tobytes()
    assert got.backtest.methods == expected.backtest.methods
    for name, point in expected.backtest.points.items():
        assert got.backtest.points[name].tobytes() == point.tobytes(), name
    for name, quantiles in expected.backtest.quantiles.items():
        assert got.backtest.quantiles[name].tobytes() == quantiles.tobytes(), name
    assert got.trainings == expected.trainings
    assert [note for note in got.notes if "were done before" not in note] == list(expected.notes)


@pytest.mark.parametrize("stateful", [False, True], ids=["windows", "stateful"])
@pytest.mark.parametrize("refit", [0, 1, 2], ids=["never", "always", "every second"])
def test_an_interrupted_backtest_ends_with_the_same_bytes(panel, tmp_path, refit, stateful):
    path = tmp_path / "backtest.npz"
    options, plan = replace(OPTIONS, stateful=stateful), replace(PLAN, refit=refit)
    expected = evaluate_panel(panel, options, plan)
    keeping = Keeping(checkpoint=str(path))
    for origins in (2, 4):
        with pytest.raises(KeyboardInterrupt):
            evaluate_panel(panel, options, plan, keeping=keeping, on_origin=stop_after(origins))
    got = evaluate_panel(panel, options, plan, keeping=keeping)
    check_same(got, expected)
    assert sum("were done before" in note for note in got.notes) == 1


def test_trainings_that_are_done_are_not_made_again(panel, tmp_path, monkeypatch):
    keeping, plan, made = Keeping(checkpoint=str(tmp_path / "x.npz")), replace(PLAN, refit=1), []
    real = train_module.train
    monkeypatch.setattr(
        train_module, "train", lambda known, *more, **named: made.append(0) or real(known, *more, **named)
    )
    with pytest.raises(KeyboardInterrupt):
        evaluate_panel(panel, OPTIONS, plan, keeping=keeping, on_origin=stop_after(4))
    made.clear()
    expected = evaluate_panel(panel, OPTIONS, plan, keeping=keeping)
    assert len(made) == 2  # three origins were done and kept; the fourth was stopped in
    made.clear()
    got = evaluate_panel(panel, OPTIONS, plan, keeping=keeping)
    assert made == []
    check_same(got, replace(expected, notes=tuple(note for note in expected.notes if "done before" not in note)))
    assert "5 of 5 origins were done before" in got.notes


def test_a_trained_model_goes_on_too(panel, tmp_path):
    known = panel.until(panel.times[150])
    network, training, _ = resolve(OPTIONS, known)
    model, _ = train(known, network, training)
    keeping = Keeping(checkpoint=str(tmp_path / "x.npz"))
    expected = evaluate_model(model, panel, PLAN, levels=[80])
    with pytest.raises(KeyboardInterrupt):
        evaluate_model(model, panel, PLAN, levels=[80], keeping=keeping, on_origin=stop_after(4))
    check_same(evaluate_model(model, panel, PLAN, levels=[80], keeping=keeping), expected)
    other = replace(model, parameters=model.parameters + np.float32(1e-3))
    with pytest.raises(DataError, match="another backtest: model "):
        evaluate_model(other, panel, PLAN, levels=[80], keeping=keeping)


OTHERS = {
    "option": ({"options": {"hidden_size": 5}}, "--hidden-size 4 there, 5 here"),
    "option left out": ({"options": {"hidden_size": None}}, "--hidden-size 4 there, not given here"),
    "level": ({"options": {"levels": (90.0,)}}, r"--level \[80.0, 95.0\] there, \[90.0\] here"),
    "plan": ({"plan": {"gap": 1}}, "--gap 0 there, 1 here"),
    "refit": ({"plan": {"refit": 1}}, "--refit 0 there, 1 here"),
    "skip": ({"skip_short": True}, "--skip-bad false there, true here"),
    "value": ({"values": 1.0}, r"data 476 rows in 2 series \(\w+\) there, 476 rows in 2 series \(\w+\) here"),
    "version": ({"version": "99.0"}, "rnncast .* there, 99.0 here"),
}


@pytest.mark.parametrize(("change", "expected"), OTHERS.values(), ids=OTHERS)
def test_the_checkpoint_of_another_backtest_is_refused_with_what_differs(
    panel, tmp_path, monkeypatch, change, expected
):
    path = tmp_path / "x.npz"
    keeping = Keeping(checkpoint=str(path))
    evaluate_panel(panel, OPTIONS, PLAN, keeping=keeping)
    before = path.read_bytes()
    values = panel.values.copy()
    values[-1] += change.get("values", 0.0)  # a row after every cutoff counts as well: it is scored
    monkeypatch.setattr(module, "__version__", change.get("version", module.__version__))
    options, plan = replace(OPTIONS, **change.get("options", {})), replace(PLAN, **change.get("plan", {}))
    skip = change.get("skip_short", False)
    with pytest.raises(DataError, match=expected) as caught:
        evaluate_panel(replace(panel, values=values), options, plan, skip_short=skip, keeping=keeping)
    assert caught.value.exit_code == 65
    assert caught.value.where == str(path)
    assert "remove it to begin anew" in caught.value.hint
    assert path.read_bytes() == before


def test_a_damaged_checkpoint_is_refused_and_left_alone(panel, tmp_path, rng):
    path = tmp_path / "x.npz"
    keeping = Keeping(checkpoint=str(path))
    expected = evaluate_panel(panel, OPTIONS, PLAN, keeping=keeping)
    whole = path.read_bytes()
    damaged = [b"", b"date,close\n2020-01-01,5\n", whole[:100], whole[:-1], whole[len(whole) // 2 :]]
    for place in rng.integers(0, len(whole), 150):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(rng.integers(8))
        damaged.append(bytes(flipped))
    refused = 0
    for data in damaged:
        path.write_bytes(data)
        try:
            got = evaluate_panel(panel, OPTIONS, PLAN, keeping=keeping)
        except DataError as error:
            assert error.exit_code == 65
            refused += 1
        else:  # a bit that means nothing: a date in the archive, say
            check_same(got, expected)
        assert path.read_bytes() == data
    assert refused > 100


def rewritten(path, change):
    with np.load(path) as archive:
        arrays = dict(archive)
    meta = json.loads(arrays["meta"].tobytes())
    change(meta, arrays)
    arrays["meta"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    np.savez(path, **arrays)


LIES = {
    "more origins than there are": lambda meta, arrays: meta.update(origins=9),
    "origins less than none": lambda meta, arrays: meta.update(origins=-1),
    "fewer rows than origins": lambda meta, arrays: arrays.update(volatility=arrays["volatility"][:-1]),
    "a column is missing": lambda meta, arrays: arrays.pop("scale_squared"),
    "a column that there is not": lambda meta, arrays: arrays.update(extra=arrays["volatility"]),
    "single precision": lambda meta, arrays: arrays.update(volatility=arrays["volatility"].astype(np.float32)),
    "quantiles of another number": lambda meta, arrays: arrays.update({"quantiles:drift": np.zeros((50, 4))}),
    "trainings that are none": lambda meta, arrays: meta.update(trainings=[1, 2]),
    "not a list": lambda meta, arrays: meta.update(notes=5),
    "no format": lambda meta, arrays: meta.pop("format"),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_checkpoint_that_contradicts_itself_is_refused(panel, tmp_path, lie):
    path = tmp_path / "x.npz"
    keeping = Keeping(checkpoint=str(path))
    evaluate_panel(panel, OPTIONS, PLAN, keeping=keeping)
    rewritten(path, lie)
    with pytest.raises(DataError, match="not a checkpoint of rnncast, or a damaged one") as caught:
        evaluate_panel(panel, OPTIONS, PLAN, keeping=keeping)
    assert caught.value.exit_code == 65


def test_a_bomb_is_not_unpacked(panel, tmp_path):
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("meta.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, {"descr": "|u1", "fortran_order": False, "shape": (1 << 24,)})
        member.write(bytes(1 << 24))
    with pytest.raises(DataError, match="damaged"):
        evaluate_panel(panel, OPTIONS, PLAN, keeping=Keeping(checkpoint=str(path)))


@pytest.mark.parametrize("keeping", [Keeping(checkpoint="x.npz"), Keeping(audit=True)], ids=["checkpoint", "audit"])
def test_trainings_that_end_by_the_clock_cannot_be_made_again(panel, keeping):
    with pytest.raises(UsageError, match="--(checkpoint|audit) needs trainings that come out the same again"):
        evaluate_panel(panel, replace(OPTIONS, time_limit=5.0), PLAN, keeping=keeping)


def test_writing_takes_a_small_share_of_the_time(tmp_path, monkeypatch):
    """A write that took one second is followed by none for ten, unless it is the last one."""
    clock, written = [0.0], []
    monkeypatch.setattr(files.time, "monotonic", lambda: clock[0])

    def write(path, content):
        written.append(clock[0])
        clock[0] += 1.0

    monkeypatch.setattr(files, "atomic_write", write)
    table = Table(Origins(np.ones((2, 1), int), np.ones((2, 1), int)).pairs(0, 2), Terms(1, 0, 1, ()))
    checkpoint, progress = Checkpoint(str(tmp_path / "x.npz"), {}), Progress(0, [], {})
    for second in (0.0, 5.0, 10.9, 11.1, 20.0):
        clock[0] = second
        checkpoint.keep(progress, table)
    assert written == [0.0, 11.1]
    checkpoint.keep(progress, table, now=True)
    assert written == [0.0, 11.1, 20.0]


def test_what_went_wrong_is_told_rather_than_that_it_could_not_be_kept(panel, tmp_path):
    folder = tmp_path / "gone"
    folder.mkdir()

    def on_origin(done, total):
        if folder.exists():
            folder.rmdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate_panel(panel, OPTIONS, PLAN, keeping=Keeping(checkpoint=str(folder / "x.npz")), on_origin=on_origin)
    with pytest.raises(RnncastError, match="no folder"):
        evaluate_panel(panel, OPTIONS, PLAN, keeping=Keeping(checkpoint=str(folder / "x.npz")))
