"""The evidence as tables and sentences."""

from dataclasses import replace

import numpy as np
import pytest
from backtests import long_backtest

from rnncast.evaluation.evidence import gather_evidence
from rnncast.report.evidence import evidence_lines, evidence_tables


def with_points(backtest, **points):
    return replace(backtest, points=dict(backtest.points) | points)


def lines_of(backtest):
    """Sentences by what they are about."""
    return dict(line.split(": ", 1) for line in evidence_lines(gather_evidence(backtest)))


@pytest.fixture
def backtest(rng):
    """Three walks of which a fifth of each change is known, with a drift and a network beside."""
    found = long_backtest(rng, series=3, known=0.2)
    last = found.points["last value"]
    points = {"network": last + 0.5 * rng.normal(size=len(last)), "drift": last + 0.1}
    return with_points(found, **points)


def test_skill_table_has_the_figures(backtest):
    evidence = gather_evidence(backtest)
    table = evidence_tables(evidence)[0]
    assert [row[:2] for row in table.rows] == [
        ("rnncast", "last value"),
        ("rnncast", "drift"),
        ("network", "last value"),  # and no row for the network against the drift: that is in --json
    ]
    skill = evidence.skill("last value")
    gain, interval, test, more = table.rows[0][2:]
    assert gain == f"{100 * skill.skill:+.1f} %"
    assert interval == f"{100 * skill.low:+.1f} to {100 * skill.high:+.1f} %"
    assert (test, more) == ("p < 0.001", "-")
    assert table.rows[2][2].startswith("-")


def test_nothing_is_made_up_where_origins_are_few(rng):
    evidence = gather_evidence(long_backtest(rng, origins=4))
    table = evidence_tables(evidence)[0]
    assert table.rows[0][3:] == ("-", "too few origins", "-")


def test_gain_of_nothing_has_no_minus(rng):
    found = long_backtest(rng)
    table = evidence_tables(gather_evidence(with_points(found, rnncast=found.points["last value"])))[0]
    assert table.rows[0][2:] == ("+0.0 %", "+0.0 to +0.0 %", "no difference", "-")


def test_volatility_table_has_the_thirds(backtest):
    table = evidence_tables(gather_evidence(backtest))[-1]
    assert [row[1] for row in table.rows] == ["all", "low", "middle", "high"]
    assert [row[2] for row in table.rows] == ["360", "120", "120", "120"]
    assert table.rows[0][-1] == "too many"  # the first step's intervals are twice as wide as they should be


def test_sentences_say_what_the_figures_say(backtest):
    evidence, lines = gather_evidence(backtest), lines_of(backtest)
    assert list(lines) == [
        "direction of rnncast",
        "direction of network",
        "lag plot of rnncast",
        "lag plot of network",
        "single series",
    ]
    found = evidence.directions["rnncast"]
    share, error = f"{100 * found.share:.1f} %", f"{100 * found.standard_error:.1f} %"
    expected = f"{share} of 360 right, standard error {error}; always {found.majority}"
    assert lines["direction of rnncast"].startswith(expected)
    assert lines["lag plot of rnncast"].endswith(
        "it knows something of the next change, which a chart of levels does not show"
    )
    assert lines["single series"].startswith("of 3 tested against the last value 3 better and 0 worse at 5 %")
    assert lines["single series"].endswith("corrected for their number (Holm): s0, s1, s2")


def test_copy_is_called_one_step_late(rng):
    copy = long_backtest(rng, origins=200)
    assert "one step late" in lines_of(copy)["lag plot of rnncast"]
    assert "one step late" not in lines_of(long_backtest(rng, origins=200, known=0.3))["lag plot of rnncast"]
    last = copy.points["last value"]
    assert lines_of(with_points(copy, rnncast=last)) == {}  # the verdict says that it is the last value


def test_what_is_left_out_of_the_direction_is_counted(rng):
    found = long_backtest(rng, origins=40)
    last = found.points["last value"]
    silent = np.where(np.arange(80) < 7, last, found.points["rnncast"])
    got = lines_of(with_points(found, rnncast=silent))["direction of rnncast"]
    assert got.endswith("; left out: 7 forecasts equal to the last value")


def test_many_series_are_not_all_named(rng):
    found = long_backtest(rng, series=9, known=0.6, noise=0.0)
    assert lines_of(found)["single series"].endswith("(Holm): s0, s1, s2, s3, s4 and 4 more")
    noise = long_backtest(rng, series=9)
    assert lines_of(noise)["single series"].endswith("corrected for their number (Holm), none is better")
