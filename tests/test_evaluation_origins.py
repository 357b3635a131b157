import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import make_panel

from rnncast.errors import DataError, UsageError
from rnncast.evaluation.origins import Plan, rolling_origins


@given(
    lengths=st.lists(st.integers(30, 90), min_size=1, max_size=4),
    dated=st.booleans(),
    horizon=st.integers(1, 6),
    step=st.integers(1, 6),
    gap=st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
def test_what_is_scored_lies_after_what_is_shown_and_the_gap(lengths, dated, horizon, step, gap):
    panel = make_panel({str(i): np.arange(1.0, n + 1) for i, n in enumerate(lengths)}, dated=dated)
    origins = rolling_origins(panel, horizon, Plan(n_windows=3, step_size=step, gap=gap), fewest_rows=5)
    assert len(origins) == 3
    assert (origins.steps <= horizon).all()
    for origin in range(3):
        visible = origins.visible(origin, panel)
        for s in range(len(lengths)):
            shown = int(visible[panel.rows(s)].sum())
            assert origins.ends[origin, s] == panel.indptr[s] + shown
            steps = int(origins.steps[origin, s])
            assert steps in (0, min(horizon, panel.lengths[s] - shown - gap))
        if dated:  # one clock for all: nothing shown is later than any row that is scored
            scored = [
                panel.times[end]
                for end, steps in zip(origins.ends[origin], origins.steps[origin], strict=True)
                if steps
            ]
            assert all(panel.times[visible].max() < stamp for stamp in scored)


def test_last_origin_is_one_horizon_before_the_end():
    panel = make_panel({"a": np.arange(1.0, 101.0)})
    origins = rolling_origins(panel, 5, Plan(n_windows=3, step_size=10), fewest_rows=10)
    assert origins.ends[:, 0].tolist() == [75, 85, 95]
    assert origins.steps[:, 0].tolist() == [5, 5, 5]


def test_a_gap_lies_between_what_is_shown_and_what_is_scored():
    panel = make_panel({"a": np.arange(1.0, 101.0), "b": np.arange(1.0, 98.0)})
    origins = rolling_origins(panel, 5, Plan(n_windows=3, step_size=10, gap=2), fewest_rows=10)
    assert origins.ends.tolist() == [[73, 173], [83, 183], [93, 193]]
    assert origins.steps.tolist() == [
        [5, 5],
        [5, 5],
        [5, 2],
    ]  # of b, rows 96 and 97 are left after 93 shown and a gap of 2
    pairs = origins.pairs(1, 3)
    assert pairs.origin.tolist() == [1, 1, 2, 2]
    assert pairs.series.tolist() == [0, 1, 0, 1]
    assert pairs.ends.tolist() == [83, 183, 93, 193]
    assert pairs.first_rows.tolist() == [0, 5, 10, 15, 17]
    assert origins.stamps(panel) == panel.times[[72, 82, 92]].astype("datetime64[D]").astype(str).tolist()


def test_a_gap_takes_rows_from_the_origins():
    panel = make_panel({"a": np.arange(1.0, 41.0)})
    assert len(rolling_origins(panel, 5, Plan(n_windows=5), fewest_rows=15)) == 5
    with pytest.raises(DataError, match=r"rows allow 4 origins, 5 needed .*a gap of 1") as caught:
        rolling_origins(panel, 5, Plan(n_windows=5, gap=1), fewest_rows=15)
    assert "--gap" in caught.value.hint


def test_default_keeps_half_of_the_rows_before_the_first_origin():
    panel = make_panel({"a": np.arange(1.0, 145.0)})
    origins = rolling_origins(panel, 12, Plan(), fewest_rows=22)
    assert len(origins) == 6
    assert origins.ends[0, 0] == 72


def test_integer_series_count_from_their_own_ends():
    panel = make_panel({"a": np.arange(1.0, 51.0), "b": np.arange(1.0, 31.0)}, dated=False)
    origins = rolling_origins(panel, 5, Plan(n_windows=2), fewest_rows=5)
    assert (origins.ends - panel.indptr[:-1]).tolist() == [[40, 20], [45, 25]]


def test_no_origin_before_the_last_training_row():
    panel = make_panel({"a": np.arange(1.0, 101.0)})
    trained_until = panel.times[79]
    origins = rolling_origins(panel, 5, Plan(step_size=5), fewest_rows=2, earliest=trained_until)
    assert origins.ends[:, 0].tolist() == [80, 85, 90, 95]


def test_too_many_origins_is_an_error_with_figures():
    panel = make_panel({"a": np.arange(1.0, 41.0)})
    with pytest.raises(DataError, match="rows allow 5 origins, 9 needed"):
        rolling_origins(panel, 5, Plan(n_windows=9), fewest_rows=15)


@pytest.mark.parametrize(
    "values", [{"n_windows": 0}, {"step_size": 0}, {"refit": -1}, {"gap": -1}, {"train_size": 0}], ids=str
)
def test_impossible_plans_are_refused(values):
    with pytest.raises(UsageError, match=f"--{next(iter(values)).replace('_', '-')} must be"):
        Plan(**values)


def test_no_origin_before_the_last_training_row_where_the_clock_has_a_hole():
    """The series that gives the clock has no row on the last training day; others do, and must not be scored on it."""
    panel = make_panel({"clock": np.arange(1.0, 101.0), "other": np.arange(1.0, 100.0)})
    trained_until = panel.times[60]
    panel = panel.keep((panel.times != trained_until) | (np.arange(199) >= 100))
    origins = rolling_origins(panel, 5, Plan(n_windows=30, step_size=1), fewest_rows=2, earliest=trained_until)
    for origin in range(30):
        for s in np.flatnonzero(origins.steps[origin]):
            assert panel.times[origins.ends[origin, s]] > trained_until
    with pytest.raises(DataError):
        rolling_origins(panel, 5, Plan(n_windows=35, step_size=1), fewest_rows=2, earliest=trained_until)
