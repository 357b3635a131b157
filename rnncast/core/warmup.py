"""Compile every kernel that trainings, forecasts and backtests need, or load it, before the first of them needs it.

One kernel serves all cells, losses and sizes, as these are numbers that it reads; and the program computes in float32.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from numba.core.registry import cpu_target

from rnncast.core.engine import Engine
from rnncast.core.kernel_cache import kernel_folder
from rnncast.core.learner import AdamW, GradientLearner, Updates
from rnncast.core.optimiser import adamw_step
from rnncast.core.recurrent import finish, run
from rnncast.core.shape import LSTM, Shape, parameter_count
from rnncast.core.smoothing import new_workspaces, smooth_histories
from rnncast.core.window import run_window

KERNELS: tuple[Any, ...] = (run, finish, run_window, adamw_step, smooth_histories)
"""What Python calls."""


class Warmed(NamedTuple):
    """A kernel that is ready.

    Attributes
    ----------
    name : str
        What it is called.
    compiled : bool
        Whether it was compiled rather than loaded.
    failure : OSError or None
        Why what was compiled does not stand on disk.
    """

    name: str
    compiled: bool
    failure: OSError | None


def folder_path() -> str:
    """Path of the folder that kernels are kept in, which is made where there is none.

    Raises
    ------
    NoFolderError
        There is no place for it, or it is not the user's alone.
    """
    with closing(kernel_folder(cpu_target.target_context)) as folder:
        return folder.path


def check_writable() -> None:
    """OSError unless a file can be made in that folder."""
    with closing(kernel_folder(cpu_target.target_context)) as folder:
        folder.write("trial", ())
        folder.remove("trial")


def warm_up() -> list[Warmed]:
    """Let each kernel run once on next to nothing, as the program calls it."""
    shape = Shape(LSTM, input_size=1, hidden_size=1, layers=1, outputs=1)
    parameters = np.zeros(parameter_count(shape), np.float32)  # (P,)
    engine = Engine(shape, 1, 2, threads=1)
    for windows in (1, 2):  # one window alone has a kernel of its own
        engine.forward(parameters, np.zeros((1, 1, windows), np.float32))
    settings = AdamW(beta1=0.9, beta2=0.999, epsilon=1e-8, weight_decay=0.0, clip=1.0)
    learner = GradientLearner(
        parameters, np.zeros(len(parameters)), settings, lambda given: (0.0, np.zeros_like(given))
    )
    work, _ = learner.begin(Updates(np.zeros(1), np.zeros(1)))
    work.calls[0]()  # in this thread, where signals are heard
    nothing, no_backs, one = np.zeros(1), np.zeros((1, 1), np.int64), np.ones(1, np.int64)
    smooth_histories(
        np.zeros((1, 1)), one, 1, 0.0, nothing, nothing.copy(), np.zeros((1, 0)), no_backs, *new_workspaces(1, 0),
        np.zeros((3, 1, 1)),
    )  # fmt: skip
    return [Warmed(kernel.__name__, kernel.stats.cache_misses.total() > 0, kernel._cache.failure) for kernel in KERNELS]
