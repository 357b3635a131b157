"""``rnncast evaluate``: a model or a recipe, tables and JSON, forecasts saved."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices

METHODS = ["rnncast", "last value", "drift"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with prices.csv and a model that was trained on its first 120 rows."""
    folder = tmp_path_factory.mktemp("evaluated")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(6))
    until = prices.read_text().splitlines()[120].split(",")[0]
    assert call("train", prices, *QUICK, "--until", until, "-q", "-o", folder / "prices.npz").code == 0
    return folder


@pytest.fixture
def here(trained, monkeypatch):
    """That folder as the current one."""
    monkeypatch.chdir(trained)
    return trained


def refuse_constant(name: str) -> None:
    raise AssertionError(f"{name} in JSON")


def test_recipe_prints_tables_and_a_verdict(here):
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "8")
    assert got.code == 0, got.err
    blocks = [block.splitlines() for block in got.out.split("\n\n")]
    tables = {block[0].split(",")[0].split(":")[0]: block[1:] for block in blocks if len(block) > 1}
    points, steps = tables["1 series"], tables["mean absolute error at each step"]
    assert blocks[0][0].startswith("1 series, 8 origins, 8 tasks, mean over all of them")
    assert points[0].split() == ["method", "mae", "relative", "mae", "rmse", "smape", "mase", "rmsse", "bias"]
    assert [re.split(r"  +", line)[0] for line in points[1:]] == METHODS
    intervals = tables["share of values inside the intervals"]
    assert re.split(r"  +", intervals[0]) == ["method", "pinball", "in 80 %", "score 80 %", "in 95 %", "score 95 %"]
    assert re.split(r"  +", steps[0]) == ["step", *METHODS, "in 80 %", "in 95 %"]
    assert [line.split()[0] for line in steps[1:]] == ["1", "2", "3", "4", "5"]
    skill = [re.split(r"  +", line)[:2] for line in tables["skill"]]
    assert skill == [["method", "against"], ["rnncast", "last value"], ["rnncast", "drift"]]
    assert re.split(r"  +", tables["skill of the 95 % intervals"][1])[:2] == ["rnncast", "last value"]
    volatility = tables["coverage of rnncast's intervals by volatility at the cutoff"]
    assert [line.split()[2] for line in volatility[1:]] == ["all", "low", "middle", "high"] * 2
    assert len(blocks[-1]) == 1 and "the last value" in blocks[-1][0]
    assert "8 origins" in blocks[-1][0]
    assert "\x1b" not in got.out + got.err
    assert "origin 8 of 8" in got.err


def test_terminal_gets_the_same_figures(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    plain = call("evaluate", "prices.npz", "prices.csv", "-q").out
    drawn = call("evaluate", "prices.npz", "prices.csv", "-q", terminal=True).out
    figures = re.findall(r"-?\d+\.\d+", plain)
    assert re.findall(r"-?\d+\.\d+", re.sub(r"\x1b\[[0-9;]*m", "", drawn)) == figures
    assert drawn != plain


def test_model_is_scored_after_its_last_training_row_only(here):
    got = call("evaluate", "prices.npz", "prices.csv", "--json")
    assert got.code == 0, got.err
    document = json.loads(got.out, parse_constant=refuse_constant)
    assert document["schema"] == "rnncast.evaluate/1"
    assert document["model"] == "prices.npz"
    assert document["inputs"] == ["prices.csv"]
    assert list(document["scores"]["methods"]) == METHODS
    assert document["scores"]["origins"] == 6
    assert document["verdict"]["text"] and document["verdict"]["outcome"] == "same"
    evidence = document["evidence"]
    assert [skill["reference"] for skill in evidence["skill"]] == METHODS[1:]
    assert {(found["level"], found["part"]) for found in evidence["coverage"]} == {
        (level, part) for level in (80.0, 95.0) for part in ("all", "step", "volatility")
    }
    assert list(evidence["direction"]) == list(evidence["copycat"]) == ["rnncast"]
    assert evidence["each_series"]["tested"] == 0
    only_trained = call("evaluate", "prices.npz", "prices.csv", "--until", "2020-06-10")
    assert only_trained.code == 65
    assert "rnncast evaluate INPUT" in only_trained.err
    assert "--until" in only_trained.err


def test_json_of_a_recipe_has_figures_by_step(here):
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "2", "--json", "-q")
    assert got.err == ""
    document = json.loads(got.out, parse_constant=refuse_constant)
    assert document["model"] is None
    assert document["plan"] == {"n_windows": 2, "step_size": None, "refit": 0}
    own = document["scores"]["methods"]["rnncast"]
    assert len(own["per_step"]["mae"]) == document["horizon"] == 5
    assert np.mean(own["per_step"]["mae"]) == pytest.approx(own["overall"]["mae"])


def test_saved_forecasts_have_everything_and_agree_with_the_scores(here, tmp_path):
    path = tmp_path / "backtest.csv"
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "3", "--save-forecasts", path, "--json")
    assert f"wrote 15 rows to {path}" in got.err
    with path.open() as file:
        rows = list(csv.DictReader(file))
    bounds = ["rnncast-lo-80", "rnncast-hi-80", "rnncast-lo-95", "rnncast-hi-95"]
    assert list(rows[0]) == ["date", "cutoff", "close", "rnncast", *bounds, "last_value", "drift"]
    assert len(rows) == 15
    assert len({row["cutoff"] for row in rows}) == 3
    actual = dict(line.split(",") for line in Path("prices.csv").read_text().splitlines()[1:])
    assert all(row["close"] == actual[row["date"]] for row in rows)
    assert all(row["last_value"] == actual[row["cutoff"]] for row in rows)
    assert all(row["cutoff"] < row["date"] for row in rows)
    errors = [abs(float(row["rnncast"]) - float(row["close"])) for row in rows]
    overall = json.loads(got.out)["scores"]["methods"]["rnncast"]["overall"]
    assert np.mean(errors) == pytest.approx(overall["mae"], rel=1e-12)


@pytest.mark.parametrize("refit", ["never", "always", "2"])
def test_refit_is_said_in_the_plan(here, refit):
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "3", "--refit", refit, "--json")
    assert got.code == 0, got.err
    assert json.loads(got.out)["plan"]["refit"] == {"never": 0, "always": 1, "2": 2}[refit]
    searches = [line for line in got.err.splitlines() if line.startswith("search, ")]
    assert (len(searches) > 0) == (refit == "never")  # with many trainings only the origins are told


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["prices.npz"], 2, "expected one input after it", id="model-alone"),
        pytest.param(["prices.npz", "prices.csv", "--cell", "gru"], 2, "--cell has no effect", id="training-option"),
        pytest.param(["prices.npz", "prices.csv", "--refit", "always"], 2, "--refit has no effect", id="refit"),
        pytest.param(["missing.npz", "prices.csv"], 66, "there is no model missing.npz", id="no-such-model"),
        pytest.param(["missing.csv"], 66, "there is no file missing.csv", id="no-such-input"),
        pytest.param(["prices.csv", "--n-windows", "0"], 2, "--n-windows must be at least 1", id="windows"),
        pytest.param(["prices.csv", "--horizon", "5", "--n-windows", "999"], 65, "too few rows", id="too-few"),
        pytest.param(["prices.csv", "--save-forecasts", "no/x.csv"], 73, "there is no folder", id="folder"),
        pytest.param(["prices.csv", "--save-forecasts", "prices.csv"], 2, "is also an input", id="input-as-output"),
    ],
)
def test_refusals(here, arguments, code, expected):
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    got = call("evaluate", *arguments)
    assert (got.code, got.out) == (code, "")
    assert expected in got.err
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_intervals_of_a_distribution_are_scored(here):
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "2", "--loss", "student-t", "--level", "90")
    assert got.code == 0, got.err
    assert "score 90 %" in got.out
    assert "pinball" in got.out


def test_model_without_intervals_is_scored_without_them(here, tmp_path):
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "2", "--loss", "mae")
    assert got.code == 0, got.err
    assert "intervals" not in got.out
    assert "step  rnncast" in got.out
