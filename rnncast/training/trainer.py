"""Training of one network of windows: its batches and their gradient, and its loss on later windows.

Dimension letters: `P` parameters, `N` windows, `B` windows of a batch, `T` input steps, `F` channels, `K` horizon.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnncast.core.engine import Engine
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import in_parts, make_frame, network_inputs, normalised_targets
from rnncast.training.descent import Deadline, Descent
from rnncast.training.schedule import batches

__all__ = ["VALIDATION_WINDOWS", "Deadline", "PreparedWindows", "Trainer", "prepare"]

VALIDATION_WINDOWS = 4096
"""Most validation windows that are scored after an epoch, evenly spread over all."""


@dataclass(frozen=True)
class PreparedWindows:
    """Windows gathered once, for a loss that is computed again and again over the same ones.

    Attributes
    ----------
    inputs : float32 (T, F, N)
    targets : float32 (K, N)
    """

    inputs: NDArray[np.float32]
    targets: NDArray[np.float32]


def prepare(config: NetworkConfig, working: WorkingSeries, windows: Windows) -> PreparedWindows:
    """Gather windows and their targets, single precision, ready for the core."""
    count = len(windows)
    inputs = np.empty((config.input_size, len(config.channels), count), dtype=np.float32)  # (T, F, N)
    targets = np.empty((config.horizon, count), dtype=np.float32)  # (K, N)
    for part in in_parts(config, count):
        chosen = windows.take(np.arange(part.start, part.stop))
        frame = make_frame(config, working, chosen)
        inputs[:, :, part] = network_inputs(config, frame)
        targets[:, part] = normalised_targets(config, working, chosen, frame)
    return PreparedWindows(inputs=inputs, targets=targets)


@dataclass
class Trainer(Descent[PreparedWindows]):
    """A network of windows under training."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._batches: Iterator[NDArray[np.int64]] = batches(len(self.windows), self.training.batch_size, self.rng)
        largest = max(self.training.batch_size, VALIDATION_WINDOWS)
        self._engine = Engine(self.config.shape, self.config.input_size, largest, loss=self.head)

    def prepare(self, windows: Windows) -> PreparedWindows:
        """Windows to be scored."""
        return prepare(self.config, self.working, windows)

    def loss(self, prepared: PreparedWindows, parameters: NDArray[np.float32] | None = None) -> float:
        """Mean loss over prepared windows, of the averaged weights or of other `parameters` (P,)."""
        return self._engine.loss(self.average if parameters is None else parameters, prepared.inputs, prepared.targets)

    def correction(self, prepared: PreparedWindows, parameters: NDArray[np.float32]) -> NDArray[np.float64]:
        """What a network of `parameters` (P,) adds to the naive path of prepared windows, shape (K, N)."""
        return self._medians(self._engine.forward(parameters, prepared.inputs))

    def _gradient(self) -> tuple[float, NDArray[np.float32]]:
        prepared = self.prepare(self.windows.take(next(self._batches)))
        return self._engine.loss_and_gradient(self.parameters, prepared.inputs, prepared.targets)
