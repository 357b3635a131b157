"""Settings that nobody named, from the data's size, horizon and season: few rules, the same for every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rnncast.data.panel import Panel
from rnncast.data.season import detect_season
from rnncast.model.config import NetworkConfig, TrainingConfig

DEFAULT_LEVELS = (80.0, 95.0)
"""Central intervals that are trained and written unless `--level` names others, in per cent."""

DEFAULT_HORIZON = 10
"""Steps of a forecast for a series without a season."""


@dataclass(frozen=True)
class TrainOptions:
    """What the user asked for; None leaves a setting to the data.

    Each attribute is the command-line option of the same name; see `NetworkConfig` and `TrainingConfig`.
    """

    cell: str = "lstm"
    activation: str = "tanh"
    hidden_size: int | None = None
    layers: int | None = None
    input_size: int | None = None
    horizon: int | None = None
    season_length: int | None = None
    loss: str = "quantile"
    levels: Sequence[float] = DEFAULT_LEVELS
    members: int | None = None
    max_epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    time_limit: float | None = None


def resolve(options: TrainOptions, panel: Panel) -> tuple[NetworkConfig, TrainingConfig, tuple[str, ...]]:
    """Settings for a panel, which must hold rows up to the cutoff only.

    Returns
    -------
    network, training, notes that say which of them were chosen here
    """
    season = options.season_length or detect_season(panel)
    horizon = options.horizon or (season if season > 1 else DEFAULT_HORIZON)
    notes = []
    if options.season_length is None:
        notes.append(f"season length {season}" if season > 1 else "no season found")
    if options.horizon is None:
        notes.append(f"horizon {horizon} ({'one season' if season > 1 else 'the default without a season'})")
    network = NetworkConfig(
        cell=options.cell,
        activation=options.activation,
        hidden_size=options.hidden_size or 32,
        layers=options.layers or 1,
        input_size=options.input_size or _input_size(panel, horizon, season),
        horizon=horizon,
        season_length=season,
        loss=options.loss,
        quantile_levels=quantile_levels(options.levels) if options.loss == "quantile" else (0.5,),
    )
    return network, _training(options, panel), tuple(notes)


def quantile_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Quantiles of central intervals in per cent, with the median: 80 gives 0.1, 0.5, 0.9."""
    tails = {round((100.0 - level) / 200.0, 12) for level in levels}
    return tuple(sorted({0.5, *tails, *(round(1.0 - tail, 12) for tail in tails)}))


def _input_size(panel: Panel, horizon: int, season: int) -> int:
    """Rows that the network reads."""
    longest = int(panel.lengths.max())
    wanted = max(2 * season, 2 * horizon, 20)
    return max(2, min(wanted, longest // 3))


def _training(options: TrainOptions, panel: Panel) -> TrainingConfig:
    rows = len(panel.times)
    batch_size = options.batch_size or 128
    passes = int(np.ceil(rows / batch_size))
    defaults = TrainingConfig()
    return TrainingConfig(
        members=options.members or defaults.members,
        max_epochs=defaults.max_epochs if options.max_epochs is None else options.max_epochs,
        epoch_updates=min(passes, defaults.epoch_updates),
        batch_size=batch_size,
        learning_rate=options.learning_rate or defaults.learning_rate,
        seed=options.seed,
        time_limit=options.time_limit,
    )
