"""The trained model: everything that a forecast needs, and nothing that has to be looked up elsewhere.

Dimension letters: `M` members, `P` parameters, `S` series, `L` layers, `H` hidden units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import STUDENT_T, LossTable
from rnncast.data.calendar import Calendar
from rnncast.data.panel import Columns, Panel
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import Gate
from rnncast.model.intervals import Calibration
from rnncast.records import dataclass


@dataclass(frozen=True, eq=False)
class History:
    """The last rows of each series, so that a forecast needs no input.

    Attributes
    ----------
    panel : Panel
        The context, at least: the rows that one forecast reads.
    logarithmic : bool (S,)
        Whether a series was positive over all its rows, also those that are not kept.
    states : float32 (M, parts, L, depth, H, S) or None
        State of each member after the last row of each series, as `rnncast.core.shape.state_shape` has it; None unless
        the network is stateful.
    """

    panel: Panel
    logarithmic: NDArray[np.bool_]
    states: NDArray[np.float32] | None = None


@dataclass(frozen=True, eq=False)
class Model:
    """A trained ensemble with its description.

    Attributes
    ----------
    network : NetworkConfig
        What each member is.
    parameters : float32 (M, P)
        One flat vector a member.
    head : LossTable
        Turns raw outputs into quantiles: the naive path's mean absolute error at each step, which scales the median's
        correction, and the gaps between the quantiles, or the distribution, that training started from.
    gate : Gate
        How much of the network, and of which simple baseline, makes the median of each group of series.
    calibration : Calibration or None
        Turns the volatility at hand into quantiles; None leaves the network's own.
    columns : Columns
        Names of the training input's columns; the forecast keeps them.
    calendar : Calendar
        Regularity of the training rows' stamps.
    trained_until : str
        Stamp or step of the last training row, as `rnncast.data.summary.format_stamp` writes it.
    history : History or None
        Last rows of each series; None when the model keeps no rows.
    record : mapping
        How training went: JSON values only.
    """

    network: NetworkConfig
    parameters: NDArray[np.float32]
    head: LossTable
    gate: Gate
    calibration: Calibration | None
    columns: Columns
    calendar: Calendar
    trained_until: str
    history: History | None
    record: Mapping[str, Any]

    @property
    def network_share(self) -> float:
        """Largest weight that the network has in the median of any group, 0 to 1."""
        return max(blend.share for blend in self.gate)

    @property
    def levels(self) -> tuple[float, ...]:
        """Its central intervals in per cent, ascending; none for a model without quantiles."""
        taus = self.network.quantile_levels
        return tuple(sorted(round(100.0 * (1.0 - 2.0 * tau), 9) for tau in taus[: len(taus) // 2]))

    @property
    def last_trained(self) -> np.datetime64 | int:
        """`trained_until` as a stamp in UTC, or as a step."""
        return np.datetime64(self.trained_until, "us") if self.calendar.is_dated else int(self.trained_until)

    def with_levels(self, levels: Sequence[float]) -> Model:
        """The model with quantiles at other levels too, if its loss is a distribution, which has all of them.

        A model whose quantiles were trained one by one has no others, and is returned as it is.
        """
        if self.head.kind != STUDENT_T:
            return self
        asked = (min(level, 1.0 - level) for level in (*self.network.quantile_levels, *levels))
        tails = {round(tail, 15) for tail in asked if tail > 1e-12}  # 1 - 0.9 is 0.1, but for the last digits
        every = tuple(sorted({*tails, *(1.0 - tail for tail in tails)}))
        return replace(
            self,
            network=replace(self.network, quantile_levels=every),
            head=replace(self.head, levels=np.array(every)),
        )
