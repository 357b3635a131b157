import numpy as np
import pytest

from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest
from rnncast.report.scores import forecast_table, overall_table, remarks, step_table


@pytest.fixture
def backtest(rng):
    """Two series, three origins, two steps; intervals of 80 per cent."""
    series, origin, steps = (axis.ravel() for axis in np.meshgrid([0, 1], [0, 1, 2], [1, 2], indexing="ij"))
    actual = 50 + rng.standard_normal(12)
    point = actual + np.where(steps == 1, 0.5, -1.5)
    quantiles = point[:, None] + np.array([-1.0, 0.0, 1.0])
    return Backtest(
        ids=("[a]", "b"),
        series=series,
        origin=origin,
        cutoffs=10 * (origin + 1),
        times=10 * (origin + 1) + steps,
        steps=steps,
        actual=actual,
        points={"rnncast": point, "last value": actual + 1.0},
        quantile_levels=np.array([0.1, 0.5, 0.9]),
        quantiles={"rnncast": quantiles},
        scale_absolute=np.full(12, 2.0),
        scale_squared=np.full(12, 4.0),
    )


def row(table, label):
    return next(cells[1:] for cells in table.rows if cells[0] == label)


def test_overall_table_has_the_hand_values(backtest):
    table = overall_table(score_backtest(backtest))
    assert table.title == "2 series, 3 origins, 6 tasks, mean over all of them"
    assert table.header == ("metric", "rnncast", "last value")
    assert row(table, "mae") == ("1.000", "1.000")
    assert row(table, "rmse") == ("1.118", "1.000")  # sqrt((0.25 + 2.25) / 2)
    assert row(table, "bias") == ("-0.500", "1.000")
    assert row(table, "coverage 80 %") == ("0.500", "-")
    assert row(table, "mase (m = 1)") == ("0.5000", "0.5000")


def test_step_table_has_the_hand_values(backtest):
    table = step_table(score_backtest(backtest))
    assert table.header == ("step", "rnncast", "last value", "in 80 %")
    assert table.rows == (("1", "0.500", "1.000", "1.000"), ("2", "1.500", "1.000", "0.000"))


def test_reasons_are_said_once(backtest):
    got = remarks(score_backtest(backtest))
    assert len(got) == len(set(got)) == 1
    assert "this method gives no quantiles" in got[0]
    assert "coverage_80" in got[0]


def test_forecast_table(backtest):
    table = forecast_table(backtest, ("ticker", "t", "y"))
    expected = ["ticker", "t", "cutoff", "y", "rnncast", "rnncast-lo-80", "rnncast-hi-80", "last_value"]
    assert list(table) == expected
    assert table["ticker"].tolist() == ["[a]"] * 6 + ["b"] * 6
    np.testing.assert_array_equal(table["rnncast-lo-80"], backtest.points["rnncast"] - 1.0)


def test_column_named_like_ours_loses_nothing(backtest):
    table = forecast_table(backtest, (None, "cutoff", "rnncast"))
    assert list(table)[:4] == ["cutoff", "cutoff_", "rnncast", "rnncast_"]
    np.testing.assert_array_equal(table["cutoff"], backtest.times)
    np.testing.assert_array_equal(table["rnncast_"], backtest.points["rnncast"])
