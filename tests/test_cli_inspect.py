"""``rnncast inspect``: a model's card and what is found in data."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices
from panels import random_walk

from rnncast.report.tables import number


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
    assert lines["season"] == "none found; tested: 5 rows (a week)"
    assert lines["gaps"] == lines["warnings"] == "none"
    assert lines["next"] == "rnncast train prices.csv"
    (row,) = [line.split() for line in got.out.splitlines() if "▁" in line]
    values = np.loadtxt(prices, delimiter=",", skiprows=1, usecols=1)
    figures = (values[-1], values.min(), np.median(values), values.max())
    assert row[:5] == ["150", *map(number, figures)]
    assert len(row[5]) == 32


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


def test_json_holds_the_figures_of_each_series(prices, rng):
    write_series({"WTI": np.round(random_walk(rng, 60), 2), "wti": np.full(60, 3.8), "x": -np.arange(50.0)})
    document = json.loads(call("inspect", "series.csv", "--json").out)
    wti, peg, other = document["per_series"]
    assert (wti["id"], wti["rows"], wti["first"], wti["last"]) == ("WTI", 60, "2020-01-01", "2020-03-24")
    assert peg == {
        "id": "wti", "rows": 60, "first": "2020-01-01", "last": "2020-03-24", "first_value": 3.8,
        "last_value": 3.8, "least": 3.8, "median": 3.8, "most": 3.8,
        "zeros": 0, "negatives": 0, "tiny": 0, "repeated": 59 / 60, "repeated_at_the_end": 60, "constant": True,
        "imprecise": False, "gaps": 0, "rows_behind": 0,
    }  # fmt: skip
    assert (other["zeros"], other["negatives"], other["median"], other["rows_behind"]) == (1, 49, -24.5, 10)
    assert (document["seasons"], document["seasons_tested"], document["season_length"]) == ([], [5], 1)
    assert document["alike_ids"] == [["WTI", "wti"]]
    assert document["jumps"] == document["same_values"] == []
    assert [line.split(":")[0] for line in document["warnings"]] == [
        "series 'x' ends 10 rows before the others, at 2020-03-10; its forecast starts there",
        "ids that hardly differ",
    ]


def test_json_holds_the_jumps(prices, rng):
    walk = random_walk(rng, 100)
    walk[50] *= 100
    write_series({"a": walk, "b": random_walk(rng, 100)})
    got = call("inspect", "series.csv", "--json")
    (jump,) = json.loads(got.out)["jumps"]
    expected = {"kind": "values far off", "series": "a", "stamp": "2020-03-11", "rows": 1, "before": walk[49],
                "value": walk[50], "after": walk[51], "ratio": walk[50] / walk[49]}  # fmt: skip
    assert jump == expected
    assert "one value far off its neighbours" in call("inspect", "series.csv").out


@pytest.mark.parametrize("width", [40, 80, 120], ids=lambda width: f"{width} columns")
def test_text_fits_the_terminal(prices, rng, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", f"{width}")
    names = [f"{'a long name of a series that goes on and on ' * (n == 3)}{n}" for n in range(20)]
    write_series({name: 10.0 ** rng.integers(-6, 6) * random_walk(rng, 40 + n) for n, name in enumerate(names)})
    got = call("inspect", "series.csv", terminal=True)
    assert got.code == 0
    assert max(len(line) for line in got.out.splitlines()) <= (width if width >= 80 else 70)
    assert "  and 8 more" in got.out.splitlines()
    assert sum("▁" in line for line in got.out.splitlines()) == 12
    off = call("inspect", "series.csv")
    assert names[3] in off.out


def test_hostile_names_are_shown_as_they_are(prices, rng):
    write_series({"[/red]": random_walk(rng, 40), "\x1b[31m": random_walk(rng, 40)}, header="date,[id],[close]")
    got = call("inspect", "series.csv", "--id-col", "[id]", "--target-col", "[close]", terminal=True)
    assert got.code == 0
    assert "id '[id]', time 'date', target '[close]'" in got.out
    assert "  [/red]" in got.out
    assert "  \\x1b[31m" in got.out
    assert "\x1b" not in got.out


def test_the_next_command_has_the_options_as_they_were_typed(prices, rng):
    write_series({"a": random_walk(rng, 100), "b": random_walk(rng, 5)}, header="date,my id,close")
    options = ("--id-col", "my id", "--monthfirst", "--missing", "ffill")
    got = call("inspect", "series.csv", *options).out.splitlines()[-1]
    assert got == "next      rnncast train series.csv --id-col 'my id' --missing ffill --monthfirst"
    assert call("train", "series.csv", *options, *QUICK, "-q").code == 0


def test_an_input_that_is_not_understood_shows_its_columns(prices):
    Path("bars.csv").write_text("when,bid,ask\n2024-01-01,1,2\n2024-01-02,3,4\n")
    got = call("inspect", "bars.csv")
    assert (got.code, got.out) == (65, "")
    assert got.err.splitlines()[:4] == [
        "column 'when': dates, 2024-01-01, 2024-01-02",
        "column 'bid': numbers, 1, 3",
        "column 'ask': numbers, 2, 4",
        "error: several columns could be the target: 'bid', 'ask'",
    ]
    assert json.loads(call("inspect", "bars.csv", "--json").err)["code"] == 65


def test_several_files(prices, rng, tmp_path):
    write_series({"a": random_walk(rng, 100)})
    got = call("inspect", "prices.csv", "series.csv", "--files", "series", "--target-col", "close")
    assert got.code == 65  # one of them has an id column, the other none
    assert "the id column is absent in prices.csv and unique_id in series.csv" in got.err
    Path("more.csv").write_text(prices.read_text())
    got = call("inspect", "prices.csv", "more.csv")
    assert got.out.splitlines()[0] == "data      prices.csv more.csv"
    assert got.out.splitlines()[-1] == "next      rnncast train prices.csv more.csv"


def write_series(series, header="date,unique_id,close"):
    days = weekdays(max(map(len, series.values())))
    lines = [f"{day},{name},{value!r}" for name, values in series.items()
             for day, value in zip(days, values.tolist(), strict=False)]  # fmt: skip
    Path("series.csv").write_text("\n".join([header, *lines, ""]), encoding="utf-8")


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
    assert "held-out rows: " in got.out


def test_model_as_json(prices):
    assert call("train", prices, *QUICK, "-q", "--no-history").code == 0
    document = json.loads(call("inspect", "prices.npz", "--json").out)
    assert document["kind"] == "model"
    assert document["bytes"] == Path("prices.npz").stat().st_size
    assert document["format_version"] == 3
    assert document["history"] is None
    assert document["columns"] == {"time": "date", "id": None, "target": "close", "wide": False}
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
