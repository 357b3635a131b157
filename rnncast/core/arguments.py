"""What the kernel takes, in records whose fields are arrays and numbers. No Numba here.

Every array is flat, contiguous and writeable, and of the dtype of the run where no other is named.

Letters: T steps, F features, B batch, O outputs, K targets, Q quantiles, P parameters, U updates, R rows of a panel.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Head(NamedTuple):
    """The loss; see `loss_table.LossTable`."""

    kind: int
    delta: float
    levels: Any  # (Q,)
    spread: Any  # (K,)
    base_gap: Any  # (K * G), G outputs a step


class Batch(NamedTuple):
    """One batch; what a run does not need is empty."""

    inputs: Any  # (T * F * B)
    targets: Any  # (T * K * B) or (K * B); output gradients (T * O * B) or (O * B) of a VJP run
    weights: Any  # (B) or (T * B), float64: all constant factors of a window's loss
    lengths: Any  # (B), int64: steps that each window has, the last ones
    states: Any  # initial states, see `shape.state_shape`
    left: Any  # takes the states of the last steps
    outputs: Any  # (T * O * B) or (O * B), takes the outputs
    dinputs: Any  # (T * F * B), takes the input gradients


class Series(NamedTuple):
    """A panel, and the windows of U batches in the order in which they are used."""

    values: Any  # (R), float64, in working units
    starts: Any  # (U * B), int64: first row of the series that a window lies in
    ends: Any  # (U * B), int64: row after the window's last one
    logarithmic: Any  # (U * B), bool: whether the series is in logarithms
    phases: Any = np.zeros(0, np.float32)  # (P * R), float32: where rows stand in P cycles, read as it is


NO_SERIES = Series(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.bool_))


class Normalising(NamedTuple):
    """How a window becomes what the network reads; see `windows.take_windows`."""

    lags: Any  # (F), int64: 0 for the distance from the last value, n for the change over n rows, -p for phase p from 1
    history: int  # rows that a window may look back on
    season: int
    long_season: int  # rows of a longer season, 0 for none
    floor_logarithmic: float  # smallest scale of a series in logarithms
    floor_level: float  # smallest scale of another, as a share of the largest value
    floor_season: float  # smallest scale of a season, as a share of the scale of one step
    smallest: float  # smallest scale of all
    input_limit: float  # inputs and targets beyond so many scales are drawn in
    target_limit: float


class Learning(NamedTuple):
    """U updates of AdamW; see `optimiser`. Without updates all is empty."""

    gradient: Any  # (P)
    first: Any  # (P) moments
    second: Any  # (P)
    average: Any  # (P) moving average of the parameters
    decay: Any  # (P) share of `weight_decay` that applies to each
    rates: Any  # (U), float64: learning rate of each update
    averaging: Any  # (U), float64: decay of the moving average at each
    before: int  # updates that were made before these
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    clip: float
    norm: Any  # (1), float64: norm of the gradient
    losses: Any  # (U), float64, takes the loss of each update that was made
