"""``rnncast inspect``: a model's card and what is found in data."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from cli_cases import QUICK, call, write_prices


@pytest.fixture
def prices(tmp_path, monkeypatch, rng):
    """A file of prices in the current folder."""
    monkeypatch.chdir(tmp_path)
    return write_prices(Path("prices.csv"), rng)


def test_data_as_text(prices):
    got = call("inspect", prices)
    assert (got.code, got.err) == (0, "")
    lines = dict(line.split(maxsplit=1) for line in got.out.splitlines() if not line.startswith(" "))
    assert lines["columns"] == "time 'date', target 'close'"
    assert lines["rows"] == "150, 2020-01-01 to 2020-07-28"
    assert lines["calendar"] == "business days, Monday to Friday (B)"
    assert lines["season"] == "none found"
    assert lines["next"] == "rnncast train prices.csv"


def test_data_as_json(prices):
    text = prices.read_text().replace("date,close", "date,volume,close").replace(",1", ",7,1").replace(",9", ",7,9")
    Path("odd name.csv").write_text("\n".join([*text.splitlines()[:20], "2020-01-28,7,0", "2020-01-29,7,-5", ""]))
    got = call("inspect", "odd name.csv", "--target-col", "close", "--json")
    document = json.loads(got.out)
    assert document["schema"] == "rnncast.inspect/1"
    assert document["kind"] == "data"
    assert document["unused_columns"] == ["volume"]
    assert document["values"]["zeros"] == document["values"]["negatives"] == 1
    assert document["values"]["least"] == -5
    assert document["rows"] == 21
    words = shlex.split(document["train_command"])
    assert words == ["rnncast", "train", "odd name.csv", "--target-col", "close"]


def test_stdin(prices):
    got = call("inspect", "-", stdin=prices.read_bytes())
    assert got.code == 0, got.err
    assert got.out.splitlines()[0] == "data      stdin"
    assert got.out.splitlines()[-1].endswith("rnncast train -")


def test_model_as_text(prices):
    assert call("train", prices, *QUICK, "-q", "--cell", "gru", "--seed", "3").code == 0
    got = call("inspect", "prices.npz")
    assert (got.code, got.err) == (0, "")
    for expected in (
        "gru, 1 layer of 4 units",
        "1 series, 150 rows, until 2020-07-28",
        "5 steps",
        "seed 3",
        "80 %, 95 %",
    ):
        assert expected in got.out
    assert "validation: " in got.out


def test_model_as_json(prices):
    assert call("train", prices, *QUICK, "-q", "--no-history").code == 0
    document = json.loads(call("inspect", "prices.npz", "--json").out)
    assert document["kind"] == "model"
    assert document["bytes"] == Path("prices.npz").stat().st_size
    assert document["format_version"] == 1
    assert document["history"] is None
    assert document["columns"] == {"time": "date", "id": None, "target": "close"}
    assert document["parameters"] > 100
    assert document["network"]["horizon"] == 5


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["none.csv"], 66, "there is no file none.csv", id="no-such-file"),
        pytest.param(["none.npz"], 66, "there is no model none.npz", id="no-such-model"),
        pytest.param(["damaged.npz"], 65, "damaged", id="damaged-model"),
        pytest.param(["prices.csv", "--time-col", "dat"], 65, "did you mean 'date'?", id="column"),
        pytest.param(["damaged.npz", "--time-col", "date"], 2, "no effect on a model", id="option-for-a-model"),
    ],
)
def test_refusals(prices, arguments, code, expected):
    Path("damaged.npz").write_bytes(b"PK\x03\x04 and no more")
    got = call("inspect", *arguments)
    assert (got.code, got.out) == (code, "")
    assert expected in got.err
