"""Parameters of the network: one flat vector with a named layout, and how it starts.

Dimension letters: `P` parameters, `H` hidden units, `F` features, `K` horizon steps, `G` outputs of a step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rnncast.core.loss_table import LossTable
from rnncast.core.shape import LSTM, Shape, middle_rows, parameter_count
from rnncast.core.twin import unpack
from rnncast.model.config import LOSSES, NetworkConfig


def initial_parameters(shape: Shape, rng: np.random.Generator, dtype: type = np.float32) -> NDArray[np.floating]:
    """Start of a network whose output is zero whatever its input, so that training starts at the baseline.

    Input weights are uniform (Glorot and Bengio 2010), recurrent weights orthogonal gate by gate (Saxe, McClelland
    and Ganguli 2014), biases zero but for the LSTM's forget gate, which is 1 (Gers, Schmidhuber and Cummins 2000),
    and the output layer zero.

    Returns
    -------
    vector of `dtype`, shape (P,)
    """
    vector: NDArray[np.floating] = np.zeros(parameter_count(shape), dtype=dtype)  # (P,)
    hidden = shape.hidden_size
    for name, weight in unpack(shape, vector).items():
        if name.endswith("input_weight"):
            limit = np.sqrt(6.0 / (weight.shape[1] + hidden))
            weight[:] = rng.uniform(-limit, limit, size=weight.shape)
        elif name.endswith("recurrent_weight"):
            for gate in range(weight.shape[0] // hidden):
                weight[gate * hidden : (gate + 1) * hidden] = _orthogonal(hidden, rng)
        elif name.endswith(".bias") and shape.cell == LSTM and not name.startswith("output"):
            weight[hidden : 2 * hidden] = 1.0  # gate rows are i, f, g, o
    return vector


def loss_table(config: NetworkConfig, spread: NDArray[np.float64], base_gap: NDArray[np.float64]) -> LossTable:
    """What the core needs to turn raw outputs into predictions and a loss.

    Parameters
    ----------
    spread : float64 (K,)
        Mean absolute error of the naive path at each step, in normalised units; scale of the median's correction.
    base_gap : float64 (K, G)
        Distance of each quantile from its neighbour on the median's side, or scale and degrees of freedom of the
        distribution, where training starts; see `LossTable`.
    """
    levels = np.asarray(config.quantile_levels)  # (Q,)
    return LossTable(LOSSES[config.loss], levels, spread, base_gap, huber_delta=float(spread.mean()))


def with_share(config: NetworkConfig, parameters: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """The network whose correction of the median is `share` times that of `parameters` (P,), with the same gaps.

    The median's (or location's) rows of the output layer are scaled, and so is the direct map, which feeds only them.
    """
    scaled = parameters.copy()
    named = unpack(config.shape, scaled)
    named["output.weight"][middle_rows(config.shape)] *= share
    named["output.bias"][middle_rows(config.shape)] *= share
    if config.direct:
        named["direct.weight"][:] *= share
    return scaled


def decay_mask(shape: Shape, dtype: type = np.float32) -> NDArray[np.floating]:
    """One for each weight that weight decay shrinks, zero for each bias, shape (P,)."""
    mask: NDArray[np.floating] = np.ones(parameter_count(shape), dtype=dtype)  # (P,)
    for name, view in unpack(shape, mask).items():
        if name.endswith("bias"):
            view[:] = 0.0
    return mask


def _orthogonal(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Orthogonal matrix (size, size), uniform over all such matrices (Mezzadri 2007)."""
    factor, triangle = np.linalg.qr(rng.standard_normal((size, size)))
    signs = np.where(np.diagonal(triangle) < 0, -1.0, 1.0)  # (size,)
    return np.asarray(factor * signs)
