"""The network in NumPy alone, written from the equations: forward, and backward through time.

It is the oracle of the kernels, and the engine of a forecast that does not load Numba. Same layout and shapes as the
kernels: one flat parameter vector (P,), inputs (T, F, B), outputs (O, B) or (T, O, B). Head, losses and optimiser
stand in `twin_loss`.

Letters: T steps, T' those of them that the recurrent layers take, F features (of the layer at hand), B batch, H hidden
units, O outputs, R gate rows, K outputs that the direct connection feeds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnncast.core.shape import (
    GRU,
    LSTM,
    RNN_SIGMOID,
    RNN_TANH,
    SIGMOID,
    TANH,
    Shape,
    check_direct,
    check_shape,
    middle_rows,
    parameter_count,
    parameter_layout,
    state_shape,
)
from rnncast.core.twin_loss import head_quantiles, loss_and_gradient, optimiser_step

__all__ = [
    "backward",
    "forward",
    "forward_from",
    "head_quantiles",
    "loss_and_gradient",
    "optimiser_step",
    "sigmoid",
    "unpack",
]

Array = NDArray[Any]


class Trace(NamedTuple):
    """What one layer leaves for its way back."""

    x: Array  # (T, F, B) what it took
    h: Array  # (d+T, H, B) states, the initial ones first
    c: Array  # (d+T, H, B) cell states of an LSTM; (0,) otherwise
    gates: Array  # (T, R, B) activations: Elman h; GRU q r z n_h; LSTM i f g o; of the last step alone, if not traced


def sigmoid(x: Array) -> Array:
    """Logistic function ``1 / (1 + exp(-x))``, by the hyperbolic tangent so that nothing overflows."""
    half = x.dtype.type(0.5)
    return np.asarray(half + half * np.tanh(half * x))


def unpack(shape: Shape, vector: Array) -> dict[str, Array]:
    """Views of a flat vector (P,) by the names of the layout."""
    check_shape(shape)
    if np.shape(vector) != (parameter_count(shape),):
        raise ValueError(f"parameters have shape ({parameter_count(shape)},), got {np.shape(vector)}")
    return {
        name: vector[offset : offset + int(np.prod(dimensions))].reshape(dimensions)
        for name, (offset, dimensions) in parameter_layout(shape).items()
    }


def forward(
    shape: Shape,
    parameters: Array,
    inputs: Array,
    every_step: bool = False,
    *,
    lengths: ArrayLike | None = None,
    state: Array | None = None,
) -> Array:
    """Outputs (O, B), or (T, O, B) with `every_step`, of inputs (T, F, B); in the dtype of the parameters.

    `lengths` (B,) are the steps at the end that each window has, `state` is what it begins with; see `Engine`.
    """
    return forward_from(shape, parameters, inputs, every_step, lengths=lengths, state=state)[0]


def forward_from(
    shape: Shape,
    parameters: Array,
    inputs: Array,
    every_step: bool = False,
    *,
    lengths: ArrayLike | None = None,
    state: Array | None = None,
) -> tuple[Array, Array]:
    """Outputs as `forward` gives them, and the state of the last steps (1 or 2, L, depth, H, B)."""
    weights = unpack(shape, parameters)
    inputs = _checked(shape, parameters, inputs, every_step)  # (T, F, B)
    h = inputs[len(inputs) - shape.recurrent(len(inputs)) :]  # (T', F, B)
    begun = _begun(h, lengths)
    state = np.zeros(state_shape(shape, inputs.shape[2]), inputs.dtype) if state is None else state
    left = np.empty_like(state)
    for layer in range(shape.layers):
        trace = _layer_forward(shape, weights, layer, h, begun, state[:, layer], traced=False)
        for part, states in enumerate((trace.h, trace.c)[: len(state)]):
            whole = np.concatenate([state[part, layer], states[shape.dilation(layer) :]])  # (depth+T, H, B)
            left[part, layer] = whole[-shape.depth :]
        h = _handed_on(shape, layer, trace)  # (T, H, B)
    return output_forward(shape, weights, h if every_step else h[-1], inputs), left


def backward(
    shape: Shape,
    parameters: Array,
    inputs: Array,
    doutputs: Array,
    *,
    lengths: ArrayLike | None = None,
    state: Array | None = None,
) -> tuple[Array, Array]:
    """Gradient (P,) and input gradient (T, F, B) of ``sum(doutputs * outputs)``.

    `doutputs` is (O, B) for outputs at the last step, (T, O, B) for outputs at every step. A state that the windows
    begin with is taken for constant.
    """
    weights = unpack(shape, parameters)
    gradient = np.zeros_like(parameters)  # (P,)
    dweights = unpack(shape, gradient)  # views: filling them fills the gradient
    traces = []
    inputs = _checked(shape, parameters, inputs, doutputs.ndim == 3)  # (T, F, B)
    h = inputs[len(inputs) - shape.recurrent(len(inputs)) :]  # (T', F, B)
    begun = _begun(h, lengths)
    state = np.zeros(state_shape(shape, inputs.shape[2]), inputs.dtype) if state is None else state
    for layer in range(shape.layers):
        traces.append(_layer_forward(shape, weights, layer, h, begun, state[:, layer], traced=True))
        h = _handed_on(shape, layer, traces[-1])  # (T, H, B)
    if doutputs.ndim == 2:  # the loss sees the last step only
        doutputs = np.concatenate([np.zeros((len(h) - 1, *doutputs.shape), h.dtype), doutputs[None]])  # (T, O, B)
    dx, direct_dx = output_backward(shape, weights, dweights, h, inputs, doutputs)
    for layer in reversed(range(shape.layers)):
        below = _layer_backward(shape, weights, dweights, layer, traces[layer], dx, begun)
        dx = below + dx if shape.residual and layer > 0 else below
    direct_dx[len(inputs) - len(dx) :] += dx
    return gradient, direct_dx


def _begun(inputs: Array, lengths: ArrayLike | None) -> Array | None:
    """Whether a window has begun at a step (T, 1, B), as 0 or 1; None where all begin at the first."""
    if lengths is None:
        return None
    steps = len(inputs)
    begun = np.arange(steps)[:, None] >= steps - np.asarray(lengths)  # (T, B)
    return np.asarray(begun[:, None].astype(inputs.dtype))


def _handed_on(shape: Shape, layer: int, trace: Trace) -> Array:
    """What a layer hands on (T, H, B): its states, with a residual link the sums with what it took."""
    states = trace.h[shape.dilation(layer) :]
    return states + trace.x if shape.residual and layer > 0 else states


def _checked(shape: Shape, parameters: Array, inputs: Array, every_step: bool) -> Array:
    """Inputs (T, F, B) in the dtype of the parameters; ValueError if they do not fit the network."""
    x = np.asarray(inputs, parameters.dtype)  # (T, F, B)
    if x.ndim != 3 or x.shape[0] < 1 or x.shape[1] != shape.input_size:
        raise ValueError(f"inputs have shape (T, {shape.input_size}, B) with T at least 1, got {x.shape}")
    check_direct(shape, len(x), every_step)
    return x


def output_forward(shape: Shape, weights: dict[str, Array], h: Array, x: Array) -> Array:
    """``y = g(V h + D x + c)`` for states h (..., H, B) and the inputs x (T, F, B) of the whole window."""
    y = weights["output.weight"] @ h + weights["output.bias"][:, None]  # (..., O, B)
    if shape.direct_steps:
        y[..., middle_rows(shape), :] += weights["direct.weight"] @ _direct_inputs(shape, x)  # (K, B)
    if shape.output_activation == SIGMOID:
        return sigmoid(y)
    return np.tanh(y) if shape.output_activation == TANH else np.asarray(y)


def _direct_inputs(shape: Shape, x: Array) -> Array:
    """What the direct connection takes (T * D, B) of the inputs (T, F, B)."""
    return x[:, : shape.direct_part].reshape(-1, x.shape[2])


def output_backward(
    shape: Shape, weights: dict[str, Array], dweights: dict[str, Array], h: Array, x: Array, dy: Array
) -> tuple[Array, Array]:
    """Gradients of the top layer's states (T, H, B) and of the inputs' direct way (T, F, B) from dy (T, O, B).

    Fills those of the output layer and of the direct connection, which only the last step sees.
    """
    y = output_forward(shape, weights, h, x)
    if shape.output_activation == SIGMOID:
        dy = dy * y * (1 - y)
    elif shape.output_activation == TANH:
        dy = dy * (1 - y * y)
    dweights["output.weight"][:] = np.einsum("tob,thb->oh", dy, h)
    dweights["output.bias"][:] = dy.sum(axis=(0, 2))
    dx = np.zeros_like(x)  # (T, F, B)
    if shape.direct_steps:
        dmiddle = dy[-1, middle_rows(shape)]  # (K, B)
        dweights["direct.weight"][:] = dmiddle @ _direct_inputs(shape, x).T
        dx[:, : shape.direct_part] += (weights["direct.weight"].T @ dmiddle).reshape(len(x), -1, x.shape[2])
    return np.asarray(weights["output.weight"].T @ dy), dx


def _layer_forward(
    shape: Shape, weights: dict[str, Array], layer: int, x: Array, begun: Array | None, state: Array, traced: bool
) -> Trace:
    """One layer over all steps.

    `state` (1 or 2, depth, H, B) is what it begins with; until a window has begun its states stay zero. Unless it is to
    be `traced` for the way back, one step's gates are kept alone: memory that nobody reads again takes its time.
    """
    steps, _, batch = x.shape
    hidden = shape.hidden_size
    recurrent = weights[f"layer{layer}.recurrent_weight"]  # (R_h, H)
    of_inputs = weights[f"layer{layer}.input_weight"]  # (R_x, F)
    bias = weights[f"layer{layer}.bias"][:, None]  # (R_x, 1)
    back = shape.dilation(layer)
    h = np.zeros((back + steps, hidden, batch), x.dtype)  # (d+T, H, B)
    c = np.zeros((back + steps, hidden, batch) if shape.cell == LSTM else 0, x.dtype)  # (d+T, H, B)
    h[:back] = state[0, shape.depth - back :]
    if shape.cell == LSTM:
        c[:back] = state[1, shape.depth - back :]
    rows = (1 if shape.cell in (RNN_TANH, RNN_SIGMOID) else 4) * hidden
    gates = np.empty((steps if traced else 1, rows, batch), x.dtype)  # (T, R, B)
    for t in range(steps):
        own = gates[t if traced else 0]  # (R, B)
        sums = of_inputs @ x[t] + bias  # (R_x, B)
        product = recurrent @ h[t]  # (R_h, B), of the state d steps back
        if shape.cell == GRU:
            _gru_step(sums, product, weights[f"layer{layer}.recurrent_bias"], own, h[t], h[back + t])
        elif shape.cell == LSTM:
            _lstm_step(sums + product, own, c[t], c[back + t], h[back + t])
        else:
            squash = np.tanh if shape.cell == RNN_TANH else sigmoid
            own[:] = h[back + t] = squash(sums + product)
        if begun is not None:
            for states in (h, c)[: len(state)]:
                states[back + t] *= begun[t]
    return Trace(x, h, c, gates)


def _gru_step(a: Array, product: Array, bias: Array, gates: Array, before: Array, h: Array) -> None:
    """``q = tanh(a_n + r n_h)``, ``h = (1 - z) q + z h'`` with n_h = U_n h' + c_n; fills `gates` (4H, B) and h."""
    n = len(h)
    reset_update = sigmoid(a[n:] + product[: 2 * n])  # (2H, B)
    r, z = reset_update[:n], reset_update[n:]
    nh = product[2 * n :] + bias[:, None]  # (H, B)
    q = np.tanh(a[:n] + r * nh)
    gates[:n], gates[n : 3 * n], gates[3 * n :] = q, reset_update, nh
    h[:] = (1 - z) * q + z * before


def _lstm_step(a: Array, gates: Array, c_before: Array, c: Array, h: Array) -> None:
    """``c = f c' + i g``, ``h = o tanh(c)``; fills `gates` (4H, B), c and h."""
    n = len(h)
    gates[: 2 * n] = sigmoid(a[: 2 * n])
    gates[2 * n : 3 * n] = np.tanh(a[2 * n : 3 * n])
    gates[3 * n :] = sigmoid(a[3 * n :])
    i, f, g, o = gates.reshape(4, n, -1)
    c[:] = f * c_before + i * g
    h[:] = o * np.tanh(c)


def _layer_backward(
    shape: Shape,
    weights: dict[str, Array],
    dweights: dict[str, Array],
    layer: int,
    trace: Trace,
    dh_above: Array,
    begun: Array | None,
) -> Array:
    """Input gradient (T, F, B) of one layer from that of its states (T, H, B); fills those of its parameters."""
    name = f"layer{layer}."
    back = shape.dilation(layer)
    da_x, da_h = _sums_backward(shape, weights[name + "recurrent_weight"], trace, dh_above, back, begun)
    dweights[name + "input_weight"][:] = np.einsum("trb,tfb->rf", da_x, trace.x)
    dweights[name + "bias"][:] = da_x.sum(axis=(0, 2))
    dweights[name + "recurrent_weight"][:] = np.einsum("trb,thb->rh", da_h, trace.h[:-back])
    if shape.cell == GRU:
        dweights[name + "recurrent_bias"][:] = da_h[:, 2 * shape.hidden_size :].sum(axis=(0, 2))
    return np.asarray(weights[name + "input_weight"].T @ da_x)


def _sums_backward(
    shape: Shape, recurrent: Array, trace: Trace, dh_above: Array, back: int, begun: Array | None
) -> tuple[Array, Array]:
    """Gradients of the input sums (T, R_x, B) and of the recurrent sums (T, R_h, B), last step first."""
    steps = len(trace.gates)
    da_x = np.empty((steps, len(recurrent), trace.h.shape[2]), trace.h.dtype)  # (T, R_x, B)
    da_h = np.empty_like(da_x)  # (T, R_h, B)
    dhs = [np.zeros_like(trace.h[0])] * back  # (H, B) each, what comes back from step t + d
    dcs = [np.zeros_like(trace.h[0])] * back  # (H, B)
    for t in reversed(range(steps)):
        dh, dc = dhs[t % back] + dh_above[t], dcs[t % back]
        if begun is not None:
            dh, dc = dh * begun[t], dc * begun[t]
        h, before, gates = trace.h[back + t], trace.h[t], trace.gates[t]
        if shape.cell == GRU:
            da_x[t], da_h[t], dh = _gru_step_backward(dh, gates, before)
        elif shape.cell == LSTM:
            da_x[t], dcs[t % back] = _lstm_step_backward(dh, dc, gates, trace.c[t], trace.c[back + t])
            da_h[t], dh = da_x[t], np.zeros_like(dh)
        else:
            da_x[t] = da_h[t] = dh * (1 - h * h if shape.cell == RNN_TANH else h * (1 - h))
            dh = np.zeros_like(dh)
        dhs[t % back] = dh + recurrent.T @ da_h[t]
    return da_x, da_h


def _gru_step_backward(dh: Array, gates: Array, before: Array) -> tuple[Array, Array, Array]:
    """Gradients of the input sums (n r z), of the recurrent sums (r z n_h), and what goes straight to h_{t-1}."""
    q, r, z, nh = gates.reshape(4, len(dh), -1)
    dz = dh * (before - q) * z * (1 - z)
    dn = dh * (1 - z) * (1 - q * q)
    dr = dn * nh * r * (1 - r)
    return np.concatenate([dn, dr, dz]), np.concatenate([dr, dz, dn * r]), dh * z


def _lstm_step_backward(dh: Array, dc: Array, gates: Array, c_before: Array, c: Array) -> tuple[Array, Array]:
    """Gradients of the sums (i f g o) and of c_{t-1}."""
    i, f, g, o = gates.reshape(4, len(dh), -1)
    squashed = np.tanh(c)
    dc = dc + dh * o * (1 - squashed * squashed)
    di, df = dc * g * i * (1 - i), dc * c_before * f * (1 - f)
    dg, do = dc * i * (1 - g * g), dh * squashed * o * (1 - o)
    return np.concatenate([di, df, dg, do]), dc * f
