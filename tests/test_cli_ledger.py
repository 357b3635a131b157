"""``forecast --append`` and ``evaluate --forecasts``: a nightly job, and what its forecasts were worth."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices

from rnncast.data.locking import locked

DAYS = weekdays(150)
CUTOFFS = DAYS[100:140:2]  # 20 of them; the horizon is 5 rows


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A folder with prices, a model of their first 100 rows, another, and a ledger of the first."""
    folder = tmp_path_factory.mktemp("recorded")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(5))
    for seed, name in (("0", "prices.npz"), ("1", "other.npz")):
        options = ("--until", DAYS[99], "--seed", seed, "-q", "-o", folder / name)
        assert call("train", prices, *QUICK, *options).code == 0
    for cutoff in CUTOFFS:
        got = forecast(folder, "prices.npz", cutoff)
        assert got.code == 0, got.err
    return folder


def forecast(folder, model, cutoff, *options, ledger="issued.csv"):
    return call(
        "forecast", folder / model, folder / "prices.csv", "--until", cutoff, "--append", folder / ledger, *options
    )


@pytest.fixture
def here(recorded, tmp_path, monkeypatch):
    """A copy of that folder as the current one."""
    shutil.copytree(recorded, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return Path()


def rows_of(path):
    return list(csv.DictReader(Path(path).read_text().splitlines()))


# ---- forecast --append


def test_what_is_printed_is_what_is_recorded(here):
    Path("issued.csv").unlink()
    got = forecast(here, "prices.npz", CUTOFFS[0])
    assert got.err.splitlines()[-1] == "recorded 5 rows in issued.csv"
    printed = list(csv.DictReader(got.out.splitlines()))
    ledger = rows_of("issued.csv")
    assert [{name: row[name] for name in printed[0]} for row in ledger] == printed
    prices = {row["date"]: row["close"] for row in rows_of("prices.csv")}
    for step, row in enumerate(ledger, 1):
        assert (row["cutoff"], row["step"], row["last_value"]) == (CUTOFFS[0], str(step), prices[CUTOFFS[0]])
        assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row["made_at"])
        assert re.fullmatch(r"[0-9a-f]{16}", row["model"])


def test_the_same_forecast_again_changes_nothing(here):
    before = Path("issued.csv").read_bytes()
    got = forecast(here, "prices.npz", CUTOFFS[3])
    assert got.code == 0
    assert got.err.splitlines()[-2:] == [
        "recorded 0 rows in issued.csv",
        "5 rows of this forecast stood there already, and stayed as first issued",
    ]
    assert Path("issued.csv").read_bytes() == before
    Path("prices.csv").write_text(Path("prices.csv").read_text().replace(f"{CUTOFFS[3]},", f"{CUTOFFS[3]},1"))
    got = forecast(here, "prices.npz", CUTOFFS[3])
    assert "warning: 5 rows there say another number" in got.err
    assert Path("issued.csv").read_bytes() == before


def test_time_of_a_reproducible_run(here, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    for name in ("one", "two"):
        assert forecast(here, "prices.npz", CUTOFFS[0], ledger=f"{name}.csv").code == 0
    assert Path("one.csv").read_bytes() == Path("two.csv").read_bytes()
    assert rows_of("one.csv")[0]["made_at"] == "2023-11-14T22:13:20+00:00"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    got = forecast(here, "prices.npz", CUTOFFS[0])
    assert (got.code, got.out) == (2, "")
    assert "SOURCE_DATE_EPOCH" in got.err


def test_rows_of_the_model_are_recorded_too(here):
    got = call("forecast", "prices.npz", "--append", "kept.parquet", "--format", "ndjson")
    assert got.code == 0, got.err
    assert len(got.out.splitlines()) == 5
    again = call("forecast", "prices.npz", "prices.csv", "--until", DAYS[99], "--append", "kept.parquet")
    assert "recorded 0 rows" in again.err and "another number" not in again.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["--append", "prices.csv"], 2, "is also an input", id="the-input"),
        pytest.param(["--append", "prices.npz"], 2, "the ending '.npz'", id="the-model"),
        pytest.param(["--append", "x.csv", "-o", "x.csv"], 2, "-o and --append both name", id="the-output"),
        pytest.param(["--append", "x.json"], 2, "expected .csv or .parquet", id="ending"),
        pytest.param(["--append", "copy.csv"], 65, "this is no ledger", id="no-ledger"),
        pytest.param(["--append", "none/x.csv"], 73, "there is no folder", id="no-folder"),
        pytest.param(["--append", "x.csv", "-o", "x.txt"], 2, "no format has the ending", id="output-ending"),
        pytest.param(["--append", "issued.csv", "--time-col", "day"], 65, "time column of the ledger", id="columns"),
    ],
)
def test_refused_before_anything_is_lost(here, arguments, code, message):
    text = Path("prices.csv").read_text()
    Path("copy.csv").write_text(text)
    Path("prices.csv").write_text(text.replace("date,", "day,") if "day" in arguments else text)
    before = Path("issued.csv").read_bytes()
    got = call("forecast", "prices.npz", "prices.csv", *arguments)
    assert (got.code, got.out) == (code, "")
    assert message in got.err and "fix: " in got.err
    assert Path("issued.csv").read_bytes() == before
    assert not Path("x.csv").exists() and not Path("x.txt").exists()


def test_busy(here, monkeypatch):
    monkeypatch.setattr("rnncast.evaluation.ledger.locked", lambda path: locked(path, patience=0))
    with locked("issued.csv"):
        got = forecast(here, "prices.npz", CUTOFFS[0])
    assert (got.code, got.out) == (75, "")
    assert "another run holds the lock" in got.err


# ---- evaluate --forecasts


def evaluate(*arguments):
    got = call("evaluate", "--forecasts", "issued.csv", "prices.csv", *arguments)
    assert got.code == 0, got.err
    return got


def test_scores_are_those_of_the_backtest_of_the_model(here):
    issued = json.loads(evaluate("--json").out)
    Path("prices.csv").write_text("".join(Path("prices.csv").read_text().splitlines(keepends=True)[: 1 + 139 + 5]))
    backtest = json.loads(
        call("evaluate", "prices.npz", "prices.csv", "--n-windows", "20", "--step-size", "2", "--json").out
    )
    assert issued["scores"]["origins"] == backtest["scores"]["origins"] == 20
    expected_methods = {name: found for name, found in backtest["scores"]["methods"].items() if name != "network"}
    assert issued["scores"]["methods"].keys() == expected_methods.keys()
    for name, expected in expected_methods.items():
        got = issued["scores"]["methods"][name]
        assert got["overall"] == pytest.approx(expected["overall"], rel=1e-8)  # single precision, by other batches
        assert got["per_step"].keys() == expected["per_step"].keys()
    assert issued["verdict"]["outcome"] == backtest["verdict"]["outcome"]


def test_document(here):
    forecast(here, "other.npz", CUTOFFS[0])
    document = json.loads(evaluate("--json").out)
    assert document["schema"] == "rnncast.ledger/1"
    assert document["counts"] == {
        "scored": 100, "pending": 0, "never_came": 0, "unknown_series": 0, "no_cutoff": 0, "made_late": 100,
        "cutoffs": 20, "revised": 0,
    }  # fmt: skip
    assert [period["cutoffs"] for period in document["drift"]["periods"]] == [5, 5, 5, 5]
    assert document["drift"]["error"]["reason"] == "too few origins"
    assert [model["rows"] for model in document["models"]] == [100]  # the other came later
    assert any("left out: 5 rows for which there is an earlier forecast" in note for note in document["notes"])
    assert "were made when what was forecast had come" in document["warnings"][0]


def test_text(here):
    got = evaluate()
    lines = got.out.splitlines()
    assert lines[0].startswith("1 series, 20 origins, 20 tasks, mean over all of them")
    (header,) = [line for line in lines if line.startswith("from")]
    assert header.split() == "from to cutoffs rows mae relative mae in 80 % in 95 %".split()
    assert lines[-1] == "Too few cutoffs to tell whether it got worse (20, 30 needed)."
    assert "issued.csv: 100 rows of 20 forecasts by 1 model" in got.err
    assert "100 rows scored" in got.err


def test_one_model_is_scored_by_its_fingerprint_or_its_file(here):
    for cutoff in CUTOFFS[:3]:
        forecast(here, "other.npz", cutoff)
    name = json.loads(call("inspect", "other.npz", "--json").out)["fingerprint"]
    assert name in {row["model"] for row in rows_of("issued.csv")}
    by_name, by_file = (json.loads(evaluate("--json", "--model", model).out) for model in (name[:6], "other.npz"))
    assert by_name["counts"]["scored"] == 15
    assert by_name == by_file
    assert [model["model"] for model in by_name["models"]] == [name]
    whole = evaluate("--model", "other.npz").out
    assert "errors and coverage by model" not in whole


def test_models_side_by_side(here):
    forecast(here, "other.npz", DAYS[141])
    table = evaluate().out.split("errors and coverage by model\n")[1].splitlines()
    assert [row.split()[1:3] for row in table[1:3]] == [["20", "100"], ["1", "5"]]


def test_levels_and_horizon_choose_rows(here):
    assert forecast(here, "prices.npz", DAYS[141], "--level", "90").code == 0
    document = json.loads(evaluate("--json").out)
    assert document["scores"]["levels"] == []
    assert any("intervals of 80 %, 90 %, 95 % are not scored" in note for note in document["notes"])
    document = json.loads(evaluate("--json", "--level", "80", "--horizon", "2").out)
    assert document["scores"]["levels"] == [80.0]
    assert (document["scores"]["rows"], document["horizon"]) == (40, 2)


def test_saved_forecasts(here):
    evaluate("--save-forecasts", "scored.csv")
    rows = rows_of("scored.csv")
    assert list(rows[0]) == ["date", "cutoff", "close", "rnncast", "rnncast-lo-80", "rnncast-hi-80", "rnncast-lo-95",
                             "rnncast-hi-95", "last_value", "drift", "theta", "damped_trend"]  # fmt: skip
    issued = {(row["cutoff"], row["date"]): row["rnncast"] for row in rows_of("issued.csv")}
    assert {(row["cutoff"], row["date"]): row["rnncast"] for row in rows} == issued


@pytest.mark.parametrize(("factor", "code"), [(1.05, 0), (3.0, 65)], ids=["revised", "another"])
def test_another_target_is_noticed(here, factor, code):
    lines = Path("prices.csv").read_text().splitlines()
    rows = (f"{line},{factor * float(line.split(',')[1])}" for line in lines[1:])
    Path("prices.csv").write_text("\n".join(["date,close,high", *rows, ""]))
    got = call("evaluate", "--forecasts", "issued.csv", "prices.csv", "--target-col", "high")
    assert got.code == code, got.err
    if code:
        assert "at 20 of 20 cutoffs the input has another value than the ledger, typically by 67%" in got.err
        assert got.out == ""
    else:
        assert "warning: at 20 of 20 cutoffs the input has another value than when the forecast was made" in got.err


def test_hindsight_is_no_forecast_for_the_record(here):
    before = Path("issued.csv").read_bytes()
    day = DAYS[60]  # the model was trained on rows after it
    got = call("forecast", "prices.npz", "prices.csv", "--until", day, "--append", "issued.csv")
    assert got.code == 65
    assert f"the forecast starts from {day}, and the model was trained on rows up to" in got.err
    assert Path("issued.csv").read_bytes() == before
    got = call("forecast", "prices.npz", "prices.csv", "--until", day)
    assert got.code == 0
    assert "warning: the rows end at" in got.err and "it has seen what it forecasts here" in got.err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param(["--forecasts", "none.csv", "prices.csv"], 66, "cannot open the ledger", id="no-ledger"),
        pytest.param(["--forecasts", "prices.csv", "prices.csv"], 65, "this is no ledger", id="data"),
        pytest.param(["--forecasts", "issued.csv", "prices.npz"], 2, "is a model", id="a-model-as-input"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--n-windows", "3"], 2, "--n-windows", id="windows"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--cell", "gru"], 2, "--cell", id="training-option"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--level", "50"], 2, "it has 80, 95", id="level"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--model", "zz"], 2, "begins with 'zz'", id="model"),
        pytest.param(["prices.csv", "--model", "ab"], 2, "--model needs --forecasts", id="model-alone"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--until", DAYS[100]], 65, "100 lie after the input's",
                     id="nothing-came"),
        pytest.param(["--forecasts", "issued.csv", "prices.csv", "--save-forecasts", "issued.csv"], 2, "also an input",
                     id="ledger-as-output"),
    ],
)  # fmt: skip
def test_refusals(here, arguments, code, message):
    before = Path("issued.csv").read_bytes()
    got = call("evaluate", *arguments)
    assert (got.code, got.out) == (code, "")
    assert message in got.err
    assert Path("issued.csv").read_bytes() == before


# ---- inspect --format


def test_markdown_card(here):
    got = call("inspect", "prices.npz", "--format", "markdown")
    assert (got.code, got.err) == (0, "")
    assert got.out.startswith("# `prices.npz`\n\nA model of rnncast that forecasts `close` 5 steps ahead")
    assert "\n    rnncast forecast prices.npz\n    rnncast forecast prices.npz INPUT\n" in got.out


def test_forms_of_the_card(here):
    as_json = call("inspect", "prices.npz", "--json").out
    assert call("inspect", "prices.npz", "--format", "json").out == as_json
    assert call("inspect", "prices.npz", "--json", "--format", "json").out == as_json
    assert call("inspect", "prices.npz", "--format", "text").out == call("inspect", "prices.npz").out
    assert call("inspect", "prices.csv", "--format", "json").out == call("inspect", "prices.csv", "--json").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(["prices.npz", "--json", "--format", "markdown"], "contradict each other", id="two-forms"),
        pytest.param(["prices.csv", "--format", "markdown"], "shows a model", id="data"),
    ],
)
def test_forms_that_there_are_not(here, arguments, message):
    got = call("inspect", *arguments)
    assert (got.code, got.out) == (2, "")
    assert message in got.err
