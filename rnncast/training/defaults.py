"""Settings that nobody named, from the data's size, horizon and season: few rules, the same for every panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from rnncast.data.cycles import long_season, phases_told
from rnncast.data.panel import Panel
from rnncast.data.season import describe_seasons, detect_seasons
from rnncast.model.config import INTERVAL_LOSSES, NetworkConfig, TrainingConfig, quantile_levels
from rnncast.records import dataclass
from rnncast.training.presets import find_preset
from rnncast.training.split import FEWEST_INPUTS, rows_needed

DEFAULT_LEVELS = (80.0, 95.0)
"""Central intervals that are trained and written unless `--level` names others, in per cent."""

DEFAULT_HORIZON = 10
"""Steps of a forecast for a series without a season."""

HORIZONS_READ, SEASONS_READ = 16, 14
"""Length of the input window in horizons, and in seasons where there is one."""

FEWEST_READ, MOST_READ = 64, 256
"""Bounds of the input window without a season."""

MOST_SEASONAL_READ = 336
"""Bound of the input window with a season, two of which it reads in any case: a week of half hours."""

MOST_OF_SERIES = 0.4
"""Share of the rows of a typical series that a window takes at most."""

RECURRENT_READ = 48
"""Rows at the end of the window that the recurrent layers read, or a season if it has more."""

WINDOWS_PER_WEIGHT = 5
"""Training windows for each weight of the direct map at a step; with fewer it would learn them by heart."""

UPDATES, FEWEST_UPDATES, MOST_UPDATES = 12.0, 200, 1000
"""Updates that the search may take for the square root of the number of windows, and their bounds."""

STATEFUL_UPDATES = 3
"""Times as many updates, each of fewer steps, that a stateful network takes: it has to find out what to remember."""

STATEFUL_LANES = 32
"""Sequences that a stateful network reads side by side: with more an update costs more and brings little."""


Number = TypeVar("Number", int, float)


@dataclass(frozen=True)
class TrainOptions:
    """What the user asked for; None leaves a setting to the data, or to the preset.

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
    preset: str = "default"
    members: int | None = None
    max_epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    time_limit: float | None = None
    stateful: bool = False
    truncation: int | None = None


def resolve(options: TrainOptions, panel: Panel) -> tuple[NetworkConfig, TrainingConfig, tuple[str, ...]]:
    """Settings for a panel, which must hold rows up to the cutoff only.

    Returns
    -------
    network, training, notes that say which of them were chosen here
    """
    notes, season = [], options.season_length
    if season is None:
        seasons = detect_seasons(panel)
        notes.append(describe_seasons(panel, seasons))
        season = (*seasons, 1)[0]
    horizon = _given(options.horizon, season if season > 1 else DEFAULT_HORIZON)
    if options.horizon is None:
        notes.append(f"horizon {horizon} ({'one season' if season > 1 else 'the default without a season'})")
    network = NetworkConfig(
        cell=options.cell,
        activation=options.activation,
        hidden_size=_given(options.hidden_size, 32),
        layers=_given(options.layers, 1),
        input_size=_given(options.input_size, _input_size(panel, horizon, season)),
        horizon=horizon,
        season_length=season,
        loss=options.loss,
        quantile_levels=quantile_levels(options.levels) if options.loss in INTERVAL_LOSSES else (0.5,),
        channels=_channels(panel, season, options.stateful),
        direct=False,
        recurrent_size=0 if options.stateful else max(RECURRENT_READ, season),
        long_season=0 if options.stateful else long_season(panel, season),
        stateful=options.stateful,
    )
    windows = int(np.maximum(panel.lengths - rows_needed(network) + 1, 1).sum())
    weights = network.shape._replace(direct_steps=network.input_size).direct_width  # of the direct map at a step
    network = replace(network, direct=not options.stateful and windows >= WINDOWS_PER_WEIGHT * weights)
    if network.long_season:
        notes.append(f"some series also have a season of {network.long_season} rows; each goes by its own rows")
    return network, _training(options, windows, season), tuple(notes)


def _channels(panel: Panel, season: int, stateful: bool) -> tuple[str, ...]:
    """What is read: the window's level, or at a single row its mean, and the changes over a season or a row.

    A window also tells where its rows stand in the cycles of the calendar that the panel shows.
    """
    if stateful:
        return ("change", "seasonal change", "mean") if season > 1 else ("change", "mean")
    return ("level", "seasonal change" if season > 1 else "change", *phases_told(panel, season))


def _given(asked: Number | None, otherwise: Number) -> Number:
    """What was asked for; None leaves it to the data. Zero is an answer, and refused where it makes no sense."""
    return otherwise if asked is None else asked


def _input_size(panel: Panel, horizon: int, season: int) -> int:
    """Rows that the network reads: a few horizons or seasons, and no more than so much of a typical series."""
    most = int(MOST_OF_SERIES * np.median(panel.lengths))
    if season > 1:
        return max(2 * season, min(SEASONS_READ * season, MOST_SEASONAL_READ, most))
    return max(2, min(max(HORIZONS_READ * horizon, FEWEST_READ), MOST_READ, max(most, FEWEST_INPUTS)))


def _training(options: TrainOptions, windows: int, season: int) -> TrainingConfig:
    """Updates grow with the square root of the number of windows, between two bounds, and as the preset says."""
    preset = find_preset(options.preset)
    defaults = TrainingConfig()
    updates = min(max(UPDATES * np.sqrt(windows), FEWEST_UPDATES), MOST_UPDATES)
    updates *= STATEFUL_UPDATES if options.stateful else 1
    if options.max_epochs is None:  # else the length has been named
        updates = max(updates * preset.updates, FEWEST_UPDATES)
    epochs = preset.max_epochs if options.max_epochs is None else defaults.max_epochs
    return TrainingConfig(
        preset=options.preset,
        members=_given(options.members, preset.members),
        validation_windows=preset.validation_windows,
        judged_windows=preset.judged_windows,
        fold_networks=preset.fold_networks,
        max_epochs=_given(options.max_epochs, epochs),
        epoch_updates=int(np.ceil(updates / epochs)),
        batch_size=_given(options.batch_size, STATEFUL_LANES if options.stateful else preset.batch_size),
        learning_rate=_given(options.learning_rate, defaults.learning_rate),
        seed=options.seed,
        time_limit=options.time_limit,
        truncation=_given(options.truncation, max(defaults.truncation, min(2 * season, MOST_SEASONAL_READ))),
    )
