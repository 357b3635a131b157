"""Mistyped words of the command line: the nearest real one is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from cli_cases import call, write_prices

from rnncast.cli.mistyped import nearest


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        ("forcast", "there is no command 'forcast'", "did you mean 'forecast'?"),
        ("forcast m.npz --horizn 5", "there is no command 'forcast'", "did you mean 'forecast'?"),
        ("TRAIN x.csv", "there is no command 'TRAIN'", "did you mean 'train'?"),
        ("trai'n x.csv", """there is no command "trai'n\"""", "did you mean 'train'?"),
        ("help", "there is no command 'help'", "rnncast --help, or rnncast train --help"),
        ("xyzzy", "there is no command 'xyzzy'", "rnncast --help shows what there is"),
        ("", "a command is missing", "train, forecast, evaluate, inspect or warmup; rnncast --help shows what"),
        ("train x.csv --horizn 5", "there is no option --horizn", "did you mean --horizon?"),
        ("train x.csv --horizn=5", "there is no option --horizn", "did you mean --horizon?"),
        ("train x.csv --HORIZON 5", "there is no option --HORIZON", "did you mean --horizon?"),
        ("evaluate x.csv --n-windws 5", "there is no option --n-windws", "did you mean --n-windows?"),
        ("train x.csv --xyzzy", "there is no option --xyzzy", "rnncast train --help shows what there is"),
        ("train x.csv -horizon 5", "there is no option -horizon", "did you mean --horizon?"),
        ("train x.csv -horizn=5", "there is no option -horizn", "did you mean --horizon?"),
        ("train x.csv -output m.npz", "there is no option -output", "did you mean --output?"),
        ("train x.csv -levl 90", "there is no option -levl", "did you mean --level?"),
        ("train -hh", "there is no option -hh", "did you mean -h?"),
        ("train x.csv --cell gro", "'gro' is not one of", "did you mean 'gru'?"),
        ("train x.csv --preset fats", "'fats' is not one of", "did you mean 'fast'?"),
        ("evaluate x.csv --preset bets", "'bets' is not one of", "did you mean 'best'?"),
        ("forecast m.npz --format cvs", "'cvs' is not one of", "did you mean 'csv'?"),
        ("forecast m.npz --format CSV", "'CSV' is not one of", "did you mean 'csv'?"),
        ("train x.csv --decimal ;", "';' is not one of '.', ','", "rnncast train --help shows what there is"),
        ("--completion fihs", "'fihs' is not one of", "did you mean 'fish'?"),
        ("--horizon 5 train x.csv", "--horizon comes after the command", "as in rnncast train ... --horizon;"),
        ("-q inspect x.csv", "-q comes after the command", "as in rnncast train ... -q;"),
        ("--gap 5 evaluate x.csv", "--gap comes after the command", "as in rnncast evaluate ... --gap"),
        ("--horizn 5 train x.csv", "there is no option --horizn", "did you mean --horizon, after the command?"),
        ("--versoin", "there is no option --versoin", "did you mean --version?"),
        ("forecast m.npz --cell gru", "forecast has no option --cell", "train and evaluate have it"),
        ("train x.csv --gap 5", "train has no option --gap", "evaluate has it"),
    ],
)
def test_nearest_real_word(words, message, hint):
    got = call(*words.split())
    assert (got.code, got.out) == (2, "")
    first, second = got.err.splitlines()
    assert first.startswith("error: ")
    assert message in first
    assert second.startswith(f"  fix: {hint}")


@pytest.mark.parametrize("words", ["--until -12", "-qo m.npz", "-om.npz", "--sep -", "--until -horizon", "-- -horizon"])
def test_what_only_looks_mistyped(words):
    assert call("train", "no.csv", *words.split()).code == 66


def test_a_file_in_the_place_of_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("x.csv").touch()
    got = call("x.csv")
    assert "the command comes first: train, forecast, evaluate or inspect x.csv" in got.err


@pytest.mark.parametrize(("option", "typed", "expected"), [("id", "tickr", "ticker"), ("time", "dat", "date")])
def test_nearest_column(option, typed, expected, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("date,ticker,close\n2024-01-01,A,1.5\n2024-01-02,A,1.6\n", encoding="utf-8")
    got = call("inspect", path, f"--{option}-col", typed)
    assert got.code == 65
    assert f"there is no column {typed!r}" in got.err
    assert f"did you mean {expected!r}?" in got.err


def test_nearest_target(tmp_path):
    path = write_prices(tmp_path / "x.csv", np.random.default_rng(1))
    got = call("train", path, "--target-col", "clse")
    assert (got.code, got.out) == (65, "")
    assert "did you mean 'close'?" in got.err


def test_nearest_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("prices.npz").touch()
    assert "did you mean prices.npz?" in call("forecast", "price.npz").err


@pytest.mark.parametrize(
    ("word", "expected"), [("Gru", "gru"), ("gro", "gru"), ("", None), ("xyzzy", None), ("lstm", "lstm")]
)
def test_nearest(word, expected):
    assert nearest(word, ["rnn", "gru", "lstm"]) == expected
