"""The scripts of docs/cron.md run as they stand there."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from cli_cases import QUICK, call

from rnncast.cli.commands import app

ROOT = Path(__file__).resolve().parent.parent
PRICES = ROOT / "sample_data" / "eurusd_ohlcv_daily.csv"
LAST = "2018-12-31"
PAGE = (ROOT / "docs" / "cron.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"<!-- (\w+) -->\n```\w+\n(.*?)```", PAGE, re.DOTALL))
CURL = """#!/bin/sh
# Stands for the download: curl -fsS --retry 3 -o FILE URL
test "$1 $2 $3 $4" = "-fsS --retry 3 -o" || exit 2
cp "$6" "$5" 2>/dev/null || { echo "curl: (22) not found" >&2; exit 22; }
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the model."""
    folder = tmp_path_factory.mktemp("cron")
    shutil.copy(PRICES, folder / "prices.csv")
    options = ("--until", "2018-06-29", "-q", "-o", folder / "prices.npz")
    assert call("train", folder / "prices.csv", *QUICK, *options).code == 0
    return folder


@pytest.fixture
def night(trained, tmp_path):
    """Runs a script of the page at a time, with a file for the download, in a folder of its own; the folder."""
    folder, bin = tmp_path / "prices", tmp_path / "bin"
    shutil.copytree(trained, folder)
    bin.mkdir()
    rnncast = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m rnncast "$@"\n'
    scripts = {name: BLOCKS[name] for name in ("nightly", "weekly")}
    for name, text in {"rnncast": rnncast, "curl": CURL, **scripts}.items():
        (bin / name).write_text(text)
        (bin / name).chmod(0o755)

    def run(stamp, name="nightly", file=PRICES):
        environment = {
            **os.environ,
            "PATH": f"{bin}:/usr/bin:/bin",
            "FOLDER": str(folder),
            "URL": str(file),
            "SOURCE_DATE_EPOCH": str(np.datetime64(stamp, "s").astype(int)),
        }
        done = subprocess.run(["sh", bin / name], env=environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    run.folder = folder
    return run


def test_a_good_night_and_one_without_news_are_quiet(night):
    assert night("2019-01-01T06:00") == (0, "", "")
    delivered = night.folder / "delivered.csv"
    ledger = list(csv.DictReader((night.folder / "issued.csv").read_text().splitlines()))
    assert {row["cutoff"] for row in ledger} == {LAST}
    assert list(csv.DictReader(delivered.read_text().splitlines()))[0]["date"] == ledger[0]["date"] == "2019-01-02"
    delivered.unlink()
    assert night("2019-01-02T06:00") == (0, "", "")
    assert not delivered.exists()


def test_a_stopped_feed_is_said(night):
    code, out, err = night("2019-01-11T06:00")
    assert (code, out) == (76, "")
    assert err.startswith("the feed has stopped\n")
    assert f"\nerror: the newest row is of {LAST}, a day that ended 10d 6h ago; " in err
    assert not (night.folder / "issued.csv").exists() and not (night.folder / "delivered.csv").exists()


def test_a_failed_download_leaves_the_old_file(night):
    assert night("2019-01-01T06:00", file="nothing") == (75, "", "curl: (22) not found\n")
    assert (night.folder / "prices.csv").read_bytes() == PRICES.read_bytes()


def test_a_bad_file_is_said(night, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(PRICES.read_text() + "2019-01-02,a,b,c,d,e\n")
    code, out, err = night("2019-01-03T06:00", file=bad)
    assert (code, out) == (65, "")
    assert err.startswith("error: ")
    assert not (night.folder / "today.csv").exists()


has_from = any("--from" in parameter.opts for parameter in typer.main.get_command(app).commands["train"].params)


@pytest.mark.skipif(not has_from, reason="train --from is not there yet")
def test_the_week_s_training(night):
    assert night("2019-01-05T06:00", name="weekly")[:2] == (0, "")
