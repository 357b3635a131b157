"""The simplex method of Nelder and Mead for many small problems at once.

Source: Nelder & Mead (1965), "A simplex method for function minimization", with the usual coefficients 1, 2, 1/2, 1/2.

Dimension letters: `P` parameters of a problem, `S` problems, `C` points a problem, `V = P + 1` vertices.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

Objective = Callable[[Floats, Integers], Floats]
"""Values (C, S) at points (P, C, S) of the problems whose numbers (S,) are given."""


def minimise(
    objective: Objective, start: Floats, step: Floats, *, tolerance: float = 1e-8, iterations: int = 300
) -> Floats:
    """Points (P, S) at which functions are least, found from one start for each; none needs a derivative.

    A problem is done when the values at its vertices differ by no more than `tolerance`, and is left out of the calls
    that follow; what is found for it does not depend on the others.

    Parameters
    ----------
    objective
        The functions; each value must depend on its own problem and point alone, and be no NaN.
    start : float64 (P, S)
        First vertex.
    step : float64 (P,)
        Distance of each other vertex from it, along one parameter each.
    tolerance, iterations
        When to stop: spread of the values, and the most iterations.
    """
    found = start.copy()  # (P, S)
    number = np.arange(start.shape[1])  # (S,)
    vertices = start[:, None] + np.concatenate((np.zeros((len(step), 1)), np.diag(step)), axis=1)[:, :, None]  # (P,V,S)
    values = objective(vertices, number)  # (V, S)
    for _ in range(iterations):
        order = np.argsort(values, axis=0, kind="stable")  # (V, S) best first
        values = np.take_along_axis(values, order, axis=0)
        vertices = np.take_along_axis(vertices, order[None], axis=1)
        found[:, number] = vertices[:, 0]
        going = values[-1] - values[0] > tolerance  # (S,)
        if not going.any():
            break
        number, values, vertices = number[going], values[:, going], vertices[:, :, going]
        shrunk = _move_worst(objective, vertices, values, number)  # (problems to shrink,)
        if len(shrunk):
            vertices[:, 1:, shrunk] = (vertices[:, 1:, shrunk] + vertices[:, :1, shrunk]) / 2
            values[1:, shrunk] = objective(vertices[:, 1:, shrunk], number[shrunk])
    return found


def _move_worst(objective: Objective, vertices: Floats, values: Floats, number: Integers) -> Integers:
    """Replace the worst vertex of each simplex, vertices best first; the simplexes (S,) for which no move is better.

    Reflection, expansion and both contractions are tried in one call, whatever is then needed: its time lies in the
    number of calls.
    """
    centre = vertices[:, :-1].mean(axis=1)  # (P, S)
    away = centre - vertices[:, -1]  # (P, S)
    points = centre[:, None] + np.array([1.0, 2.0, 0.5, -0.5])[:, None] * away[:, None]  # (P, 4, S)
    tried = objective(points, number)  # (4, S)
    reflected, expanded, outside, inside = tried
    best, second_worst, worst = values[0], values[-2], values[-1]  # (S,) each
    choice = np.select(
        [reflected < best, reflected < second_worst, reflected < worst],
        [np.where(expanded < reflected, 1, 0), 0, np.where(outside <= reflected, 2, -1)],
        np.where(inside < worst, 3, -1),
    )  # (S,)
    moved = np.flatnonzero(choice >= 0)  # (simplexes that move,)
    vertices[:, -1, moved] = points[:, choice[moved], moved]
    values[-1, moved] = tried[choice[moved], moved]
    return np.flatnonzero(choice < 0)
