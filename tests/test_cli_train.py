"""``rnncast train``: what is saved where, what is said, and what stays untouched when something is wrong."""

from __future__ import annotations

import contextlib
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
from rnncast.cli.preparing import train_options
from rnncast.cli.signals import Signals, raise_again
from rnncast.cli.train import default_model
from rnncast.errors import UsageError
from rnncast.model.artifact import load_model
from rnncast.training.defaults import resolve
from rnncast.training.presets import PRESETS

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
    assert "RNNCAST_NUM_THREADS must be a whole number, found 'many'" in got.err


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
    panel += [row.replace(",", ",short,") for row in rows[:1]]
    panel += [row.replace(",", ",new,") for row in rows[:8]]
    Path("panel.csv").write_text("\n".join(panel) + "\n")
    refused = call("train", "panel.csv", *QUICK, "--no-skip-bad")
    assert refused.code == 65
    assert '"short" has 1' in refused.err
    assert "--no-skip-bad" in refused.err
    assert not Path("panel.npz").exists()
    got = call("train", "panel.csv", *QUICK)
    assert got.code == 0
    assert "warning: 1 series left out as too short: short" in got.err
    assert load_model("panel.npz").history.panel.ids == ("long", "new")


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


def started(*arguments):
    """A training in a process of its own, that is past its first epoch."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "rnncast", "train", *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    while "epoch 1 " not in (line := process.stderr.readline()):
        assert line, "training never began"
    return process


LONG = ("--cell", "gru", "--hidden-size", "8", "--max-epochs", "1000", "--members", "100", "--horizon", "5")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
def test_interrupted_training_leaves_its_checkpoint_and_nothing_else(prices, number, code):
    with started(prices, *LONG) as process:
        time.sleep(0.05)
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(timeout=60) == code
    error, hint = rest.splitlines()[-2:]
    assert error in ("error: terminated", "error: interrupted")
    assert "prices.npz.checkpoint keeps" in hint and "--resume" in hint
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv", "prices.npz.checkpoint"]


def test_a_second_signal_ends_at_once(tmp_path):
    """The first one is held up by what unwinds."""
    program = """
import sys, time
from rnncast.cli.signals import Signals
with Signals():
    try:
        print("ready", flush=True)
        time.sleep(600)
    finally:
        print("unwinding", flush=True)
        time.sleep(600)
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "unwinding\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143


def test_a_signal_that_a_library_swallowed_is_raised_again():
    with Signals():
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            raise_again()
    raise_again()  # heard by a call that is over


def test_signals_that_are_to_be_ignored_are():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Signals() as signals:
            signal.raise_signal(signal.SIGINT)
            assert signals.heard is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_resume_goes_on_to_the_same_model_and_takes_the_checkpoint_away(prices, monkeypatch):
    choices = ("--cell", "gru", "--hidden-size", "8", "--max-epochs", "6", "--horizon", "5", "--members", "2")
    assert call("train", prices, *choices, "-o", "whole.npz", "-q").code == 0

    def stop(self, report):
        if report.epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rnncast.cli.progress.Progress.epoch", stop)
        assert call("train", prices, *choices).code == 130
    got = call("train", prices, *choices, "--resume")
    assert got.code == 0
    assert "going on after 2 epochs" in got.err
    assert Path("prices.npz").read_bytes() == Path("whole.npz").read_bytes()
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv", "prices.npz", "whole.npz"]
    assert "nothing was interrupted: begun from the start" in call("train", prices, *QUICK, "--resume").err


def test_resume_begins_anew_on_other_data_and_refuses_other_options(prices, monkeypatch):
    def stop(self, report):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rnncast.cli.progress.Progress.epoch", stop)
        assert call("train", prices, *QUICK).code == 130
    kept = Path("prices.npz.checkpoint").read_bytes()
    got = call("train", prices, *QUICK, "--learning-rate", "0.02", "--resume")
    assert (got.code, got.out) == (65, "")
    assert "--learning-rate 0.01 there, 0.02 here" in got.err
    got = call("train", prices, *QUICK, "--preset", "best", "--resume")
    assert (got.code, got.out) == (65, "")
    assert "had other options: --preset default there, best here\n" in got.err
    assert Path("prices.npz.checkpoint").read_bytes() == kept
    prices.write_text(prices.read_text().rsplit("\n", 2)[0] + "\n")
    got = call("train", prices, *QUICK, "--resume")
    assert got.code == 0
    assert "begun anew, since what was interrupted was another training: data 150 rows" in got.err
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv", "prices.npz"]


def test_without_resume_an_interrupted_training_is_begun_anew_with_a_warning(prices, monkeypatch):
    def stop(self, report):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("rnncast.cli.progress.Progress.epoch", stop)
        assert call("train", prices, *QUICK).code == 130
    got = call("train", prices, *QUICK)
    assert got.code == 0
    assert "warning: prices.npz.checkpoint of a training that was interrupted is replaced" in got.err
    assert not Path("prices.npz.checkpoint").exists()


def test_a_file_that_has_the_name_of_the_checkpoint_is_not_touched(prices):
    Path("prices.npz.checkpoint").write_text("mine\n")
    got = call("train", prices, *QUICK)
    assert got.code == 73
    assert "prices.npz.checkpoint exists and is no checkpoint of a training" in got.err
    got = call("train", prices, *QUICK, "--resume")
    assert got.code == 65
    assert "not a checkpoint of rnncast" in got.err
    assert Path("prices.npz.checkpoint").read_text() == "mine\n"
    assert not Path("prices.npz").exists()


def test_an_interruption_before_the_first_epoch_promises_nothing(prices, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnncast.training.train.decide", stop)
    got = call("train", prices, *QUICK)
    assert got.code == 130
    assert got.err.splitlines()[-1] == "error: interrupted"


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
        (training, ["preset", "members", "max_epochs", "learning_rate", "batch_size", "seed"]),
    ):
        for name in names:
            differ = len({getattr(preset, name, None) for preset in PRESETS.values()}) > 1
            more = ", or as --preset says" if differ else ""
            assert said[name].endswith(f"[{getattr(config, name)}{more}]"), name
    assert network.horizon == 10
    assert network.quantile_levels == (0.025, 0.1, 0.5, 0.9, 0.975)


def test_a_preset_holds_but_for_what_is_named_and_is_on_the_card(prices):
    quick = ("--max-epochs", "1", "--hidden-size", "4", "-q")
    assert call("train", prices, *quick, "--preset", "fast", "-o", "fast.npz").code == 0
    assert call("train", prices, *quick, "--preset", "best", "--members", "2", "-o", "best.npz").code == 0
    for name, members in (("fast", PRESETS["fast"].members), ("best", 2)):
        card = json.loads(call("inspect", f"{name}.npz", "--json").out)
        assert (card["members"], card["record"]["training"]["preset"]) == (members, name)
        assert f", seed 0, preset {name}\n" in call("inspect", f"{name}.npz").out
        assert f"| preset | {name} |" in call("inspect", f"{name}.npz", "--format", "markdown").out


def test_a_model_that_goes_on_keeps_its_preset_whatever_stands(prices, rng, monkeypatch):
    assert call("train", prices, *QUICK, "--preset", "fast", "-q").code == 0
    monkeypatch.setenv("RNNCAST_PRESET", "best")
    got = call("train", longer(prices, rng, 40), "--from", "prices.npz", "-o", "next.npz", "--json", "-q")
    document = json.loads(got.out)
    first, then = document["record"]["training"], document["record"]["continued"][0]["training"]
    assert first["preset"] == then["preset"] == "fast"
    assert then["epoch_updates"] == first["epoch_updates"]
    assert document["members"] == 1


def longer(prices, rng, rows):
    """The same prices, and some more after them."""
    text = prices.read_text()
    write_prices(Path("whole.csv"), rng, rows=150 + rows)
    fresh = Path("whole.csv").read_text().splitlines()[-rows:]
    Path("longer.csv").write_text(text + "\n".join(fresh) + "\n")
    return "longer.csv"


def test_a_model_goes_on_with_fresh_rows_in_its_own_place(prices, rng):
    assert call("train", prices, *QUICK, "-q").code == 0
    fresh = longer(prices, rng, 40)
    got = call("train", fresh, "--from", "prices.npz", "-o", "prices.npz", "--json")
    assert got.code == 0, got.err
    document = json.loads(got.out)
    assert document["from"]["model"] == "prices.npz"
    assert document["from"]["accepted"] in (True, False)
    assert "going on from prices.npz (" in got.err
    assert document["from"]["summary"] in got.err
    last = call("forecast", "prices.npz").out.splitlines()[1]
    expected = call("forecast", "prices.npz", fresh).out.splitlines()[1]
    assert last == expected  # it keeps the fresh rows
    card = json.loads(call("inspect", "prices.npz", "--json").out)
    assert (card["record"]["continued"][0]["epochs"] > 0) == document["from"]["accepted"]
    assert card["history"]["until"] > "2020-07-28"
    assert "judged from" in call("inspect", "prices.npz").out


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["--from", "no.npz"], 66, "there is no model no.npz", id="no-model"),
        pytest.param(["--from", "prices.csv"], 65, "this is not a model", id="data-as-model"),
        pytest.param(["--from", "prices.npz", "--cell", "gru"], 2, "--cell is settled by the model", id="cell"),
        pytest.param(["--from", "prices.npz", "--preset", "best"], 2, "--preset is settled by the model", id="preset"),
        pytest.param(["--from", "prices.npz", "--level", "80"], 2, "--level is settled by the model", id="level"),
        pytest.param(["--from", "prices.npz", "--truncation", "9"], 2, "--truncation has no effect", id="truncation"),
    ],
)
def test_a_model_does_not_go_on_as_another(prices, arguments, code, expected):
    assert call("train", prices, *QUICK, "-q").code == 0
    before = Path("prices.npz").read_bytes()
    got = call("train", prices, *arguments, "-o", "other.npz")
    assert (got.code, got.out) == (code, "")
    assert expected in got.err
    assert Path("prices.npz").read_bytes() == before
    assert not Path("other.npz").exists()


def test_a_model_for_a_device_keeps_no_checkpoint(prices, monkeypatch):
    assert call("train", prices, *QUICK, "-o", "/dev/null", "-q").code == 0

    def stop(self, report):
        raise KeyboardInterrupt

    monkeypatch.setattr("rnncast.cli.progress.Progress.epoch", stop)
    assert call("train", prices, *QUICK, "-o", "/dev/null").code == 130
    assert sorted(p.name for p in Path().iterdir()) == ["prices.csv"]
    assert not Path("/dev/null.checkpoint").exists()


def test_a_model_does_not_go_on_with_rows_that_end_before_its_own(prices):
    assert call("train", prices, *QUICK, "-q").code == 0
    before = Path("prices.npz").read_bytes()
    got = call("train", prices, "--from", "prices.npz", "-o", "prices.npz", "--until", "2020-05-01")
    assert got.code == 65
    assert "the rows end at 2020-05-01, and the model was trained on rows up to 2020-07-28" in got.err
    assert Path("prices.npz").read_bytes() == before


def test_a_model_goes_on_without_series_only_if_that_is_said(prices, rng):
    days = [line.split(",")[0] for line in prices.read_text().splitlines()[1:]]
    rows = {name: [f"{day},{name},{100 + rng.standard_normal()!r}" for day in days] for name in ("a", "b")}
    Path("two.csv").write_text("\n".join(["date,ticker,close", *rows["a"], *rows["b"], ""]))
    Path("one.csv").write_text("\n".join(["date,ticker,close", *rows["a"], ""]))
    assert call("train", "two.csv", *QUICK, "-q").code == 0
    before = Path("two.npz").read_bytes()
    got = call("train", "one.csv", "--from", "two.npz", "-o", "two.npz")
    assert got.code == 65
    assert 'the input has no rows of 1 of the 2 series that the model keeps: "b"' in got.err
    assert "--skip-bad" in got.err
    assert Path("two.npz").read_bytes() == before
    got = call("forecast", "two.npz", "one.csv")
    assert got.code == 0
    assert 'warning: the input has no rows of 1 of the 2 series that the model keeps: "b"' in got.err
    assert call("train", "one.csv", "--from", "two.npz", "-o", "two.npz", "--skip-bad").code == 0


@pytest.mark.parametrize("command", ["forecast prices.npz other.csv", "train other.csv --from prices.npz",
                                     "evaluate prices.npz other.csv"])  # fmt: skip
def test_another_column_is_taken_for_the_models_only_if_it_is_named(prices, command):
    assert call("train", prices, *QUICK, "--until", "2020-06-01", "-q").code == 0
    Path("other.csv").write_text(prices.read_text().replace("close", "volume"))
    got = call(*command.split())
    assert (got.code, got.out) == (65, "")
    assert "the model forecasts 'close', and the input has no such column; it has 'volume'" in got.err
    assert "--target-col volume" in got.err
    assert call(*command.split(), "--target-col", "volume").code == 0
    Path("other.csv").write_text(prices.read_text().replace("close", "Close"))
    assert call(*command.split()).code == 0


def test_names_that_are_none(prices):
    assert call("train", prices, *QUICK, "-o", "").err.startswith("error: the name of the output is empty")
    assert call("forecast", "").err.startswith("error: the name of the model is empty")
    assert call("train", prices, *QUICK, "-o", "nowhere/").code == 73
    got = call("train", prices, *QUICK, "-o", "x" * 300 + ".npz")
    assert (got.code, got.err.splitlines()[0]) == (2, "error: the name of a file is too long")


def test_a_model_is_no_fresh_rows_for_a_model(prices):
    assert call("train", prices, *QUICK, "-q").code == 0
    got = call("forecast", "prices.npz", "prices.npz")
    assert (got.code, got.out) == (2, "")
    assert "prices.npz is a model, expected a file of data" in got.err
