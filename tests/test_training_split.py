import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig
from rnncast.training.split import describe_unlearnt, rows_needed, split_windows, without_short_series


def times_of_targets(panel, windows, horizon):
    """Stamps of all targets of windows."""
    return panel.times[windows.ends[:, None] + np.arange(horizon)]


def check_folds(panel, split, horizon):
    """Each fold is trained on nothing that is not before its block, and the blocks follow one another."""
    for fold in split.folds:
        assert len(fold.training) > 0 < len(fold.held_out)
        assert len(fold.clock) == len(fold.held_out)
        for s in range(len(panel.ids)):
            trained = fold.training.ends[fold.training.series == s]
            held_out = fold.held_out.ends[fold.held_out.series == s]
            everything = split.everything.ends[split.everything.series == s]
            assert set(trained) | set(held_out) <= set(everything)
            assert everything.max(initial=0) + horizon <= panel.indptr[s + 1]
            if len(held_out) and len(trained):
                assert trained.max() + horizon <= held_out.min()
    purposes = [purpose for fold in split.folds for purpose in fold.purposes]
    assert purposes in ([], ["early stopping", "gate", "calibration"])
    assert (split.fallback is None) == (len(split.folds) == 3)


def check_trained_once(panel, split, horizon):
    """The blocks stay as they were, and what judges them all was trained before the first."""
    once = split.trained_once()
    check_folds(panel, once, horizon)
    assert len(once.folds) == len(split.folds)
    for got, fold in zip(once.folds, split.folds, strict=True):
        assert got.training is split.folds[0].training
        assert (got.purposes, got.held_out, got.clock, got.span[1:]) == (
            fold.purposes, fold.held_out, fold.clock, fold.span[1:]
        )  # fmt: skip
        if panel.is_dated:
            assert got.span[0] == split.folds[0].span[0]


@given(lengths=st.lists(st.integers(15, 120), min_size=1, max_size=4), horizon=st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_series_of_integer_steps_are_divided_each_at_its_own_place(lengths, horizon):
    panel = make_panel({str(i): np.arange(1.0, n + 1) for i, n in enumerate(lengths)}, dated=False)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=horizon))
    check_folds(panel, split, horizon)
    check_trained_once(panel, split, horizon)
    for s in range(len(lengths)):  # a row is a target of one block at most
        blocks = [fold.held_out.ends[fold.held_out.series == s] for fold in split.folds]
        for before, after in zip(blocks, blocks[1:], strict=False):
            if len(before) and len(after):
                assert before.max() + horizon <= after.min()


@given(
    spans=st.lists(st.tuples(st.integers(0, 150), st.integers(20, 200)), min_size=1, max_size=5),
    horizon=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_a_fold_of_a_dated_panel_is_trained_on_is_later_than_what_judges_it(spans, horizon, seed):
    """Series begin and end at different days and have holes: what they have in common must not give anything away."""
    longest = make_panel({str(i): np.arange(1.0, start + rows + 1) for i, (start, rows) in enumerate(spans)})
    place = np.arange(len(longest.times)) - np.repeat(longest.indptr[:-1], longest.lengths)
    starts = np.repeat([start for start, _ in spans], longest.lengths)
    present = (place >= starts) & ((np.random.default_rng(seed).random(len(place)) > 0.1) | (place == starts))
    panel = longest.keep(present)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=horizon))
    check_folds(panel, split, horizon)
    check_trained_once(panel, split, horizon)
    ended = np.datetime64("1900-01-01", "us")
    for fold in split.folds:
        targets = times_of_targets(panel, fold.held_out, horizon)
        assert max(times_of_targets(panel, fold.training, horizon).max(), ended) < targets.min()
        assert fold.span[0] < targets.min()
        assert fold.span[0] < fold.span[1] <= fold.span[2]
        assert (np.diff(fold.clock[np.argsort(targets[:, 0], kind="stable")]) >= 0).all()
        ended = targets.max()


def test_series_that_begins_in_a_block_is_not_trained_on_before_it():
    long, late = np.arange(1.0, 1001.0), np.arange(1.0, 1001.0)
    panel = make_panel({"long": long, "late": late})
    panel = panel.keep(np.concatenate((np.ones(1000, dtype=bool), np.arange(1000) >= 800)))
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    stopping, gate, calibration = split.folds
    assert set(stopping.training.series) == set(gate.training.series) == {0}
    assert set(gate.held_out.series) == set(calibration.training.series) == {0, 1}
    assert set(split.everything.series) == {0, 1}


def test_clock_goes_on_with_the_series_that_go_on_longest():
    """Most series end long before the others: no stretch of time is longer than a horizon all the same."""
    panel = make_panel({str(s): np.arange(1.0, (700 if s < 3 else 1300) + 1) for s in range(5)})
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    for fold in split.folds:
        targets = times_of_targets(panel, fold.held_out, 5)
        assert fold.span[1] <= targets.min() and targets.max() <= fold.span[2]
        for stretch in np.unique(fold.clock):
            begins = np.unique(targets[fold.clock == stretch, 0])
            assert len(begins) <= 5
    assert split.folds[-1].span[2] == panel.times.max()


def test_blocks_of_a_long_series_take_their_shares():
    panel = make_panel({"a": np.arange(1.0, 1001.0)})
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    spans = [(fold.training.ends.max(), fold.held_out.ends.min(), fold.held_out.ends.max()) for fold in split.folds]
    assert spans == [(645, 650, 715), (715, 720, 890), (890, 895, 995)]
    assert [str(fold.span[0].astype("M8[D]")) for fold in split.folds] == [
        str(panel.times[row].astype("M8[D]")) for row in (649, 719, 894)
    ]


@pytest.mark.parametrize(
    ("rows", "purposes"),
    [
        (100, [("early stopping",), ("gate",), ("calibration",)]),
        (99, [("early stopping", "gate"), ("calibration",)]),
        (70, [("early stopping", "gate"), ("calibration",)]),
        (69, [("early stopping", "gate", "calibration")]),
        (20, [("early stopping", "gate", "calibration")]),
        (19, []),
    ],
)
def test_short_series_share_blocks_and_it_is_said(rows, purposes):
    panel = make_panel({"a": np.arange(1.0, rows + 1)})
    split = split_windows(panel, NetworkConfig(input_size=2, horizon=5))
    assert [fold.purposes for fold in split.folds] == purposes
    check_folds(panel, split, 5)
    if len(purposes) < 3:
        assert ("share" in split.fallback) or not purposes


def test_counted_series_that_is_too_short_is_trained_on_and_not_held_out():
    panel = make_panel({str(i): np.arange(1.0, n + 1) for i, n in enumerate([400, 400, 30])}, dated=False)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=5))
    assert len(split.folds) == 3
    for fold in split.folds:
        assert set(fold.held_out.series) == {0, 1}
        assert set(fold.training.series) == {0, 1, 2}
        assert fold.span == ()


def test_one_short_series_is_an_error_with_figures():
    panel = make_panel({"a": np.arange(1.0, 7.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    assert rows_needed(config) == 15
    with pytest.raises(DataError, match=r"needs 7 rows.*there are 6"):
        without_short_series(panel, config, skip=True)


@pytest.mark.parametrize("dated", [True, False])
def test_series_too_short_to_learn_from_stay_and_train_nothing(dated):
    panel = make_panel({"a": np.arange(1.0, 201.0), **{f"b{n}": np.ones(n) for n in range(2, 9)}}, dated=dated)
    config = NetworkConfig(input_size=20, horizon=5)
    kept, left_out = without_short_series(panel, config, skip=False)
    assert (kept.ids, left_out) == (panel.ids, ())
    assert describe_unlearnt(kept, config) == (
        "too short to learn from, and forecast all the same (7 series): b2, b3, b4, b5, b6 and 2 more",
    )
    assert describe_unlearnt(kept.keep(np.arange(len(kept.times)) < 200), config) == ()
    split = split_windows(kept, config)
    assert set(split.everything.series) == {0}
    assert len(split.folds) == 3


def test_panel_without_a_series_to_learn_from_has_windows_of_what_there_is():
    panel = make_panel({"a": np.arange(1.0, 13.0), "b": np.arange(1.0, 4.0)})
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=10))
    assert split.everything.series.tolist() == [0]
    assert split.everything.ends.tolist() == [2]
    assert split.folds == ()


def test_series_of_a_row_are_counted_and_can_be_left_out():
    panel = make_panel({"WTI": np.arange(1.0, 101.0), "BRENT": np.arange(1.0, 2.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    with pytest.raises(DataError, match='"BRENT" has 1') as caught:
        without_short_series(panel, config, skip=False)
    assert caught.value.where == "1 of 2 series"
    assert "--no-skip-bad" in caught.value.hint
    kept, left_out = without_short_series(panel, config, skip=True)
    assert kept.ids == ("WTI",)
    assert left_out == ("BRENT",)
