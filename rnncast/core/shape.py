"""The shape of a network: its cells, sizes and links, and how its parameters lie in one flat vector.

No Numba here, so that a forecast which runs on the NumPy twin can use it.

Letters: L layers, T steps, F input features, H hidden units, O outputs, B batch (windows), R rows of a layer's gates,
Q outputs of a group (those of one horizon step), K = O / Q groups, P parameters.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

# Cells (gate rows of each: Elman [h]; GRU [n_x r z n_h]; LSTM [i f g o]).
RNN_TANH: Final = 0
RNN_SIGMOID: Final = 1
GRU: Final = 2
LSTM: Final = 3

# Activations of the output layer.
IDENTITY: Final = 0
SIGMOID: Final = 1
TANH: Final = 2


class Shape(NamedTuple):
    """Shape of a network: everything that decides how its parameters are laid out and used (all integers).

    The outputs are ``y = g(V h_T + D x + c)``: h_T the top layer's state at step T, x the inputs of the whole window,
    and D zero but for the middle one of each group of `output_group` = Q outputs (odd), the median of Q quantiles.
    `dilations` are the steps back, layer by layer, from which the state before is taken, h_{t - d} for h_{t - 1} (Chang
    et al. 2017); without them all are 1. With `residual` a layer above the first adds what it takes to its state, and
    hands on the sum (He et al. 2016); its recurrence goes on from the state alone.

    `direct_steps` is the window's length T; with 0 there is no D. The idea is that of the autoregressive part of LSTNet
    (Lai et al. 2018), what is linear beside what is not; here each horizon step has its own.

    The recurrent layers take the last `recurrent_steps` steps of the window, or with 0 all of them: far back, what is
    linear is most of what there is to find, and a step of D costs little. D takes the first `direct_features` features
    of a step, or with 0 all of them.
    """

    cell: int
    input_size: int
    hidden_size: int
    layers: int
    outputs: int
    output_activation: int = IDENTITY
    direct_steps: int = 0
    output_group: int = 1
    residual: int = 0
    dilations: tuple[int, ...] = ()
    recurrent_steps: int = 0
    direct_features: int = 0

    @property
    def depth(self) -> int:
        """Steps back that some layer takes a state from, at most."""
        return max(self.dilations, default=1)

    def dilation(self, layer: int) -> int:
        """Steps back from which a layer takes the state before."""
        return self.dilations[layer] if self.dilations else 1

    @property
    def direct_part(self) -> int:
        """Features of a step that the direct connection takes."""
        return self.direct_features or self.input_size

    @property
    def direct_width(self) -> int:
        """Inputs that it takes of a window."""
        return self.direct_steps * self.direct_part

    def recurrent(self, steps: int) -> int:
        """Steps of a window of T `steps` that the recurrent layers take, the last ones."""
        return min(steps, self.recurrent_steps) if self.recurrent_steps else steps


def check_shape(shape: Shape) -> None:
    """Raise ValueError if a field of `shape` is out of its range."""
    if shape.cell not in (RNN_TANH, RNN_SIGMOID, GRU, LSTM):
        raise ValueError(f"cell is one of the codes 0 to 3, got {shape.cell}")
    if shape.output_activation not in (IDENTITY, SIGMOID, TANH):
        raise ValueError(f"output_activation is one of the codes 0 to 2, got {shape.output_activation}")
    for name in ("input_size", "hidden_size", "layers", "outputs"):
        if getattr(shape, name) < 1:
            raise ValueError(f"{name} is at least 1, got {getattr(shape, name)}")
    if shape.direct_steps < 0:
        raise ValueError(f"direct_steps is not negative, got {shape.direct_steps}")
    if shape.recurrent_steps < 0:
        raise ValueError(f"recurrent_steps is not negative, got {shape.recurrent_steps}")
    if not 0 <= shape.direct_features <= shape.input_size:
        raise ValueError(f"direct_features are 0 to {shape.input_size}, got {shape.direct_features}")
    if shape.residual not in (0, 1):
        raise ValueError(f"residual is 0 or 1, got {shape.residual}")
    if len(shape.dilations) not in (0, shape.layers) or min(shape.dilations, default=1) < 1:
        raise ValueError(f"dilations are {shape.layers} numbers of at least 1, got {shape.dilations}")
    group = shape.output_group
    if group < 1 or group % 2 == 0 or shape.outputs % group != 0:
        raise ValueError(f"output_group is odd and divides the {shape.outputs} outputs, got {group}")


def check_direct(shape: Shape, steps: int, every_step: bool) -> None:
    """Raise ValueError if windows of `steps`, and those outputs, do not go with the direct connection of `shape`."""
    if shape.direct_steps and every_step:
        raise ValueError(f"direct_steps is 0 where every step gives outputs, got {shape.direct_steps}")
    if shape.recurrent_steps and every_step:
        raise ValueError(f"recurrent_steps is 0 where every step gives outputs, got {shape.recurrent_steps}")
    if shape.direct_steps not in (0, steps):
        raise ValueError(f"inputs have T = {shape.direct_steps} steps, the direct_steps of the network, got {steps}")


def middle_rows(shape: Shape) -> slice:
    """Outputs (K of them) that place a forecast, and that the direct connection feeds: the middle one of each group."""
    return slice(shape.output_group // 2, shape.outputs, shape.output_group)


def gate_rows(shape: Shape) -> tuple[int, int, int]:
    """Rows of the gates (R), rows that take the input (from row 0), first row that takes the previous state.

    The input rows and the recurrent rows are equally many; in a GRU they overlap only in r and z.
    """
    hidden = shape.hidden_size
    if shape.cell == GRU:
        return 4 * hidden, 3 * hidden, hidden
    if shape.cell == LSTM:
        return 4 * hidden, 4 * hidden, 0
    return hidden, hidden, 0


def parameter_layout(shape: Shape) -> dict[str, tuple[int, tuple[int, ...]]]:
    """Name -> (offset, shape) of every parameter array in the one flat vector, in the order in which they lie.

    For a layer: ``input_weight`` (R_x, F or H), ``bias`` (R_x,), for a GRU ``recurrent_bias`` (H,), then
    ``recurrent_weight`` (R_h, H); after the layers ``output.weight`` (O, H) and ``output.bias`` (O,); with a direct
    connection at last ``direct.weight`` (K, T * D), whose column t * D + f takes feature f of step t.
    """
    _, rows, _ = gate_rows(shape)
    hidden = shape.hidden_size
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in range(shape.layers):
        shapes[f"layer{layer}.input_weight"] = (rows, shape.input_size if layer == 0 else hidden)
        shapes[f"layer{layer}.bias"] = (rows,)
        if shape.cell == GRU:
            shapes[f"layer{layer}.recurrent_bias"] = (hidden,)
        shapes[f"layer{layer}.recurrent_weight"] = (rows, hidden)
    shapes["output.weight"] = (shape.outputs, hidden)
    shapes["output.bias"] = (shape.outputs,)
    if shape.direct_steps:
        shapes["direct.weight"] = (shape.outputs // shape.output_group, shape.direct_width)
    layout, offset = {}, 0
    for name, dimensions in shapes.items():
        layout[name] = (offset, dimensions)
        offset += int(np.prod(dimensions))
    return layout


def parameter_count(shape: Shape) -> int:
    """Length P of the flat parameter vector."""
    return sum(int(np.prod(dimensions)) for _, dimensions in parameter_layout(shape).values())


def state_shape(shape: Shape, batch: int) -> tuple[int, ...]:
    """Shape (1 or 2, L, depth, H, B) of the states of the last steps: hidden ones and, of an LSTM, cell states."""
    return (2 if shape.cell == LSTM else 1, shape.layers, shape.depth, shape.hidden_size, batch)
