"""``forecast --max-age`` and ``--only-new``: what a nightly job does when the rows are old, or none have come."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices

from rnncast.cli.freshness import describe_age, parse_max_age
from rnncast.data.locking import locked
from rnncast.errors import StorageError, UsageError

ROOT = Path(__file__).resolve().parent.parent
DAYS = weekdays(150)
LAST = DAYS[-1]  # Tuesday, 2020-07-28


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with prices to a Tuesday, and the model of their first 100 rows."""
    folder = tmp_path_factory.mktemp("nightly")
    prices = write_prices(folder / "prices.csv", np.random.default_rng(5))
    assert call("train", prices, *QUICK, "--until", DAYS[99], "-q", "-o", folder / "prices.npz").code == 0
    return folder


@pytest.fixture
def here(trained, tmp_path, monkeypatch):
    """A copy of that folder as the current one, on the morning after the last row."""
    shutil.copytree(trained, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    set_clock(monkeypatch, "2020-07-29T06:00")
    return Path()


@pytest.fixture
def clock(monkeypatch):
    """Sets the clock."""
    return lambda stamp: set_clock(monkeypatch, stamp)


def set_clock(monkeypatch, stamp):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(np.datetime64(stamp, "s").astype(int)))


def forecast(*options, inputs=("prices.csv",)):
    return call("forecast", "prices.npz", *inputs, *options)


def write_rows(path, stamps, columns="date,close"):
    rows = (f"{stamp},{100 + place % 7}" for place, stamp in enumerate(stamps))
    Path(path).write_text("\n".join([columns, *rows, ""]))


def hours(last, count=120, suffix=""):
    stamps = np.datetime64(last, "s") - np.arange(count)[::-1] * np.timedelta64(1, "h")
    return [f"{stamp}{suffix}" for stamp in stamps]


# ---- --max-age


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("90min", 5400),
        ("36h", 129_600),
        ("3d", 259_200),
        ("2w", 1_209_600),
        ("0.5d", 43_200),
        ("3D", 259_200),
    ],
)
def test_ages(text, seconds):
    assert parse_max_age(text).seconds == seconds
    assert parse_max_age(None) is None


@pytest.mark.parametrize("text", ["", "3", "d", "0d", "-3d", "3m", "3 days", "nan d", "1e3s", "3d12h", "٣d"])
def test_what_is_no_age(text):
    with pytest.raises(UsageError, match="--max-age must be a number above 0 and a unit"):
        parse_max_age(text)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0s"), (59.9, "59s"), (3600, "1h"), (3661, "1h 1min"), (277_200, "3d 5h"), (259_260, "3d 1min")],
)
def test_age_in_words(seconds, expected):
    assert describe_age(seconds) == expected


@pytest.mark.parametrize(
    ("now", "code"),
    [
        pytest.param("2020-07-28T12:00", 0, id="on-the-day"),
        pytest.param("2020-07-31T23:59:59", 0, id="three-days-after"),
        pytest.param("2020-08-01T00:00:00", 0, id="at-the-limit"),
        pytest.param("2020-08-01T00:00:01", 76, id="beyond"),
    ],
)
def test_a_date_is_as_old_as_the_end_of_its_day(here, clock, now, code):
    clock(now)
    got = forecast("--max-age", "3d")
    assert got.code == code
    assert (got.out == "") == (code == 76)
    assert "warning" not in got.err


def test_friday_s_bar_will_do_on_monday_and_not_on_tuesday(here, clock):
    friday = DAYS[-3]
    for now, code in (("2020-07-27T23:00", 0), ("2020-07-28T01:00", 76)):
        clock(now)
        assert forecast("--max-age", "3d", "--until", friday).code == code


def test_error_says_newest_row_age_and_limit(here, clock):
    clock("2020-08-03T07:30")
    got = forecast("--max-age", "36h", "-q")
    assert got.err.splitlines() == [
        "error: the newest row is of 2020-07-28, a day that ended 5d 7h ago; --max-age allows 36h",
        "  where: prices.csv, at 2020-08-03 07:30 UTC",
        "  fix: bring the rows up to date, or allow more",
    ]
    document = json.loads(forecast("--max-age", "36h", "--json").err)
    assert (document["code"], document["where"]) == (76, "prices.csv, at 2020-08-03 07:30 UTC")


def test_rows_of_the_model_have_an_age_too(here, clock):
    got = forecast("--max-age", "3d", inputs=())
    assert got.code == 76
    assert f"the newest row is of {DAYS[99]}" in got.err and "where: the rows that the model keeps" in got.err
    clock(f"{DAYS[99]}T20:00")
    assert forecast("--max-age", "3d", inputs=()).code == 0


def test_nothing_is_written_when_rows_are_old(here, clock):
    assert forecast("--append", "issued.csv", "-o", "out.csv").code == 0
    before = {path: path.read_bytes() for path in Path().iterdir()}
    clock("2020-09-01")
    assert forecast("--append", "issued.csv", "-o", "out.csv", "--max-age", "3d", "--level", "50").code == 76
    assert forecast("--append", "new.csv", "-o", "new.json", "--max-age", "3d").code == 76
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_rows_of_stdin(here, clock):
    clock("2020-09-01")
    got = call("forecast", "prices.npz", "-", "--max-age", "3d", stdin=Path("prices.csv").read_bytes())
    assert got.code == 76
    assert "where: standard input, at 2020-09-01 UTC" in got.err


def test_a_day_without_a_value_is_no_row(here, clock):
    with open("prices.csv", "a") as file:
        file.write("2020-08-28,\n")
    clock("2020-08-29")
    assert forecast("--max-age", "3d").code == 76


@pytest.mark.parametrize(
    ("suffix", "options", "now", "expected"),
    [
        pytest.param("", (), "2020-07-28T14:30", "2020-07-28 10:00, 4h 30min ago", id="no-zone-is-utc"),
        pytest.param("", ("--time-zone", "Asia/Tokyo"), "2020-07-28T04:30", "2020-07-28 10:00+09:00, 3h 30min ago",
                     id="named-zone"),
        pytest.param("+09:00", (), "2020-07-28T04:30", "2020-07-28 10:00+09:00, 3h 30min ago", id="zone-in-the-file"),
        pytest.param("-04:00", (), "2020-07-28T17:45", "2020-07-28 10:00-04:00, 3h 45min ago", id="west"),
    ],
)  # fmt: skip
def test_times_of_day_count_from_their_stamp(here, clock, suffix, options, now, expected):
    write_rows("hours.csv", hours("2020-07-28T10:00", suffix=suffix))
    assert call("train", "hours.csv", *QUICK, *options, "--season-length", "1", "-q").code == 0
    clock(now)
    got = call("forecast", "hours.npz", "hours.csv", *options, "--max-age", "3h")
    assert got.code == 76
    assert f"the newest row is of {expected}; --max-age allows 3h" in got.err
    assert call("forecast", "hours.npz", "hours.csv", *options, "--max-age", "5h").code == 0
    assert call("forecast", "hours.npz", "--max-age", "3h").code == 76  # the zone is the model's


def test_midnight_among_hours_is_a_time_of_day(here, clock):
    write_rows("hours.csv", hours("2020-07-28T00:00"))
    assert call("train", "hours.csv", *QUICK, "--season-length", "1", "-q").code == 0
    clock("2020-07-28T04:00")
    assert "2020-07-28, 4h ago" in call("forecast", "hours.npz", "hours.csv", "--max-age", "3h").err


def test_a_day_ends_when_it_ends_in_its_zone(here, clock):
    """New York's Tuesday ends on Wednesday at 04:00 UTC."""
    for now, code in (("2020-07-29T05:00", 0), ("2020-07-29T05:01", 76)):
        clock(now)
        got = forecast("--time-zone", "America/New_York", "--max-age", "1h")
        assert got.code == code
    assert f"the newest row is of {LAST}, a day that ended 1h 1min ago" in got.err


def panel_of(**last_days):
    """A file with a series that ends on each of the days, and a model of it."""
    lines = [f"{name},{day},{100 + place % 5}" for name, last in last_days.items()
             for place, day in enumerate(DAYS[: DAYS.index(last) + 1])]  # fmt: skip
    Path("panel.csv").write_text("\n".join(["ticker,date,close", *lines, ""]))
    assert call("train", "panel.csv", *QUICK, "-q").code == 0


def test_the_newest_row_of_all_series_decides_and_the_old_ones_are_named(here, clock):
    panel_of(A=LAST, B=DAYS[-40], C=DAYS[-50])
    got = call("forecast", "panel.npz", "panel.csv", "--max-age", "3d")
    assert got.code == 0
    warning = f'warning: the newest rows of "B" ({DAYS[-40]}), "C" ({DAYS[-50]}) are older than --max-age 3d'
    assert warning in got.err.splitlines()
    clock("2020-08-02T12:00")
    got = call("forecast", "panel.npz", "panel.csv", "--max-age", "3d")
    assert got.code == 76
    assert f"the newest row is of {LAST}" in got.err and "older than" not in got.err


def test_of_many_old_series_the_first_are_named(here):
    panel_of(A=LAST, **dict.fromkeys("BCDEF", DAYS[-40]))
    got = call("forecast", "panel.npz", "panel.csv", "--max-age", "3d")
    assert f'"D" ({DAYS[-40]}) and 2 more are older' in got.err and '"E"' not in got.err


def test_rows_ahead_of_the_clock_are_said_and_count_for_nothing(here, clock):
    clock("2020-07-20")
    got = forecast("--max-age", "3d")
    assert got.code == 0
    assert f"warning: the newest row, {LAST}, is later than the clock, which says 2020-07-20 UTC" in got.err
    panel_of(A=LAST, B=DAYS[-40])
    got = call("forecast", "panel.npz", "panel.csv", "--max-age", "3d")
    assert got.code == 76  # a stamp of next year makes no feed fresh
    assert f"the newest row is of {DAYS[-40]}" in got.err
    assert f'warning: the newest row of "A" ({LAST}) is later than the clock' in got.err


def test_without_a_zone_a_date_may_have_begun_in_the_east(here, clock):
    for now, ahead in (("2020-07-27T10:00", False), ("2020-07-27T09:59", True)):
        clock(now)
        assert ("later than the clock" in forecast("--max-age", "3d").err) == ahead


def test_steps_have_no_age(here):
    write_rows("steps.csv", range(120), "step,close")
    assert call("train", "steps.csv", *QUICK, "--season-length", "1", "-q").code == 0
    for inputs in ((), ("steps.csv",)):
        got = call("forecast", "steps.npz", *inputs, "--max-age", "3d")
        assert (got.code, got.out) == (2, "")
        assert "--max-age needs dates, and these rows are counted in steps" in got.err


def test_a_clock_that_cannot_be_read(here, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "soon")
    assert forecast("--max-age", "3d").code == 2
    assert forecast().code == 0  # which asks for no age


# ---- --only-new


def test_the_same_rows_again_are_not_news(here):
    options = ("--append", "issued.csv", "--only-new", "-o", "out.csv")
    assert forecast(*options).code == 0
    Path("out.csv").write_text("mine")
    before = Path("issued.csv").read_bytes()
    got = forecast(*options, "-q")
    assert (got.code, got.out) == (75, "")
    assert got.err.splitlines() == [
        f"error: nothing new since the forecast of {LAST} by this model",
        "  where: issued.csv",
        "  fix: try again when rows have come",
    ]
    assert forecast(*options, "--horizon", "9", "--level", "50").code == 75  # more of the same is not news
    got = forecast(*options, "--until", DAYS[-5])
    assert got.code == 75
    assert f"nothing new since the forecast of {LAST} by this model; the rows end at {DAYS[-5]}" in got.err
    assert json.loads(forecast(*options, "--json").err)["code"] == 75
    assert Path("issued.csv").read_bytes() == before
    assert Path("out.csv").read_text() == "mine"


@pytest.mark.parametrize("path", ["out.csv", None], ids=["file", "stdout"])
def test_what_could_not_be_delivered_is_news_the_next_time(here, monkeypatch, path):
    options = ("--append", "issued.csv", "--only-new", *(("-o", path) if path else ()))
    with monkeypatch.context() as patch:

        def fail(*arguments, **named):
            raise StorageError("the disk is full")

        patch.setattr("rnncast.data.write.write_table", fail)
        assert forecast(*options).code == 74
    assert not Path("issued.csv").exists()
    got = forecast(*options)
    assert got.code == 0
    assert Path("issued.csv").read_text().count("\n") == (Path(path).read_text() if path else got.out).count("\n")
    assert forecast(*options).code == 75


def test_without_it_the_ledger_comes_first(here, monkeypatch):
    def fail(*arguments, **named):
        raise StorageError("the disk is full")

    monkeypatch.setattr("rnncast.data.write.write_table", fail)
    assert forecast("--append", "issued.csv").code == 74
    assert Path("issued.csv").exists()


@pytest.mark.parametrize("ledger", ["issued.csv", "issued.parquet"])
def test_every_new_row_is_news(here, ledger):
    for day in DAYS[-4:]:
        options = ("--append", ledger, "--only-new", "--until", day)
        assert [forecast(*options).code for _ in range(2)] == [0, 75]


def test_another_model_has_news_of_its_own(here):
    assert call("train", "prices.csv", *QUICK, "--until", DAYS[99], "--seed", "1", "-q", "-o", "other.npz").code == 0
    shutil.copy("prices.npz", "copy.npz")
    options = ("prices.csv", "--append", "issued.csv", "--only-new")
    assert [call("forecast", model, *options).code for model in ("prices.npz", "other.npz", "copy.npz")] == [0, 0, 75]


@pytest.mark.parametrize("ledger", ["issued.csv", "issued.parquet"])
def test_of_a_panel_one_series_with_a_new_row_is_news(here, ledger):
    panel_of(A=DAYS[-3], B=DAYS[-3])
    options = ("panel.csv", "--append", ledger, "--only-new")
    codes = []
    for last in (dict(A=DAYS[-3], B=DAYS[-3]), dict(A=DAYS[-3], B=DAYS[-2]), dict(A=DAYS[-3], B=DAYS[-2], C=DAYS[-50])):
        shutil.copy("panel.npz", "model.npz")
        panel_of(**last)
        shutil.copy("model.npz", "panel.npz")
        codes += [call("forecast", "panel.npz", *options).code for _ in range(2)]
    assert codes[:4] == [0, 75, 0, 75]
    assert codes[4:] == [0, 75]  # a series that is not in the ledger is new, however old


def test_steps_may_be_new(here):
    write_rows("steps.csv", range(120), "step,close")
    assert call("train", "steps.csv", *QUICK, "--season-length", "1", "--until", "99", "-q").code == 0
    options = ("steps.csv", "--append", "issued.csv", "--only-new", "--until")
    codes = [call("forecast", "steps.npz", *options, until).code for until in ("110", "110", "111")]
    assert codes == [0, 75, 0]
    assert "forecast of 111 by" in call("forecast", "steps.npz", *options, "111").err


def test_it_needs_a_ledger(here):
    got = forecast("--only-new")
    assert (got.code, got.out) == (2, "")
    assert "--only-new needs a ledger" in got.err and "fix: --append LEDGER" in got.err


def test_old_rows_come_before_no_rows(here, clock):
    options = ("--append", "issued.csv", "--only-new", "--max-age", "3d")
    assert [forecast(*options).code for _ in range(2)] == [0, 75]
    clock("2020-08-03")
    assert forecast(*options).code == 76


def test_of_runs_at_once_one_has_news(here):
    """Decided under the ledger's lock: all have read the same rows before any may write."""
    command = [sys.executable, "-m", "rnncast", "forecast", "prices.npz", "prices.csv", "--append", "issued.csv",
               "--only-new", "-q", "-o"]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with locked("issued.csv"):
        runs = [subprocess.Popen([*command, f"{run}.csv"], env=environment) for run in range(3)]
        for run in runs:  # they wait for the ledger, or are not that far yet
            with pytest.raises(subprocess.TimeoutExpired):
                run.wait(0.5)
    assert sorted(run.wait() for run in runs) == [0, 75, 75]
    assert len([name for name in ("0.csv", "1.csv", "2.csv") if Path(name).exists()]) == 1
