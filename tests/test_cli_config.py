"""Options from the environment and from a file: which counts, what is refused, and what errors say of them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from cli_cases import QUICK, Result, call, write_prices

from rnncast.cli.commands import app
from rnncast.cli.config import sources
from rnncast.cli.config.environment import ALIASES, FOREIGN, variable
from rnncast.cli.config.file import MOST_BYTES
from rnncast.cli.config.settings import TYPED_ONLY, WRITTEN, settings_of
from rnncast.cli.options import TrainingChoices
from rnncast.cli.preparing import train_options

ROOT = Path(__file__).resolve().parent.parent
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
FILE = Path("rnncast.toml")


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """No file of options, and no variable but those of the test."""
    for name in [name for name in os.environ if name.startswith("RNNCAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Prices, a model of them, and a ledger of its forecast."""
    folder = tmp_path_factory.mktemp("trained")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(1))
    early = folder / "early.csv"
    early.write_text("".join(prices.read_text(encoding="utf-8").splitlines(True)[:130]), encoding="utf-8")
    model, ledger = folder / "m.npz", folder / "issued.csv"
    assert call("train", early, *QUICK, "-o", model, "-q").code == 0
    assert call("forecast", model, "--append", ledger, "-q").code == 0
    return prices, model, ledger


def options(*arguments: str) -> dict[str, Any]:
    got = call(*arguments, "--show-config", "--json")
    assert (got.code, got.err) == (0, "")
    return {option["name"]: option for option in json.loads(got.out)["options"]}


def refused(got: Result, code: int = 2) -> str:
    assert (got.code, got.out) == (code, "")
    assert len(got.err.splitlines()) <= 6
    return got.err


PLACES = {
    "flag": ("flag", None),
    "variable of the command": ("environment", "RNNCAST_TRAIN_HORIZON"),
    "variable": ("environment", "RNNCAST_HORIZON"),
    "table": ("file", "rnncast.toml:3, [train] horizon"),
    "top": ("file", "rnncast.toml:1, horizon"),
}


@pytest.mark.parametrize("nearest", PLACES)
def test_the_nearest_place_counts(nearest, monkeypatch):
    filled = list(PLACES)[list(PLACES).index(nearest) :]
    FILE.write_text("horizon = 5\n" + ("[train]\nhorizon = 4\n" if "table" in filled else ""), encoding="utf-8")
    if "variable" in filled:
        monkeypatch.setenv("RNNCAST_HORIZON", "3")
    if "variable of the command" in filled:
        monkeypatch.setenv("RNNCAST_TRAIN_HORIZON", "2")
    got = options("train", *(["--horizon", "1"] if "flag" in filled else []))["--horizon"]
    expected = dict(zip(PLACES, range(1, 6), strict=True))[nearest]
    assert (got["value"], got["source"], got["place"]) == (expected, *PLACES[nearest])


def test_a_value_that_stands_is_used(trained, monkeypatch):
    _, model, _ = trained
    monkeypatch.setenv("RNNCAST_LEVEL", "90")
    FILE.write_text('[forecast]\nhorizon = 3\n[train]\nhorizon = "not looked at"\n', encoding="utf-8")
    got = call("forecast", model)
    assert got.code == 0
    assert got.out.splitlines()[0] == "date,rnncast,rnncast-lo-90,rnncast-hi-90"
    assert len(got.out.splitlines()) == 1 + 3
    assert len(call("forecast", model, "--horizon", 2, "--level", 80).out.splitlines()) == 1 + 2


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_show_config_has_every_option_and_does_nothing_else(name):
    expected = {one.opts[0] for one in COMMANDS[name].params if one.param_type_name == "option"} - {"--show-config"}
    assert set(options(name)) == expected
    got = call(name, "--show-config", "--quiet")
    assert (got.code, got.err) == (0, "")
    header, *lines = got.out.splitlines()
    assert header.split() == ["option", "value", "from"]
    assert {line.split()[0] for line in lines} == expected
    column = header.index("from")
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    assert [line for line in lines if line.endswith("  flag")] == [line for line in lines if "--quiet" in line]
    assert os.listdir() == []


def test_show_config_says_values_as_a_person_would(monkeypatch):
    FILE.write_text("level = [80, 97.5]\nmonthfirst = true\nwide = false\nuntil = 2024-06-30\n", encoding="utf-8")
    monkeypatch.setenv("RNNCAST_SKIP_BAD", "yes")
    got = {line.split()[0]: line for line in call("train", "--show-config", "--cell", "gru").out.splitlines()}
    words = {name: re.split(r"  +", line)[1] for name, line in got.items()}
    assert words["--level"] == "80, 97.5"
    assert words["--dayfirst"] == "off, as --monthfirst"
    assert words["--wide"] == "off"
    assert words["--until"] == "2024-06-30"
    assert words["--skip-bad"] == "on"
    assert words["--cell"] == "gru"
    assert words["--hidden-size"] == "32"


def test_show_config_refuses_what_the_call_would_refuse():
    FILE.write_text("horizn = 5\n", encoding="utf-8")
    assert "did you mean 'horizon'?" in refused(call("train", "--show-config"))
    assert "is not one of" in refused(call("train", "--show-config", "--no-config", "--cell", "gro"))


@pytest.mark.parametrize(
    ("name", "text", "option", "expected"),
    [
        ("RNNCAST_HORIZON", "5", "--horizon", 5),
        ("RNNCAST_LEVEL", "80,97.5", "--level", [80, 97.5]),
        ("RNNCAST_LEARNING_RATE", "1e-3", "--learning-rate", 1e-3),
        ("RNNCAST_CELL", "gru", "--cell", "gru"),
        ("RNNCAST_PRESET", "fast", "--preset", "fast"),
        ("RNNCAST_SEP", ";", "--sep", ";"),
        ("RNNCAST_OUTPUT", "x.npz", "--output", "x.npz"),
        ("RNNCAST_THREADS", "2", "--threads", 2),
        ("RNNCAST_NUM_THREADS", "2", "--threads", 2),
        ("RNNCAST_CONFIG", os.devnull, "--config", os.devnull),
        ("RNNCAST_TRAIN_NO_CONFIG", "1", "--no-config", True),
        *[("RNNCAST_WIDE", text, "--wide", True) for text in ("1", "true", "yes", "True", "YES")],
        *[("RNNCAST_WIDE", text, "--wide", False) for text in ("0", "false", "no")],
        ("RNNCAST_MONTHFIRST", "1", "--dayfirst", False),
        ("RNNCAST_DAYFIRST", "0", "--dayfirst", False),
        ("RNNCAST_NO_SKIP_BAD", "0", "--skip-bad", True),
    ],
)
def test_variables(name, text, option, expected, monkeypatch):
    monkeypatch.setenv(name, text)
    got = options("train")[option]
    assert (got["value"], got["source"], got["place"]) == (expected, "environment", name)


def test_a_variable_counts_before_the_file_whatever_its_name(monkeypatch):
    FILE.write_text("[train]\nthreads = 1\nwide = true\n", encoding="utf-8")
    monkeypatch.setenv("RNNCAST_NUM_THREADS", "2")
    monkeypatch.setenv("RNNCAST_WIDE", "0")
    got = options("train")
    assert (got["--threads"]["value"], got["--wide"]["value"]) == (2, False)
    monkeypatch.setenv("RNNCAST_THREADS", "3")
    assert options("train")["--threads"]["value"] == 3


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("RNNCAST_HORIZON", "")
    assert options("train")["--horizon"]["source"] == "default"


@pytest.mark.parametrize(
    ("text", "option", "expected"),
    [
        ("horizon = 5", "--horizon", 5),
        ("level = [80, 97.5]", "--level", [80, 97.5]),
        ("level = 80", "--level", [80]),
        ("time-limit = 5", "--time-limit", 5),
        ('cell = "gru"', "--cell", "gru"),
        ('preset = "best"', "--preset", "best"),
        ("until = 2024-06-30", "--until", "2024-06-30"),
        ("until = 2024-06-30T12:00:00", "--until", "2024-06-30T12:00:00"),
        ("until = 500", "--until", "500"),
        ('header = "none"', "--header", "none"),
        ("wide = true", "--wide", True),
        ("wide = false", "--wide", False),
        ("monthfirst = true", "--dayfirst", False),
        ("no-skip-bad = true", "--skip-bad", False),
        ("quantiles = '0.5'\nhorizon = 5", "--horizon", 5),
        ("\ufeffhorizon = 5\r\n", "--horizon", 5),
    ],
)
def test_keys(text, option, expected):
    FILE.write_bytes(text.encode())
    got = options("train")[option]
    assert (got["value"], got["source"]) == (expected, "file")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("RNNCAST_HORIZON", "ten", "RNNCAST_HORIZON must be a whole number, found 'ten'"),
        ("RNNCAST_TRAIN_LEVEL", "80,x", "RNNCAST_TRAIN_LEVEL must be numbers between commas, found '80,x'"),
        ("RNNCAST_WIDE", "maybe", "RNNCAST_WIDE must be 1, 0, true, false, yes or no, found 'maybe'"),
        ("RNNCAST_CELL", "gro", "fix: did you mean gru?"),
        ("RNNCAST_PRESET", "defualt", "fix: did you mean default?"),
        ("RNNCAST_HORIZON", "0", "RNNCAST_HORIZON must be at least 1, found 0"),
        ("RNNCAST_NUM_THREADS", "0", "RNNCAST_NUM_THREADS must be at least 1, found 0"),
        ("RNNCAST_LEVEL", "100", "RNNCAST_LEVEL must be at least 1 and below 100 per cent, found 100"),
        ("RNNCAST_CONFIG", "no.toml", "named by RNNCAST_CONFIG"),
        ("RNNCAST_OUTPUT", "no/such/folder.npz", "there is no folder"),
    ],
)
def test_faulty_variables(name, text, expected, monkeypatch):
    Path("x.csv").write_text("date,close\n", encoding="utf-8")
    monkeypatch.setenv(name, text)
    assert expected in refused(call("train", "x.csv"), {"RNNCAST_CONFIG": 66, "RNNCAST_OUTPUT": 73}.get(name, 2))


FAULTY = {
    "key": ("horizion = 5", "did you mean 'horizon'?", "rnncast.toml:1"),
    "key of a table": ("\n[train]\n# no\nseason_length = 5", "did you mean 'season-length'?", "rnncast.toml:4"),
    "table": ("[forcast]\nhorizon = 5", "did you mean [forecast]?", "rnncast.toml:1"),
    "defaults": ("[defaults]\nhorizon = 5", "what holds for all stands above the tables", "rnncast.toml:1"),
    "other table": ('[train]\nquantiles = "0.5"', "forecast can take it: move it to [forecast]", "rnncast.toml:2"),
    "text for int": ('[train]\nhorizon = "5"', "[train] horizon must be a whole number, found '5'", "rnncast.toml:2"),
    "float for int": ("horizon = 5.0", "horizon must be a whole number, found 5.0", "rnncast.toml:1"),
    "bool for int": ("horizon = true", "horizon must be a whole number, found true", "rnncast.toml:1"),
    "table for int": ("[horizon]\na = 1", "horizon must be a whole number, found a table", "rnncast.toml:1"),
    "bool for float": ("learning-rate = true", "learning-rate must be a number, found true", "rnncast.toml:1"),
    "no float": (f"learning-rate = 1{'0' * 400}", "learning-rate must be a number", "rnncast.toml:1"),
    "text in a list": ('level = [80, "x"]', "level must be a number, or a list of them", "rnncast.toml:1"),
    "empty list": ("level = []", "level must be a number, or a list of them", "rnncast.toml:1"),
    "int for bool": ("wide = 1", "wide must be true or false, found 1", "rnncast.toml:1"),
    "choice": ('cell = "gro"', "did you mean gru?", "rnncast.toml:1"),
    "preset": ('[train]\npreset = "quick"', "[train] preset must be one of fast, default, best", "rnncast.toml:2"),
    "float for text": ("sep = 1.5", "sep must be text, found 1.5", "rnncast.toml:1"),
    "nul": ('holidays = "a\\u0000b"', "holidays must be text", "rnncast.toml:1"),
    "opposites": ("dayfirst = true\nmonthfirst = true", "dayfirst and monthfirst set the same", "rnncast.toml:2"),
    "command as key": ("train = 5", "train must be a table", "rnncast.toml:1"),
    "array of tables": ("[[train]]\nhorizon = 5", "train must be a table", "rnncast.toml:1"),
    "range": ("horizon = 0", "error: horizon must be at least 1, found 0", "rnncast.toml:1"),
    "range in a table": (
        "[train]\nhorizon = 0",
        "error: [train] horizon must be at least 1, found 0",
        "rnncast.toml:2",
    ),
    "dotted": ("train.horizon = 0", "[train] horizon must be at least 1", "rnncast.toml:1"),
    "inline": ("train = {horizon = 0}", "[train] horizon must be at least 1", "rnncast.toml:1"),
    "no value": ("horizon = ", "this is not valid TOML: Invalid value", "rnncast.toml:1:11"),
    "two values": ("wide = true\nhorizon = 5 6", "this is not valid TOML", "rnncast.toml:2:13"),
    "end in a text": ('\nsep = """', "this is not valid TOML", "rnncast.toml:2:10"),
    "encoding": ("wide = true\n# \udcff", "a file of options is UTF-8", "rnncast.toml:2"),
    "depth": (f"sep = {'[' * 100_000}", "too deep in one another", "rnncast.toml"),
    "digits": (f"horizon = {'9' * 10_000}", "this is not valid TOML: Exceeds the limit", "rnncast.toml"),
    "escape code": ('"\\u001b[31mred" = 1', "there is no option '\\x1b[31mred'", "rnncast.toml"),
    "input": ('inputs = "x.csv"', "inputs cannot stand in a file", "rnncast.toml:1"),
} | {
    key: (f"{key} = true", f"{key} cannot stand in a file", "rnncast.toml:1")
    for key in ("help", "version", "completion", "config", "no-config", "show-config")
}


@pytest.mark.parametrize(("text", "expected", "where"), FAULTY.values(), ids=FAULTY)
def test_faulty_files(text, expected, where):
    FILE.write_bytes(text.encode(errors="surrogateescape"))
    got = refused(call("train", "x.csv"))
    assert expected in got
    assert f"  where: {where}\n" in got


def test_a_file_that_is_too_large_is_not_read_whole():
    FILE.write_bytes(b"#" * (MOST_BYTES + 1))
    assert "larger than" in refused(call("train", "x.csv"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", None)], ids=["folder", "pipe"])
def test_what_lies_there_and_is_no_file(make):
    make(FILE)
    assert "no regular file" in refused(call("train", "x.csv"))
    assert "there is no file x.csv" in refused(call("train", "x.csv", "--no-config"), 66)


def test_a_column_that_a_file_names_wrongly():
    write_prices(Path("prices.csv"), np.random.default_rng(1))
    FILE.write_text('\ntarget-col = "clse"\n', encoding="utf-8")
    got = refused(call("train", "prices.csv"), 65)
    assert "  where: prices.csv; rnncast.toml:2, target-col\n" in got
    assert "did you mean 'close'?" in got


@pytest.mark.parametrize("name", ["output", "append", "save-forecasts", "checkpoint"])
def test_a_file_that_merely_lies_there_names_no_file_to_write(name, monkeypatch):
    command = next(command for command in COMMANDS if name in settings_of(COMMANDS[command]))
    Path("precious").write_text("mine", encoding="utf-8")
    FILE.write_text(f'[{command}]\n{name} = "precious"\n', encoding="utf-8")
    got = refused(call(command, "x.csv"))
    assert f"[{command}] {name} names a file to write" in got
    assert "rnncast.toml:2" in got
    assert "--config rnncast.toml" in got
    assert Path("precious").read_text(encoding="utf-8") == "mine"
    for arguments, variables in ((["--config", FILE], {}), ([], {"RNNCAST_CONFIG": str(FILE)})):
        for key, value in variables.items():
            monkeypatch.setenv(key, value)
        assert options(command, *map(str, arguments))[f"--{name}"]["value"] == "precious"


def test_every_option_that_names_a_file_is_known_to_write_or_to_read():
    read = {"holidays", "forecasts", "config", "from_model"}
    named = {
        one.name
        for command in COMMANDS.values()
        for one in command.params
        if one.param_type_name == "option" and one.metavar in {"FILE", "LEDGER", "MODEL", "FOLDER", "DIR", "PATH"}
    }
    assert named == read | WRITTEN


@pytest.mark.parametrize(
    ("arguments", "variables", "expected"),
    [
        ([], {}, 5),
        (["--no-config"], {}, None),
        ([], {"RNNCAST_NO_CONFIG": "1"}, None),
        ([], {"RNNCAST_TRAIN_NO_CONFIG": "1"}, None),
        ([], {"RNNCAST_NO_CONFIG": "0"}, 5),
        (["--config", "other.toml"], {}, 6),
        ([], {"RNNCAST_CONFIG": "other.toml"}, 6),
        (["--config", "rnncast.toml"], {"RNNCAST_CONFIG": "other.toml"}, 5),
        (["--config", "other.toml"], {"RNNCAST_NO_CONFIG": "1"}, 6),
        (["--no-config"], {"RNNCAST_CONFIG": "other.toml"}, None),
    ],
)
def test_which_file_counts(arguments, variables, expected, monkeypatch):
    FILE.write_text("horizon = 5\n", encoding="utf-8")
    Path("other.toml").write_text("horizon = 6\n", encoding="utf-8")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert options("train", *arguments)["--horizon"]["value"] == expected


def test_both_to_read_a_file_and_not_to():
    assert "--config and --no-config contradict" in refused(call("train", "--config", "x.toml", "--no-config"))
    assert "named by --config" in refused(call("train", "--config", "x.toml"), 66)


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("train", "--help")], ids=" ".join)
def test_a_faulty_file_does_not_keep_help_away(arguments, monkeypatch):
    FILE.write_text("horizon = ", encoding="utf-8")
    monkeypatch.setenv("RNNCAST_SEED", "x")
    assert call(*arguments).code == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("RNNCAST_HORIZN", "warning: RNNCAST_HORIZN is not known and has no effect; did you mean RNNCAST_HORIZON?\n"),
        ("RNNCAST_TRAIN_HORIZN", "did you mean RNNCAST_TRAIN_HORIZON?\n"),
        ("RNNCAST_N_WINDWS", "did you mean RNNCAST_N_WINDOWS?\n"),
        ("RNNCAST_XYZZY", "warning: RNNCAST_XYZZY is not known and has no effect\n"),
        ("RNNCAST_SHOW_CONFIG", "--show-config is given on the command line only\n"),
        ("RNNCAST_N_WINDOWS", ""),
        ("RNNCAST_EVALUATE_GAP", ""),
        ("RNNCAST_NUM_THREADS", ""),
        *[(name, "") for name in sorted(FOREIGN)],
    ],
)
def test_unknown_variables_are_said(name, expected, monkeypatch):
    monkeypatch.setenv(name, "1")
    got = call("train", "x.csv")
    assert got.code == 66
    assert expected in got.err
    assert ("warning" in got.err) == bool(expected)
    assert "warning" not in call("train", "x.csv", "-q").err
    assert json.loads(call("train", "x.csv", "--json").err)["code"] == 66
    assert len(json.loads(call("train", "--show-config", "--json").out)["warnings"]) == bool(expected)


def test_every_variable_that_the_program_reads_is_known():
    known = {variable(key, name) for command in COMMANDS.values() for key in settings_of(command) for name in ("",)}
    known |= {*FOREIGN, *ALIASES.values(), "RNNCAST_CONFIG", "RNNCAST_NO_CONFIG"}
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rnncast").rglob("*.py")]
    named = {word for text in texts for word in re.findall(r"\bRNNCAST_[A-Z_]*[A-Z]\b", text)}
    assert named - known == set()


def test_no_variable_means_two_things():
    pairs = {(name, key) for name, command in COMMANDS.items() for key in settings_of(command)}
    pairs |= {("", key) for _, key in pairs}
    for one, other in combinations(sorted(pairs), 2):
        assert variable(one[1], one[0]) != variable(other[1], other[0]), (one, other)


def test_what_stands_and_has_no_effect_is_not_refused(trained, monkeypatch):
    prices, model, ledger = trained
    monkeypatch.setenv("RNNCAST_SEP", ",")
    FILE.write_text(
        'cell = "gru"\nhidden-size = 8\npreset = "fast"\ntruncation = 9\nmax-epochs = 1\n[evaluate]\nrefit = "always"\n'
        "train-size = 90\n[forecast]\nonly-new = true\n",
        encoding="utf-8",
    )
    for arguments in (
        ["forecast", model],
        ["train", prices, "--from", model, "-o", "next.npz"],
        ["inspect", model],
        ["evaluate", model, prices, "--horizon", 5],
        ["evaluate", "--forecasts", ledger, prices],
    ):
        got = call(*arguments, "-q")
        assert (got.code, got.err) == (0, ""), arguments


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["forecast", "MODEL", "--sep", ","], "--sep needs an input"),
        (["inspect", "MODEL", "--sep", ","], "--sep has no effect on a model"),
        (["evaluate", "MODEL", "PRICES", "--cell", "gru"], "--cell has no effect on a trained model"),
        (["evaluate", "MODEL", "PRICES", "--preset", "fast"], "--preset has no effect on a trained model"),
        (["evaluate", "--forecasts", "LEDGER", "PRICES", "--preset", "fast"], "--preset has no effect on forecasts"),
        (["evaluate", "MODEL", "PRICES", "--refit", "always"], "--refit has no effect on a trained model"),
        (["evaluate", "--forecasts", "LEDGER", "PRICES", "--gap", "1"], "--gap has no effect on forecasts"),
        (["evaluate", "PRICES", "--model", "a"], "--model needs --forecasts"),
        (["forecast", "MODEL", "--only-new"], "--only-new needs a ledger"),
        (["train", "PRICES", "--from", "MODEL", "--cell", "gru"], "--cell is settled by the model"),
        (["train", "PRICES", "--from", "MODEL", "--truncation", "5"], "--truncation has no effect on this model"),
    ],
)
def test_what_is_typed_and_has_no_effect_is_refused(arguments, expected, trained):
    FILE.write_text("horizon = 5\n", encoding="utf-8")
    paths = dict(zip(("PRICES", "MODEL", "LEDGER"), trained, strict=True))
    assert expected in refused(call(*(paths.get(word, word) for word in arguments)))


def test_fingerprint_that_stands_waits_for_a_ledger(trained, monkeypatch):
    prices, model, _ = trained
    monkeypatch.setenv("RNNCAST_MODEL", "a")
    assert call("evaluate", model, prices, "-q").code == 0


@pytest.mark.parametrize(
    ("choices", "standing", "expected"),
    [
        ({"truncation": 5}, {"truncation"}, {}),
        ({"truncation": 5, "stateful": True}, {"truncation"}, {"truncation": 5}),
        ({"level": [90.0], "loss": "mse"}, {"level", "loss"}, {}),
        ({"level": [90.0], "loss": "quantile"}, {"level"}, {"levels": (90.0,)}),
        ({"activation": "sigmoid", "cell": "gru"}, {"activation"}, {}),
        ({"activation": "sigmoid", "cell": "rnn"}, {"activation"}, {"activation": "sigmoid"}),
    ],
)
def test_choices_that_stand_and_mean_nothing_beside_others(choices, standing, expected):
    source = sources.Source("file", "x", "rnncast.toml:1")
    sources.stand({name: sources.Standing(choices[name], source, ()) for name in standing})
    try:
        got = train_options(TrainingChoices(**choices))
    finally:
        sources.forget()
    assert {name: getattr(got, name) for name in expected} == expected
    without = train_options(TrainingChoices())
    for name in {"truncation", "levels", "activation"} - set(expected):
        assert getattr(got, name) == getattr(without, name)


def test_activation_and_cell_of_one_file_contradict_each_other():
    FILE.write_text('activation = "sigmoid"\ncell = "gru"\n', encoding="utf-8")
    Path("x.csv").write_text("date,close\n", encoding="utf-8")
    got = refused(call("train", "x.csv"))
    assert "error: activation sigmoid needs cell rnn" in got
    assert "  where: rnncast.toml:1; rnncast.toml:2\n" in got


def test_a_form_that_is_typed_counts_before_one_that_stands(trained, monkeypatch):
    _, model, _ = trained
    monkeypatch.setenv("RNNCAST_JSON", "1")
    assert call("forecast", model, "--format", "csv").out.startswith("date,")
    assert call("inspect", model, "--format", "markdown").out.startswith("#")
    FILE.write_text('format = "ndjson"\n', encoding="utf-8")
    assert "RNNCAST_JSON and format ndjson contradict" in json.loads(call("forecast", model).err)["message"]
    monkeypatch.delenv("RNNCAST_JSON")
    assert call("forecast", model).out.startswith("{")
    assert json.loads(call("forecast", model, "--json").out)
    assert call("inspect", model).code == 0  # whose forms are others
    assert call("forecast", model, "-o", "x.csv").code == 0
    assert Path("x.csv").read_text(encoding="utf-8").startswith("date,")


def test_a_form_of_models_is_not_refused_for_data_if_it_stands(trained):
    prices, model, _ = trained
    FILE.write_text('[inspect]\nformat = "markdown"\n', encoding="utf-8")
    assert call("inspect", model).out.startswith("#")
    assert "daily" in call("inspect", prices).out or "Monday" in call("inspect", prices).out


def test_how_errors_are_shown_can_stand_too(monkeypatch):
    monkeypatch.setenv("RNNCAST_JSON", "1")
    assert json.loads(call("train", "no.csv").err)["code"] == 66
    monkeypatch.setenv("RNNCAST_HORIZON", "x")
    assert json.loads(call("train", "no.csv").err)["message"].startswith("RNNCAST_HORIZON must be")
    monkeypatch.delenv("RNNCAST_HORIZON")
    monkeypatch.delenv("RNNCAST_JSON")
    FILE.write_text('debug = true\n[train]\njson = true\nhorizon = "x"\n', encoding="utf-8")
    got = call("train", "no.csv").err
    assert "Traceback" in got
    assert json.loads(got.splitlines()[-1])["where"] == "rnncast.toml:4"


def test_nothing_stands_after_the_call(monkeypatch):
    monkeypatch.setenv("RNNCAST_JSON", "1")
    call("train", "no.csv")
    assert sources.by_flag("json")
    assert sources.switches() == set()


def test_a_call_without_a_file_pays_for_none(tmp_path):
    code = "import sys\nfrom rnncast.cli.main import main\nassert main(['train', 'no.csv']) == 66\nprint(*sys.modules)"
    loaded = {}
    for name in ("without", "with"):
        if name == "with":
            FILE.write_text("horizon = 5\n", encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
        loaded[name] = set(done.stdout.split())
    assert "tomllib" in loaded["with"] - loaded["without"]
    assert "rnncast.cli.config.settle" in loaded["with"] - loaded["without"]
    assert "rnncast.cli.config.shown" not in loaded["with"]


PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")


def test_the_page_shows_what_its_file_gives(monkeypatch):
    FILE.write_text(PAGE.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    monkeypatch.setenv("RNNCAST_LEVEL", "90")
    shown = [line[4:] for line in PAGE.splitlines() if line.startswith("    ")]
    assert shown[0] == "$ RNNCAST_LEVEL=90 rnncast train --seed 7 --show-config | grep -v default"
    got = call("train", "--seed", 7, "--show-config").out.splitlines()
    assert [line for line in got if "default" not in line] == shown[1:]
    assert options("forecast")["--no-clobber"]["value"] is True


def test_the_page_shows_a_document_as_it_is():
    expected = json.loads(PAGE.split("```json\n")[1].split("```")[0])
    FILE.write_text("horizon = 5\n", encoding="utf-8")
    got = json.loads(call("train", "--show-config", "--json").out)
    got["options"] = [option for option in got["options"] if option["name"] == "--horizon"]
    assert got == expected


def test_the_page_names_what_a_file_may_not_hold():
    refused_keys = {name.replace("_", "-") for name in WRITTEN} | TYPED_ONLY
    assert {key for key in refused_keys if f"`{key}`" not in PAGE} == set()
    assert {name for name in (*FOREIGN, *ALIASES.values()) if f"`{name}`" not in PAGE} == set()
