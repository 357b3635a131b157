from dataclasses import replace

import numpy as np
import pytest
from backtests import long_backtest

from rnncast.data.text import display_width
from rnncast.evaluation.evidence import gather_evidence
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.scores import score_backtest
from rnncast.report.scores import forecast_table, interval_tables, point_table, remarks, score_tables, step_table


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
    return next(dict(zip(table.header[1:], cells[1:], strict=True)) for cells in table.rows if cells[0] == label)


def test_point_table_has_the_hand_values(backtest):
    table = point_table(score_backtest(backtest))
    assert table.title == (
        "2 series, 3 origins, 6 tasks, mean over all of them; smape 0 to 200, mase and rmsse with m = 1"
    )
    assert table.header == ("method", "mae", "relative mae", "rmse", "smape", "mase", "rmsse", "bias")
    assert [cells[0] for cells in table.rows] == ["rnncast", "last value"]
    own, last = row(table, "rnncast"), row(table, "last value")
    assert (own["mae"], last["mae"]) == ("1.000", "1.000")
    assert (own["rmse"], last["rmse"]) == ("1.118", "1.000")  # sqrt((0.25 + 2.25) / 2)
    assert (own["bias"], last["bias"]) == ("-0.500", "1.000")
    assert (own["mase"], last["mase"]) == ("0.5000", "0.5000")


def test_interval_table_has_the_methods_with_quantiles(backtest):
    quantiles = dict(backtest.quantiles) | {"empirical": backtest.actual[:, None] + np.array([-1.0, 0.0, 1.0])}
    (table,) = interval_tables(score_backtest(replace(backtest, quantiles=quantiles)))
    assert table.header == ("method", "pinball", "in 80 %", "score 80 %")
    assert row(table, "rnncast")["in 80 %"] == "0.500"
    # width 2, and 10 times what half of the values lie beyond by: 0.5
    assert row(table, "rnncast")["score 80 %"] == "4.500"
    assert row(table, "empirical")["in 80 %"] == "1.000"
    assert row(table, "empirical")["score 80 %"] == "2.000"


def test_without_quantiles_there_is_no_interval_table(backtest):
    bare = replace(backtest, quantile_levels=np.empty(0), quantiles={})
    assert interval_tables(score_backtest(bare)) == []
    assert step_table(score_backtest(bare)).header == ("step", "rnncast", "last value")


def test_step_table_has_the_hand_values(backtest):
    table = step_table(score_backtest(backtest))
    assert table.header == ("step", "rnncast", "last value", "in 80 %")
    assert table.rows == (("1", "0.500", "1.000", "1.000"), ("2", "1.500", "1.000", "0.000"))


def test_tables_of_many_methods_and_levels_stay_narrow(backtest):
    points = dict(backtest.points) | {f"seasonal path {n}": backtest.actual + 10 + n for n in range(9)}
    levels = np.array([0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99])
    quantiles = {name: point[:, None] + 1000 * (levels - 0.5) for name, point in points.items()}
    scores = score_backtest(replace(backtest, points=points, quantile_levels=levels, quantiles=quantiles))
    tables = score_tables(scores)
    assert max(display_width(line) for table in tables for line in table.lines()[1:]) <= 120
    levels_shown = [name for table in interval_tables(scores) for name in table.header if name.startswith("score")]
    assert levels_shown == [f"score {level} %" for level in (50, 80, 90, 95, 98)]
    assert [len(table.rows) for table in (point_table(scores), *interval_tables(scores))] == [11, 11, 11]
    assert step_table(scores).header[:7] == (
        "step",
        "rnncast",
        "last value",
        *(f"seasonal path {n}" for n in range(4)),  # those with the least errors
    )
    assert "5 more methods" in step_table(scores).title


def test_step_that_surely_holds_too_much_has_a_sign(rng):
    backtest = long_backtest(rng, origins=60)
    table = step_table(score_backtest(backtest), gather_evidence(backtest))
    shares = [cells[table.header.index("in 80 %")] for cells in table.rows]
    assert shares[0].endswith("+") and shares[1].endswith(" ")
    assert "+ surely more than they should" in table.title


def test_reasons_are_said_once(backtest):
    points = {name: np.where(np.arange(12) == 3, np.nan, point) for name, point in backtest.points.items()}
    got = remarks(score_backtest(replace(backtest, points=points)))
    assert len(got) == len(set(got)) == 1
    assert got[0] == "mae, rmse, smape, mase, rmsse, bias, relative_mae: no finite point forecast in 1 of 12 rows"


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
