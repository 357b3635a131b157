"""The layouts in which series come: one, long, wide, a file each, folders, patterns, pipes. The same rows from each."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnncast.data.options import ReadOptions
from rnncast.data.panel import Columns
from rnncast.data.read import read_input, read_panel
from rnncast.errors import DataError, InputNotFoundError, UsageError

OIL = Path(__file__).parent.parent / "sample_data" / "oil_spot_daily.csv"
RECORDS = list(csv.reader(OIL.read_text().splitlines()))[1:]
SERIES = {name: [(date, price) for date, series, price in RECORDS if series == name][:300] for name in ("BRENT", "WTI")}


def rows_of(panel):
    return {
        name: list(zip(panel.times[panel.rows(s)].tolist(), panel.target[panel.rows(s)].tolist(), strict=True))
        for s, name in enumerate(panel.ids)
    }


TRUTH = {
    name: [(np.datetime64(date, "us").item(), float(price)) for date, price in rows] for name, rows in SERIES.items()
}


def single(rows, head="date,price"):
    return "\n".join([head, *(f"{date},{price}" for date, price in rows), ""])


def wide(separator=",", head=("date", "BRENT", "WTI"), empty=""):
    by_date = {}
    for name, rows in SERIES.items():
        for date, price in rows:
            by_date.setdefault(date, {})[name] = price
    lines = [separator.join(head)]
    lines += [
        separator.join([date, by_date[date].get("BRENT", empty), by_date[date].get("WTI", empty)])
        for date in sorted(by_date)
    ]
    return "\n".join([*lines, ""])


@pytest.fixture
def folder(tmp_path):
    for name, rows in SERIES.items():
        (tmp_path / f"{name}.csv").write_text(single(rows))
    return tmp_path


def test_wide_is_seen_by_its_names(tmp_path):
    path = tmp_path / "oil.csv"
    path.write_text(wide())
    panel, notes = read_panel([str(path)])
    assert rows_of(panel) == TRUTH
    assert panel.columns == Columns("date", "unique_id", "y", wide=True)
    assert any("wide layout: each of 2 columns of numbers, 'BRENT', 'WTI', is a series" in note for note in notes)
    alone, _ = read_panel([str(path)], ReadOptions(target_col="WTI"))
    assert rows_of(alone) == {"series": TRUTH["WTI"]}


@pytest.mark.parametrize("empty", ["", ".", "NA"])
def test_wide_is_told_by_an_option(empty):
    text = wide(";", ("date", "brent", "wti"), empty)
    with pytest.raises(DataError, match="several columns could be the target: 'brent', 'wti'") as error:
        read_panel(["-"], stdin=io.BytesIO(text.encode()))
    assert "--wide takes each of them as a series" in error.value.hint
    panel, _ = read_panel(["-"], ReadOptions(wide=True), stdin=io.BytesIO(text.encode()))
    assert rows_of(panel) == {name.lower(): rows for name, rows in TRUTH.items()}


def test_wide_parquet():
    table = pa.table({"date": np.arange("2020-01-01", "2020-02-01", dtype="datetime64[D]").astype("datetime64[us]"),
                      "A": np.arange(31.0), "B": pa.array([None, *range(30)], pa.int32())})  # fmt: skip
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    panel, _ = read_panel(["-"], stdin=io.BytesIO(buffer.getvalue()))
    assert panel.ids == ("A", "B")
    assert panel.lengths.tolist() == [31, 30]


def test_a_bad_cell_of_a_wide_file_is_named_by_its_column():
    text = wide().splitlines()
    date, brent, _ = text[7].split(",")
    text[7] = f"{date},{brent},x"
    with pytest.raises(DataError, match="'x' is not a number") as error:
        read_panel(["-"], stdin=io.BytesIO("\n".join(text).encode()))
    assert error.value.where.startswith("stdin:8, column 'WTI'")


def test_wide_and_other_roles_exclude_each_other():
    for options in ({"id_col": "x"}, {"target_col": "x"}):
        with pytest.raises(UsageError, match="contradict each other"):
            ReadOptions(wide=True, **options)


def test_a_file_each(folder):
    panel, notes = read_panel([str(folder / "BRENT.csv"), str(folder / "WTI.csv")])
    assert rows_of(panel) == TRUTH
    assert panel.columns == Columns("date", "unique_id", "price")
    assert "series are named by the names of the files: 2 in 2 files" in notes


@pytest.mark.parametrize("source", ["", "*.csv", "*T*.csv", "WTI.csv"])
def test_folder_and_pattern(folder, source):
    (folder / "notes.md").write_text("no data")
    (folder / ".hidden.csv").write_text("no data")
    panel, _ = read_panel([str(folder / source)])
    got = rows_of(panel)
    assert got == (TRUTH if source != "WTI.csv" else {"series": TRUTH["WTI"]})


def test_files_of_one_column_each_named_otherwise(tmp_path):
    for name, rows in SERIES.items():
        (tmp_path / f"{name}.csv").write_text(single(rows, f"DATE,{name}"))
    panel, _ = read_panel([str(tmp_path)])
    assert rows_of(panel) == TRUTH
    assert panel.columns.target == "y"


def test_parts_of_long_series(tmp_path):
    for number, start in enumerate(range(0, 300, 100)):
        lines = [f"{date},{name},{price}" for name, rows in SERIES.items() for date, price in rows[start : start + 100]]
        (tmp_path / f"part-{number}.csv").write_text("\n".join(["date,series,price", *lines, ""]))
    panel, _ = read_panel([str(tmp_path)])
    assert rows_of(panel) == TRUTH


def test_parts_of_one_series_or_series_of_their_own_is_no_guess(tmp_path):
    for number in range(3):
        (tmp_path / f"{2020 + number}.csv").write_text(single(SERIES["WTI"][100 * number : 100 * number + 100]))
    with pytest.raises(DataError, match="may be series of their own or parts of one series") as error:
        read_panel([str(tmp_path)])
    assert error.value.hint == "--files series or --files parts says which"
    parts, _ = read_panel([str(tmp_path)], ReadOptions(files="parts"))
    assert rows_of(parts) == {"series": TRUTH["WTI"]}
    own, _ = read_panel([str(tmp_path)], ReadOptions(files="series"))
    assert own.ids == ("2020", "2021", "2022")


def test_folders_that_name_the_series(tmp_path):
    for name, rows in SERIES.items():
        for year, part in (("2010", rows[:150]), ("2011", rows[150:])):
            place = tmp_path / f"series={name}%20spot" / f"year={year}"
            place.mkdir(parents=True)
            columns = {"date": [np.datetime64(date, "D").item() for date, _ in part],
                       "price": [float(price) for _, price in part]}  # fmt: skip
            pq.write_table(pa.table(columns), place / "part-0.parquet")
    panel, _ = read_panel([str(tmp_path)])
    assert rows_of(panel) == {f"{name} spot": rows for name, rows in TRUTH.items()}
    assert panel.columns.id == "series"
    named, _ = read_panel([str(tmp_path)], ReadOptions(id_col="series"))
    assert named.ids == panel.ids


def test_folders_of_years_are_parts(tmp_path):
    for year, part in (("2010", SERIES["WTI"][:150]), ("2011", SERIES["WTI"][150:])):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}" / "data.csv").write_text(single(part))
    panel, _ = read_panel([str(tmp_path)])
    assert rows_of(panel) == {"series": TRUTH["WTI"]}


def test_a_fault_is_named_in_its_file(folder):
    (folder / "WTI.csv").write_text(single([*SERIES["WTI"][:5], ("2011-01-01", "x")]))
    with pytest.raises(DataError, match="'x' is not a number") as error:
        read_panel([str(folder)])
    assert error.value.where == f"{folder / 'WTI.csv'}:7, column 'price', series 'WTI'"


def test_files_that_do_not_agree(folder):
    (folder / "WTI.csv").write_text(single(SERIES["WTI"], "day,price"))
    with pytest.raises(DataError, match="the files do not agree: the time column is date in .* and day in"):
        read_panel([str(folder)])
    (folder / "WTI.csv").write_text("date,price\n1,2\n2,3\n")
    with pytest.raises(DataError, match="the files do not agree"):
        read_panel([str(folder)])


def test_inputs_that_are_none(folder):
    with pytest.raises(UsageError, match="named twice"):
        read_panel([str(folder / "WTI.csv"), str(folder / "*.csv")])
    with pytest.raises(UsageError, match="stdin"):
        read_panel(["-", str(folder)])
    with pytest.raises(InputNotFoundError, match="no file fits"):
        read_panel([str(folder / "*.parquet")])


def test_columns_of_a_model_are_taken_where_the_input_has_them(tmp_path):
    text = wide(",", ("when", "brent", "wti"))
    known = Columns("when", "unique_id", "y", wide=True)
    reading = read_input(["-"], ReadOptions(), stdin=io.BytesIO(text.encode()), columns=known)
    assert reading.panel.ids == ("brent", "wti")
    reading = read_input(["-"], ReadOptions(), stdin=io.BytesIO(text.encode()), columns=Columns("when", None, "wti"))
    assert reading.panel.target.tolist() == [value for _, value in TRUTH["WTI"]]


def test_nothing_after_until_is_seen_in_any_layout(folder):
    cut = {name: [row for row in rows if str(row[0])[:10] <= "2010-06-30"] for name, rows in TRUTH.items()}
    for text, options in ((wide(), {}), (OIL.read_text(), {})):
        panel, _ = read_panel(["-"], ReadOptions(until="2010-06-30", **options), stdin=io.BytesIO(text.encode()))
        assert rows_of(panel) == cut
    assert rows_of(read_panel([str(folder)], ReadOptions(until="2010-06-30"))[0]) == cut


@pytest.mark.parametrize("source", ["series=WTI/part.csv", "series=*/part.csv"])
def test_folders_name_the_series_of_single_files_too(tmp_path, source):
    for name, rows in SERIES.items():
        (tmp_path / f"series={name}").mkdir()
        (tmp_path / f"series={name}" / "part.csv").write_text(single(rows))
    panel, _ = read_panel([str(tmp_path / source)])
    assert rows_of(panel) == (TRUTH if "*" in source else {"WTI": TRUTH["WTI"]})


def test_folders_of_different_kinds_are_refused(tmp_path):
    (tmp_path / "series=A").mkdir()
    (tmp_path / "series=A" / "part.csv").write_text(single(SERIES["WTI"]))
    (tmp_path / "other.csv").write_text(single(SERIES["BRENT"]))
    with pytest.raises(DataError, match="folders of different kinds"):
        read_panel([str(tmp_path)])


def test_files_of_one_name_are_no_guess(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "AAPL.csv").write_text(single(SERIES["WTI"]))
    with pytest.raises(DataError, match="some have the same name"):
        read_panel([str(tmp_path)])


def test_a_folder_beside_an_id_column_is_said_or_taken(tmp_path):
    for exchange in ("X", "Y"):
        (tmp_path / f"exchange={exchange}").mkdir()
        rows = [f"2024-01-{day:02d},T{exchange},{day}" for day in range(1, 9)]
        (tmp_path / f"exchange={exchange}" / "p.csv").write_text("\n".join(["date,ticker,close", *rows, ""]))
    panel, notes = read_panel([str(tmp_path)])
    assert panel.ids == ("TX", "TY")
    assert any("the folders exchange=... are not used" in note for note in notes)
    assert read_panel([str(tmp_path)], ReadOptions(id_col="exchange"))[0].ids == ("X", "Y")


@pytest.mark.parametrize("newest_first", [False, True])
def test_of_two_stamps_between_which_a_row_lasts_the_first_is_the_time(newest_first):
    hours = [f"{day:02d}.01.2024 {hour:02d}:00" for day in range(10, 20) for hour in range(24)]
    rows = [f"{start};{end};{n},50" for n, (start, end) in enumerate(zip(hours, hours[1:], strict=False))]
    text = "\n".join(["Datum von;Datum bis;Preis", *(rows[::-1] if newest_first else rows)]) + "\n"
    panel, _ = read_panel(["-"], stdin=io.BytesIO(text.encode()))
    assert panel.columns.time == "Datum von"
    assert panel.calendar.freq == "h"
    assert panel.target.tolist() == [n + 0.5 for n in range(len(rows))]


def test_two_stamps_without_such_a_bond_are_ambiguous():
    text = "paid,due,price\n" + "".join(f"2024-01-{day:02d},2024-02-{day:02d},{day}\n" for day in range(1, 29))
    with pytest.raises(DataError, match="several columns could be the time: 'paid', 'due'"):
        read_panel(["-"], stdin=io.BytesIO(text.encode()))
