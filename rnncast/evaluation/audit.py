"""The audit of a backtest: an origin is forecast again with everything after it altered, and must come out the same.

All rows after the origin get other values (scrambled, rescaled, half of them with the other sign), and every second one
is dropped. What was trained on the rows before, the season and the horizon found there, and each forecast issued at the
origin must be the same to the last byte; otherwise something has looked ahead.

Dimension letters: `R` rows of all series, `S` series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnncast.data.panel import Panel
from rnncast.errors import RnncastError
from rnncast.evaluation.folds import Block, Source, audited_origin, folds_of
from rnncast.evaluation.issuing import Forecaster
from rnncast.evaluation.methods import Baselines
from rnncast.evaluation.origins import Origins
from rnncast.evaluation.table import Table
from rnncast.records import dataclass


@dataclass(frozen=True)
class Audit:
    """What the audit found: that nothing differs.

    Attributes
    ----------
    origin : int
        Number of the origin, from 1, which lies in the middle of those that are scored.
    cutoff : str
        Its stamp.
    rows_altered : int
        Rows after it, all of which were altered or dropped.
    sha256, sha256_altered : str
        Of everything issued at it in the backtest, and with the later rows altered.
    """

    origin: int
    cutoff: str
    rows_altered: int
    sha256: str
    sha256_altered: str

    def __str__(self) -> str:
        return (
            f"audit: {self.rows_altered:,} rows after cutoff {self.cutoff} altered, training and forecasts made again: "
            "identical bytes"
        )


def audit(source: Source, panel: Panel, origins: Origins, table: Table) -> Audit:
    """Issue again what the backtest issued at the origin in the middle, with all later rows altered.

    Parameters
    ----------
    source, panel, origins
        As of the backtest.
    table
        What it issued.

    Raises
    ------
    RnncastError
        The bytes differ: rows after the origin have reached a forecast.
    """
    origin = audited_origin(origins)
    altered, moved = _altered_after(panel, origins, origin)
    cutoff = origins.stamps(panel)[origin]
    blocks = next(blocks for blocks in folds_of(origins, source.refit) if blocks[-1].stop > origin)
    digests = table.digest(origin), _issued_again(source, altered, moved, blocks)
    if digests[0] != digests[1]:
        raise RnncastError(
            f"audit: what is forecast at cutoff {cutoff} changes with the rows after it (sha256 {digests[0][:16]} "
            f"became {digests[1][:16]}): the backtest has looked ahead, and none of its figures can be trusted",
            hint="this is a fault of rnncast: please report it, with the command and, if you can, the data",
        )
    rows = int((~origins.visible(origin, panel)).sum())
    return Audit(origin + 1, cutoff, rows, *digests)


def _issued_again(source: Source, panel: Panel, origins: Origins, blocks: Sequence[Block]) -> str:
    """SHA-256 of what is issued at the last of the origins, which lies in this fold, by a training on these rows."""
    terms, first = source.terms(panel), blocks[0].first
    model = source.fit(panel, origins, first, lambda report: None).model
    forecaster = Forecaster(model, panel, origins, terms, Baselines(panel, origins, terms))
    last = next(block for block in blocks if block.stop == len(origins))
    for origin in range(first, last.first):
        forecaster.carry(origin)
    table = Table(origins.pairs(*last), terms)
    table.fill(*last, forecaster.issue(*last))
    return table.digest(len(origins) - 1)


def _altered_after(panel: Panel, origins: Origins, origin: int) -> tuple[Panel, Origins]:
    """The panel with other rows after an origin, and the origins up to it in that panel."""
    rng = np.random.default_rng(0)
    later = np.flatnonzero(~origins.visible(origin, panel))
    values = panel.values.copy()
    signs = rng.choice([-1.0, 1.0], (len(later), 1))
    values[later] = signs * (0.37 * values[rng.permutation(later)] + 0.5 * np.abs(values).max() + 1.0)
    ends = np.repeat(origins.ends[origin], panel.lengths)  # (R,)
    dropped = (np.arange(len(panel.times)) - ends) % 2 == 1  # (R,) the first one stays, so that no series vanishes
    dropped &= np.arange(len(panel.times)) >= ends
    altered = replace(panel, values=values).keep(~dropped)
    moved = origins.ends[: origin + 1] - panel.indptr[:-1] + altered.indptr[:-1]  # (origins, S)
    return altered, replace(origins, ends=moved, steps=origins.steps[: origin + 1])
