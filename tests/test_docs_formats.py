"""docs/formats.md against real documents: each field is described, with its type, and each described field is there."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays
from documented_fields import differences, fields_of, sections_of

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
SECTIONS = sections_of(PAGE)
SAMPLES = ROOT / "sample_data"

MODEL, DATA = "rnncast.inspect/1, of a model", "rnncast.inspect/1, of data"


@pytest.fixture(scope="module")
def work(trained_folder, tmp_path_factory):
    """Names of the folders and files that the commands below take."""
    folder = tmp_path_factory.mktemp("formats")
    rng = np.random.default_rng(3)
    rows = ["id,date,close"]
    for name in "abc":
        prices = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(150)))
        prices[70] *= 8.0 if name == "c" else 1.0  # a value far off
        rows += [f"{name},{day},{price!r}" for day, price in zip(weekdays(150), prices.tolist(), strict=True)]
    (folder / "panel.csv").write_text("\n".join([*rows, ""]))
    hours = [f"{day}T{hour:02d}:00:00" for day in weekdays(30) for hour in range(9, 17)]
    text = "".join(f"{stamp},{100 + n % 7}\n" for n, stamp in enumerate(hours))
    (folder / "sessions.csv").write_text(f"date,close\n{text}")
    for day in ("06-02", "06-09", "06-16", "06-23", "06-30", "07-07", "07-14", "07-20"):
        issue = ("forecast", trained_folder / "prices.npz", trained_folder / "prices.csv", "--until", f"2020-{day}")
        assert call(*issue, "--append", folder / "ledger.csv", "-q").code == 0
    return {"here": str(trained_folder), "out": str(folder), "samples": str(SAMPLES)}


DOCUMENTS = {
    "train": ("rnncast.train/1", "train {out}/panel.csv -o {out}/panel.npz --json"),
    "stateful": ("rnncast.train/1", "train {out}/panel.csv -o {out}/s.npz --stateful --time-limit 500 --json"),
    "no intervals": ("rnncast.train/1", "train {out}/panel.csv -o {out}/mse.npz --loss mse --no-history --json"),
    "untrained": ("rnncast.train/1", "train {out}/panel.csv -o {out}/u.npz --max-epochs 0 --json"),
    "went on": ("rnncast.train/1", "train {here}/prices.csv --from {here}/prices.npz -o {out}/f.npz --json"),
    "warmup": ("rnncast.warmup/1", "warmup --json"),
    "config": ("rnncast.config/1", "forecast m.npz --level 90 --level 80 --sep x -q --show-config --json"),
    "forecast": ("rnncast.forecast/1", "forecast {here}/prices.npz {here}/prices.csv -o {out}/x.csv --json"),
    "card": (MODEL, "inspect {here}/prices.npz --json"),
    "card of another model": (MODEL, "inspect {out}/mse.npz --json"),
    "data": (DATA, "inspect {out}/panel.csv --json"),
    "closures": (DATA, "inspect {samples}/oil_spot_daily.csv --json"),
    "sessions": (DATA, "inspect {out}/sessions.csv --json"),
    "model": ("rnncast.evaluate/1", "evaluate {here}/prices.npz {here}/prices.csv --json"),
    "recipe": ("rnncast.evaluate/1", "evaluate {out}/panel.csv --n-windows 9 --refit 4 --audit --format json"),
    "ledger": ("rnncast.ledger/1", "evaluate --forecasts {out}/ledger.csv {here}/prices.csv --json"),
}


@pytest.mark.parametrize(("section", "command"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_each_field_of_a_document_is_described_and_none_is_missing(section, command, work):
    words = command.format(**work).split()
    is_new = (words[0] == "train" and "--from" not in words) or "--refit" in words
    got = call(words[0], *(QUICK if is_new else ()), *words[1:])
    assert got.code == 0, got.err
    document = json.loads(got.out)
    assert document["schema"] == section.split(",")[0]
    assert list(differences(document, f"[{section}](#)", SECTIONS)) == []


def test_error_document():
    document = json.loads(call("train", "nothing.csv", "--json").err)
    assert list(differences(document, "[rnncast.error/1](#)", SECTIONS)) == []


def test_every_section_is_part_of_a_document():
    roots = {section for section, _ in DOCUMENTS.values()} | {"rnncast.error/1"}
    reached, new = set(), roots
    while new:
        reached |= new
        kinds = [text for section in new for row in SECTIONS[section].items() for text in row]
        new = {name for kind in kinds for name in re.findall(r"\[([^\]]+)\]\(#", kind)} - reached
    assert reached == set(SECTIONS)


def test_links_lead_to_their_headings():
    headings = [re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.+)$", PAGE, re.M)]
    anchors = {f"{h}-{headings[:n].count(h)}" if h in headings[:n] else h for n, h in enumerate(headings)}
    links = re.findall(r"\]\(#([^)]+)\)", PAGE)
    assert len(links) > 50
    assert set(links) - anchors == set()


PLANTED = {
    "undescribed": ({"a": 1, "b": "x", "c": 2}, [".c is not described"]),
    "missing": ({"a": 1}, [".b is described and missing"]),
    "type": ({"a": True, "b": "x"}, [".a: True is no number"]),
    "inside a list": ({"a": 1, "b": [{"d": 1}, {}]}, [".b[].d is described and missing"]),
    "none": ({"a": 1.5, "b": [{"d": None}]}, []),
}


@pytest.mark.parametrize(("document", "expected"), PLANTED.values(), ids=PLANTED)
def test_differences_are_found(document, expected):
    head = "| field | type | meaning |\n|---|---|---|\n"
    page = f"## x\n\n{head}| `a` | number | |\n| all of [y](#y) | | |\n\n### y\n\n{head}"
    page += f"| `b` | text or list of [z](#z) | |\n\n### z\n\n{head}| `d` | integer or null | a \\| b |\n"
    assert list(differences(document, "[x](#x)", sections_of(page))) == expected


def test_figures_of_series_in_csv_are_the_fields_described(work):
    rows = list(csv.reader(io.StringIO(call("inspect", f"{work['out']}/panel.csv", "--format", "csv").out)))
    assert rows[0] == list(fields_of(SECTIONS, "series figures"))
    assert [row[0] for row in rows[1:]] == ["a", "b", "c"]


def test_scores_in_csv_are_those_of_the_document(trained_folder):
    command = ("evaluate", trained_folder / "prices.npz", trained_folder / "prices.csv", "-q", "--format")
    methods = json.loads(call(*command, "json").out)["scores"]["methods"]
    rows = list(csv.DictReader(io.StringIO(call(*command, "csv").out)))
    assert [row["method"] for row in rows] == list(methods)
    for row, own in zip(rows, methods.values(), strict=True):
        expected = {name: own["overall"].get(name) for name in row if name.split("_")[0] in OVERALL}
        expected |= {name: own[name] for name in ("relative_mae", "mae_ratio", "better_share")}
        test = own["versus_last_value"]
        expected["p_value"] = test["p_value"] if test else None
        assert {name: float(row[name]) if row[name] else None for name in expected} == expected
        assert set(row) == {"method", *expected}
    lines = call(*command, "ndjson").out.splitlines()
    assert [json.loads(line)["mae"] for line in lines] == [own["overall"].get("mae") for own in methods.values()]


OVERALL = {"mae", "rmse", "smape", "mase", "rmsse", "bias", "pinball", "coverage", "interval", "scaled"}


def test_forms_named_on_the_page_are_those_of_the_options():
    for command, form, refused in (("forecast", "parquet", "xlsx"), ("evaluate", "ndjson", "parquet")):
        assert re.search(rf"^\| `{command}` \| .*{form}", PAGE, re.M)
        assert f"'{form}'" in call(command, "x", "--format", refused).err
