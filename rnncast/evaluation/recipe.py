"""A training recipe under test: what is taken from the rows before the first origin, and the training of a fold.

Dimension letters: `S` series, `R` rows of all series.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rnncast.data.panel import Panel
from rnncast.errors import DataError, UsageError
from rnncast.evaluation.folds import Fitted
from rnncast.evaluation.methods import Terms
from rnncast.evaluation.origins import Origins, Plan, rolling_origins, written
from rnncast.model.config import NetworkConfig
from rnncast.model.gate import describe_gate
from rnncast.records import dataclass
from rnncast.training.defaults import TrainOptions, resolve
from rnncast.training.split import describe_unlearnt, rows_needed, without_short_series

if TYPE_CHECKING:
    from rnncast.training.search import OnEpoch

MOST_LOOKS = 5
"""Times that settings are taken from fewer rows before a backtest asks for a --horizon."""


@dataclass(frozen=True)
class Recipe:
    """Options of a training that is made anew for each fold.

    Attributes
    ----------
    options : TrainOptions
        What the user asked for; the horizon is the one that is scored.
    plan : Plan
        Gap, rows that a training sees, and how often it is made.
    skip_short : bool
        Whether series that are too short are left out.
    known : int64 (S,)
        First rows of each series that horizon and season are taken from: none of them after the first origin.
    horizon : int
        The horizon so found.
    """

    options: TrainOptions
    plan: Plan
    skip_short: bool
    known: NDArray[np.int64]
    horizon: int

    @property
    def refit(self) -> int:
        """Origins that a training serves; 0 for all of them."""
        return self.plan.refit

    def terms(self, panel: Panel) -> Terms:
        """What is asked of each forecast."""
        return _terms(_settings(panel, self.options, self.plan, self.known)[0], self.plan)

    def fit(self, panel: Panel, origins: Origins, origin: int, on_epoch: OnEpoch) -> Fitted:
        """Train on the rows up to an origin, the last `train_size` of each series if the plan says so.

        Raises
        ------
        DataError
            All series are too short, or one is and is not to be left out.
        TrainingError
            Not one update had a finite loss.
        """
        known = _learnt_from(panel, origins.ends[origin], self.plan)
        network, training, chosen = resolve(replace(self.options, horizon=self.plan.gap + self.horizon), known)
        known, left_out = without_short_series(known, network, skip=self.skip_short)
        from rnncast.training.train import train  # loads Numba: whatever is wrong with the input has been told by now

        model, warnings = train(known, network, training, keep_history=network.stateful, on_epoch=on_epoch)
        skipped = (f"left out as too short: {', '.join(left_out)}",) if left_out else ()
        record = {
            "origin": origin + 1,
            "until": written(known.times.max()[None], panel)[0],
            "series": len(known.ids),
            "rows": len(known.times),
            "left_out": list(left_out),
            "best_epoch": model.record["best_epoch"],
            "network_share": model.network_share,
            "issued": describe_gate(model.gate),
        }
        return Fitted(model, record, chosen + skipped + describe_unlearnt(known, network) + warnings)


def settled(
    panel: Panel, options: TrainOptions, plan: Plan, *, skip_short: bool
) -> tuple[Recipe, Terms, Origins, tuple[str, ...]]:
    """Horizon, season and origins; the former from the rows before the first origin alone.

    The place of the first origin depends on the horizon, and the horizon, unless it is named, on the rows before it: so
    settings are taken from ever fewer rows, until the origins that they give leave those rows behind them.

    Returns
    -------
    recipe, terms, origins, notes on what was chosen

    Raises
    ------
    DataError
        There are too few rows for the origins.
    UsageError
        A training would see too few rows, whatever the data.
    """
    known = np.maximum(panel.lengths // 2, 1)  # (S,) at first, half of each series
    for _ in range(MOST_LOOKS):
        config, notes = _settings(panel, options, plan, known)
        needed = rows_needed(replace(config, horizon=plan.gap + config.horizon))
        if plan.train_size is not None and plan.train_size < needed:
            raise _too_narrow(plan, config, needed)
        origins = rolling_origins(panel, config.horizon, plan, fewest_rows=needed)
        before = origins.ends[0] - panel.indptr[:-1]  # (S,)
        if not np.any(known > before):
            recipe = Recipe(options, plan, skip_short, known, config.horizon)
            return recipe, _terms(config, plan), origins, notes
        known = np.minimum(known, before)
    raise DataError(
        "the horizon depends on rows after the first origin",
        hint="name it with --horizon, or ask for fewer --n-windows",
    )


def _settings(
    panel: Panel, options: TrainOptions, plan: Plan, known: NDArray[np.int64]
) -> tuple[NetworkConfig, tuple[str, ...]]:
    """Network from the first rows of each series, `known` (S,), and notes on what was chosen."""
    config, _, notes = resolve(options, _learnt_from(panel, panel.indptr[:-1] + known, plan))
    return config, notes


def _terms(config: NetworkConfig, plan: Plan) -> Terms:
    levels = config.quantile_levels if len(config.quantile_levels) > 1 else ()
    return Terms(config.horizon, plan.gap, config.season_length, levels)


def _learnt_from(panel: Panel, ends: NDArray[np.int64], plan: Plan) -> Panel:
    """Rows of each series before `ends` (S,) that a training sees, with a calendar that is learnt from them alone."""
    row, end = np.arange(len(panel.times)), np.repeat(ends, panel.lengths)  # (R,), (R,)
    seen = row < end if plan.train_size is None else (row < end) & (row >= end - plan.train_size)
    return panel.keep(seen, relearn_calendar=True)


def _too_narrow(plan: Plan, config: NetworkConfig, needed: int) -> UsageError:
    behind = f" after a gap of {plan.gap}" if plan.gap else ""
    return UsageError(
        f"--train-size must be at least {needed} for a horizon of {config.horizon}{behind}, found {plan.train_size}",
        hint="a training needs a window and its targets: give a larger one, or a smaller --horizon",
    )
