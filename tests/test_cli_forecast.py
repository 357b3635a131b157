"""``rnncast forecast``: forms of the output, kept and fresh rows, names of columns."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices

from rnncast.cli.forecast import parse_quantiles, quantile_levels

ROOT = Path(__file__).resolve().parent.parent
HEADER = ["date", "rnncast", "rnncast-lo-80", "rnncast-hi-80", "rnncast-lo-95", "rnncast-hi-95"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with prices.csv and the model of it."""
    folder = tmp_path_factory.mktemp("trained")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(5))
    assert call("train", prices, *QUICK, "-q", "-o", folder / "prices.npz").code == 0
    return folder


@pytest.fixture
def here(trained, monkeypatch):
    """That folder as the current one."""
    monkeypatch.chdir(trained)
    return trained


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_pipe_gets_csv_with_full_precision_and_the_input_s_names(here):
    got = call("forecast", "prices.npz")
    assert got.code == 0, got.err
    assert got.err == ""
    header, *rows = rows_of(got.out)
    assert header == HEADER
    assert [row[0] for row in rows] == weekdays(155)[150:]
    values = np.array([[float(cell) for cell in row[1:]] for row in rows])
    assert (values[:, 3] < values[:, 1]).all() and (values[:, 1] < values[:, 0]).all()
    assert (values[:, 0] < values[:, 2]).all() and (values[:, 2] < values[:, 4]).all()
    assert max(len(cell) for cell in rows[0]) >= 15


def test_forecast_from_kept_rows_equals_that_from_the_training_file(here):
    expected = call("forecast", "prices.npz").out
    assert call("forecast", "prices.npz", "prices.csv").out == expected
    assert call("forecast", "prices.npz", "-", stdin=Path("prices.csv").read_bytes()).out == expected


def test_fresh_rows_move_the_forecast_on(here, tmp_path):
    lines = Path("prices.csv").read_text().splitlines()
    fresh = tmp_path / "fresh.csv"
    fresh.write_text("\n".join([lines[0], *lines[-30:], f"{weekdays(151)[-1]},120.5", ""]))
    got = call("forecast", "prices.npz", fresh)
    assert got.code == 0, got.err
    assert rows_of(got.out)[1][0] == weekdays(152)[-1]
    shorter = call("forecast", "prices.npz", "prices.csv", "--until", "2020-05-29")
    assert rows_of(shorter.out)[1][0] == "2020-06-01"


def test_input_of_a_few_rows_borrows_the_step_of_the_model(here, tmp_path):
    few = tmp_path / "few.csv"
    few.write_text("date,close\n2024-01-05,100.0\n2024-01-09,101.0\n")
    got = call("forecast", "prices.npz", few)
    assert got.code == 0, got.err
    assert [row[0] for row in rows_of(got.out)[1:3]] == ["2024-01-10", "2024-01-11"]


def test_rows_of_another_step_are_said(here, tmp_path):
    monthly = tmp_path / "monthly.csv"
    months = np.arange("2018-01", "2021-01", dtype="datetime64[M]").astype("datetime64[D]").astype(str)
    monthly.write_text("date,close\n" + "".join(f"{month},{100 + place}\n" for place, month in enumerate(months)))
    got = call("forecast", "prices.npz", monthly)
    assert got.code == 0, got.err
    assert "warning: the rows come every month" in got.err


def test_model_s_own_columns_are_taken_where_others_would_do_too(here, tmp_path):
    lines = Path("prices.csv").read_text().splitlines()
    wide = tmp_path / "wide.csv"
    wide.write_text("\n".join(["date,close,price", *(f"{line},1.0" for line in lines[1:]), ""]))
    assert call("inspect", wide).code == 65  # alone it is ambiguous
    assert call("forecast", "prices.npz", wide).out == call("forecast", "prices.npz").out
    other = call("forecast", "prices.npz", wide, "--target-col", "price")
    assert other.out != call("forecast", "prices.npz").out


@pytest.mark.parametrize("form", ["csv", "json", "ndjson", "parquet"])
def test_forms_by_option_and_by_ending_agree(here, tmp_path, form):
    path = tmp_path / f"out.{form}"
    got = call("forecast", "prices.npz", "-o", path)
    assert (got.code, got.out) == (0, "")
    assert f"wrote 5 rows to {path}" in got.err
    if form == "parquet":
        from pyarrow.parquet import ParquetFile

        assert ParquetFile(path).read().column_names == HEADER
        return
    text = path.read_text()
    assert call("forecast", "prices.npz", "--format", form).out == text
    if form == "csv":
        rows = [dict(zip(HEADER, row, strict=True)) for row in rows_of(text)[1:]]
    else:
        rows = json.loads(text) if form == "json" else [json.loads(line) for line in text.splitlines()]
    assert [row["date"] for row in rows] == weekdays(155)[150:]
    assert list(rows[0]) == HEADER


def test_terminal_gets_a_table(here, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    got = call("forecast", "prices.npz", terminal=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", got.out)
    assert plain.split("\n")[0].split() == ["date", "rnncast", "lo-80", "hi-80", "lo-95", "hi-95"]
    assert rows_of(got.out)[0] != HEADER
    assert call("forecast", "prices.npz", "--format", "csv", terminal=True).out == call("forecast", "prices.npz").out
    refused = call("forecast", "prices.npz", "--format", "parquet", terminal=True)
    assert refused.code == 2
    assert refused.out == ""


def test_json_option(here):
    document = json.loads(call("forecast", "prices.npz", "--json").out)
    assert document["schema"] == "rnncast.forecast/1"
    assert document["rows"] == json.loads(call("forecast", "prices.npz", "--format", "json").out)
    assert len(document["rows"]) == 5
    assert json.loads(call("forecast", "no.npz", "--json").err)["code"] == 66
    assert call("forecast", "prices.npz", "--json", "--format", "csv").code == 2


def test_levels_and_quantiles(here):
    got = call("forecast", "prices.npz", "--level", "90", "--quantiles", "0.5,0.05")
    header, *rows = rows_of(got.out)
    assert header == ["date", "rnncast", "rnncast-lo-90", "rnncast-hi-90", "rnncast_ql0.5", "rnncast_ql0.05"]
    for row in rows:
        assert float(row[4]) == pytest.approx(float(row[1]), rel=1e-12)
        assert row[2] == row[5]
    only = call("forecast", "prices.npz", "--quantiles", "0.1")
    assert rows_of(only.out)[0] == ["date", "rnncast", "rnncast_ql0.1"]


def test_steps_beyond_the_trained_horizon_are_marked(here):
    got = call("forecast", "prices.npz", "--horizon", "7")
    assert len(rows_of(got.out)) == 8
    assert "steps 6 to 7 lie beyond the trained horizon of 5" in got.err
    assert "not calibrated" in got.err
    assert call("forecast", "prices.npz", "--horizon", "7", "-q").err == ""
    assert rows_of(call("forecast", "prices.npz", "--horizon", "2").out) == rows_of(got.out)[:3]


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        pytest.param(["price.npz"], 66, "did you mean prices.npz?", id="no-such-model"),
        pytest.param(["prices.csv"], 65, "the model comes first", id="data-as-model"),
        pytest.param(["prices.npz", "none.csv"], 66, "there is no file none.csv", id="no-such-input"),
        pytest.param(["prices.npz", "--until", "2020-05-01"], 2, "--until needs an input", id="until-without-input"),
        pytest.param(["prices.npz", "--level", "100"], 2, "--level must be", id="level"),
        pytest.param(["prices.npz", "--horizon", "0"], 2, "--horizon must be at least 1", id="horizon"),
        pytest.param(["prices.npz", "-o", "prices.npz"], 2, "is also an input", id="model-as-output"),
        pytest.param(["prices.npz", "prices.csv", "-o", "prices.csv"], 2, "is also an input", id="input-as-output"),
        pytest.param(["prices.npz", "-o", "no/such/x.csv"], 73, "there is no folder", id="no-such-folder"),
    ],
)
def test_refusals(here, arguments, code, expected):
    before = {path.name: path.read_bytes() for path in here.iterdir()}
    got = call("forecast", *arguments)
    assert (got.code, got.out) == (code, "")
    assert expected in got.err
    assert {path.name: path.read_bytes() for path in here.iterdir()} == before


def test_damaged_model_is_refused(here, tmp_path):
    data = Path("prices.npz").read_bytes()
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(data[: len(data) // 2])
    got = call("forecast", damaged)
    assert got.code == 65
    assert "damaged" in got.err


def test_model_of_a_distribution_has_intervals_at_any_level(here, tmp_path):
    path = tmp_path / "t.npz"
    assert call("train", "prices.csv", *QUICK, "--loss", "student-t", "-o", path, "-q").code == 0
    assert rows_of(call("forecast", path).out)[0][2:] == [
        f"rnncast-{end}-{level}" for level in (80, 95) for end in ("lo", "hi")
    ]
    got = call("forecast", path, "--level", "95", "--quantiles", "0.001,0.5,0.975", "--horizon", "7")
    assert got.code == 0, got.err
    names, *rows = rows_of(got.out)
    assert names == [
        *("date", "rnncast", "rnncast-lo-95", "rnncast-hi-95"),
        *("rnncast_ql0.001", "rnncast_ql0.5", "rnncast_ql0.975"),
    ]
    assert len(rows) == 7
    for _, point, low, high, lowest, median, upper in rows:
        assert float(lowest) < float(low) < float(median) < float(high)
        assert (point, high) == (median, upper)


def test_model_of_squared_errors_has_intervals_where_they_are_asked_for(here, tmp_path):
    path = tmp_path / "mse.npz"
    assert call("train", "prices.csv", *QUICK, "--loss", "mse", "-o", path, "-q").code == 0
    assert rows_of(call("forecast", path).out)[0] == ["date", "rnncast"]
    got = rows_of(call("forecast", path, "--level", "80").out)
    assert got[0] == ["date", "rnncast", "rnncast-lo-80", "rnncast-hi-80"]
    assert all(float(low) < float(point) < float(high) for _, point, low, high in got[1:])


@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_hostile_names_come_out_as_they_are(tmp_path, monkeypatch, rng, terminal):
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(tmp_path)
    write_prices(Path("[bold]x.csv"), rng, column="[close]")
    text = Path("[bold]x.csv").read_text().replace("date,", "day[/red],")
    Path("[bold]x.csv").write_text(text)
    got = call("train", "[bold]x.csv", *QUICK)
    assert got.code == 0, got.err
    assert "'[close]'" in got.err
    assert "saved [bold]x.npz" in got.err
    assert "day[/red]" in call("forecast", "[bold]x.npz", terminal=terminal).out


def test_panel_keeps_ids_and_their_order(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    rows = write_prices(Path("one.csv"), rng).read_text().splitlines()[1:]
    names = ["Ünïcode, Inc.", "=1+1", "007"]
    quoted = {"Ünïcode, Inc.": '"Ünïcode, Inc."'}
    lines = [f"{quoted.get(name, name)},{row}" for name in names for row in rows]
    Path("panel.csv").write_text("\n".join(["ticker,day,close", *lines, ""]), encoding="utf-8")
    assert call("train", "panel.csv", *QUICK, "-q").code == 0
    got = rows_of(call("forecast", "panel.npz").out)
    assert got[0][:3] == ["ticker", "day", "rnncast"]
    assert [row[0] for row in got[1:]] == [name for name in names for _ in range(5)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(None, (), id="none"),
        pytest.param("0.9, .1", (0.9, 0.1), id="order-kept"),
        pytest.param("0.5,0.50", (0.5,), id="once"),
    ],
)
def test_parse_quantiles(text, expected):
    assert parse_quantiles(text) == expected


def test_quantile_levels_of_intervals_and_list_together():
    assert quantile_levels([80], [0.25]) == (0.1, 0.25, 0.5, 0.9)
    assert quantile_levels([], []) == ()


def test_history_shorter_than_the_model_reads_is_said(here, tmp_path):
    rows = (here / "prices.csv").read_text().splitlines()
    (tmp_path / "tail.csv").write_text("\n".join([rows[0], *rows[-8:], ""]))
    got = call("forecast", "prices.npz", tmp_path / "tail.csv")
    assert got.code == 0
    assert "rows and there are 8; a forecast from fewer rows is another one" in got.err


def test_named_pipe_is_read_once(here, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes((here / "prices.csv").read_bytes()), daemon=True)
    writer.start()
    got = call("forecast", "prices.npz", pipe)
    writer.join(10)
    assert got.out == call("forecast", "prices.npz", "prices.csv").out


def test_a_model_of_dates_and_times_in_two_columns_reads_such_rows_again(tmp_path, rng):
    path = tmp_path / "bars.csv"
    lines = [f"2012.11.{12 + n // 24}\t{n % 24:02d}:00\t{100 + rng.standard_normal():.3f}" for n in range(120)]
    path.write_text("\n".join(["<DATE>\t<TIME>\t<CLOSE>", *lines, ""]))
    model = tmp_path / "bars.npz"
    assert call("train", path, "-o", model, *QUICK, "-q").code == 0
    kept, fresh = call("forecast", model), call("forecast", model, path, "-q")
    assert fresh.code == 0
    assert fresh.out == kept.out


def test_a_model_of_a_wide_file_reads_such_a_file_again(tmp_path, rng):
    path, model = tmp_path / "wide.csv", tmp_path / "wide.npz"
    lines = [f"{day},{100 + rng.standard_normal():.3f},{rng.random():.3f}" for day in weekdays(120)]
    path.write_text("\n".join(["date,bid,ask", *lines, ""]))
    assert call("train", path, "--wide", "-o", model, *QUICK, "-q").code == 0
    kept, fresh = call("forecast", model), call("forecast", model, path, "-q")
    assert fresh.out == kept.out
    assert fresh.out.startswith("unique_id,date,rnncast")


def test_stamps_with_a_zone_come_back_in_it(tmp_path, rng):
    path, model = tmp_path / "power.csv", tmp_path / "power.npz"
    hours = np.datetime64("2016-10-29T00:00") + np.arange(100) * np.timedelta64(
        1, "h"
    )  # UTC; clocks go back at 01:00 on the 30th
    local = [(hour, 2 if hour < np.datetime64("2016-10-30T01") else 1) for hour in hours]
    lines = [f"{h + np.timedelta64(off, 'h')}:00+0{off}:00,{rng.random():.3f}" for h, off in local]
    path.write_text("\n".join(["time,price", *lines, ""]))
    assert call("train", path, "--time-zone", "Europe/Berlin", "-o", model, *QUICK, "-q").code == 0
    stamps = [line.split(",")[0] for line in call("forecast", model).out.splitlines()[1:]]
    assert stamps[:2] == ["2016-11-02T05:00:00+01:00", "2016-11-02T06:00:00+01:00"]
    naive = path.read_text().replace("+02:00", "").replace("+01:00", "")
    (tmp_path / "naive.csv").write_text(naive)
    fresh = call("forecast", model, tmp_path / "naive.csv", "-q")
    assert fresh.out == call("forecast", model, path, "-q").out


@pytest.mark.parametrize("level", ["99.995", "99.998", "99.999", "99.9999999"])
def test_a_distribution_has_intervals_at_levels_close_to_all(here, tmp_path, level):
    """One minus a level differs in its last digits from the tail that was asked for."""
    command = ["train", "prices.csv", *QUICK, "--loss", "student-t", "--level", "99.999", "-o", tmp_path / "t.npz"]
    assert call(*command, "-q").code == 0
    got = call("forecast", tmp_path / "t.npz", "--level", level, "--quantiles", "0.12345671,0.12345672")
    assert got.code == 0, got.err
    names, *rows = rows_of(got.out)
    assert names[2:] == [f"rnncast-lo-{level}", f"rnncast-hi-{level}", "rnncast_ql0.12345671", "rnncast_ql0.12345672"]
    for _, point, low, high, *_ in rows:
        assert float(low) < float(point) < float(high)
