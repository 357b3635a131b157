"""The reader against generated files: the numbers that they hold or a refusal in words, never other numbers.

The long runs are left out of an ordinary one; `pytest -m fuzz tests/test_data_read_fuzz.py` makes them, with counts.
"""

import io
import re
import time
from collections import Counter

import pytest
from damaged_files import damaged_files
from generated_files import good_files
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from strict_reader import NotStrict, read_strictly

from rnncast.data.options import ReadOptions
from rnncast.data.read import read_panel
from rnncast.errors import RnncastError

MANY_GOOD, MANY_DAMAGED = 12_000, 8_000
LEAST_SHARE_READ = 0.6


def examples(count):
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(data, options):
    """Series that the reader finds, and its error, one of them None; any other exception goes through."""
    try:
        panel, notes = read_panel(["-"], ReadOptions(**options), stdin=io.BytesIO(data))
    except RnncastError as error:
        assert error.exit_code in (65, 2)
        assert error.message and "Traceback" not in error.message
        return None, error
    assert len(panel.times) > 0 and notes
    rows = [panel.rows(number) for number in range(len(panel.ids))]
    found = {
        name: list(zip(panel.times[part].tolist(), panel.target[part].tolist(), strict=True))
        for name, part in zip(panel.ids, rows, strict=True)
    }
    assert len(found) == len(panel.ids)
    return found, None


def as_text(series):
    """Series in an order of their own; the text tells -0.0 from 0.0."""
    return repr(sorted(series.items()))


def kind_of(error):
    """Message without what differs from file to file."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|[0-9][0-9,.:%-]*", "_", error.message)[:100]


def line_of(error):
    found = re.match(r"stdin:([0-9]+)", error.where or "")
    return int(found[1]) if found else None


def judge_good(file, options):
    """What became of a file without a fault: ``read``, or why it was refused."""
    found, error = read(file.data, options)
    if error is not None:
        return f"refused: {kind_of(error)}"
    assert as_text(found) == as_text(file.truth)
    return "read"


def judge_damaged(file):
    """What became of a file with a fault."""
    found, error = read(file.data, file.file.options)
    if error is None:
        assert file.allowed is not None, f"read: {found}"
        extra = {name: [row for row in rows if row not in file.allowed.get(name, [])] for name, rows in found.items()}
        assert sum(map(len, extra.values())) <= file.spare
        kept = {name: [row for row in rows if row not in extra[name]] for name, rows in found.items()}
        assert as_text({name: rows for name, rows in kept.items() if rows}) == as_text(file.allowed)
        return f"{file.fault}: read without it"
    if file.lines:
        assert line_of(error) in file.lines, f"{error.message}; {error.where}"
        assert file.column is None or f", column {file.column.strip()!r}" in error.where
        assert not file.says or error.message.startswith(file.says)
    return f"{file.fault}: refused{' with its line' if file.lines else ''}"


# ---- the two sides of the test against each other


@examples(200)
@given(good_files())
def test_the_strict_reader_reads_what_was_drawn(file):
    assert as_text(read_strictly(file.data, file.dialect)) == as_text(file.truth)


@examples(300)
@given(damaged_files())
def test_the_strict_reader_refuses_every_fault(file):
    if file.allowed is not None:
        return
    with pytest.raises(NotStrict):
        read_strictly(file.data, file.file.dialect)


# ---- the reader


@examples(300)
@given(good_files())
def test_good_files_give_their_numbers_and_nothing_else(file):
    verdict = judge_good(file, file.options)
    event(verdict)
    assert verdict == "read" or file.doubts


@examples(200)
@given(good_files())
def test_good_files_are_read_if_everything_is_said_of_them(file):
    verdict = judge_good(file, file.told)
    event(verdict)
    assert verdict == "read" or file.untold


@examples(300)
@given(damaged_files())
def test_a_fault_is_refused_with_its_line(file):
    verdict = judge_damaged(file)
    event(verdict)
    assert "refused" in verdict or file.allowed is not None


@examples(300)
@given(good_files(), st.data())
def test_files_with_wrong_bytes_are_read_or_refused_in_words(file, data):
    content = bytearray(file.data)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        change = data.draw(st.sampled_from([b"", b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"-", b"9", b"x" * 300]))
        content[place : place + data.draw(st.integers(0, 3))] = change
        content = content or bytearray(b"\n")
    found, error = read(bytes(content), {"wide": file.dialect.wide})
    assert (found is None) is not (error is None)


@examples(200)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_in_words(content):
    found, error = read(content, {})
    assert (error.exit_code == 65) if found is None else found


# ---- the long runs


class Tally:
    """Counts of what became of files, and the time that it took."""

    def __init__(self):
        self.counts = Counter()
        self.began = time.perf_counter()

    def show(self, title, capsys):
        files, seconds = self.counts.total(), time.perf_counter() - self.began
        with capsys.disabled():
            print(f"\n{title}: {files:,} files in {seconds:.0f} seconds")
            for kind, count in self.counts.most_common():
                print(f"{count:8,}  {kind}")


@pytest.mark.fuzz
def test_many_good_files(capsys):
    tally, told = Tally(), Tally()

    @examples(MANY_GOOD)
    @given(good_files())
    def run(file):
        verdict, verdict_if_told = judge_good(file, file.options), judge_good(file, file.told)
        tally.counts[verdict] += 1
        told.counts[verdict_if_told] += 1
        assert verdict == "read" or file.doubts
        assert verdict_if_told == "read" or file.untold

    run()
    tally.show("files without a fault", capsys)
    told.show("the same, with everything said of them", capsys)
    assert tally.counts.total() >= MANY_GOOD
    assert tally.counts["read"] >= LEAST_SHARE_READ * tally.counts.total()


@pytest.mark.fuzz
def test_many_damaged_files(capsys):
    tally = Tally()

    @examples(MANY_DAMAGED)
    @given(damaged_files())
    def run(file):
        tally.counts[judge_damaged(file)] += 1

    run()
    tally.show("files with a fault", capsys)
    assert tally.counts.total() >= MANY_DAMAGED
