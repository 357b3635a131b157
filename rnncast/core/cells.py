"""The recurrent cells: one step forward and one step backward of each, side by side.

A step works on flat parts of the workspace `w`: gates (R, S), states and cell states (H, S), given by their offsets;
``n`` = H * S numbers to a gate. Forward finds the gates' sums (bias, input and recurrent products) in the gates and
leaves their activations there; backward turns those into the gradients of the sums, in place.

Backward finds the whole gradient of h_t at `dstate` and leaves there the part of the gradient of h_{t-1} that does not
go through the recurrent product.
"""

from __future__ import annotations

from typing import Any

from rnncast.core.activations import sigmoid_in_place, tanh, tanh_in_place
from rnncast.core.jit import jit
from rnncast.core.layout import GRU, LSTM, RNN_TANH


@jit
def elman_forward(w: Any, gates: int, state: int, n: int, cell: int) -> None:
    """``h_t = f(W x_t + U h_{t-1} + b)``, f the hyperbolic tangent or the logistic function (Elman 1990)."""
    if cell == RNN_TANH:
        tanh_in_place(w, gates, n)
    else:
        sigmoid_in_place(w, gates, n)
    a = w[gates : gates + n]
    h = w[state : state + n]
    for i in range(n):
        h[i] = a[i]


@jit
def elman_backward(w: Any, gates: int, dstate: int, n: int, cell: int) -> None:
    """``da = dh f'(a)`` with f' = 1 - h^2 (hyperbolic tangent) or h (1 - h) (logistic)."""
    a = w[gates : gates + n]
    dh = w[dstate : dstate + n]
    zero = w.dtype.type(0)
    one = w.dtype.type(1)
    if cell == RNN_TANH:
        for i in range(n):
            a[i] = dh[i] * (one - a[i] * a[i])
            dh[i] = zero
    else:
        for i in range(n):
            a[i] = dh[i] * a[i] * (one - a[i])
            dh[i] = zero


@jit
def gru_forward(w: Any, gates: int, state: int, state_before: int, n: int) -> None:
    """Gated recurrent unit (Cho et al. 2014), reset after the product (the variant of cuDNN, PyTorch and Keras).

    ``r = sigmoid(W_r x + U_r h' + b_r)``, ``z = sigmoid(W_z x + U_z h' + b_z)``,
    ``q = tanh(W_n x + b_n + r (U_n h' + c_n))``, ``h = (1 - z) q + z h'``, with h' = h_{t-1}.

    Gates: n_x = W_n x + b_n (becomes q), r, z, n_h = U_n h' + c_n (stays).
    """
    sigmoid_in_place(w, gates + n, 2 * n)
    q = w[gates : gates + n]
    r = w[gates + n : gates + 2 * n]
    z = w[gates + 2 * n : gates + 3 * n]
    nh = w[gates + 3 * n : gates + 4 * n]
    for i in range(n):
        q[i] = tanh(q[i] + r[i] * nh[i])
    h = w[state : state + n]
    before = w[state_before : state_before + n]
    for i in range(n):
        h[i] = q[i] + z[i] * (before[i] - q[i])


@jit
def gru_backward(w: Any, gates: int, state_before: int, dstate: int, n: int) -> None:
    """Gradients of the sums of `gru_forward`; `dstate` becomes ``dh z``.

    ``da_n = dh (1 - z) (1 - q^2)`` (row n_x), ``da_r = da_n n_h r (1 - r)``, ``da_z = dh (h' - q) z (1 - z)``,
    ``dn_h = da_n r``.
    """
    q = w[gates : gates + n]
    r = w[gates + n : gates + 2 * n]
    z = w[gates + 2 * n : gates + 3 * n]
    nh = w[gates + 3 * n : gates + 4 * n]
    before = w[state_before : state_before + n]
    dh = w[dstate : dstate + n]
    one = w.dtype.type(1)
    for i in range(n):
        d = dh[i]
        qi = q[i]
        ri = r[i]
        zi = z[i]
        dn = d * (one - zi) * (one - qi * qi)
        dr = dn * nh[i] * ri * (one - ri)
        dz = d * (before[i] - qi) * zi * (one - zi)
        q[i] = dn
        r[i] = dr
        z[i] = dz
        nh[i] = dn * ri
        dh[i] = d * zi


@jit
def lstm_forward(w: Any, gates: int, cells: int, cells_before: int, state: int, n: int) -> None:
    """Long short-term memory (Hochreiter & Schmidhuber 1997) with forget gate (Gers et al. 2000), no peepholes.

    ``i = sigmoid(W_i x + U_i h' + b_i)``, likewise f and o, ``g = tanh(W_g x + U_g h' + b_g)``,
    ``c = f c' + i g``, ``h = o tanh(c)``. Gates: i, f, g, o.
    """
    sigmoid_in_place(w, gates, 2 * n)
    tanh_in_place(w, gates + 2 * n, n)
    sigmoid_in_place(w, gates + 3 * n, n)
    i_gate = w[gates : gates + n]
    f_gate = w[gates + n : gates + 2 * n]
    g_gate = w[gates + 2 * n : gates + 3 * n]
    o_gate = w[gates + 3 * n : gates + 4 * n]
    c = w[cells : cells + n]
    before = w[cells_before : cells_before + n]
    h = w[state : state + n]
    for i in range(n):
        c[i] = f_gate[i] * before[i] + i_gate[i] * g_gate[i]
    for i in range(n):
        h[i] = o_gate[i] * tanh(c[i])


@jit
def lstm_backward(w: Any, gates: int, cells: int, cells_before: int, dstate: int, dcell: int, n: int) -> None:
    """Gradients of the sums of `lstm_forward`; `dcell` goes from dc_t to dc_{t-1}, `dstate` becomes zero.

    ``dc += dh o (1 - tanh(c)^2)``, ``da_i = dc g i (1 - i)``, ``da_f = dc c' f (1 - f)``, ``da_g = dc i (1 - g^2)``,
    ``da_o = dh tanh(c) o (1 - o)``, ``dc' = dc f``.
    """
    i_gate = w[gates : gates + n]
    f_gate = w[gates + n : gates + 2 * n]
    g_gate = w[gates + 2 * n : gates + 3 * n]
    o_gate = w[gates + 3 * n : gates + 4 * n]
    c = w[cells : cells + n]
    before = w[cells_before : cells_before + n]
    dh = w[dstate : dstate + n]
    dc = w[dcell : dcell + n]
    zero = w.dtype.type(0)
    one = w.dtype.type(1)
    for i in range(n):
        squashed = tanh(c[i])
        ii = i_gate[i]
        fi = f_gate[i]
        gi = g_gate[i]
        oi = o_gate[i]
        d = dc[i] + dh[i] * oi * (one - squashed * squashed)
        do = dh[i] * squashed * oi * (one - oi)
        df = d * before[i] * fi * (one - fi)
        i_gate[i] = d * gi * ii * (one - ii)
        f_gate[i] = df
        g_gate[i] = d * ii * (one - gi * gi)
        o_gate[i] = do
        dc[i] = d * fi
        dh[i] = zero


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
    w: Any, cell: int, gates: int, cells: int, cells_before: int, state_before: int, dstate: int, dcell: int, n: int
) -> None:
    """One step backward of the cell with code `cell`."""
    if cell == LSTM:
        lstm_backward(w, gates, cells, cells_before, dstate, dcell, n)
    elif cell == GRU:
        gru_backward(w, gates, state_before, dstate, n)
    else:
        elman_backward(w, gates, dstate, n, cell)
