import numpy as np
import pytest
from panels import make_panel

from rnncast.evaluation.issuing import Issued
from rnncast.evaluation.methods import MethodForecasts, Terms
from rnncast.evaluation.origins import Plan, rolling_origins
from rnncast.evaluation.table import Table

TERMS = Terms(horizon=3, gap=1, season_length=1, levels=(0.1, 0.5, 0.9))


@pytest.fixture
def panel():
    return make_panel({"a": np.arange(1.0, 31.0), "b": np.arange(101.0, 129.0)})


@pytest.fixture
def origins(panel):
    return rolling_origins(panel, 3, Plan(n_windows=3, gap=1), fewest_rows=5)


def issued(pairs, shift=0.0):
    """A method with both, one with a point alone, and one with quantiles alone."""
    point = shift + 10.0 * np.arange(len(pairs))[:, None] + np.arange(3)  # (P, K)
    quantiles = point[:, :, None] + np.array([-1.0, 0.0, 1.0])  # (P, K, Q)
    methods = {
        "both": MethodForecasts(point, quantiles),
        "point": MethodForecasts(point + 1, None),
        "spread": MethodForecasts(None, quantiles + 1),
    }
    return Issued(methods, *(scale + np.arange(len(pairs)) for scale in (0.5, 1.5, 2.5)))


def filled(origins, shift=0.0):
    table = Table(origins.pairs(0, 3), TERMS)
    for first, stop in ((0, 2), (2, 3)):
        table.fill(first, stop, issued(origins.pairs(first, stop), shift if first == 2 else 0.0))
    return table


def test_rows_are_the_steps_scored_of_every_pair(panel, origins):
    got = filled(origins).backtest(panel)
    # a shows 20, 23 and 26 rows; b has 28, so that of its last forecast one step is left behind the gap
    assert got.origin.tolist() == [0] * 6 + [1] * 6 + [2] * 4
    assert got.series.tolist() == [0, 0, 0, 1, 1, 1] * 2 + [0, 0, 0, 1]
    assert got.steps.tolist() == [2, 3, 4] * 5 + [2]
    assert got.actual[:6].tolist() == [22, 23, 24, 122, 123, 124]
    assert got.actual[-4:].tolist() == [28, 29, 30, 128]
    assert got.cutoffs[-4:].tolist() == [panel.times[25]] * 4
    assert got.times[-4:].tolist() == panel.times[[27, 28, 29, 27]].tolist()
    assert got.points["both"].tolist() == [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32, 0, 1, 2, 10]
    assert got.quantiles["both"][-1].tolist() == [9, 10, 11]
    assert got.scale_absolute.tolist() == np.repeat([0.5, 1.5, 2.5, 3.5, 0.5, 1.5], [3, 3, 3, 3, 3, 1]).tolist()


def test_a_method_may_have_a_point_or_quantiles_alone(panel, origins):
    got = filled(origins).backtest(panel)
    assert got.methods == ("both", "point", "spread")
    assert list(got.points) == ["both", "point"]
    assert list(got.quantiles) == ["both", "spread"]


def test_the_digest_of_an_origin_is_of_what_was_issued_there(origins):
    one, other = filled(origins), filled(origins, shift=1e-12)
    assert [one.digest(origin) == other.digest(origin) for origin in range(3)] == [True, True, False]
    assert one.digest(0) != one.digest(1)


def test_what_was_filled_before_is_restored(panel, origins):
    whole = filled(origins)
    rows = whole.rows_before(2)
    assert rows == 12
    table = Table(origins.pairs(0, 3), TERMS)
    table.restore(2, {name: column[:rows].copy() for name, column in whole.columns.items()})
    table.fill(2, 3, issued(origins.pairs(2, 3)))
    assert [table.digest(origin) for origin in range(3)] == [whole.digest(origin) for origin in range(3)]
