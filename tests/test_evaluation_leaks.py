"""No row after a cutoff reaches what is forecast there, whatever the options; the audit would find it if one did."""

from dataclasses import replace

import numpy as np
import pytest
from panels import make_panel, random_walk

from rnncast.core.threads import set_threads
from rnncast.data.calendar import learn_calendar
from rnncast.errors import RnncastError
from rnncast.evaluation import issuing, recipe
from rnncast.evaluation.backtest import Keeping, evaluate_model, evaluate_panel
from rnncast.evaluation.origins import Plan
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.train import train

OPTIONS = TrainOptions(cell="gru", hidden_size=4, members=1, max_epochs=1, horizon=5)
PLAN = Plan(n_windows=3, step_size=10)

CASES = {
    "defaults": {},
    "gap": {"plan": {"gap": 3}},
    "train-size": {"plan": {"train_size": 60}},
    "refit always": {"plan": {"refit": 1}},
    "refit 2, gap, train-size": {"plan": {"refit": 2, "gap": 2, "train_size": 80}},
    "overlapping windows": {"plan": {"step_size": 1, "n_windows": 6}},
    "one step": {"options": {"horizon": 1}},
    "stateful": {"options": {"stateful": True}},
    "stateful, refit 2, gap": {"options": {"stateful": True}, "plan": {"refit": 2, "gap": 1}},
    "student-t": {"options": {"loss": "student-t"}},
    "mse": {"options": {"loss": "mse"}},
    "season": {"options": {"season_length": 5}},
    "horizon and season left to the data": {"options": {"horizon": None}},
    "level": {"options": {"levels": (50.0, 90.0)}},
    "direct": {"options": {"input_size": 4}},
    "elman, two layers": {"options": {"cell": "rnn", "activation": "sigmoid", "layers": 2}},
    "threads": {"plan": {"refit": 1}, "threads": 2},
    "skip-bad": {"short": True},
    "checkpoint": {"checkpoint": True},
    "holidays": {"holidays": True},
    "counted": {"dated": False},
    "counted, refit 2, gap": {"dated": False, "plan": {"refit": 2, "gap": 2}},
}


@pytest.fixture(autouse=True)
def _no_threads_asked():
    yield
    set_threads(None)


def make_case(rng, case):
    """Ragged panel: one series ends before the others, one begins late, one is not positive."""
    series = {"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(226), "c": rng.standard_normal(240)}
    if case.get("short"):
        series["d"] = random_walk(rng, 12)
    panel = make_panel(series, dated=case.get("dated", True))
    late = np.arange(len(panel.times)) - panel.indptr[2] >= 150
    if not case.get("short"):
        panel = panel.keep((np.arange(len(panel.times)) < panel.indptr[2]) | late)
    if case.get("holidays"):
        holidays = ("2020-02-03", "2020-11-25")
        panel = replace(panel, calendar=learn_calendar(panel.times, panel.indptr, holidays=holidays))
    return panel


def run(panel, case, path=None):
    set_threads(case.get("threads"))
    options, plan = replace(OPTIONS, **case.get("options", {})), replace(PLAN, **case.get("plan", {}))
    keeping = Keeping(checkpoint=str(path) if case.get("checkpoint") else None, audit=case.get("audit", False))
    return evaluate_panel(panel, options, plan, skip_short=True, keeping=keeping).backtest


def altered_after(panel, row_times, origin):
    """Every row after an origin has another value, some of them below zero."""
    later = panel.times > row_times.cutoffs[row_times.origin == origin].max()
    if not panel.is_dated:  # each series counts for itself
        later = np.zeros(len(panel.times), dtype=bool)
        for s in range(len(panel.ids)):
            rows = (row_times.series == s) & (row_times.origin == origin)
            last = row_times.cutoffs[rows].max() if rows.any() else panel.times[panel.rows(s)][-1]
            later[panel.rows(s)] = panel.times[panel.rows(s)] > last
    return replace(panel, values=np.where(later[:, None], -1e3 * panel.values + 7, panel.values))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_rows_after_a_cutoff_change_no_byte_of_what_is_issued_at_it_or_before(rng, case, tmp_path):
    panel = make_case(rng, case)
    expected = run(panel, case, tmp_path / "expected.npz")
    for origin in range(int(expected.origin.max()) + 1):
        got = run(altered_after(panel, expected, origin), case, tmp_path / f"{origin}.npz")
        rows = expected.origin <= origin
        assert got.methods == expected.methods
        for method, point in expected.points.items():
            assert got.points[method][rows].tobytes() == point[rows].tobytes(), method
        for method, quantiles in expected.quantiles.items():
            assert got.quantiles[method][rows].tobytes() == quantiles[rows].tobytes(), method
        for name in ("scale_absolute", "scale_squared", "volatility", "steps", "cutoffs", "times"):
            assert getattr(got, name)[rows].tobytes() == getattr(expected, name)[rows].tobytes(), name
        assert got.actual[rows].tobytes() != expected.actual[rows].tobytes()


AUDITED = ["defaults", "gap", "train-size", "refit 2, gap, train-size", "stateful, refit 2, gap", "counted", "skip-bad"]


@pytest.mark.parametrize("name", AUDITED)
def test_the_audit_finds_nothing_where_there_is_nothing(rng, name):
    panel, case = make_case(rng, CASES[name]), CASES[name]
    options, plan = replace(OPTIONS, **case.get("options", {})), replace(PLAN, **case.get("plan", {}))
    got = evaluate_panel(panel, options, plan, skip_short=True, keeping=Keeping(audit=True))
    assert got.audit.origin == 2
    assert got.audit.sha256 == got.audit.sha256_altered
    middle = got.backtest.cutoffs[got.backtest.origin == 1]
    later = (panel.times > middle.max()).sum() if panel.is_dated else None
    assert got.audit.rows_altered == later or not panel.is_dated
    assert got.audit.rows_altered > 0


@pytest.mark.parametrize("stateful", [False, True], ids=["windows", "stateful"])
def test_a_trained_model_is_audited(rng, stateful):
    panel = make_case(rng, {})
    known = panel.until(panel.times[150])
    network, training, _ = resolve(replace(OPTIONS, stateful=stateful), known)
    model, _ = train(known, network, training)
    got = evaluate_model(model, panel, Plan(step_size=5, gap=1), levels=[80], keeping=Keeping(audit=True))
    assert got.audit.sha256 == got.audit.sha256_altered


def one_row_more(real):
    """A forecast that reads one row after its origin."""

    def tails(self, pairs):
        return real(self, replace(pairs, ends=np.minimum(pairs.ends + 1, self._panel.indptr[pairs.series + 1])))

    return tails


def all_rows(real):
    """A training that sees everything."""
    return lambda panel, ends, plan: real(panel, panel.indptr[1:], plan)


LEAKS = {
    "a forecast reads the next row": (issuing.Forecaster, "_tails", one_row_more),
    "a training sees the rows after its cutoff": (recipe, "_learnt_from", all_rows),
}


@pytest.mark.parametrize(("owner", "name", "leak"), LEAKS.values(), ids=LEAKS)
def test_the_audit_finds_a_leak(rng, monkeypatch, owner, name, leak):
    panel = make_panel({"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(240)})
    monkeypatch.setattr(owner, name, leak(getattr(owner, name)))
    options = replace(OPTIONS, max_epochs=2)
    evaluate_panel(panel, options, PLAN)  # nothing shows without the audit
    with pytest.raises(RnncastError, match="changes with the rows after it") as caught:
        evaluate_panel(panel, options, PLAN, keeping=Keeping(audit=True))
    assert caught.value.exit_code == 70
    assert "fault of rnncast" in caught.value.hint


def test_the_audit_finds_a_scale_that_looks_ahead(rng, monkeypatch):
    """A scale by the whole series, as one that is fitted once and for all would be."""
    panel = make_panel({"a": random_walk(rng, 240), "b": 10 + rng.standard_normal(240)})
    real = issuing.Forecaster.issue

    def issue(self, first, stop, on_origin=lambda done: None):
        issued = real(self, first, stop, on_origin)
        return replace(issued, scale_absolute=issued.scale_absolute * self._panel.target.std())

    monkeypatch.setattr(issuing.Forecaster, "issue", issue)
    with pytest.raises(RnncastError, match="has looked ahead"):
        evaluate_panel(panel, OPTIONS, PLAN, keeping=Keeping(audit=True))
