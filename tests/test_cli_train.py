"""``rnncast train``: what is saved where, what is said, and what stays untouched when something is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer
from cli_cases import QUICK, call, write_prices
from panels import make_panel, random_walk

from rnncast.cli.commands import app
from rnncast.cli.options import TrainingChoices
from rnncast.cli.train import default_model, train_options
from rnncast.errors import UsageError
from rnncast.model.artifact import load_model
from rnncast.training.defaults import resolve

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def prices(tmp_path, monkeypatch, rng):
    """A file of prices in the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_prices(tmp_path / "prices.csv", rng)


def test_model_is_named_after_the_input_and_the_next_command_is_said(prices):
    got = call("train", prices, *QUICK)
    assert got.code == 0, got.err
    assert got.out == ""
    assert "target 'close'" in got.err
    assert "held-out rows: " in got.err
    assert got.err.splitlines()[-1] == "next: rnncast forecast prices.npz"
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv", "prices.npz"]
    assert load_model("prices.npz").network.hidden_size == 4


def test_student_t_keeps_the_levels_that_were_asked_for(prices):
    got = call("train", prices, *QUICK, "--loss", "student-t", "--level", "90")
    assert got.code == 0, got.err
    network = load_model("prices.npz").network
    assert (network.loss, network.quantile_levels) == ("student-t", (0.05, 0.5, 0.95))
    assert network.shape.outputs == 15
    card = call("inspect", "prices.npz").out
    assert "loss student-t" in card
    assert "intervals 90 %" in card


def test_student_t_warns_of_series_that_stand_still(prices):
    values = [5 + number % 3 * (number % 4 == 0) for number in range(120)]
    Path("still.csv").write_text("step,close\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values)))
    got = call("train", "still.csv", *QUICK, "--loss", "student-t", "--season-length", "1")
    assert got.code == 0, got.err
    assert "use --loss quantile" in got.err
    assert "use --loss quantile" not in call("train", prices, *QUICK, "--loss", "student-t").err
    assert "use --loss quantile" not in call("train", "still.csv", *QUICK, "--season-length", "1").err


def test_off_a_terminal_there_are_plain_lines_with_the_losses(prices):
    got = call("train", prices, *QUICK)
    assert "\x1b" not in got.err
    assert "\r" not in got.err
    lines = [line for line in got.err.splitlines() if line.startswith("search, epoch 1 of 1: loss ")]
    assert len(lines) == 1
    assert "validation " in lines[0]


def test_quiet_says_nothing(prices):
    got = call("train", prices, *QUICK, "-q")
    assert (got.code, got.out, got.err) == (0, "", "")
    assert Path("prices.npz").exists()


def test_json_is_one_document(prices):
    got = call("train", prices, *QUICK, "--json", "--seed", "7", "--level", "90", "-o", "m.npz")
    document = json.loads(got.out)
    assert document["schema"] == "rnncast.train/1"
    assert document["model"] == "m.npz"
    assert document["network"]["quantile_levels"] == pytest.approx([0.05, 0.5, 0.95])
    assert document["record"]["training"]["seed"] == 7
    assert document["levels"] == [90.0]
    assert document["next"] == "rnncast forecast m.npz"
    assert document["warnings"] == []


def test_the_number_of_threads_alters_nothing(prices, monkeypatch):
    monkeypatch.setattr("rnncast.core.memory.WORTH_SHARING", 0)
    monkeypatch.setattr("rnncast.core.threads._asked", None)
    for count in (1, 3):
        assert call("train", prices, *QUICK, "--threads", count, "-o", f"{count}.npz").code == 0
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "2")
    assert call("train", prices, *QUICK, "-o", "2.npz").code == 0
    assert Path("1.npz").read_bytes() == Path("3.npz").read_bytes() == Path("2.npz").read_bytes()
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "many")
    got = call("train", prices, *QUICK, "-o", "many.npz")
    assert got.code == 2
    assert "RNNCAST_NUM_THREADS must be a positive integer, found 'many'" in got.err


def test_same_seed_gives_the_same_bytes(prices):
    for name in ("a.npz", "b.npz"):
        assert call("train", prices, *QUICK, "-o", name, "-q").code == 0
    assert Path("a.npz").read_bytes() == Path("b.npz").read_bytes()


def test_stdin(prices):
    got = call("train", "-", *QUICK, stdin=prices.read_bytes())
    assert got.code == 0, got.err
    assert "rnncast forecast model.npz" in got.err
    assert Path("model.npz").exists()


def test_until_leaves_later_rows_unseen(prices):
    got = call("train", prices, *QUICK, "--until", "2020-05-29", "--json", "-q")
    assert json.loads(got.out)["trained_until"] == "2020-05-29"


def test_without_history_the_next_command_names_the_input(prices):
    got = call("train", prices, *QUICK, "--no-history")
    assert got.err.splitlines()[-1] == f"next: rnncast forecast prices.npz {prices}"
    assert load_model("prices.npz").history is None


def test_short_series_are_counted_or_left_out_by_name(prices):
    rows = prices.read_text().splitlines()[1:]
    panel = ["ds,unique_id,y", *(row.replace(",", ",long,") for row in rows)]
    panel += [row.replace(",", ",short,") for row in rows[:8]]
    Path("panel.csv").write_text("\n".join(panel) + "\n")
    refused = call("train", "panel.csv", *QUICK, "--no-skip-bad")
    assert refused.code == 65
    assert '"short" has 8' in refused.err
    assert "--no-skip-bad" in refused.err
    assert not Path("panel.npz").exists()
    got = call("train", "panel.csv", *QUICK)
    assert got.code == 0
    assert "warning: 1 series left out as too short: short" in got.err


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["nothing.csv"], 66, "there is no file nothing.csv", id="no-such-file"),
        pytest.param(["prices.csv", "-o", "no/such/folder/m.npz"], 73, "there is no folder", id="no-such-folder"),
        pytest.param(["prices.csv", "-o", "."], 73, "is a folder", id="folder"),
        pytest.param(["prices.csv", "-o", "prices.csv"], 2, "is also an input", id="input-as-output"),
        pytest.param(["prices.csv", "-o", "notes.txt"], 73, "is no model", id="foreign-file"),
        pytest.param(["prices.csv", "--target-col", "clse"], 65, "did you mean 'close'?", id="column"),
        pytest.param(
            ["prices.csv", "--loss", "mse", "--level", "80"], 2, "needs --loss quantile or student-t", id="levels"
        ),
        pytest.param(["prices.csv", "--activation", "sigmoid"], 2, "needs --cell rnn", id="activation"),
        pytest.param(["prices.csv", "--until", "1999-01-01"], 65, "no row at or before", id="until"),
        pytest.param(["prices.csv", "--horizon", "9000"], 65, "too few rows", id="too-short"),
    ],
)
def test_refusals_leave_nothing_behind(prices, arguments, code, expected):
    Path("notes.txt").write_text("kept\n")
    before = {path.name: path.read_bytes() for path in Path().iterdir()}
    got = call("train", *arguments)
    assert got.code == code
    assert expected in got.err
    assert got.out == ""
    assert len([line for line in got.err.splitlines() if line.startswith(("error:", "  "))]) <= 6
    assert {path.name: path.read_bytes() for path in Path().iterdir()} == before


def test_existing_model_is_kept_when_the_input_is_bad_and_with_no_clobber(prices):
    assert call("train", prices, *QUICK, "-q").code == 0
    kept = Path("prices.npz").read_bytes()
    Path("prices.csv").write_text(prices.read_text() + "2024-01-01,oops\n")
    got = call("train", prices, *QUICK)
    assert got.code == 65
    assert "prices.csv:152" in got.err
    assert Path("prices.npz").read_bytes() == kept
    got = call("train", prices, *QUICK, "--no-clobber")
    assert got.code == 73
    assert "--no-clobber" in got.err
    assert Path("prices.npz").read_bytes() == kept
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv", "prices.npz"]


def test_model_as_input_is_refused(prices):
    assert call("train", prices, *QUICK, "-q").code == 0
    got = call("train", "prices.npz", "-o", "other.npz")
    assert got.code == 2
    assert "is a model" in got.err


def test_json_error_stands_alone_though_notes_came_before_it(prices):
    got = call("train", prices, "--horizon", "9000", "--json")
    assert (got.code, got.out) == (65, "")
    assert "too few rows" in json.loads(got.err)["message"]
    assert "target 'close'" in call("train", prices, *QUICK, "--json").err


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_interrupted_training_leaves_the_folder_as_it_was(prices, number, code):
    command = [sys.executable, "-m", "rnncast", "train", str(prices), "--max-epochs", "1000000", "--members", "1000"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        while "epoch 1 " not in (line := process.stderr.readline()):
            assert line, "training never began"
        time.sleep(0.05)
        process.send_signal(number)
        rest = process.stderr.read()
        got = process.wait(timeout=60)
    assert got == code
    assert rest.splitlines()[-1] in ("error: terminated", "error: interrupted")
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv"]


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        pytest.param(["data/prices.csv"], "prices.npz", id="file"),
        pytest.param(["prices.2024.parquet"], "prices.2024.npz", id="dots"),
        pytest.param(["-"], "model.npz", id="stdin"),
        pytest.param(["data/*.csv"], "model.npz", id="glob"),
        pytest.param(["a.csv", "b.csv"], "model.npz", id="several"),
    ],
)
def test_default_model(inputs, expected):
    assert default_model(inputs) == expected


def test_options_that_are_not_given_are_left_to_the_data():
    got = train_options(TrainingChoices(hidden_size=8, level=[50.0]))
    assert (got.hidden_size, got.layers, got.cell, tuple(got.levels)) == (8, None, "lstm", (50.0,))
    with pytest.raises(UsageError, match="--cell rnn"):
        train_options(TrainingChoices(activation="sigmoid", cell="gru"))


def test_defaults_said_in_the_help_are_those_of_training(rng):
    panel = make_panel({"a": random_walk(rng, 300)})
    network, training, _ = resolve(train_options(TrainingChoices()), panel)
    options = typer.main.get_command(app).commands["train"].params
    said = {option.name: option.help for option in options}
    for config, names in (
        (network, ["cell", "activation", "hidden_size", "layers", "loss"]),
        (training, ["members", "max_epochs", "learning_rate", "batch_size", "seed"]),
    ):
        for name in names:
            assert said[name].endswith(f"[{getattr(config, name)}]"), name
    assert network.horizon == 10
    assert network.quantile_levels == (0.025, 0.1, 0.5, 0.9, 0.975)
