"""A series as a line of blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnncast.report.sparkline import BLOCKS, FLAT, sparkline


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(range(8), "▁▂▃▄▅▆▇█", id="ramp"),
        pytest.param([-1, 0, 1], "▁▅█", id="negative"),
        pytest.param([5, -5], "█▁", id="falling"),
        pytest.param([3.8] * 5, FLAT * 5, id="constant"),
        pytest.param([0.0] * 3, FLAT * 3, id="zeros"),
        pytest.param([0.1 + 0.2, 0.3, 0.3], FLAT * 3, id="constant-but-for-rounding"),
        pytest.param([7], FLAT, id="one"),
        pytest.param([1.7e308, -1.7e308], "█▁", id="huge"),
        pytest.param([5e-324, 0], "█▁", id="tiny"),
    ],
)
def test_shapes(values, expected):
    assert sparkline(values) == expected


def test_a_character_stands_for_the_mean_of_its_rows():
    assert sparkline([0, 0, 0, 8, 8, 8, 4, 5, 3], width=3) == "▁█▅"


def test_a_series_of_any_length_fits():
    assert [len(sparkline(np.arange(rows), width=10)) for rows in (1, 9, 10, 11, 19, 1001)] == [1, 9, 10, 10, 10, 10]


@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=100),
    width=st.integers(1, 40),
)
def test_blocks_and_nothing_else(values, width):
    got = sparkline(values, width)
    assert len(got) == min(len(values), width)
    assert set(got) <= set(BLOCKS)
    assert set(got) == {FLAT} or {BLOCKS[0], BLOCKS[-1]} <= set(got)
