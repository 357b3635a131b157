"""The recurrent cells: one step forward and one step backward of each, side by side.

A step works on flat parts of the workspace `w`: gates (R, S), states and cell states (H, S), given by their offsets;
``n`` = H * S numbers to a gate, whole vectors. Forward finds the gates' sums (bias, input and recurrent products) in
the gates and leaves their activations there; backward turns those into the gradients of the sums, in place.

Backward finds the whole gradient of h_t at `dstate`. Where `keeps_part` is true it leaves there the part of the
gradient of h_{t-1} that does not go through the recurrent product; otherwise there is no such part.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.activations import sigmoid, tanh
from rnncast.core.jit import jit
from rnncast.core.shape import GRU, LSTM, RNN_TANH
from rnncast.core.vector import load, store, width


@jit
def elman_forward(w: Any, gates: int, state: int, n: int, cell: int) -> None:
    """``h_t = f(W x_t + U h_{t-1} + b)``, f the hyperbolic tangent or the logistic function (Elman 1990)."""
    for i in range(0, n, width(w)):
        a = load(w, gates + i)
        store(w, state + i, tanh(a) if cell == RNN_TANH else sigmoid(a))


@jit
def elman_backward(w: Any, gates: int, state: int, dstate: int, n: int, cell: int) -> None:
    """``da = dh f'(a)`` with f' = 1 - h^2 (hyperbolic tangent) or h (1 - h) (logistic)."""
    for i in range(0, n, width(w)):
        h = load(w, state + i)
        dh = load(w, dstate + i)
        store(w, gates + i, dh * (1.0 - h * h) if cell == RNN_TANH else dh * h * (1.0 - h))


@jit
def gru_forward(w: Any, gates: int, state: int, state_before: int, n: int) -> None:
    """Gated recurrent unit (Cho et al. 2014), reset after the product (the variant of cuDNN, PyTorch and Keras).

    ``r = sigmoid(W_r x + U_r h' + b_r)``, ``z = sigmoid(W_z x + U_z h' + b_z)``,
    ``q = tanh(W_n x + b_n + r (U_n h' + c_n))``, ``h = (1 - z) q + z h'``, with h' = h_{t-1}.

    Gates: n_x = W_n x + b_n (becomes q), r, z, n_h = U_n h' + c_n (stays).
    """
    for i in range(gates, gates + n, width(w)):
        r = sigmoid(load(w, i + n))
        z = sigmoid(load(w, i + 2 * n))
        q = tanh(load(w, i) + r * load(w, i + 3 * n))
        store(w, i, q)
        store(w, i + n, r)
        store(w, i + 2 * n, z)
        before = load(w, state_before + i - gates)
        store(w, state + i - gates, q + z * (before - q))


@jit
def gru_backward(w: Any, gates: int, state_before: int, dstate: int, n: int) -> None:
    """Gradients of the sums of `gru_forward`; `dstate` becomes ``dh z``.

    ``da_n = dh (1 - z) (1 - q^2)`` (row n_x), ``da_r = da_n n_h r (1 - r)``, ``da_z = dh (h' - q) z (1 - z)``,
    ``dn_h = da_n r``.
    """
    for i in range(gates, gates + n, width(w)):
        q = load(w, i)
        r = load(w, i + n)
        z = load(w, i + 2 * n)
        nh = load(w, i + 3 * n)
        dh = load(w, dstate + i - gates)
        dn = dh * (1.0 - z) * (1.0 - q * q)
        store(w, i, dn)
        store(w, i + n, dn * nh * r * (1.0 - r))
        store(w, i + 2 * n, dh * (load(w, state_before + i - gates) - q) * z * (1.0 - z))
        store(w, i + 3 * n, dn * r)
        store(w, dstate + i - gates, dh * z)


@jit
def lstm_forward(w: Any, gates: int, cells: int, cells_before: int, state: int, n: int) -> None:
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gate (Gers et al. 2000), no peepholes.

    ``i = sigmoid(W_i x + U_i h' + b_i)``, likewise f and o, ``g = tanh(W_g x + U_g h' + b_g)``,
    ``c = f c' + i g``, ``h = o tanh(c)``. Gates: i, f, g, o.
    """
    for k in range(gates, gates + n, width(w)):
        i = sigmoid(load(w, k))
        f = sigmoid(load(w, k + n))
        g = tanh(load(w, k + 2 * n))
        o = sigmoid(load(w, k + 3 * n))
        c = f * load(w, cells_before + k - gates) + i * g
        store(w, k, i)
        store(w, k + n, f)
        store(w, k + 2 * n, g)
        store(w, k + 3 * n, o)
        store(w, cells + k - gates, c)
        store(w, state + k - gates, o * tanh(c))


@jit
def lstm_backward(w: Any, gates: int, cells: int, cells_before: int, dstate: int, dcell: int, n: int) -> None:
    """Gradients of the sums of `lstm_forward`; `dcell` goes from dc_t to dc_{t-1}.

    ``dc += dh o (1 - tanh(c)^2)``, ``da_i = dc g i (1 - i)``, ``da_f = dc c' f (1 - f)``, ``da_g = dc i (1 - g^2)``,
    ``da_o = dh tanh(c) o (1 - o)``, ``dc' = dc f``.
    """
    for k in range(gates, gates + n, width(w)):
        i = load(w, k)
        f = load(w, k + n)
        g = load(w, k + 2 * n)
        o = load(w, k + 3 * n)
        squashed = tanh(load(w, cells + k - gates))
        dh = load(w, dstate + k - gates)
        dc = load(w, dcell + k - gates) + dh * o * (1.0 - squashed * squashed)
        store(w, k, dc * g * i * (1.0 - i))
        store(w, k + n, dc * load(w, cells_before + k - gates) * f * (1.0 - f))
        store(w, k + 2 * n, dc * i * (1.0 - g * g))
        store(w, k + 3 * n, dh * squashed * o * (1.0 - o))
        store(w, dcell + k - gates, dc * f)


@jit
def keeps_part(cell: int) -> bool:
    """Whether a part of the gradient of h_{t-1} does not go through the recurrent product."""
    return cell == GRU


@jit
def cell_forward(
    w: Any, cell: int, gates: int, cells: int, cells_before: int, state: int, state_before: int, n: int
) -> None:
    """One step forward of the cell with code `cell`."""
    if cell == LSTM:
        lstm_forward(w, gates, cells, cells_before, state, n)
    elif cell == GRU:
        gru_forward(w, gates, state, state_before, n)
    else:
        elman_forward(w, gates, state, n, cell)


@jit
def cell_backward(
    w: Any, cell: int, gates: int, cells: int, cells_before: int, state: int, state_before: int, dstate: int,
    dcell: int, n: int,
) -> None:  # fmt: skip
    """One step backward of the cell with code `cell`."""
    if cell == LSTM:
        lstm_backward(w, gates, cells, cells_before, dstate, dcell, n)
    elif cell == GRU:
        gru_backward(w, gates, state_before, dstate, n)
    else:
        elman_backward(w, gates, state, dstate, n, cell)
