"""What a network is and how it is trained, as frozen, validated records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

from rnncast.baselines.smoothing import smoothed_rows
from rnncast.core.loss_table import HUBER, MAE, MSE, QUANTILE, STUDENT_T, outputs_a_step
from rnncast.core.shape import GRU, LSTM, RNN_SIGMOID, RNN_TANH, Shape
from rnncast.data.phases import PHASES
from rnncast.errors import UsageError, typed_name
from rnncast.records import dataclass

CELLS = ("rnn", "gru", "lstm")
ACTIVATIONS = ("tanh", "sigmoid")
LOSSES = {"quantile": QUANTILE, "student-t": STUDENT_T, "mse": MSE, "mae": MAE, "huber": HUBER}
"""Codes of the losses, as the core takes them."""

INTERVAL_LOSSES = ("quantile", "student-t")
"""Losses whose networks forecast intervals."""

CHANNELS = ("level", "change", "seasonal change", *PHASES)
"""Input channels of a window, computed from its values or from its stamps; see `rnncast.model.inputs`."""

ROW_CHANNELS = ("change", "seasonal change", "mean")
"""Input channels of a row that a stateful network reads; see `rnncast.model.sequences`."""

CONTEXT_WINDOWS = 2
"""Rows that a forecast depends on at least, in multiples of what the network reads."""

VOLATILITY_ROWS = 512
"""Rows of which the usual volatility is that of a series: two years of business days."""

_NEWER_KEYS: Mapping[str, Any] = {"stateful": False, "recurrent_size": 0, "long_season": 0}
"""Attributes that files of earlier versions lack, and what held for them."""

_CELL_CODES = {
    ("rnn", "tanh"): RNN_TANH,
    ("rnn", "sigmoid"): RNN_SIGMOID,
    ("gru", "tanh"): GRU,
    ("lstm", "tanh"): LSTM,
}


def _require(condition: bool, option: str, expected: str, found: object) -> None:
    if not condition:
        raise UsageError(f"{option} must be {expected}, found {found}")


def quantile_levels(levels: Sequence[float]) -> tuple[float, ...]:
    """Quantiles of central intervals in per cent, with the median: 80 gives 0.1, 0.5, 0.9."""
    tails = {round((100.0 - level) / 200.0, 12) for level in levels}
    return tuple(sorted({0.5, *tails, *(round(1.0 - tail, 12) for tail in tails)}))


@dataclass(frozen=True)
class NetworkConfig:
    """The network: everything that decides the shapes of its parameters and the meaning of its outputs.

    Attributes
    ----------
    cell : {"rnn", "gru", "lstm"}
        Kind of recurrent cell.
    activation : {"tanh", "sigmoid"}
        Hidden activation of the Elman cell (``rnn``); the gated cells use tanh.
    hidden_size, layers : int
        Units of a layer, and number of layers.
    input_size : int
        Rows of history that the network reads (T); a stateful one reads a row at a time, and scales it by so many.
    horizon : int
        Steps that it forecasts at once (K).
    season_length : int
        Rows of a season; the naive path repeats the last season. 1 for none.
    loss : {"quantile", "student-t", "mse", "mae", "huber"}
        What training minimises.
    quantile_levels : tuple of float
        Levels (Q,), ascending, symmetric around the median; ``(0.5,)`` for a loss without intervals.
    channels : tuple of str
        Input channels of each window, or at each row (F), those made of values before phases.
    direct : bool
        Whether what is made of values also reaches the medians or locations by a linear map beside the recurrent
        layers.
    recurrent_size : int
        Rows at the end of the window that the recurrent layers read; 0 for all of them.
    long_season : int
        Rows of a longer season, which the naive path weighs against the last one in each window; 0 for none.
    stateful : bool
        Whether a series is one sequence, whose state is carried from row to row and kept, rather than windows.
    """

    cell: str = "lstm"
    activation: str = "tanh"
    hidden_size: int = 32
    layers: int = 1
    input_size: int = 30
    horizon: int = 10
    season_length: int = 1
    loss: str = "quantile"
    quantile_levels: tuple[float, ...] = (0.025, 0.1, 0.5, 0.9, 0.975)
    channels: tuple[str, ...] = ("level", "change")
    direct: bool = True
    recurrent_size: int = 0
    long_season: int = 0
    stateful: bool = False

    def __post_init__(self) -> None:
        _require(self.cell in CELLS, "--cell", "one of " + ", ".join(CELLS), self.cell)
        _require(self.loss in LOSSES, "--loss", "one of " + ", ".join(LOSSES), repr(self.loss))
        fits = (self.cell, self.activation) in _CELL_CODES
        _require(fits, "--activation", "tanh (or sigmoid, with --cell rnn)", self.activation)
        for name, low, high in (
            ("hidden_size", 1, 4096),
            ("layers", 1, 32),
            ("season_length", 1, 50_000),  # a window holds two
            ("input_size", 2, 100_000),
            ("horizon", 1, 10_000),
            ("recurrent_size", 0, 100_000),
            ("long_season", 0, 100_000),
        ):
            value = getattr(self, name)
            _require(low <= value <= high, typed_name(name), f"between {low} and {high}", value)
        levels = self.quantile_levels
        symmetric = all(abs(a + b - 1) < 1e-9 for a, b in zip(levels, reversed(levels), strict=True))
        rising = all(a < b for a, b in zip(levels, levels[1:], strict=False))
        proper = len(levels) % 2 == 1 and symmetric and rising and 0 < levels[0]
        _require(proper, "--level", "above 0 and below 100, each once", levels)
        channels = ROW_CHANNELS if self.stateful else CHANNELS
        known = 0 < len(self.channels) == len(set(self.channels)) and set(self.channels) <= set(channels)
        known = known and (self.season_length > 1 or "seasonal change" not in self.channels)
        known = known and (self.stateful or self.channels[0] not in PHASES)
        known = known and self.channels[len(self.channels) - len(self.phases) :] == self.phases
        _require(known, "channels", f"among {channels}", self.channels)
        _require(isinstance(self.stateful, bool), "stateful", "true or false", self.stateful)
        _require(not (self.stateful and self.direct), "direct", "false for a stateful network", self.direct)
        longer = self.long_season == 0 or (1 < self.season_length < self.long_season and not self.stateful)
        _require(longer, "long_season", "0, or above the season of a network of windows", self.long_season)
        whole = self.recurrent_size == 0 or not self.stateful
        _require(whole, "recurrent_size", "0 for a stateful network", self.recurrent_size)

    @property
    def shape(self) -> Shape:
        """Sizes of the recurrent network, as the core takes them."""
        group = outputs_a_step(LOSSES[self.loss], len(self.quantile_levels))
        return Shape(
            cell=_CELL_CODES[self.cell, self.activation],
            input_size=len(self.channels),
            hidden_size=self.hidden_size,
            layers=self.layers,
            outputs=self.horizon * group,
            direct_steps=self.input_size if self.direct else 0,
            output_group=group,
            recurrent_steps=self.recurrent_size,
            direct_features=len(self.channels) - len(self.phases),
        )

    @property
    def phases(self) -> tuple[str, ...]:
        """Channels (P,) that tell where a row stands in the cycles of the calendar."""
        return tuple(name for name in self.channels if name in PHASES)

    @property
    def history_rows(self) -> int:
        """Rows of history that the network reads: the window, and the season before it, the longer one of two."""
        return self.input_size + (max(self.season_length, self.long_season) if self.season_length > 1 else 0)

    @property
    def context_rows(self) -> int:
        """Rows of history that anything of a forecast depends on, and that a model keeps of each series."""
        return max(self.baseline_rows, CONTEXT_WINDOWS * self.history_rows, VOLATILITY_ROWS)

    @property
    def baseline_rows(self) -> int:
        """Rows of history that simple baselines look at."""
        return smoothed_rows(self.season_length)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    def identity(self) -> dict[str, Any]:
        """Plain values that tell networks apart; one that earlier versions lack stands there only if it is another."""
        return {name: value for name, value in self.to_dict().items() if _NEWER_KEYS.get(name, ...) != value}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> NetworkConfig:
        """Inverse of `to_dict`; raises TypeError or UsageError when the values are no configuration."""
        values = {**_NEWER_KEYS, **values}
        known = {field.name for field in fields(cls)}
        if set(values) != known:
            raise TypeError(f"network configuration has keys {sorted(values)}, expected {sorted(known)}")
        tuples = {name: tuple(values[name]) for name in ("quantile_levels", "channels")}
        return cls(**{**values, **tuples})


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained.

    Attributes
    ----------
    preset : str
        Name of the amount of training that was asked for, see `rnncast.training.presets`.
    members : int
        Networks trained from different seeds and averaged.
    max_epochs : int
        Most epochs of the search for the number of updates; 0 leaves the baseline as it is.
    epoch_updates : int
        Updates of an epoch, after each of which the validation part is scored: a number from the data's size.
    batch_size : int
        Windows of an update; of a stateful network the sequences that are read side by side, at most.
    learning_rate : float
        Highest learning rate, reached after the warm-up.
    weight_decay, clip_norm, average_decay : float
        Decoupled weight decay (AdamW), bound of the gradient's norm, and decay of the weights' moving average.
    patience : int
        Epochs without a better validation loss after which the search ends.
    seed : int
        Seed of member 0; member `i` uses ``seed + i``.
    time_limit : float or None
        Seconds after which no further update is begun; None lets only the data decide.
    validation_windows, judged_windows : int
        Most windows that are scored after an epoch, and that the gate and the intervals rest on, spread over all.
    fold_networks : bool
        Whether gate and intervals have networks of their own, trained on all rows before their block; else they rest on
        that of the search, which goes on to be the member where there is one alone.
    truncation : int
        Rows of an update of a stateful network: its gradient goes back over them and no further, its state does.
    """

    preset: str = "default"
    members: int = 3
    max_epochs: int = 20
    epoch_updates: int = 50
    batch_size: int = 128
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    average_decay: float = 0.99
    patience: int = 20
    seed: int = 0
    time_limit: float | None = None
    truncation: int = 64
    validation_windows: int = 4096
    judged_windows: int = 1024
    fold_networks: bool = True

    def __post_init__(self) -> None:
        for name, low in (("members", 1), ("max_epochs", 0), ("epoch_updates", 1), ("batch_size", 1), ("seed", 0)):
            value = getattr(self, name)
            _require(value >= low, typed_name(name), f"at least {low}", value)
        _require(1 <= self.truncation <= 10_000, "--truncation", "between 1 and 10000", self.truncation)
        _require(0 < self.learning_rate < 10, "--learning-rate", "above 0 and below 10", self.learning_rate)
        _require(self.time_limit is None or self.time_limit > 0, "--time-limit", "above 0 seconds", self.time_limit)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
