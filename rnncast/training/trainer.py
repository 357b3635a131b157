"""Training of one network of windows: its batches and their gradient, and its loss on later windows.

Dimension letters: `P` parameters, `N` windows, `B` windows of a batch, `T` input steps, `F` channels, `K` horizon,
`U` updates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.arguments import Series
from rnncast.core.engine import Engine
from rnncast.core.learner import Updates, WindowLearner
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig
from rnncast.model.inputs import in_parts, make_frame, network_inputs, normalised_targets, normalising
from rnncast.model.network import decay_mask
from rnncast.records import dataclass
from rnncast.training.descent import Deadline, Descent
from rnncast.training.schedule import batches

__all__ = ["SCORED_AT_ONCE", "Deadline", "PreparedWindows", "Trainer", "prepare"]

SCORED_AT_ONCE = 4096
"""Most windows that are scored in one call."""


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
        shape, size = self.config.shape, min(self.training.batch_size, len(self.windows))
        assert self.start is not None
        self._batches: Iterator[NDArray[np.int64]] = batches(len(self.windows), size, self.rng)
        steps, how = self.config.input_size, normalising(self.config)
        self._phases = self.working.phases(self.config.phases).reshape(-1)  # (P * R,)
        self.learner = WindowLearner(
            shape, self.head, steps, size, how, self.start, decay_mask(shape), self.settings, self.threads
        )
        self._engine = Engine(shape, steps, SCORED_AT_ONCE, loss=self.head, threads=self.threads)

    def prepare(self, windows: Windows) -> PreparedWindows:
        """Windows to be scored."""
        return prepare(self.config, self.working, windows)

    def next_updates(self, count: int) -> Updates:
        """The next `count` updates, with their windows."""
        chosen = self.windows.take(np.concatenate([next(self._batches) for _ in range(count)]))  # (U * B,)
        series = Series(
            values=self.working.values,
            starts=self.working.indptr[chosen.series],
            ends=chosen.ends,
            logarithmic=self.working.logarithmic[chosen.series],
            phases=self._phases,
        )
        return super().next_updates(count)._replace(series=series)

    def _skip(self, facts: Mapping[str, Any]) -> None:
        for _ in range(self.updates):
            next(self._batches)

    def outputs(self, prepared: PreparedWindows, parameters: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs (O, N)."""
        return self._engine.forward(parameters, prepared.inputs)

    def _score(self, raw: NDArray[np.float32], prepared: PreparedWindows) -> float:
        return self._engine.score(raw, prepared.targets)
