"""What the tests of the core share: the cells by name, small random problems, and errors relative to a block's norm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import HUBER, MAE, MSE, QUANTILE, STUDENT_T, LossTable, point_table
from rnncast.core.shape import GRU, LSTM, RNN_SIGMOID, RNN_TANH, Shape, parameter_count, parameter_layout

FIXTURES = Path(__file__).parent / "fixtures"
CELLS = {"rnn_tanh": RNN_TANH, "rnn_sigmoid": RNN_SIGMOID, "gru": GRU, "lstm": LSTM}
LOSSES = {"mse": MSE, "mae": MAE, "huber": HUBER, "quantile": QUANTILE, "student-t": STUDENT_T}
LEVELS = np.array([0.1, 0.25, 0.5, 0.75, 0.9])


class Problem(NamedTuple):
    """A network, its parameters (P,) and a batch: inputs (T, F, B), targets (K, B) or (T, K, B), weights (B,)."""

    shape: Shape
    table: LossTable
    every_step: bool
    parameters: NDArray[np.float64]
    inputs: NDArray[np.float64]
    targets: NDArray[np.float64]
    weights: NDArray[np.float64]


def make_table(loss: str, horizon: int, rng: np.random.Generator) -> LossTable:
    """Table of a loss with random spreads and bases; the quantile loss has 5 levels."""
    spread = rng.uniform(0.5, 2.0, horizon)
    if LOSSES[loss] == QUANTILE:
        return LossTable(QUANTILE, LEVELS, spread, rng.uniform(0.2, 1.0, (horizon, LEVELS.size)))
    if LOSSES[loss] == STUDENT_T:
        return LossTable(STUDENT_T, LEVELS, spread, rng.uniform(0.3, 3.0, (horizon, 3)))
    return point_table(LOSSES[loss], horizon, spread, huber_delta=0.7)


def make_problem(
    rng: np.random.Generator,
    cell: str = "gru",
    *,
    layers: int = 1,
    hidden: int = 4,
    batch: int = 3,
    steps: int = 4,
    features: int = 2,
    horizon: int = 2,
    loss: str = "mse",
    activation: int = 0,
    every_step: bool = False,
    direct_group: int = 0,
    dilations: tuple[int, ...] = (),
    residual: int = 0,
) -> Problem:
    """A random problem; the numbers are such that no activation is saturated.

    With `direct_group` the window has a direct connection to the middle one of so many outputs each.
    """
    table = make_table(loss, horizon, rng)
    shape = Shape(CELLS[cell], features, hidden, layers, table.outputs, activation)
    shape = shape._replace(dilations=dilations, residual=residual)
    if direct_group:
        shape = shape._replace(direct_steps=steps, output_group=direct_group)
    return Problem(
        shape,
        table,
        every_step,
        rng.uniform(-1, 1, parameter_count(shape)) * min(1.0, 2 / np.sqrt(hidden)),
        rng.standard_normal((steps, features, batch)),
        rng.standard_normal((steps, horizon, batch) if every_step else (horizon, batch)),
        rng.uniform(0.5, 2.0, batch),
    )


def blocks(shape: Shape, vector: NDArray[np.floating]) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Name and part of a flat vector (P,) for every parameter array."""
    for name, (offset, dimensions) in parameter_layout(shape).items():
        yield name, vector[offset : offset + int(np.prod(dimensions))]


def relative_error(got: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Norm of the difference relative to the norm of what is expected; where that is zero, the difference's own."""
    difference = float(np.linalg.norm(np.ravel(np.asarray(got, np.float64) - expected)))
    norm = float(np.linalg.norm(np.ravel(expected)))
    return difference / norm if norm > 0 else difference


def worst_block_error(shape: Shape, got: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Largest error of a parameter array, relative to that array's norm."""
    pairs = zip(blocks(shape, got), blocks(shape, expected), strict=True)
    return max(relative_error(mine, reference) for (_, mine), (_, reference) in pairs)
