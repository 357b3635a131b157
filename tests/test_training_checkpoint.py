"""A training that was interrupted goes on to the same bytes, wherever it was interrupted; another's is not taken up."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel

from rnncast.data.checkpoint import CheckpointFile
from rnncast.errors import DataError, OutputError, StorageError
from rnncast.model.artifact import save_model
from rnncast.training import checkpoint as module
from rnncast.training.checkpoint import Checkpoint, checkpoint_of
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train

OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=3, max_epochs=4, horizon=5)
KINDS = {
    "windows": {},
    "stateful": {"stateful": True},
    "student-t": {"loss": "student-t"},
    "diverging": {"learning_rate": 9.0, "hidden_size": 16},
    "fast": {"preset": "fast", "members": 1},
    "untrained": {"max_epochs": 0},
}


class Stopped(Exception):
    pass


@pytest.fixture(autouse=True)
def written_at_once(monkeypatch):
    monkeypatch.setattr(module, "FIRST_AFTER", 0.0)
    monkeypatch.setattr(module, "EVERY", 0.0)


@pytest.fixture
def panel(rng):
    """Values that are drawn back to their mean, as a network soon finds out: every part of a training has epochs."""
    return make_panel({"a": 50 + rng.standard_normal(240), "b": 10 + 0.5 * rng.standard_normal(236)})


def trained(panel, options, path, tmp_path, stop_after=None):
    """Bytes of the model, with a checkpoint unless `path` is None; `Stopped` after so many epochs of a call."""
    network, training, _ = resolve(options, panel)
    checkpoint = Checkpoint() if path is None else checkpoint_of(str(path), panel, network, training)
    checkpoint.restore()
    reports = []

    def on_epoch(report):
        reports.append(report)
        if len(reports) == stop_after:
            raise Stopped

    with checkpoint:
        model, warnings = train(panel, network, training, on_epoch=on_epoch, checkpoint=checkpoint)
    save_model(model, tmp_path / "model.npz")
    return (tmp_path / "model.npz").read_bytes(), warnings, len(reports)


@pytest.mark.parametrize("kind", KINDS)
def test_an_interrupted_training_ends_with_the_same_bytes(panel, tmp_path, kind):
    options, path = replace(OPTIONS, **KINDS[kind]), tmp_path / "x.checkpoint"
    expected, warnings, epochs = trained(panel, options, None, tmp_path)
    stops = 0
    while True:
        try:
            got = trained(panel, options, path, tmp_path, stop_after=2)
            break
        except Stopped:
            stops += 1
            assert path.exists()
    assert got[:2] == (expected, warnings)
    assert stops == 0 if kind == "untrained" else stops > 0
    if kind in ("windows", "stateful", "student-t"):
        assert epochs > 4 + 2 * 3  # of the search, and some of folds and members
    assert not path.exists()


def test_epochs_that_are_done_are_not_made_again(panel, tmp_path):
    path = tmp_path / "x.checkpoint"
    _, _, every = trained(panel, OPTIONS, None, tmp_path)
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=3)
    _, _, got = trained(panel, OPTIONS, path, tmp_path)
    assert got == every - 3


def test_another_number_of_threads_goes_on_to_the_same_bytes(panel, tmp_path, monkeypatch):
    path = tmp_path / "x.checkpoint"
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "1")
    expected, _, every = trained(panel, OPTIONS, None, tmp_path)
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "3")
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=every - 2)
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "1")
    assert trained(panel, OPTIONS, path, tmp_path)[0] == expected


def test_other_data_or_another_version_are_begun_anew(panel, tmp_path, monkeypatch):
    path = tmp_path / "x.checkpoint"
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=2)
    network, training, _ = resolve(OPTIONS, panel)
    later = make_panel({"a": panel.target[:240] * 1.001, "b": panel.target[240:]})
    checkpoint = checkpoint_of(str(path), later, network, training)
    assert "data 476 rows in 2 series" in checkpoint.restore()
    assert checkpoint.epochs == 0
    monkeypatch.setattr(module, "__version__", "99.0")
    checkpoint = checkpoint_of(str(path), panel, network, training)
    assert checkpoint.restore().endswith("there, 99.0 here")
    monkeypatch.undo()
    checkpoint = checkpoint_of(str(path), panel, network, training, "0123456789abcdef")
    assert checkpoint.restore() == "--from not given there, 0123456789abcdef here"


OTHERS = {
    "learning rate": ({"learning_rate": 0.02}, "--learning-rate 0.01 there, 0.02 here"),
    "seed": ({"seed": 1}, "--seed 0 there, 1 here"),
    "cell": ({"cell": "rnn"}, "--cell gru there, rnn here"),
    "epochs": ({"max_epochs": 5}, "--max-epochs 4 there, 5 here"),
    "preset": ({"preset": "best"}, "--preset default there, best here"),
}


@pytest.mark.parametrize(("change", "expected"), OTHERS.values(), ids=OTHERS)
def test_other_options_are_refused_and_the_file_stays(panel, tmp_path, change, expected):
    path = tmp_path / "x.checkpoint"
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=2)
    before = path.read_bytes()
    with pytest.raises(DataError, match=expected):
        trained(panel, replace(OPTIONS, **change), path, tmp_path)
    assert path.read_bytes() == before


def test_more_members_or_another_time_limit_go_on(panel, tmp_path):
    path = tmp_path / "x.checkpoint"
    more = replace(OPTIONS, members=4)
    expected, _, _ = trained(panel, more, None, tmp_path)
    _, _, every = trained(panel, OPTIONS, None, tmp_path)
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=every - 1)
    assert trained(panel, more, path, tmp_path)[0] == expected


@pytest.mark.parametrize(("first", "then"), [(1, 2), (2, 1)])
def test_a_network_that_goes_on_is_not_taken_for_one_from_its_seed(panel, tmp_path, first, then):
    path, fast = tmp_path / "x.checkpoint", replace(OPTIONS, preset="fast", members=first)
    expected, _, _ = trained(panel, replace(fast, members=then), None, tmp_path)
    _, _, every = trained(panel, fast, None, tmp_path)
    with pytest.raises(Stopped):
        trained(panel, fast, path, tmp_path, stop_after=every)
    assert trained(panel, replace(fast, members=then), path, tmp_path)[0] == expected


def test_a_damaged_checkpoint_is_refused_and_left_alone(panel, tmp_path, rng):
    path = tmp_path / "x.checkpoint"
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=5)
    whole = path.read_bytes()
    for length in rng.integers(0, len(whole), 30).tolist():
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="checkpoint"):
            trained(panel, OPTIONS, path, tmp_path)
        assert path.read_bytes() == whole[:length]


def rewritten(path, change_state, change_arrays):
    """The checkpoint with another state and other arrays."""
    with np.load(path) as arrays:
        members = dict(arrays)
    state = json.loads(members.pop("meta").tobytes())
    change_state(state)
    change_arrays(members)
    members["meta"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
    with open(path, "wb") as stream:
        np.savez(stream, **members)


FORGED = {
    "nan": (lambda state: None, lambda arrays: arrays["search.average"].fill(np.nan)),
    "shape": (lambda state: None, lambda arrays: arrays.update({"search.moments": np.zeros((2, 3), np.float32)})),
    "missing array": (lambda state: None, lambda arrays: arrays.pop("search.average")),
    "unknown network": (lambda state: state["networks"].pop("search"), lambda arrays: None),
    "no updates": (lambda state: state["networks"]["search"].pop("trainer"), lambda arrays: None),
    "text": (lambda state: state["networks"]["search"].update(epoch="many"), lambda arrays: None),
    "no losses": (lambda state: state["networks"]["search"].pop("losses"), lambda arrays: None),
    "no best weights": (lambda state: None, lambda arrays: arrays.pop("search.best")),
    "many updates": (lambda state: state["networks"]["search"]["trainer"].update(updates=10**12), lambda arrays: None),
    "format": (lambda state: state.update(format="other"), lambda arrays: None),
}


@pytest.mark.parametrize(("state", "arrays"), FORGED.values(), ids=FORGED)
def test_a_forged_checkpoint_is_refused(panel, tmp_path, state, arrays):
    path = tmp_path / "x.checkpoint"
    with pytest.raises(Stopped):
        trained(panel, OPTIONS, path, tmp_path, stop_after=2)
    rewritten(path, state, arrays)
    with pytest.raises(DataError, match="checkpoint"):
        trained(panel, OPTIONS, path, tmp_path)


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_training(panel, tmp_path, monkeypatch):
    expected, _, _ = trained(panel, OPTIONS, None, tmp_path)

    def fail(path, write, **more):
        raise StorageError("the disk is full")

    monkeypatch.setattr("rnncast.data.checkpoint.atomic_write", fail)
    network, training, _ = resolve(OPTIONS, panel)
    with checkpoint_of(str(tmp_path / "x.checkpoint"), panel, network, training) as checkpoint:
        model, _ = train(panel, network, training, checkpoint=checkpoint)
    monkeypatch.undo()
    save_model(model, tmp_path / "model.npz")
    assert (tmp_path / "model.npz").read_bytes() == expected
    assert checkpoint.failure is not None and checkpoint.failure.message == "the disk is full"


def test_writing_takes_a_small_share_of_the_time(panel, tmp_path, monkeypatch):
    """A write that took one second is followed by none for ten, however often it is due."""
    clock, written = [0.0], []
    monkeypatch.setattr("rnncast.data.checkpoint.time.monotonic", lambda: clock[0])

    def write(path, content):
        written.append(clock[0])
        clock[0] += 1.0

    monkeypatch.setattr("rnncast.data.checkpoint.atomic_write", write)
    network, training, _ = resolve(OPTIONS, panel)
    checkpoint = checkpoint_of(str(tmp_path / "x"), panel, network, training)
    for second in (0.0, 5.0, 10.9, 11.1, 20.0):
        clock[0] = second
        checkpoint.keep([])
    assert written == [0.0, 11.1]


def test_the_first_writing_waits(panel, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "FIRST_AFTER", 600.0)
    network, training, _ = resolve(OPTIONS, panel)
    checkpoint = checkpoint_of(str(tmp_path / "x"), panel, network, training)
    checkpoint.keep([])
    assert (checkpoint.epochs, checkpoint.is_left) == (0, False)


def test_something_else_in_its_place_is_not_touched(panel, tmp_path):
    path = tmp_path / "x"
    network, training, _ = resolve(OPTIONS, panel)
    path.write_text("mine\n")
    with pytest.raises(OutputError, match="is no checkpoint of a training"):
        _ = checkpoint_of(str(path), panel, network, training).is_left
    assert path.read_text() == "mine\n"


def test_that_the_time_limit_ended_the_search_is_kept(panel, tmp_path):
    path, limited = tmp_path / "x.checkpoint", replace(OPTIONS, time_limit=1e-6)
    with pytest.raises(Stopped):
        trained(panel, limited, path, tmp_path, stop_after=1)
    _, warnings, _ = trained(panel, replace(OPTIONS, time_limit=None), path, tmp_path)
    assert "the time limit ended the search after 1 updates" in warnings


def test_what_is_written_is_read(tmp_path, rng):
    file = CheckpointFile(str(tmp_path / "x"), "test/1", np.dtype(np.float32), {"of": [1]}, "remove it")
    assert file.read(lambda meta, arrays: 1) is None
    array = rng.standard_normal((2, 3)).astype(np.float32)
    file.write({"done": 7}, {"a.b": array})
    meta, arrays = file.read(lambda meta, arrays: (meta, arrays))
    assert (meta["done"], file.differences(meta)) == (7, {})
    assert arrays["a.b"].tobytes() == array.tobytes()
    assert zipfile.is_zipfile(tmp_path / "x")
    file.remove()
    file.remove()
    assert not (tmp_path / "x").exists()
