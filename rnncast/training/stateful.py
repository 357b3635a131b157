"""Training of one network whose state is carried along each series: truncated backpropagation through time.

An update takes the next T rows of each lane, begins with the states that the lanes were left in, and takes these for
constants (Williams and Peng 1990): the gradient goes back over T rows, the state over all that were read.

Dimension letters: `P` parameters, `T` rows of an update, `B` lanes, `F` channels, `K` horizon steps, `O` outputs, `R`
rows of the panel, `W` windows that are scored, `M` members, `S` series.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast.core.engine import Engine
from rnncast.core.learner import GradientLearner
from rnncast.core.loss_table import LossTable
from rnncast.data.transform import WorkingSeries
from rnncast.data.windows import Windows
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.model.network import decay_mask
from rnncast.model.running import forward_pass, run_states, run_through, zero_states
from rnncast.model.sequences import read_rows, row_targets, rows_from
from rnncast.records import dataclass
from rnncast.training.descent import Descent
from rnncast.training.streams import Chunk, chunks, lanes_of, stretches_of
from rnncast.training.trainer import SCORED_AT_ONCE, Trainer

MOST_CHUNKS = 1000
"""Chunks for each update that a checkpoint is believed; those in which no row counts are few."""


def new_trainer(
    config: NetworkConfig,
    training: TrainingConfig,
    head: LossTable,
    working: WorkingSeries,
    windows: Windows,
    seed: int,
    threads: int,
    start: NDArray[np.float32] | None = None,
) -> Descent[Any]:
    """The network of a seed, at its start or another, to be trained on windows or on the sequences that end with them.

    `start` are weights (P,).
    """
    kind = StatefulTrainer if config.stateful else Trainer
    return kind(config, training, head, working, windows, seed, threads, start)


@dataclass(frozen=True)
class PreparedSequences:
    """Series up to the last row that is scored, and what should come out at the rows that are.

    Attributes
    ----------
    inputs : float32 (R, F)
        Channels of the rows, series after series.
    indptr : int64 (S + 1,)
        Rows of each series.
    wanted : bool (R,)
        Whether a row is scored.
    targets : float32 (K, W)
    """

    inputs: NDArray[np.float32]
    indptr: NDArray[np.int64]
    wanted: NDArray[np.bool_]
    targets: NDArray[np.float32]


@dataclass
class StatefulTrainer(Descent[PreparedSequences]):
    """A stateful network under training; the rows at which `windows` end are those that count."""

    def __post_init__(self) -> None:
        super().__post_init__()
        shape, indptr = self.config.shape, self.working.indptr
        assert self.start is not None
        every = rows_from(indptr, np.zeros_like(indptr[1:]))
        self._series = every.series  # (R,)
        self._rows = read_rows(self.config, self.working, every)
        stretches = stretches_of(indptr, self.windows, self.training.truncation, self.training.batch_size)
        lanes = lanes_of(stretches, self.training.batch_size)
        steps = min(self.training.truncation, int((stretches.stops - stretches.starts).max()))
        self._chunks = chunks(stretches, steps, lanes, self.rng)
        self._read = 0
        self._engine = Engine(shape, steps, lanes, every_step=True, loss=self.head, threads=self.threads)
        self._scorer = Engine(shape, 1, SCORED_AT_ONCE, loss=self.head, threads=self.threads)
        self._state = self._engine.zero_state(lanes)
        self.learner = GradientLearner(self.start, decay_mask(shape), self.settings, self._gradient)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[np.float32]]]:
        """See `Descent.state`; the lanes are a part of it."""
        facts, arrays = super().state()
        return {**facts, "read": self._read}, {**arrays, "lanes": self._state}

    def _skip(self, facts: Mapping[str, Any]) -> None:
        read = int(facts["read"])
        if not self.updates <= read <= MOST_CHUNKS * self.updates:
            raise ValueError(f"{read} chunks in {self.updates} updates")
        while self._read < read:
            self._next_chunk()

    def prepare(self, windows: Windows) -> PreparedSequences:
        """Rows to be scored, with those before them from which the state comes."""
        series, last = np.unique(windows.series[::-1], return_index=True)
        starts, stops = self.working.indptr[series], windows.ends[::-1][last]  # (S,), (S,)
        indptr = np.concatenate(([0], np.cumsum(stops - starts))).astype(np.int64)
        rows = np.arange(indptr[-1]) + np.repeat(starts - indptr[:-1], stops - starts)  # (R,)
        return PreparedSequences(
            inputs=self._rows.inputs[rows],
            indptr=indptr,
            wanted=np.isin(rows, windows.ends - 1),
            targets=row_targets(self.config, self.working, windows, self._rows.scale[windows.ends - 1]),
        )

    def outputs(self, prepared: PreparedSequences, parameters: NDArray[np.float32]) -> NDArray[np.float32]:
        """Raw outputs (O, W), the state having come from each series' first row on."""
        shape, series = self.config.shape, len(prepared.indptr) - 1
        forward = forward_pass(shape, series, kernels=True, every_step=True)
        state = zero_states(shape, 1, series)[0]
        return run_through(shape, forward, parameters, prepared.inputs, prepared.indptr, state, prepared.wanted)[1]

    def _score(self, raw: NDArray[np.float32], prepared: PreparedSequences) -> float:
        return self._scorer.score(raw, prepared.targets)

    def _gradient(self, parameters: NDArray[np.float32]) -> tuple[float, NDArray[np.float32]]:
        """Loss and gradient of the next chunk; chunks in which no row counts only carry the state on."""
        while True:
            chunk = self._next_chunk()
            inputs = np.ascontiguousarray(self._rows.inputs[chunk.rows].transpose(0, 2, 1))  # (T, F, B)
            state = np.where(chunk.fresh, np.float32(0), self._state)
            if chunk.counts.any():
                break
            self._engine.forward(parameters, inputs, state=state)
            self._state = self._left()
        result = self._engine.loss_and_gradient(parameters, inputs, self._targets(chunk), chunk.counts, state=state)
        self._state = self._left()
        return result

    def _next_chunk(self) -> Chunk:
        self._read += 1
        return next(self._chunks)

    def _left(self) -> NDArray[np.float32]:
        assert self._engine.state is not None  # it was given one
        return self._engine.state

    def _targets(self, chunk: Chunk) -> NDArray[np.float32]:
        """Targets (T, K, B); a row that does not count, and may have none, takes those of one that does."""
        rows = np.where(chunk.counts, chunk.rows, chunk.rows[chunk.counts][0]).reshape(-1)  # (T * B,)
        windows = Windows(self._series[rows], rows + 1)
        targets = row_targets(self.config, self.working, windows, self._rows.scale[rows])  # (K, T * B)
        return np.ascontiguousarray(targets.reshape(-1, *chunk.rows.shape).transpose(1, 0, 2))


def final_states(config: NetworkConfig, parameters: NDArray[np.float32], working: WorkingSeries) -> NDArray[np.float32]:
    """States (M, parts, L, depth, H, S) of the members `parameters` (M, P) after the last row of each series."""
    indptr = working.indptr
    inputs = read_rows(config, working, rows_from(indptr, np.zeros_like(indptr[1:]))).inputs  # (R, F)
    states = zero_states(config.shape, len(parameters), len(indptr) - 1)
    return run_states(config.shape, parameters, inputs, indptr, states)
