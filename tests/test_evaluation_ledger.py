"""The ledger's file: what is recorded, once, in both forms, and what is refused."""

from __future__ import annotations

import csv
import multiprocessing
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rnncast.data.panel import Columns
from rnncast.errors import BusyError, DataError, StorageError, UsageError
from rnncast.evaluation import ledger_files
from rnncast.evaluation.ledger import Appended, append, check_ledger
from rnncast.evaluation.ledger_rows import first_issued, of_model, read_ledger, with_levels
from rnncast.forecasting.result import Forecast

MADE = np.datetime64("2024-03-01T04:05:06", "s")
A, B = "a" * 16, "b" * 16
LEVELS = np.array([0.05, 0.1, 0.5, 0.9, 0.95])


def issued(rng, *, ids=("x",), cutoff="2024-02-29", steps=3, columns=None, zone=None) -> Forecast:
    """A forecast of some series, from one cutoff: a date, or an integer step."""
    count = len(ids) * steps
    ahead = np.arange(1, steps + 1)
    if isinstance(cutoff, int):
        last, times = np.int64(cutoff), cutoff + ahead
    else:
        last = np.datetime64(cutoff, "us")
        times = last + ahead * np.timedelta64(1, "D")
    quantiles = np.sort(rng.standard_normal((count, len(LEVELS))), axis=1)
    return Forecast(
        ids=tuple(ids),
        series=np.repeat(np.arange(len(ids)), steps),
        times=np.tile(times, len(ids)),
        cutoffs=np.full(count, last),
        steps=np.tile(ahead, len(ids)),
        point=quantiles[:, 2],
        network=quantiles[:, 2],
        quantile_levels=LEVELS,
        quantiles=quantiles,
        columns=columns or Columns("date", "ticker" if ids != ("x",) else None, "close"),
        last_values=rng.standard_normal(count),
        trained_horizon=steps,
        zone=zone,
    )


def record(path, forecast, *, levels=(80.0,), quantiles=(), model=A, made_at=MADE) -> Appended:
    return append(str(path), forecast, levels=levels, quantiles=quantiles, model=model, made_at=made_at)


@pytest.fixture(params=["csv", "parquet"])
def path(request, tmp_path):
    """A ledger that does not exist yet, in each form."""
    return tmp_path / f"ledger.{request.param}"


def test_rows_come_back_as_they_were_issued(path, rng):
    forecast = issued(rng, ids=("x", "y"))
    assert record(path, forecast, quantiles=(0.05,)) == Appended(6, 0, 0, True)
    got = read_ledger(str(path))
    assert (got.id, got.time, got.ids, got.models) == ("ticker", "date", ("x", "y"), (A,))
    for name in ("series", "times", "cutoffs", "steps", "last_values", "point"):
        np.testing.assert_array_equal(getattr(got, name), getattr(forecast, name))
    assert (got.made_at == MADE).all()
    np.testing.assert_array_equal(got.quantile_levels, [0.05, 0.1, 0.5, 0.9])
    np.testing.assert_array_equal(got.quantiles, forecast.quantiles[:, :4])


def test_csv_is_plain(tmp_path, rng):
    forecast = issued(rng, steps=1)
    record(tmp_path / "l.csv", forecast)
    numbers = [forecast.last_values[0], *forecast.quantiles[0, [2, 1, 3]]]
    assert (tmp_path / "l.csv").read_text() == (
        "date,cutoff,step,made_at,model,last_value,rnncast,rnncast-lo-80,rnncast-hi-80\n"
        f"2024-03-01,2024-02-29,1,2024-03-01T04:05:06+00:00,{A},{','.join(repr(float(n)) for n in numbers)}\n"
    )


def test_parquet_has_types(tmp_path, rng):
    record(tmp_path / "l.parquet", issued(rng, ids=("x", "y"), zone="Europe/London"))
    schema = pq.ParquetFile(tmp_path / "l.parquet").schema_arrow
    types = {field.name: str(field.type) for field in schema}
    assert types == {
        "ticker": "string", "date": "timestamp[us, tz=Europe/London]", "cutoff": "timestamp[us, tz=Europe/London]",
        "step": "int64", "made_at": "timestamp[us, tz=UTC]", "model": "string", "last_value": "double",
        "rnncast": "double", "rnncast-lo-80": "double", "rnncast-hi-80": "double",
    }  # fmt: skip


def test_the_first_issued_stays(path, rng):
    first = issued(rng)
    record(path, first)
    before = path.read_bytes()
    again = replace(first, point=first.point + [0.0, 1.0, 0.0])
    assert record(path, again, made_at=MADE + 9) == Appended(0, 3, 1, True)
    assert path.read_bytes() == before


def test_only_what_is_not_there_is_added(path, rng):
    record(path, issued(rng, steps=2))
    assert record(path, issued(rng, steps=5)).added == 3
    assert record(path, issued(rng, steps=5), model=B) == Appended(5, 0, 0, True)
    assert record(path, issued(rng, steps=5, cutoff="2024-03-01")) == Appended(5, 0, 0, True)
    got = read_ledger(str(path))
    np.testing.assert_array_equal(got.steps, [1, 2, 3, 4, 5, *[1, 2, 3, 4, 5] * 2])  # in the order of issue
    np.testing.assert_array_equal(got.model, [0] * 5 + [1] * 5 + [0] * 5)


def test_other_levels_widen_the_ledger(path, rng):
    first, second = issued(rng), issued(rng, cutoff="2024-03-01")
    record(path, first, levels=(80.0,))
    record(path, second, levels=(90.0,))
    third = issued(rng, cutoff="2024-03-02")
    record(path, third, levels=(90.0, 80.0))
    got = read_ledger(str(path))
    np.testing.assert_array_equal(got.quantile_levels, [0.05, 0.1, 0.5, 0.9, 0.95])
    nan = np.nan
    np.testing.assert_array_equal(got.quantiles[:3], first.quantiles * [nan, 1, 1, 1, nan])
    np.testing.assert_array_equal(got.quantiles[3:6], second.quantiles * [1, nan, 1, nan, 1])
    np.testing.assert_array_equal(got.quantiles[6:], third.quantiles)


def test_text_of_a_csv_ledger_is_kept_when_it_grows(tmp_path, rng):
    path = tmp_path / "l.csv"
    record(path, issued(rng, ids=("x", 'a "b", c', "two\nlines")))
    before = path.read_bytes()
    record(path, issued(rng, ids=("x", "y"), cutoff="2024-03-01"))
    assert path.read_bytes().startswith(before)
    old = list(csv.reader(before.decode().splitlines(keepends=True)))
    record(path, issued(rng, ids=("x", "y"), cutoff="2024-03-02"), levels=(90.0,))
    new = list(csv.reader(path.read_text().splitlines(keepends=True)))
    assert [row[:-2] for row in new[: len(old)]] == old
    assert [row[-2:] for row in new[1 : len(old)]] == [["", ""]] * (len(old) - 1)


def test_a_column_of_the_user_stays(path, rng):
    record(path, issued(rng))
    if path.suffix == ".csv":
        lines = path.read_text().splitlines()
        path.write_text("\n".join([lines[0] + ",remark", *(line + ",mine" for line in lines[1:]), ""]))
    else:
        table = pq.ParquetFile(path).read()
        pq.write_table(table.append_column("remark", [["mine"] * 3]), path)
    assert record(path, issued(rng, cutoff="2024-03-01")).added == 3
    assert len(read_ledger(str(path))) == 6
    if path.suffix == ".csv":
        assert [row[-1] for row in csv.reader(path.read_text().splitlines())] == ["remark", *["mine"] * 3, *[""] * 3]
    else:
        assert pq.ParquetFile(path).read()["remark"].to_pylist() == ["mine"] * 3 + [None] * 3


def test_a_missing_line_end_and_a_mark_of_byte_order_do_no_harm(tmp_path, rng):
    path = tmp_path / "l.csv"
    record(path, issued(rng))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip(b"\n"))
    assert record(path, issued(rng)).present == 3
    assert record(path, issued(rng, cutoff="2024-03-01")).added == 3
    assert len(read_ledger(str(path))) == 6


def test_stamps_with_a_time_a_zone_or_steps_are_recognised(path, rng):
    for number, (cutoff, zone) in enumerate(
        [("2024-03-31T00:00", None), ("2024-10-27T00:30", "Europe/London"), (7, None)]
    ):
        own = path.with_stem(f"l{number}")
        forecast = issued(rng, cutoff=cutoff, zone=zone)
        if number < 2:
            forecast = replace(forecast, times=forecast.times.astype("datetime64[s]"))  # as for rows with a clock
        record(own, forecast)
        assert record(own, forecast) == Appended(0, 3, 0, True)
        got = read_ledger(str(own))
        np.testing.assert_array_equal(got.times, forecast.times)
        np.testing.assert_array_equal(got.cutoffs, forecast.cutoffs)


def test_cutoffs_finer_than_a_second_are_recognised(path, rng):
    forecast = issued(rng, cutoff="2024-03-31T09:30:00.25")
    forecast = replace(forecast, times=forecast.times.astype("datetime64[s]"))
    record(path, forecast)
    assert record(path, forecast) == Appended(0, 3, 0, True)
    np.testing.assert_array_equal(read_ledger(str(path)).cutoffs, forecast.cutoffs)


def test_an_id_column_without_a_name(path, rng):
    forecast = issued(rng, ids=("x", "y"), columns=Columns("date", "", "close"))
    record(path, forecast)
    assert record(path, forecast) == Appended(0, 6, 0, True)
    assert read_ledger(str(path)).ids == ("x", "y")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8), min_size=2,
                 max_size=4, unique=True),
    names=st.lists(st.sampled_from(["cutoff", "step", "model", "rnncast", "rnncast-lo-80", "made_at", "a,b", "id"]),
                   min_size=2, max_size=2, unique=True),
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
)  # fmt: skip
def test_any_names_and_numbers_come_back(tmp_path, rng, ids, names, values):
    for form in ("csv", "parquet"):
        path = tmp_path / f"l.{form}"
        path.unlink(missing_ok=True)
        forecast = issued(rng, ids=tuple(ids), columns=Columns(names[0], names[1], "close"), steps=2)
        forecast = replace(forecast, last_values=np.tile(values, len(ids)))
        record(path, forecast)
        assert record(path, forecast) == Appended(0, 2 * len(ids), 0, True)
        got = read_ledger(str(path))
        assert [got.ids[s] for s in got.series] == [ids[s] for s in forecast.series]
        assert got.last_values.tobytes() == forecast.last_values.tobytes()
        np.testing.assert_array_equal(got.quantiles, forecast.quantiles[:, 1:4])


# ---- what is refused


def foreign(path, text):
    path.write_text(text)
    if path.suffix == ".parquet":
        import pyarrow.csv

        pq.write_table(pyarrow.csv.read_csv(path), path)


def test_a_file_that_is_no_ledger(path, rng):
    foreign(path, "date,close\n2024-01-01,1.0\n")
    before = path.read_bytes()
    for act in (lambda: check_ledger(str(path)), lambda: record(path, issued(rng)), lambda: read_ledger(str(path))):
        with pytest.raises(DataError, match="this is no ledger") as caught:
            act()
        assert caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param({"ids": ("x", "y")}, "id column of the ledger is absent, that of the forecast 'ticker'", id="id"),
        pytest.param({"columns": Columns("ds", None, "y")}, "the time column of the ledger is 'date'", id="time"),
        pytest.param({"cutoff": 7}, "holds stamps without a zone, the forecast integer steps", id="steps"),
        pytest.param({"zone": "UTC"}, "holds stamps without a zone, the forecast stamps with a zone", id="zone"),
    ],
)
def test_a_ledger_of_another_kind(path, rng, other, message):
    record(path, issued(rng))
    before = path.read_bytes()
    with pytest.raises(DataError, match=message) as caught:
        record(path, issued(rng, **other))
    assert caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda data: data[: len(data) - 30], id="cut-off"),
        pytest.param(lambda data: data.replace(b"2024-02-29", b"29.02.2024") if b"PAR1" not in data else b"PAR1",
                     id="saved-by-a-spreadsheet"),
        pytest.param(lambda data: b"\xff" * len(data), id="binary"),
    ],
)  # fmt: skip
def test_a_damaged_ledger(path, rng, damage):
    record(path, issued(rng))
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(DataError):
        record(path, issued(rng, cutoff="2024-03-01"))
    assert path.read_bytes() == before


def test_other_endings(tmp_path, rng):
    for name, message in (("l.json", "the ending '.json'"), ("ledger", "no ending")):
        with pytest.raises(UsageError, match=message):
            record(tmp_path / name, issued(rng))
    assert [name for name in os.listdir(tmp_path) if not name.endswith(".lock")] == []


def test_a_full_disk_leaves_the_old_ledger(path, rng, monkeypatch):
    record(path, issued(rng))
    before = path.read_bytes()

    def fail(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageError):
        record(path, issued(rng, cutoff="2024-03-01"))
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_busy_ledger_is_left_alone(path, rng, monkeypatch):
    from rnncast.data.locking import locked

    monkeypatch.setattr("rnncast.evaluation.ledger.locked", lambda name: locked(name, patience=0))
    with locked(path), pytest.raises(BusyError):
        record(path, issued(rng))
    assert not path.exists()


def _append_some(path, seed):
    rng = np.random.default_rng(seed)
    for day in range(1, 11):
        record(path, issued(rng, cutoff=f"2024-03-{day:02d}"), model=f"{seed:016d}")


def test_runs_at_once_lose_no_row(path):
    context = multiprocessing.get_context("spawn")
    runs = [context.Process(target=_append_some, args=(path, seed)) for seed in range(3)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert [run.exitcode for run in runs] == [0, 0, 0]
    got = read_ledger(str(path))
    assert len(got) == 3 * 10 * 3
    assert len(first_issued(got)) == 10 * 3
    assert sorted(got.models) == [f"{seed:016d}" for seed in range(3)]


# ---- which rows count


def test_of_several_models_the_first_issued_counts(path, rng):
    late, early, other = issued(rng), issued(rng), issued(rng, cutoff="2024-03-01")
    record(path, late, model=A, made_at=MADE + 100)
    record(path, early, model=B, made_at=MADE)
    record(path, other, model=A, made_at=MADE + 200)
    ledger = read_ledger(str(path))
    got = first_issued(ledger)
    np.testing.assert_array_equal(got.point, np.concatenate((early.point, other.point)))
    np.testing.assert_array_equal(of_model(ledger, "a").point, np.concatenate((late.point, other.point)))
    for wrong in ("", "c", A + "0"):
        with pytest.raises(UsageError, match="fingerprint that begins with"):
            of_model(ledger, wrong)


def test_of_those_made_in_one_second_the_first_in_the_ledger_counts(path, rng):
    first, second = issued(rng), issued(rng)
    record(path, first, model=B)
    record(path, second, model=A)
    np.testing.assert_array_equal(first_issued(read_ledger(str(path))).point, first.point)


def test_levels_choose_rows(path, rng):
    first, second = issued(rng), issued(rng, cutoff="2024-03-01")
    record(path, first, levels=(80.0,))
    record(path, second, levels=(80.0, 90.0))
    ledger = read_ledger(str(path))
    assert len(with_levels(ledger, [80.0])) == 6
    got = with_levels(ledger, [90.0])
    np.testing.assert_array_equal(got.quantile_levels, [0.05, 0.5, 0.95])
    np.testing.assert_array_equal(got.quantiles, second.quantiles[:, [0, 2, 4]])
    with pytest.raises(UsageError, match="interval of 50 %") as caught:
        with_levels(ledger, [50.0])
    assert re.search("80, 90", caught.value.hint)


def test_copying_does_not_take_the_file_into_memory(tmp_path, rng, monkeypatch):
    """A ledger of hundreds of megabytes is copied in pieces."""
    record(tmp_path / "l.csv", issued(rng))
    reads = []
    real = ledger_files.shutil.copyfileobj
    monkeypatch.setattr(ledger_files.shutil, "copyfileobj", lambda a, b, n: (reads.append(n), real(a, b, n)))
    record(Path(tmp_path / "l.csv"), issued(rng, cutoff="2024-03-01"))
    assert reads == [1 << 20]


def test_a_ledger_that_was_made_at_no_time(tmp_path, rng):
    path = tmp_path / "ledger.csv"
    record(path, issued(rng))
    path.write_text(path.read_text().replace("2024-03-01T04:05:06+00:00", "7"))
    with pytest.raises(DataError, match="made at integer steps"):
        read_ledger(str(path))
