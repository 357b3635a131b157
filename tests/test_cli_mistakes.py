"""Mistakes that people make: each ends with its code, in six lines at most, with a place or a remedy, leaving nothing.

A row is a code, a command and what its message has to say, at the least.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from cli_cases import call, weekdays

MISTAKES = """
2   | trian p.csv                                     | 'trian'
2   | train                                           | INPUT
2   | train p.csv --horizn 3                          | --horizn
2   | train p.csv --horizon ten                       | 'ten'
2   | train p.csv --horizon 0                         | --horizon must be at least 1, found 0
2   | train p.csv --cell ltsm                         | 'lstm'
2   | train p.csv --level 100                         | --level must be at least 1 and below 100
2   | train p.csv --level 0.9                         | found 0.9
2   | train p.csv --learning-rate 0                   | --learning-rate must be above 0
2   | train p.csv --time-limit -1                     | --time-limit must be a number of seconds above 0
2   | train p.csv --threads 0                         | --threads must be at least 1
2   | train p.csv --threads many                      | 'many'
2   | train p.csv --max-epochs -1                     | --max-epochs must be at least 0
2   | train p.csv --seed -1                           | --seed must be at least 0
2   | train p.csv --input-size 1                      | --input-size must be at least 2
2   | train p.csv --activation sigmoid                | --activation sigmoid needs --cell rnn
2   | train p.csv --truncation 5                      | --truncation needs --stateful
2   | train p.csv --loss mse --level 90               | --level needs --loss
2   | train p.csv --sep ab                            | found 'ab'
2   | train p.csv --encoding utf-99                   | there is no encoding 'utf-99'
2   | train p.csv --time-zone Mars/Olympus            | there is no zone 'Mars/Olympus'
2   | train p.csv --freq fortnight                    | 'fortnight'
2   | train p.csv --until someday                     | 'someday'
65  | train p.csv --until 1990-01-01                  | no row at or before 1990-01-01
2   | train p.csv --header -1                         | --header must be
66  | train p.csv --holidays none.txt                 | No such file
65  | train p.csv --holidays holidays.txt             | 'not a day' is no date
2   | train p.csv --holidays -                        | --holidays needs a file
65  | train p.csv --id-col nothing                    | there is no column 'nothing'
65  | train p.csv --target-col clse                   | there is no column 'clse'
65  | train p.csv --time-col dat                      | there is no column 'dat'
2   | train p.csv p.csv                               | named twice
2   | train p.csv -                                   | stdin (-) cannot be read beside other inputs
66  | train p.cs                                      | there is no file p.cs
66  | train none/p.csv                                | there is no file none/p.csv
66  | train 'none*.csv'                               | no file fits none*.csv
65  | train void                                      | the folder holds no file of data
2   | train m.npz                                     | expected a file of data
2   | train p.csv -o p.csv                            | would replace it
73  | train p.csv -o none/m.npz                       | there is no folder
73  | train p.csv -o void                             | void is a folder
73  | train p.csv -o notes.txt                        | notes.txt exists and is no model
73  | train p.csv -o m.npz --no-clobber               | m.npz exists
2   | train p.csv -o - --json                         | both write to stdout
65  | train text.csv                                  | 'abc' is not a number
65  | train dup.csv                                   | 2020-01-05 occurs again
65  | train short.csv                                 | too few rows
65  | train short.csv --no-skip-bad                   | too few rows
65  | train empty.csv                                 | empty (0 bytes)
65  | train header.csv                                | no row after it
65  | train wide_row.csv                              | 3 fields, the header 2
65  | train two.csv                                   | several columns could be the target
65  | train ambiguous.csv                             | can be read in two ways
65  | train inf.csv                                   | 'inf' is infinite
65  | train nodate.csv                                | a date that does not exist
65  | train page.csv                                  | an HTML page
65  | train rows.csv                                  | it looks like JSON
65  | train zip.csv                                   | a ZIP archive
65  | train cut.csv.gz                                | the packed file is damaged
65  | train not.parquet                               | does not begin with PAR1
65  | train cut.parquet                               | not a valid Parquet file
2   | train cut.parquet --sep ;                       | --sep has no effect on a Parquet file
65  | train other.csv                                 | no column holds numbers
65  | train irregular.csv                             | no regular step
2   | train p.csv --color pink                        | 'pink'
65  | train -                                         | empty (0 bytes)
2   | forecast                                        | MODEL
66  | forecast none.npz                               | there is no model none.npz
65  | forecast p.csv                                  | this is not a model
65  | forecast cut.npz                                | a damaged one
66  | forecast m.npz none.csv                         | there is no file none.csv
65  | forecast m.npz other.csv                        | no column holds numbers
65  | forecast m.npz steps.csv                        | the model was trained on dates
2   | forecast m.npz --horizon 0                      | --horizon must be at least 1
2   | forecast m.npz --quantiles 0.1,5                | found '5'
2   | forecast m.npz --quantiles x                    | found 'x'
2   | forecast m.npz --format xlsx                    | 'xlsx'
2   | forecast m.npz -o out.xlsx                      | '.xlsx'
2   | forecast m.npz -o m.npz                         | would replace it
73  | forecast m.npz -o none/o.csv                    | there is no folder
73  | forecast m.npz -o notes.txt --format csv --no-clobber | notes.txt exists
2   | forecast m.npz --json --format csv              | contradict each other
2   | forecast m.npz --sep ;                          | --sep needs an input
2   | forecast - -                                    | named twice
65  | forecast -                                      | nothing came
2   | forecast m.npz --append ledger.txt              | expected .csv or .parquet
65  | forecast m.npz --append ledger.csv              | this is no ledger
2   | forecast m.npz --append -                       | --append needs a file
2   | forecast m.npz --append a.csv -o a.csv          | both name a.csv
65  | forecast m.npz p.csv --until 2020-02-01 --append a.csv | it has seen what it forecasts
2   | evaluate                                        | INPUT
66  | evaluate none.csv                               | there is no file none.csv
2   | evaluate m.npz                                  | expected one input after it, found 0
2   | evaluate m.npz p.csv p.csv                      | found 2
2   | evaluate p.csv m.npz                            | the model m.npz comes after p.csv
2   | evaluate m.npz p.csv --hidden-size 3            | no effect on a trained model
65  | evaluate m.npz p.csv --until 2020-05-01         | no row after the last training row
2   | evaluate p.csv --refit often                    | found 'often'
2   | evaluate p.csv --n-windows 0                    | --n-windows must be at least 1
2   | evaluate p.csv --gap -1                         | --gap must be at least 0
65  | evaluate p.csv --n-windows 1000                 | 1000 needed
2   | evaluate p.csv --save-forecasts x.xlsx          | '.xlsx'
2   | evaluate p.csv --save-forecasts -               | needs a file
2   | evaluate p.csv --checkpoint -                   | needs a file
2   | evaluate p.csv --checkpoint a.csv --save-forecasts a.csv | name the same file
2   | evaluate p.csv --json --format csv              | contradict each other
66  | evaluate --forecasts none.csv p.csv             | No such file
65  | evaluate --forecasts ledger.csv p.csv           | this is no ledger
2   | evaluate --forecasts ledger.csv p.csv --refit 3 | --refit has no effect
2   | evaluate --forecasts - p.csv                    | --forecasts needs a file
2   | evaluate p.csv --model abc                      | --model needs --forecasts
2   | inspect                                         | INPUT
66  | inspect none.csv                                | there is no file none.csv
65  | inspect other.csv                               | no column holds numbers
2   | inspect p.csv --format markdown                 | this is data
2   | inspect m.npz --format csv                      | this is a model
2   | inspect m.npz --sep ;                           | --sep has no effect on a model
66  | inspect none.npz                                | there is no model none.npz
65  | inspect -                                       | empty (0 bytes)
"""
CASES = [tuple(part.strip() for part in row.split(" | ", 2)) for row in MISTAKES.strip().splitlines()]


@pytest.fixture(scope="module")
def folder(trained_folder, tmp_path_factory):
    """A model, its data, and files that are not as they should be."""
    folder = tmp_path_factory.mktemp("mistakes")
    shutil.copy(trained_folder / "prices.csv", folder / "p.csv")
    shutil.copy(trained_folder / "prices.npz", folder / "m.npz")
    days = weekdays(30)
    table = {
        "text": ["2020-01-01,1", "2020-01-02,abc", "2020-01-03,2"],
        "dup": [*(f"2020-01-{day:02d},1.5" for day in range(1, 28)), "2020-01-05,1"],
        "short": ["2020-01-01,1", "2020-01-02,2"],
        "header": [],
        "wide_row": ["2020-01-01,1", "2020-01-02,1,2", "2020-01-03,2"],
        "ambiguous": [f"0{day}/02/2020,{day}" for day in range(1, 10)],
        "inf": [f"{day},{'inf' if n == 9 else n}" for n, day in enumerate(days)],
        "nodate": ["2020-01-01,1", "2020-13-45,2", "2020-01-03,2"],
        "steps": [f"{step},{step}.5" for step in range(1, 80)],
        "irregular": [f"2020-01-01T00:{m:02d}:{s:02d},1.{s}" for m in range(0, 40, 3) for s in (1, 7, 31, 44, 59)],
    }
    for name, rows in table.items():
        (folder / f"{name}.csv").write_text("\n".join(["date,close", *rows, ""]))
    (folder / "two.csv").write_text("\n".join(["date,alpha,beta", *(f"{day},1.5,{n}" for n, day in enumerate(days))]))
    (folder / "other.csv").write_text("when,what\n2020-01-01,x\n")
    (folder / "ledger.csv").write_text("a,b\n1,2\n")
    (folder / "holidays.txt").write_text("2020-01-01\nnot a day\n")
    (folder / "notes.txt").write_text("hello\n")
    (folder / "page.csv").write_text("<html><body>404</body></html>\n")
    (folder / "rows.csv").write_text('[{"a": 1}]\n')
    (folder / "not.parquet").write_text("date,close\n")
    (folder / "empty.csv").write_bytes(b"")
    (folder / "zip.csv").write_bytes(b"PK\x03\x04" + bytes(100))
    (folder / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08" + bytes(5))
    (folder / "cut.parquet").write_bytes(b"PAR1" + bytes(50))
    (folder / "cut.npz").write_bytes((folder / "m.npz").read_bytes()[:2000])
    (folder / "void").mkdir()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("code", "command", "expected"), CASES, ids=[command for _, command, _ in CASES])
def test_a_mistake_is_said_in_a_few_lines_and_leaves_nothing(code, command, expected, folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = contents(folder)
    got = call(*shlex.split(command.replace(" ;", " ';'")))
    assert got.code == int(code), got.err
    assert got.out == ""
    assert contents(folder) == before
    assert "Traceback" not in got.err
    if "--json" in command:
        (document,) = map(json.loads, got.err.splitlines())
        assert expected in document["message"]
        assert document["hint"] or document["where"]
        return
    lines = got.err.splitlines()
    error = lines[next(n for n, line in enumerate(lines) if line.startswith("error: ")) :]
    assert expected in error[0]
    assert len(error) <= 6
    assert [line for line in error[1:] if not re.match(r"  (where|fix): \S", line)] == []
    assert len(error) > 1 or re.match(
        r"error: --[a-z-]+ must be |error: there is no file |error: no file fits ", error[0]
    )


@pytest.mark.parametrize(
    "command",
    [
        "train text.csv",
        "forecast cut.npz",
        "evaluate --forecasts ledger.csv p.csv",
        "inspect other.csv",
        "train --nonsense",
    ],
)
def test_a_mistake_as_json_is_one_object_and_nothing_else(command, folder, monkeypatch):
    monkeypatch.chdir(folder)
    plain, got = call(*command.split()), call(*command.split(), "--json")
    assert (got.code, got.out) == (plain.code, "")
    document = json.loads(got.err)
    assert got.err.count("\n") == 1
    assert document["schema"] == "rnncast.error/1"
    assert document["code"] == plain.code
    parts = {"error: ": document["message"], "  where: ": document["where"], "  fix: ": document["hint"]}
    said = [prefix + text for prefix, text in parts.items() if text]
    assert plain.err.splitlines()[-len(said) :] == said
    debug = call(*command.split(), "--json", "--debug").err
    assert debug.startswith("Traceback (most recent call last):\n")
    assert debug.splitlines()[-1] == got.err.rstrip("\n")


def test_there_are_enough_of_them():
    assert len({command for _, command, _ in CASES}) == len(CASES) >= 60
    assert {code for code, _, _ in CASES} == {"2", "65", "66", "73"}
