"""Issued forecasts beside what came: the same as a backtest would have found, and what is not scored, by its reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.data.panel import Columns
from rnncast.errors import DataError
from rnncast.evaluation.backtest import evaluate_model
from rnncast.evaluation.ledger import append
from rnncast.evaluation.ledger_rows import first_issued, read_ledger
from rnncast.evaluation.origins import Plan
from rnncast.evaluation.outcomes import join_outcomes
from rnncast.evaluation.scores import score_backtest
from rnncast.forecasting.predict import forecast
from rnncast.model.config import NetworkConfig, TrainingConfig, quantile_levels
from rnncast.model.gate import Blend, same_for_all
from rnncast.training.train import train

LEVELS = (80.0, 95.0)
HORIZON = 4


@pytest.fixture(scope="module", params=[True, False], ids=["dates", "steps"])
def panel(request):
    """Two series of one length."""
    rng = np.random.default_rng(11)
    return make_panel({name: random_walk(rng, 120) for name in ("a", "b")}, dated=request.param)


@pytest.fixture(scope="module")
def model(panel):
    """A model of the first 80 rows."""
    network = NetworkConfig(hidden_size=4, input_size=10, horizon=HORIZON)
    known = panel.until(panel.times[79])
    trained, _ = train(known, network, TrainingConfig(members=1, max_epochs=1, epoch_updates=2))
    bent = trained.parameters + 0.1 * np.random.default_rng(0).standard_normal(trained.parameters.shape)
    return replace(trained, parameters=bent.astype(np.float32), gate=same_for_all(Blend("last value", 0.7)))


@pytest.fixture(scope="module")
def ends():
    """Rows shown at each cutoff: their horizons overlap."""
    return range(83, 115, 3)


@pytest.fixture(scope="module")
def ledger(panel, model, ends, tmp_path_factory):
    """What a job would have recorded at each cutoff."""
    path = str(tmp_path_factory.mktemp("ledger") / "l.csv")
    for number, end in enumerate(ends):
        issued = forecast(model, panel.until(panel.times[end - 1]), HORIZON, quantile_levels(LEVELS))
        made_at = np.datetime64("2020-01-01T00:00:00", "s") + number
        append(path, issued, levels=LEVELS, quantiles=(), model="f" * 16, made_at=made_at)
    return first_issued(read_ledger(path))


def test_scores_are_those_of_the_backtest(panel, model, ledger, ends):
    """The same cutoffs forecast anew, by other code, give the same table but for the rounding of single precision."""
    shown = panel.until(panel.times[ends[-1] - 1 + HORIZON])
    expected = evaluate_model(model, shown, Plan(n_windows=len(ends), step_size=3), levels=LEVELS).backtest
    got = join_outcomes(ledger, panel, season_length=1).backtest
    points = [name for name in expected.points if name != "network"]  # which is not issued
    assert (got.ids, got.season_length, list(got.points)) == (expected.ids, 1, points)
    order = np.lexsort((expected.steps, expected.series, expected.cutoffs))
    for name in ("series", "origin", "cutoffs", "times", "steps", "actual", "scale_absolute", "scale_squared",
                 "volatility"):  # fmt: skip
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name)[order], err_msg=name)
    for name in points:
        np.testing.assert_allclose(got.points[name], expected.points[name][order], rtol=1e-6, err_msg=name)
    assert list(got.quantiles) == list(expected.quantiles)
    for name in expected.quantiles:
        np.testing.assert_allclose(got.quantiles[name], expected.quantiles[name][order], rtol=1e-6, err_msg=name)
    assert got.overlap == expected.overlap == 1
    got_scores, scores = score_backtest(got).methods["rnncast"], score_backtest(expected).methods["rnncast"]
    assert got_scores.relative_mae == pytest.approx(scores.relative_mae, rel=1e-6)
    assert got_scores.comparison.reason is None
    assert got_scores.comparison.p_value == pytest.approx(scores.comparison.p_value, rel=1e-4)


def test_nothing_after_a_cutoff_enters_but_as_outcome(panel, ledger):
    """Later rows changed beyond recognition change what came, and nothing else that is known at the cutoff."""
    whole = join_outcomes(ledger, panel, season_length=5).backtest
    cutoff = ledger.cutoffs[len(ledger) // 2]
    changed = replace(panel, values=np.where((panel.times > cutoff)[:, None], 1e6 + panel.values**2, panel.values))
    other = join_outcomes(ledger, changed, season_length=5).backtest
    early = whole.cutoffs <= cutoff
    assert early.any() and not early.all()
    for name in ("scale_absolute", "scale_squared", "volatility"):
        assert getattr(whole, name)[early].tobytes() == getattr(other, name)[early].tobytes()
    for name in whole.points:
        assert whole.points[name][early].tobytes() == other.points[name][early].tobytes()
    for name in whole.quantiles:
        assert whole.quantiles[name][early].tobytes() == other.quantiles[name][early].tobytes()
    later = whole.times > cutoff
    assert (whole.actual[later] != other.actual[later]).all()
    np.testing.assert_array_equal(whole.actual[~later], other.actual[~later])


def test_season_is_that_of_the_rows_before_the_first_cutoff(model, ledger, panel):
    """A season that begins after the first cutoff is not found."""
    position = np.arange(len(panel.times)) - np.repeat(panel.indptr[:-1], panel.lengths)
    waves = replace(panel, values=100.0 + 10.0 * np.sin(2 * np.pi * position / 5)[:, None])
    assert join_outcomes(ledger, waves).backtest.season_length == (5 if panel.is_dated else 1)  # a week
    rng = np.random.default_rng(2)
    noise = rng.standard_normal(len(position))
    late = replace(waves, values=np.where((position < 83)[:, None], 100 + noise[:, None], waves.values))
    assert join_outcomes(ledger, late).backtest.season_length == 1


def outcomes_of(ledger, panel):
    return join_outcomes(ledger, panel, season_length=1).outcomes


def without(panel, rows):
    """The panel without some rows of series a."""
    mask = np.ones(len(panel.times), dtype=bool)
    mask[list(rows)] = False
    return panel.keep(mask)


def test_rows_without_an_outcome_are_counted(panel, ledger):
    got = outcomes_of(ledger, panel)
    assert (got.scored, got.pending, got.never_came, got.unknown_series, got.no_cutoff) == (88, 0, 0, 0, 0)
    got = outcomes_of(ledger, panel.until(panel.times[114]))
    assert (got.scored, got.pending, got.never_came) == (84, 4, 0)  # of each series 2 steps after row 115


def test_stamps_that_never_came_are_counted_apart(panel, ledger):
    gone = without(panel, [100])  # row 101: an outcome of the cutoffs at rows 98 and 101 - and no cutoff itself
    got = outcomes_of(ledger, gone)
    cutoffs = ledger.cutoffs[ledger.series == 0]
    as_cutoff = int((cutoffs == panel.times[100]).sum())
    as_outcome = int(((ledger.times == panel.times[100]) & (ledger.series == 0)).sum())
    assert as_cutoff == 4 and as_outcome == 1
    assert (got.scored, got.never_came, got.no_cutoff) == (88 - 5, 1, 4)


def test_series_and_cutoffs_that_the_input_lacks(panel, ledger):
    first = panel.keep(np.arange(len(panel.times)) < panel.indptr[1])
    got = outcomes_of(ledger, replace(first, columns=panel.columns))
    assert (got.scored, got.unknown_series) == (44, 44)
    late = without(panel, range(82))  # series a begins at the first cutoff: one row is no history
    got = outcomes_of(ledger, late)
    assert (got.scored, got.no_cutoff) == (84, 4)


def test_revised_values_are_noticed(panel, ledger):
    got = outcomes_of(ledger, panel)
    assert (got.cutoffs, got.revised, got.first_revision) == (22, 0, None)
    values = panel.values.copy()
    values[[85, 88]] *= 1.01
    got = outcomes_of(ledger, replace(panel, values=values))
    assert (got.cutoffs, got.revised) == (22, 2)
    assert got.first_revision == ("a", panel.times[85], panel.target[85], values[85, 0])


def test_forecasts_made_after_the_fact_are_counted(panel, ledger):
    if not panel.is_dated:
        assert outcomes_of(ledger, panel).made_late == 0  # steps are no times
        return
    assert outcomes_of(ledger, panel).made_late == 0  # all were made in January
    after = replace(ledger, made_at=np.full(len(ledger), panel.times[100] + np.timedelta64(15, "h")))
    late = ledger.times <= panel.times[99]  # whose next row is that of the time, or earlier
    assert outcomes_of(after, panel).made_late == late.sum() > 0


def test_intervals_that_some_rows_lack_are_not_scored(panel, ledger):
    quantiles = ledger.quantiles.copy()
    quantiles[0, [0, -1]] = np.nan
    got = join_outcomes(replace(ledger, quantiles=quantiles), panel, season_length=1).backtest
    np.testing.assert_array_equal(got.quantile_levels, [0.1, 0.5, 0.9])


def test_series_with_cutoffs_of_their_own_overlap(rng, tmp_path):
    """Cutoffs of two series in turn, each series' horizons apart: over both they overlap."""
    panel = make_panel({name: random_walk(rng, 80) for name in ("a", "b")})
    ledgers = []
    for shift in (0, 1):
        one = replace(panel.keep(np.arange(160) // 80 == shift), columns=Columns("date", "ticker", "close"))
        network = NetworkConfig(hidden_size=2, input_size=4, horizon=2)
        trained, _ = train(one.until(one.times[29]), network, TrainingConfig(members=1, max_epochs=0))
        for end in range(40 + shift, 70, 2):
            ledgers.append(forecast(trained, one.until(one.times[end - 1]), 2, ()))
    path = str(tmp_path / "l.csv")
    for issued in ledgers:
        append(path, issued, levels=(), quantiles=(), model="f" * 16, made_at=np.datetime64("2020-01-01", "s"))
    got = join_outcomes(read_ledger(path), panel, season_length=1).backtest
    assert got.overlap == 1
    assert len(np.unique(got.origin)) == 30


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"id": None, "ids": ("",)}, "the input has an id column, the ledger none", id="no-id"),
        pytest.param({"kind": "stamps with a zone"}, "the ledger stamps with a zone", id="zone"),
        pytest.param({"ids": ("x", "y")}, "88 are of series that the input does not have", id="other-series"),
    ],
)
def test_ledgers_that_do_not_fit(panel, ledger, change, message):
    with pytest.raises(DataError, match=message) as caught:
        join_outcomes(replace(ledger, **change), panel)
    assert caught.value.hint
