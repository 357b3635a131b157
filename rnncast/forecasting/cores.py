"""Which core computes a forecast: NumPy, which is there at once, or the kernels, for whose sake Numba is loaded.

Dimension letter: `S` series.
"""

from __future__ import annotations

import numpy as np

from rnncast.data.panel import Panel
from rnncast.errors import UsageError
from rnncast.model.model import History, Model
from rnncast.model.running import Work, kernels_pay, share_of_loading
from rnncast.records import dataclass

CORES = ("auto", "numpy", "numba")
"""Names of the cores, and that of the choice between them."""

CHUNK = 2048
"""Series forecast at once; bounds the memory of a very wide panel."""


@dataclass(frozen=True)
class Core:
    """The core that computes a forecast, and why.

    Attributes
    ----------
    name : {"numpy", "numba"}
        What computes.
    asked : bool
        Whether the user named it.
    series, steps : int
        Series, and steps of the network that come one after the other, those of all members together.
    share : float
        Time that NumPy takes, in that of loading the kernels.
    """

    name: str
    asked: bool
    series: int
    steps: int
    share: float

    @property
    def kernels(self) -> bool:
        """Whether the kernels compute."""
        return self.name == "numba"

    def describe(self) -> str:
        """In words: what computes, and what speaks for it."""
        name = f"{self.name}, as asked" if self.asked else self.name
        return (
            f"computed by {name}: {self.series:,} series in {self.steps:,} steps of the network are {self.share:.2g} "
            "of the work that pays for loading the kernels"
        )


def choose_core(model: Model, panel: Panel | None, horizon: int, wanted: str = "auto") -> Core:
    """The core for a forecast of so many steps; `auto` goes by sizes alone, so the same call has the same bytes.

    Parameters
    ----------
    panel
        Fresh rows; None for those that the model keeps.
    wanted
        One of `CORES`.
    """
    series = len((kept_history(model).panel if panel is None else panel).ids)
    work = _work(model, panel, series, horizon)
    kernels = kernels_pay(model.network.shape, work) if wanted == "auto" else wanted == "numba"
    return Core(
        name="numba" if kernels else "numpy",
        asked=wanted != "auto",
        series=series,
        steps=work.steps,
        share=share_of_loading(model.network.shape, work),
    )


def kept_history(model: Model) -> History:
    """The rows that a model keeps; UsageError if it keeps none."""
    if model.history is None:
        raise UsageError("the model keeps no rows", hint="give it rows: rnncast forecast MODEL FILE")
    return model.history


def _work(model: Model, panel: Panel | None, series: int, horizon: int) -> Work:
    """What the members run through: windows, one for each pass; or unread rows, and the paths of all passes but one."""
    config, members = model.network, len(model.parameters)
    chunks, passes = -(-series // CHUNK), -(-horizon // config.horizon)
    if not config.stateful:
        steps = members * passes * config.shape.recurrent(config.input_size)
        return Work(chunks * steps, series * steps)
    from rnncast.forecasting.carrying import unread_rows

    unread = np.zeros(1, np.int64) if panel is None else unread_rows(model, panel)  # (S,)
    rolled = members * (passes - 1) * config.horizon
    return Work(members * int(unread.max()) + chunks * rolled, members * int(unread.sum()) + series * rolled)
