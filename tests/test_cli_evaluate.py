"""``rnncast evaluate``: a model or a recipe, tables and JSON, forecasts saved."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices

from rnncast.core import threads
from rnncast.evaluation import folds
from rnncast.training.presets import PRESETS

ROOT = Path(__file__).resolve().parent.parent
METHODS = ["rnncast", "network", "last value", "drift", "theta", "damped trend"]
INTERVALS = ["adaptive", "empirical", "ewma normal", "garch t"]
"""Methods without a point of their own."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with prices.csv and a model that was trained on its first 120 rows."""
    folder = tmp_path_factory.mktemp("evaluated")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(6))
    until = prices.read_text().splitlines()[120].split(",")[0]
    assert call("train", prices, *QUICK, "--until", until, "-q", "-o", folder / "prices.npz").code == 0
    return folder


@pytest.fixture(autouse=True)
def _no_threads_asked():
    yield
    threads.set_threads(None)


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
    against = ["last value", "drift", "theta", "damped trend"]
    assert skill[:5] == [["method", "against"], *(["rnncast", name] for name in against)]
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
    assert list(document["scores"]["methods"]) == [*METHODS, *INTERVALS]
    assert document["scores"]["origins"] == 6
    assert document["verdict"]["text"] and document["verdict"]["outcome"] == "same"
    evidence = document["evidence"]
    own = [skill["reference"] for skill in evidence["skill"] if skill["method"] == "rnncast"]
    assert own == [name for name in METHODS[1:] if name != "network"]
    assert {(found["level"], found["part"]) for found in evidence["coverage"]} == {
        (level, part) for level in (80.0, 95.0) for part in ("all", "step", "volatility")
    }
    assert list(evidence["direction"]) == list(evidence["copycat"]) == ["rnncast", "network"]
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
    assert document["plan"] == {"n_windows": 2, "step_size": None, "refit": 0, "gap": 0, "train_size": None}
    own = document["scores"]["methods"]["rnncast"]
    assert len(own["per_step"]["mae"]) == document["horizon"] == 5
    assert np.mean(own["per_step"]["mae"]) == pytest.approx(own["overall"]["mae"])


def test_a_recipe_of_a_preset_is_that_of_what_it_stands_for(rng, tmp_path):
    values = 50 + rng.standard_normal(150)  # drawn back to their mean, as a network soon finds out
    lines = [f"{day},{value!r}" for day, value in zip(weekdays(150), values.tolist(), strict=True)]
    (tmp_path / "noise.csv").write_text("\n".join(["date,close", *lines, ""]))
    few = ("--hidden-size", "4", "--horizon", "5", "--max-epochs", "2", "--n-windows", "2", "-q")
    members = PRESETS["best"].members
    for name, options in (("preset", ["--preset", "best"]), ("named", ["--members", members]), ("default", [])):
        got = call("evaluate", tmp_path / "noise.csv", *few, *options, "--save-forecasts", tmp_path / f"{name}.csv")
        assert got.code == 0, got.err
    got, expected, other = ((tmp_path / f"{name}.csv").read_text() for name in ("preset", "named", "default"))
    assert got == expected
    assert got != other


def test_the_checkpoint_of_another_preset_is_refused(here, tmp_path):
    command = ("evaluate", "prices.csv", *QUICK, "--n-windows", "2", "--checkpoint", tmp_path / "backtest.npz")
    assert call(*command, "--preset", "fast").code == 0
    got = call(*command)
    assert (got.code, got.out) == (65, "")
    assert "this is the checkpoint of another backtest: --preset fast there, default here" in got.err


def test_saved_forecasts_have_everything_and_agree_with_the_scores(here, tmp_path):
    path = tmp_path / "backtest.csv"
    got = call("evaluate", "prices.csv", *QUICK, "--n-windows", "3", "--save-forecasts", path, "--json")
    assert f"wrote 15 rows to {path}" in got.err
    with path.open() as file:
        rows = list(csv.DictReader(file))
    bounds = ["rnncast-lo-80", "rnncast-hi-80", "rnncast-lo-95", "rnncast-hi-95"]
    paths = [name.replace(" ", "_") for name in METHODS[1:]]
    assert list(rows[0]) == ["date", "cutoff", "close", "rnncast", *bounds, *paths]
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
        pytest.param(["prices.npz", "prices.csv", "--train-size", "50"], 2, "--train-size has no effect", id="window"),
        pytest.param(["prices.csv", "--gap", "-1"], 2, "--gap must be at least 0", id="gap"),
        pytest.param(["prices.csv", "--train-size", "0"], 2, "--train-size must be at least 1", id="no-window"),
        pytest.param(["prices.csv", "--train-size", "9"], 2, "--train-size must be at least 20", id="small-window"),
        pytest.param(["prices.csv", "--audit", "--time-limit", "9"], 2, "--max-epochs", id="audit-by-the-clock"),
        pytest.param(["prices.csv", "--checkpoint", "no/x.npz"], 73, "there is no folder", id="checkpoint-folder"),
        pytest.param(["prices.csv", "--checkpoint", "prices.csv"], 2, "is also an input", id="input-as-checkpoint"),
        pytest.param(["prices.csv", "--checkpoint", "prices.npz"], 65, "not a checkpoint", id="model-as-checkpoint"),
        pytest.param(["missing.npz", "prices.csv"], 66, "there is no model missing.npz", id="no-such-model"),
        pytest.param(["missing.csv"], 66, "there is no file missing.csv", id="no-such-input"),
        pytest.param(["prices.csv", "--n-windows", "0"], 2, "--n-windows must be at least 1", id="windows"),
        pytest.param(["prices.csv", "--horizon", "5", "--n-windows", "999"], 65, "too few rows", id="too-few"),
        pytest.param(["prices.csv", "--save-forecasts", "no/x.csv"], 73, "there is no folder", id="folder"),
        pytest.param(["prices.csv", "--save-forecasts", "prices.csv"], 2, "is also an input", id="input-as-output"),
        pytest.param(["prices.csv", "prices.npz"], 2, "rnncast evaluate MODEL INPUT", id="model-last"),
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


def test_json_tells_how_the_backtest_went(here):
    options = ["--n-windows", "3", "--step-size", "4", "--refit", "2", "--gap", "2", "--train-size", "60", "--audit"]
    got = call("evaluate", "prices.csv", *QUICK, *options, "--json")
    assert got.code == 0, got.err
    document = json.loads(got.out, parse_constant=refuse_constant)
    assert document["plan"] == {"n_windows": 3, "step_size": 4, "refit": 2, "gap": 2, "train_size": 60}
    assert document["horizon"] == 5
    days = [line.split(",")[0] for line in Path("prices.csv").read_text().splitlines()[1:]]
    assert document["origins"] == [days[150 - 8 - back] for back in (8, 4, 0)]
    assert [training["until"] for training in document["trainings"]] == document["origins"][::2]
    assert [training["rows"] for training in document["trainings"]] == [60, 60]
    audit = document["audit"]
    assert (audit["origin"], audit["cutoff"], audit["rows_altered"]) == (2, document["origins"][1], 11)
    assert audit["sha256"] == audit["sha256_altered"]
    said = f"audit: 11 rows after cutoff {audit['cutoff']} altered, training and forecasts made again: identical bytes"
    assert said in got.err.splitlines()


def test_a_trained_model_has_a_gap_and_an_audit(here):
    got = call("evaluate", "prices.npz", "prices.csv", "--gap", "2", "--audit", "--json")
    assert got.code == 0, got.err
    document = json.loads(got.out, parse_constant=refuse_constant)
    assert (document["plan"]["gap"], document["horizon"], document["trainings"]) == (2, 5, [])
    assert "steps 6 to 7 lie beyond the trained horizon of 5" in got.err
    assert "identical bytes" in got.err
    assert call("evaluate", "prices.npz", "prices.csv", "--json").out.count('"audit": null') == 1


def test_a_checkpoint_is_neither_input_nor_other_output(here, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("")
    got = call("evaluate", "prices.csv", "--save-forecasts", path, "--checkpoint", path)
    assert (got.code, got.out) == (2, "")
    assert "--checkpoint and --save-forecasts name the same file" in got.err


def saved(folder, *options):
    """Arguments of a backtest with several trainings, and the file of its forecasts."""
    path = folder / "forecasts.csv"
    refit = ["--refit", "always", "--n-windows", "6", "--horizon", "5", "--max-epochs", "4"]
    return ["evaluate", "prices.csv", *refit, "--save-forecasts", str(path), *options], path


def test_killed_and_called_again_it_ends_with_the_same_bytes(here, tmp_path):
    checkpoint = tmp_path / "backtest.npz"
    arguments, path = saved(tmp_path, "--checkpoint", str(checkpoint))
    command = [sys.executable, "-m", "rnncast", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment) as process:
        while not checkpoint.exists():
            assert process.poll() is None, "it ended before anything was kept"
            time.sleep(0.005)
        process.kill()
    assert not path.exists()
    resumed = call(*arguments)
    assert resumed.code == 0, resumed.err
    done = re.search(r"(\d) of 6 origins were done before", resumed.err)
    assert done is not None
    assert 1 <= int(done[1]) < 6
    got = path.read_bytes()
    arguments, path = saved(tmp_path)
    whole = call(*arguments)
    assert path.read_bytes() == got
    assert whole.out == resumed.out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_trainings_side_by_side_are_gone_after_a_signal(here, monkeypatch, number, code):
    """They would go on for hours; the signal comes while kernels run in two of them."""
    teams = []

    class Team(threads.Team):
        def __init__(self, size):
            super().__init__(size)
            teams.append(self)

    def send():
        limit = time.monotonic() + 600  # on a busy machine it takes its time until two of them compute
        while not (teams and len(teams[0]._running) >= 2) and time.monotonic() < limit:
            time.sleep(0.001)
        signal.pthread_kill(threading.main_thread().ident, number)

    monkeypatch.setattr(folds, "Team", Team)
    sender = threading.Thread(target=send)
    sender.start()
    endless = [
        "--refit",
        "always",
        "--n-windows",
        "3",
        "--max-epochs",
        "1000000",
        "--hidden-size",
        "256",
        "--layers",
        "2",
    ]
    got = call("evaluate", "prices.csv", "--horizon", "5", *endless, "--threads", "2")
    sender.join()
    assert got.code == code, got.err
    assert teams
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("rnncast-job")]
