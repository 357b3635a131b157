"""``--stateful`` on the command line: train, forecast, forecast from rows that came later, inspect, evaluate."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices

from rnncast.model.artifact import load_model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with prices.csv, a stateful model of its first 140 rows, and those rows."""
    folder = tmp_path_factory.mktemp("stateful")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(8))
    lines = prices.read_text().splitlines()
    (folder / "known.csv").write_text("\n".join([*lines[:141], ""]))
    got = call("train", folder / "known.csv", *QUICK, "--stateful", "-o", folder / "m.npz")
    assert got.code == 0, got.err
    assert "rows of sequences" in got.err
    return folder


@pytest.fixture
def here(trained, monkeypatch):
    """That folder as the current one."""
    monkeypatch.chdir(trained)
    return trained


def points(text: str) -> np.ndarray:
    return np.array([[float(cell) for cell in row[1:]] for row in list(csv.reader(io.StringIO(text)))[1:]])


def tail(path: Path, rows: range) -> Path:
    """A file of some rows of prices.csv, counted from 0."""
    lines = Path("prices.csv").read_text().splitlines()
    path.write_text("\n".join([lines[0], *(lines[1 + row] for row in rows), ""]))
    return path


def test_forecast_goes_on_from_the_state_that_the_model_keeps(here):
    assert load_model("m.npz").history.states.shape == (1, 2, 1, 1, 4, 1)
    kept = call("forecast", "m.npz")
    assert (kept.code, kept.err) == (0, "")
    assert call("forecast", "m.npz", "known.csv").out == kept.out


def test_rows_that_came_later_move_the_state_on(here, tmp_path):
    whole = call("forecast", "m.npz", "prices.csv")
    assert "state of zero" not in whole.err
    for rows in (range(100, 150), range(139, 150), range(140, 150)):
        got = call("forecast", "m.npz", tail(tmp_path / "later.csv", rows))
        assert got.code == 0, got.err
        assert "state of zero" not in got.err and "warning" not in got.err
        np.testing.assert_allclose(points(got.out), points(whole.out), rtol=1e-6)
    one = call("forecast", "m.npz", tail(tmp_path / "one.csv", range(140, 141)))
    assert one.code == 0, one.err


def test_rows_that_do_not_join_on_are_said(here, tmp_path):
    got = call("forecast", "m.npz", tail(tmp_path / "later.csv", range(142, 150)))
    assert got.code == 0, got.err
    assert "the series is read from the first row given, with a state of zero" in got.err
    assert "another one, with other intervals" in got.err  # and few rows they are


def test_steps_for_a_model_of_dates_are_refused(here, tmp_path):
    (tmp_path / "steps.csv").write_text("step,close\n" + "".join(f"{n},{n}.5\n" for n in range(1, 40)))
    got = call("forecast", "m.npz", tmp_path / "steps.csv", "--time-col", "step")
    assert got.code == 65
    assert "integer steps" in got.err


def test_without_history_no_state_is_kept_either(here, tmp_path):
    assert call("train", "known.csv", *QUICK, "--stateful", "--no-history", "-q", "-o", tmp_path / "n.npz").code == 0
    assert call("forecast", tmp_path / "n.npz").code == 2
    got = call("forecast", tmp_path / "n.npz", "known.csv")
    assert "with a state of zero" in got.err
    np.testing.assert_allclose(points(got.out), points(call("forecast", "m.npz").out), rtol=1e-6)


def test_same_seed_gives_the_same_bytes_whatever_the_number_of_threads(here, tmp_path, monkeypatch):
    monkeypatch.setattr("rnncast.core.memory.WORTH_SHARING", 0)
    monkeypatch.setattr("rnncast.core.threads._asked", None)
    for count in (1, 3):
        got = call("train", "known.csv", *QUICK, "--stateful", "--threads", count, "-o", tmp_path / f"{count}.npz")
        assert got.code == 0, got.err
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "3.npz").read_bytes() == Path("m.npz").read_bytes()


def test_a_time_limit_ends_the_training(here, tmp_path):
    got = call("train", "known.csv", *QUICK, "--stateful", "--time-limit", "0.000001", "-o", tmp_path / "t.npz")
    assert got.code == 0, got.err
    assert "the time limit ended the search after 1 updates" in got.err


def test_the_card_says_what_it_is(here):
    got = call("inspect", "m.npz")
    assert "each series as one sequence, its state carried from row to row" in got.out
    assert "and the states after them: a forecast needs no input" in got.out
    assert "seed 0, preset default, gradients over 64 rows" in got.out
    document = json.loads(call("inspect", "m.npz", "--json").out)
    assert document["network"]["stateful"] is True
    assert document["history"]["states"] is True
    assert document["record"]["training"]["truncation"] == 64


def test_evaluate_a_stateful_model_and_recipe(here):
    got = call("evaluate", "m.npz", "prices.csv", "--json")
    assert got.code == 0, got.err
    assert json.loads(got.out)["scores"]["methods"]["rnncast"]["overall"]["mae"] > 0
    got = call("evaluate", "prices.csv", *QUICK, "--stateful", "--truncation", "16", "--n-windows", "3")
    assert got.code == 0, got.err
    assert "1 series, 3 origins" in got.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["train", "known.csv", "--truncation", "9"], "--truncation needs --stateful", id="truncation"),
        pytest.param(
            ["train", "known.csv", "--stateful", "--truncation", "0"], "--truncation must be at least 1", id="zero"
        ),
        pytest.param(["evaluate", "m.npz", "prices.csv", "--stateful"], "--stateful has no effect", id="of-a-model"),
    ],
)
def test_refusals(here, arguments, expected):
    got = call(*arguments)
    assert (got.code, got.out) == (2, "")
    assert expected in got.err
