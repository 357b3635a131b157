"""Cells of a column turned into values, with masks for those that are missing or bad.

Whether a bad cell matters is for the caller to decide, because rows after ``--until`` do not.

Dimension letter: `R` rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class Cells:
    """A column, or a piece of one, parsed.

    Attributes
    ----------
    values : float64, int64, int32 or datetime64[us] (R,)
        What the cells say; anything where they are missing or bad.
    missing : bool (R,) or None
        Cells that stand for no value; None if there are none.
    bad : bool (R,) or None
        Cells that could not be understood; None if there are none.
    names
        What the values number, for a column of names; otherwise empty.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None
    bad: NDArray[np.bool_] | None = None
    names: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.values)


def some(mask: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """The mask, or None if it is true nowhere."""
    return mask if mask is not None and mask.any() else None


class CellsBuilder:
    """Joins the pieces of a column, in one array that is made for all of them.

    Parameters
    ----------
    rows
        Rows expected in all; more are a matter of copying.
    """

    def __init__(self, rows: int) -> None:
        self._expected = rows
        self._values: NDArray[Any] | None = None
        self._used = 0
        self._marks: dict[str, list[tuple[int, NDArray[np.bool_]]]] = {"missing": [], "bad": []}
        self._numbers: dict[str, int] = {}

    def add(self, piece: Cells) -> None:
        """Take the next rows."""
        values = self._renumbered(piece) if piece.names else piece.values
        for kind, mask in (("missing", piece.missing), ("bad", piece.bad)):
            if mask is not None:
                self._marks[kind].append((self._used, mask))
        if self._values is None and len(values) >= self._expected:
            self._values, self._used = values, len(values)  # all there is: no copy
            return
        self._make_room(values)
        assert self._values is not None
        self._values[self._used : self._used + len(values)] = values
        self._used += len(values)

    def _renumbered(self, piece: Cells) -> NDArray[Any]:
        numbers = [self._numbers.setdefault(name, len(self._numbers)) for name in piece.names]
        first = numbers[0]
        if numbers == list(range(first, first + len(numbers))):  # as where series stand one after the other
            return piece.values + np.int32(first) if first else piece.values
        renumbered: NDArray[Any] = np.array(numbers, dtype=np.int32)[piece.values]
        return renumbered

    def _make_room(self, values: NDArray[Any]) -> None:
        needed = self._used + len(values)
        if self._values is None:
            self._values = np.empty(max(needed, self._expected), values.dtype)  # pages are taken when written
        elif needed > len(self._values) or not self._values.flags.writeable:
            larger = np.empty(max(needed, len(self._values) * 5 // 4), self._values.dtype)
            larger[: self._used] = self._values[: self._used]
            self._values = larger

    def cells(self) -> Cells:
        """The whole column."""
        values = np.empty(0) if self._values is None else self._values[: self._used]
        return Cells(values, self._mask("missing"), self._mask("bad"), tuple(self._numbers))

    def _mask(self, kind: str) -> NDArray[np.bool_] | None:
        if not self._marks[kind]:
            return None
        whole = np.zeros(self._used, dtype=bool)
        for start, mask in self._marks[kind]:
            whole[start : start + len(mask)] = mask
        return whole
