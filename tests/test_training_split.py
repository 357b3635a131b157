import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.errors import DataError
from rnncast.model.config import NetworkConfig
from rnncast.training.split import rows_needed, split_windows, without_short_series


def times_of_targets(panel, windows, horizon):
    """Stamps of all targets of windows."""
    return panel.times[windows.ends[:, None] + np.arange(horizon)]


@given(lengths=st.lists(st.integers(15, 80), min_size=1, max_size=4), horizon=st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_series_of_integer_steps_are_divided_each_at_its_own_place(lengths, horizon):
    panel = make_panel({str(i): np.arange(1.0, n + 1) for i, n in enumerate(lengths)}, dated=False)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=horizon))
    for s in range(len(lengths)):
        search = split.search.ends[split.search.series == s]
        validation = split.validation.ends[split.validation.series == s]
        everything = split.everything.ends[split.everything.series == s]
        assert set(search) | set(validation) <= set(everything)
        assert everything.max(initial=0) + horizon <= panel.indptr[s + 1]
        if len(validation) and len(search):
            assert search.max() + horizon <= validation.min()
    assert len(split.search) > 0 or len(split.everything) == 0
    assert len(split.blocks) == len(split.validation)


@given(
    spans=st.lists(st.tuples(st.integers(0, 150), st.integers(20, 200)), min_size=1, max_size=5),
    horizon=st.integers(1, 6),
    seed=st.integers(0, 1000),
)
@settings(max_examples=150, deadline=None)
def test_nothing_that_the_search_sees_of_a_dated_panel_is_later_than_what_judges_it(spans, horizon, seed):
    """Series begin and end at different days and have holes: what they have in common must not give anything away."""
    longest = make_panel({str(i): np.arange(1.0, start + rows + 1) for i, (start, rows) in enumerate(spans)})
    place = np.arange(len(longest.times)) - np.repeat(longest.indptr[:-1], longest.lengths)
    starts = np.repeat([start for start, _ in spans], longest.lengths)
    present = (place >= starts) & ((np.random.default_rng(seed).random(len(place)) > 0.1) | (place == starts))
    panel = longest.keep(present)
    split = split_windows(panel, NetworkConfig(input_size=12, horizon=horizon))
    if len(split.validation):
        known = times_of_targets(panel, split.search, horizon).max()
        assert known < times_of_targets(panel, split.validation, horizon).min()
        first = times_of_targets(panel, split.validation, horizon)[:, 0]
        assert (np.diff(split.blocks[np.argsort(first, kind="stable")]) >= 0).all()


def test_series_that_begins_in_the_validation_part_is_not_trained_on_in_the_search():
    long, late = np.arange(1.0, 1001.0), np.arange(1.0, 1001.0)
    panel = make_panel({"long": long, "late": late})
    panel = panel.keep(np.concatenate((np.ones(1000, dtype=bool), np.arange(1000) >= 850)))
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    assert set(split.search.series) == {0}
    assert set(split.validation.series) == {0, 1}
    assert set(split.everything.series) == {0, 1}


def test_validation_part_is_the_last_share_of_a_long_series():
    panel = make_panel({"a": np.arange(1.0, 1001.0)})
    split = split_windows(panel, NetworkConfig(input_size=20, horizon=5))
    assert split.validation.ends.min() == 800
    assert split.validation.ends.max() == 995
    assert split.search.ends.max() == 795


def test_one_short_series_is_an_error_with_figures():
    panel = make_panel({"a": np.arange(1.0, 13.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    assert rows_needed(config) == 15
    with pytest.raises(DataError, match=r"needs 15 rows.*there are 12"):
        without_short_series(panel, config, skip=True)


def test_short_series_of_a_panel_are_counted_and_can_be_left_out():
    panel = make_panel({"WTI": np.arange(1.0, 101.0), "BRENT": np.arange(1.0, 8.0)})
    config = NetworkConfig(input_size=20, horizon=5)
    with pytest.raises(DataError, match='"BRENT" has 7') as caught:
        without_short_series(panel, config, skip=False)
    assert caught.value.where == "1 of 2 series"
    assert "--no-skip-bad" in caught.value.hint
    kept, left_out = without_short_series(panel, config, skip=True)
    assert kept.ids == ("WTI",)
    assert left_out == ("BRENT",)
