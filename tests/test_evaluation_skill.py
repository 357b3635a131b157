"""Skill, direction, lag plot, single series and coverage of a backtest, against loops and planted answers."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from backtests import long_backtest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.evaluation.copycat import copycat
from rnncast.evaluation.coverage import coverages
from rnncast.evaluation.direction import direction
from rnncast.evaluation.evidence import gather_evidence
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.many import each_series, false_discovery_rates, holm_adjusted
from rnncast.evaluation.skill import interval_skills, point_skills


def with_points(backtest: Backtest, **points: np.ndarray) -> Backtest:
    return replace(backtest, points=dict(backtest.points) | points)


def test_skill_is_one_minus_the_ratio_of_scaled_errors(rng: np.random.Generator) -> None:
    backtest = replace(long_backtest(rng, series=3), scale_absolute=rng.uniform(0.5, 2.0, 360))
    last = backtest.points["last value"]
    backtest = with_points(backtest, drift=last + 0.1, network=last + 1.0)
    got = {skill.reference: skill for skill in point_skills(backtest, "rnncast")}
    assert list(got) == ["last value", "drift"]  # the network is no baseline
    losses = {
        name: (np.abs(backtest.points[name] - backtest.actual) / backtest.scale_absolute).reshape(3, 60, 2)
        for name in ("rnncast", "last value", "drift")
    }
    for name, skill in got.items():
        assert skill.skill == pytest.approx(1 - losses["rnncast"].mean() / losses[name].mean(), rel=1e-12)
        assert skill.low < skill.skill < skill.high
        expected = (losses["rnncast"] - losses[name]).mean(axis=(0, 2))  # by origin
        assert skill.comparison.statistic == pytest.approx(
            expected.mean() / (expected.std(ddof=1) / math.sqrt(60)), rel=1e-9
        )


def test_skill_of_intervals_is_that_of_their_scores(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng)
    own = backtest.quantiles["rnncast"]
    low, high, actual = own[:, 0] - 0.5, own[:, 2] + 0.5, backtest.actual
    quantiles = {"rnncast": own, "empirical": np.stack([low, own[:, 1], high], axis=1)}
    (got,) = interval_skills(replace(backtest, quantiles=quantiles), "rnncast", 80.0)

    def score(low: np.ndarray, high: np.ndarray) -> float:
        return float(np.mean(high - low + 10 * np.maximum(low - actual, 0) + 10 * np.maximum(actual - high, 0)))

    assert got.reference == "empirical"
    assert got.skill == pytest.approx(1 - score(own[:, 0], own[:, 2]) / score(low, high), rel=1e-12)


def test_forecast_that_is_no_number_leaves_no_skill_and_no_warning(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng)
    bad = np.where(np.arange(120) == 5, np.inf, backtest.points["last value"])
    (last, drift) = point_skills(with_points(backtest, drift=bad), "rnncast")
    assert math.isfinite(last.skill) and math.isfinite(last.low)
    assert math.isnan(drift.skill) and math.isnan(drift.low) and drift.comparison.reason == "no loss"


def test_no_scale_at_all_leaves_no_skill(rng: np.random.Generator) -> None:
    backtest = replace(long_backtest(rng), scale_absolute=np.zeros(120))
    (got,) = point_skills(backtest, "rnncast")
    assert math.isnan(got.skill) and got.comparison.reason == "no loss"
    json.dumps(gather_evidence(backtest).to_dict(), allow_nan=False)


def test_coverage_is_counted_in_each_part(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, series=2)
    got = {(found.part, found.name): found for found in coverages(backtest, "rnncast")}
    bounds, actual = backtest.quantiles["rnncast"], backtest.actual
    inside = (actual >= bounds[:, 0]) & (actual <= bounds[:, 2])
    parts: dict[tuple[str, int | str | None], np.ndarray] = {("all", None): np.ones(240, dtype=bool)}
    parts |= {("step", step): backtest.steps == step for step in (1, 2)}
    third = np.empty(240, dtype=int)
    assert backtest.volatility is not None
    for series in (0, 1):
        own = backtest.series == series
        limits = np.quantile(np.unique(backtest.volatility[own]), [1 / 3, 2 / 3])
        third[own] = np.searchsorted(limits, backtest.volatility[own])
    parts |= {("volatility", name): third == number for number, name in enumerate(("low", "middle", "high"))}
    assert set(got) == set(parts)
    for key, rows in parts.items():
        assert got[key].rows == rows.sum()
        assert got[key].coverage == pytest.approx(inside[rows].mean(), rel=1e-12)
        assert got[key].low < got[key].coverage < got[key].high
    assert got["volatility", "low"].rows == got["volatility", "high"].rows == 80


def test_thirds_of_few_origins_have_no_interval(rng: np.random.Generator) -> None:
    found = coverages(long_backtest(rng, origins=12), "rnncast")  # one series: each third has four origins
    assert all(math.isnan(cell.low) == (cell.part == "volatility") for cell in found)
    assert {cell.fault for cell in found if cell.part == "volatility"} == {None}


def test_intervals_too_wide_and_too_narrow_are_called_so(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=100, wide_first=0.3)
    found = {c.name: c.fault for c in coverages(backtest, "rnncast") if c.part == "step"}
    assert found == {1: "too few", 2: None}
    found = {c.name: c.fault for c in coverages(long_backtest(rng, origins=100, wide_first=3.0), "rnncast")}
    assert found[1] == "too many"


def test_origins_may_have_any_numbers(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, series=2)
    apart = replace(backtest, origin=3 * backtest.origin + 5)
    assert gather_evidence(apart).to_dict() == gather_evidence(backtest).to_dict()


def test_series_with_two_origins_has_no_terciles(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=2)
    assert {c.part for c in coverages(backtest, "rnncast")} == {"all", "step"}
    assert {c.part for c in coverages(replace(backtest, volatility=None), "rnncast")} == {"all", "step"}
    nowhere = replace(long_backtest(rng), volatility=np.full(120, np.nan))
    assert {c.part for c in coverages(nowhere, "rnncast")} == {"all", "step"}


def test_direction_is_counted_without_what_says_nothing(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=20, horizon=1, step=1)
    last = backtest.points["last value"]
    point, actual = last + rng.choice([-1.0, 1.0], 20), last + rng.choice([-1.0, 1.0, 1.0], 20)
    point[:3] = last[:3]
    actual[2:5] = last[2:5]
    got = direction(replace(with_points(backtest, rnncast=point), actual=actual), "rnncast")
    assert (got.silent, got.still, got.counted) == (3, 2, 15)
    hits = (np.sign(point - last) == np.sign(actual - last))[5:]
    ups = float(np.mean(actual[5:] > last[5:]))
    assert got.share == pytest.approx(hits.mean())
    assert got.majority_share == pytest.approx(max(ups, 1 - ups))
    assert got.standard_error == pytest.approx(hits.std(ddof=1) / math.sqrt(15), rel=1e-9)


def test_always_up_in_a_rising_market_is_no_sense_of_direction(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=200, horizon=1, step=1)
    last = backtest.points["last value"]
    rising = replace(backtest, actual=last + 0.5 + rng.normal(size=200))
    always = direction(with_points(rising, rnncast=last + 0.1), "rnncast")
    assert always.majority == "up" and always.share == always.majority_share > 0.6
    assert always.versus_half.significant
    assert always.versus_majority.reason == "no difference"
    mostly = last + np.where(rng.uniform(size=200) < 0.9, 0.1, -0.1)
    got = direction(with_points(rising, rnncast=mostly), "rnncast")
    assert got.versus_half.significant and not got.versus_majority.significant


@pytest.mark.parametrize(("horizon", "step"), [(1, 1), (5, 1)], ids=["apart", "overlapping"])
def test_direction_of_noise_is_seldom_found(rng: np.random.Generator, horizon: int, step: int) -> None:
    found = 0
    for _ in range(150):
        backtest = long_backtest(rng, origins=60, horizon=horizon, step=step)
        found += direction(backtest, "rnncast").versus_half.significant
    assert found <= 0.065 * 150 + 2 * math.sqrt(0.065 * 0.935 * 150)


def test_the_last_value_is_the_same_and_says_nothing(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng)
    shut = with_points(backtest, rnncast=backtest.points["last value"])
    assert copycat(shut, "rnncast").outcome == "same"
    got = direction(shut, "rnncast")
    assert (got.counted, got.silent) == (0, 120) and math.isnan(got.share)
    evidence = gather_evidence(shut)
    assert evidence.skill("last value").skill == 0.0
    json.dumps(evidence.to_dict(), allow_nan=False)


def test_copycat_is_told_from_a_forecast_that_knows(rng: np.random.Generator) -> None:
    copy = copycat(long_backtest(rng, origins=200), "rnncast")
    assert copy.outcome == "copycat"
    assert copy.levels > 0.9 and copy.levels_of_last_value > 0.9  # the chart looks right
    assert abs(copy.changes) < 0.1 and copy.ratio < 0.3
    knowing = copycat(long_backtest(rng, origins=200, known=0.2), "rnncast")
    assert knowing.outcome == "informed" and knowing.changes > 0.5
    wild = copycat(long_backtest(rng, origins=200, noise=9.0), "rnncast")
    assert wild.outcome == "unknown" and wild.ratio > 0.9  # it knows nothing either, but it is no copy
    few = copycat(long_backtest(rng, origins=4), "rnncast")
    assert few.outcome == "unknown"


def test_copycat_figures_are_those_of_the_first_step(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, series=3, known=0.3)
    got = copycat(backtest, "rnncast")
    first = backtest.steps == 1
    point, actual, last = (
        x[first] for x in (backtest.points["rnncast"], backtest.actual, backtest.points["last value"])
    )
    assert got.changes == pytest.approx(np.corrcoef(point - last, actual - last)[0, 1], rel=1e-9)
    owner = backtest.series[first]
    by_series = [np.corrcoef(point[owner == s], actual[owner == s])[0, 1] for s in range(3)]
    assert got.levels == pytest.approx(np.median(by_series), rel=1e-9)
    assert got.to_last == pytest.approx(np.abs(backtest.points["rnncast"] - backtest.points["last value"]).mean())


def test_after_a_gap_the_first_step_scored_counts(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, origins=80, horizon=3, step=1, known=0.5)
    later = np.flatnonzero(backtest.steps == 3)
    columns = (
        "series",
        "origin",
        "cutoffs",
        "times",
        "steps",
        "actual",
        "scale_absolute",
        "scale_squared",
        "volatility",
    )
    points = {name: point[later] for name, point in backtest.points.items()}
    kept = {name: getattr(backtest, name)[later] for name in columns}
    got = copycat(replace(backtest, points=points, quantiles={}, **kept), "rnncast")
    assert (got.step, got.outcome) == (3, "informed")
    assert got.changes_test.lag == 2  # three rows ahead, from every row


def test_each_series_is_tested_on_its_own(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, series=40, noise=0.0)
    knows = backtest.series == 7
    last = backtest.points["last value"]
    point = np.where(knows, last + 0.5 * (backtest.actual - last), last + rng.normal(size=len(last)) * 0.3)
    got = each_series(with_points(backtest, rnncast=point), "rnncast")
    assert got.tested == 40 and got.by_chance == pytest.approx(1.0)
    assert got.names(better=True, measure="holm") == got.names(better=True, measure="false_discovery") == ("s7",)
    seventh = got.series[7]
    assert seventh.skill == pytest.approx(0.5)
    own = (np.abs(point - backtest.actual) - np.abs(last - backtest.actual))[knows].reshape(60, 2).mean(axis=1)
    assert seventh.comparison.statistic == pytest.approx(own.mean() / (own.std(ddof=1) / math.sqrt(60)), rel=1e-9)
    document = got.to_dict()
    assert document["better_holm"] == ["s7"] and len(document["series"]) == 40  # type: ignore[arg-type]


def test_corrections_are_those_of_a_worked_example() -> None:
    p_values = np.array([0.04, 0.01, 0.03, 0.005])
    np.testing.assert_allclose(holm_adjusted(p_values), [0.06, 0.03, 0.06, 0.02])
    np.testing.assert_allclose(false_discovery_rates(p_values), [0.04, 0.02, 0.04, 0.02])
    assert len(holm_adjusted(np.empty(0))) == len(false_discovery_rates(np.empty(0))) == 0


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30), st.floats(0.01, 0.2))
def test_corrections_reject_what_the_procedures_reject(values: list[float], level: float) -> None:
    p_values = np.array(values)
    count, ordered = len(values), np.sort(p_values)
    steps = [ordered[i] <= level / (count - i) for i in range(count)]
    down = next((i for i in range(count) if not steps[i]), count)  # Holm stops at the first that is not
    assert int(np.sum(holm_adjusted(p_values) <= level)) == int(np.sum(p_values <= ordered[down - 1])) if down else True
    up = max((i + 1 for i in range(count) if ordered[i] <= level * (i + 1) / count), default=0)
    rejected = int(np.sum(false_discovery_rates(p_values) <= level * (1 + 1e-12)))
    assert rejected == (int(np.sum(p_values <= ordered[up - 1])) if up else 0)


def test_evidence_of_series_nobody_can_predict_seldom_survives_correction(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng, series=100, origins=30)
    got = each_series(backtest, "rnncast")
    assert got.tested == 100
    assert got.names(better=True, measure="holm") == ()


def test_evidence_needs_the_last_value(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng)
    alone = replace(backtest, points={"rnncast": backtest.points["rnncast"]})
    with pytest.raises(ValueError, match="last value"):
        gather_evidence(alone)
    with pytest.raises(ValueError, match="last value"):
        direction(alone, "rnncast")


def test_network_stands_beside_where_it_differs(rng: np.random.Generator) -> None:
    backtest = long_backtest(rng)
    last = backtest.points["last value"]
    got = gather_evidence(with_points(backtest, rnncast=last, network=backtest.points["rnncast"]))
    assert [(skill.method, skill.reference) for skill in got.skills] == [
        ("rnncast", "last value"),
        ("network", "last value"),
    ]
    assert list(got.directions) == list(got.copycats) == ["rnncast", "network"]
    assert got.skill("last value", "network").skill < 0 == got.skill("last value").skill
    json.dumps(got.to_dict(), allow_nan=False)
