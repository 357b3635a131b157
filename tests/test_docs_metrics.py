"""The page of the metrics says what the program says."""

from __future__ import annotations

from pathlib import Path

import pytest

from rnncast.evaluation.metrics import OTHER_RANGES, RANGES

PAGE = (Path(__file__).parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| `")]


def test_page_lists_every_metric_in_order() -> None:
    assert [row[0].strip("`") for row in ROWS] == [*RANGES, *OTHER_RANGES]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip("`"))
def test_page_has_the_range_that_is_printed(row: list[str]) -> None:
    assert len(row) == 5
    assert row[2] == (RANGES | OTHER_RANGES)[row[0].strip("`")]
    assert row[1]
