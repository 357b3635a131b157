"""``forecast --core`` and ``--verbose``: what computes, that it is said, and that only rounding depends on it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, write_prices

from rnncast.model import running
from rnncast.model.artifact import load_model, save_model
from rnncast.model.gate import Blend, same_for_all

TOLERANCE = 1e-5
"""Relative difference between the cores, as docs/performance.md states it."""


@pytest.fixture(scope="module", params=["windows", "stateful"])
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with prices.csv and a model of its first rows, which issues a network of random weights alone."""
    folder = tmp_path_factory.mktemp(request.param)
    prices = write_prices(folder / "prices.csv", np.random.default_rng(5))
    (folder / "known.csv").write_text("".join(prices.read_text().splitlines(keepends=True)[:120]))
    stateful = ["--stateful"] if request.param == "stateful" else []
    got = call("train", folder / "known.csv", *QUICK, "--hidden-size", "16", *stateful, "-o", folder / "m.npz")
    assert got.code == 0, got.err
    model = load_model(folder / "m.npz")
    noise = 0.1 * np.random.default_rng(6).standard_normal(model.parameters.shape).astype(np.float32)
    alone = replace(model, gate=same_for_all(Blend("last value", 1.0)), parameters=model.parameters + noise)
    save_model(alone, folder / "m.npz")
    return folder


@pytest.fixture
def here(trained: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder as the current one."""
    monkeypatch.chdir(trained)
    return trained


def numbers(text: str) -> np.ndarray:
    return np.array([[float(cell) for cell in line.split(",")[1:]] for line in text.splitlines()[1:]])


def run(*words: str) -> str:
    got = call("forecast", "m.npz", "--horizon", "12", *words)
    assert got.code == 0, got.err
    return got.out


@pytest.mark.parametrize("inputs", [(), ("prices.csv",)], ids=["kept-rows", "fresh-rows"])
def test_cores_agree_and_the_choice_is_one_of_them(
    here: Path, monkeypatch: pytest.MonkeyPatch, inputs: tuple[str, ...]
) -> None:
    expected, got = run(*inputs, "--core", "numpy"), run(*inputs, "--core", "numba")
    assert got != expected  # it was another core
    np.testing.assert_allclose(numbers(got), numbers(expected), rtol=TOLERANCE)
    assert run(*inputs) == run(*inputs, "--core", "auto") == expected
    monkeypatch.setattr(running, "TWIN_STEPS", 1e-9)
    assert run(*inputs) == got


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param([], "computed by numpy: ", id="auto"),
        pytest.param(["--core", "auto"], "computed by numpy: ", id="auto-named"),
        pytest.param(["--core", "numpy"], "computed by numpy, as asked: ", id="numpy"),
        pytest.param(["--core", "numba"], "computed by numba, as asked: ", id="numba"),
    ],
)
def test_what_computes_is_said_on_demand(here: Path, words: list[str], expected: str) -> None:
    got = call("forecast", "m.npz", "prices.csv", *words, "-v")
    assert got.code == 0
    line = next(line for line in got.err.splitlines() if "computed by" in line)
    assert line.startswith(expected)
    assert re.search(r"1 series in [1-9][0-9]* steps of the network are 0\.[0-9]+ of the work that pays", line)
    assert "computed by" not in call("forecast", "m.npz", "prices.csv", *words).err


def test_options_that_contradict_each_other(here: Path) -> None:
    got = call("forecast", "m.npz", "-v", "-q")
    assert (got.code, got.out) == (2, "")
    assert "--verbose and --quiet contradict each other" in got.err
    assert call("forecast", "m.npz", "--core", "cuda").code == 2
