"""A training that was interrupted goes on, to the same bytes: where each of its networks stands is kept, by epochs.

Everything else of a training is computed again from the data. A network is brought back by its weights, their average
and their moments, and by drawing as many batches as it has had. What is kept in the file is each network as it was
after its last whole epoch, whenever the training ends.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rnncast import __version__
from rnncast.data.checkpoint import CheckpointFile, in_words
from rnncast.data.panel import Panel
from rnncast.data.summary import identity_in_words
from rnncast.errors import DataError, OutputError, RnncastError, typed_name
from rnncast.model.config import NetworkConfig, TrainingConfig
from rnncast.records import dataclass
from rnncast.training.descent import Deadline, Descent, run_side_by_side
from rnncast.training.versions import versions

FORMAT = "rnncast.training/1"

FIRST_AFTER = 2.0
"""Seconds before the file is first written: what is over sooner is begun anew at no cost."""

EVERY = 1.0
"""Seconds between two writings, at least."""

_DATA, _VERSION, _PARTS, _FROM = "data", "rnncast", "computed with", "--from"
_OF_ANOTHER = (_DATA, _VERSION, _PARTS, _FROM)
"""What tells that it was another training, and no slip of the user's: it is begun anew then."""

_UNTOLD = ("members", "time_limit")
"""Settings that alter nothing of what a network has learnt so far."""


@dataclass
class Standing:
    """One network of a training, and how far it is.

    Attributes
    ----------
    name : str
        What it is trained for, by which it is found again.
    trainer : Descent
        The network.
    epoch : int
        Epochs it was trained.
    facts, arrays
        What else is known of them: JSON values, and float32 arrays.
    """

    name: str
    trainer: Descent[Any]
    epoch: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """A network as it was after an epoch."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[np.float32]]


class Checkpoint:
    """Where the networks of one training stand; without a file they are not kept.

    A context manager: a training that ends by an exception leaves the file behind, one that ends well does not.
    """

    def __init__(self, file: CheckpointFile | None = None) -> None:
        self._file = file
        self._kept: dict[str, _Kept] = {}
        self._written = True
        self._epochs = 0
        self.failure: RnncastError | None = None
        if file is not None:
            file.wait(FIRST_AFTER)

    @property
    def path(self) -> str | None:
        """The file, if this training has one."""
        return None if self._file is None else self._file.path

    @property
    def epochs(self) -> int:
        """Epochs of all networks together that the file holds of this training; 0 where it holds none."""
        return self._epochs

    @property
    def is_left(self) -> bool:
        """Whether there is a file of an earlier training.

        Raises
        ------
        OutputError
            Something else has its name.
        """
        if self._file is None or not os.path.lexists(self._file.path):
            return False
        if self._file.is_foreign():
            raise OutputError(
                f"{self._file.path} exists and is no checkpoint of a training", hint="give that file another name"
            )
        return True

    def restore(self) -> str | None:
        """Take up what the file holds; why it is of no use, if it is that of another training.

        Raises
        ------
        DataError
            The file is that of a training with other options, no checkpoint at all, or damaged.
        """
        if self._file is None:
            return None
        useless = self._file.read(self._take)
        with self.reading():
            self._epochs = self._count()
        return useless

    @contextmanager
    def reading(self) -> Iterator[None]:
        """DataError for what does not fit where the state of a network is taken up."""
        try:
            yield
        except (KeyError, ValueError, TypeError) as error:
            raise DataError(
                f"the checkpoint holds another network ({type(error).__name__}: {error})",
                where=self.path,
                hint="leave out --resume to begin anew",
            ) from error

    def begin(self, name: str, trainer: Descent[Any]) -> Standing:
        """A network at its start, or as it was kept."""
        kept = self._kept.get(name)
        if kept is None:
            return Standing(name, trainer)
        facts, arrays = dict(kept.facts), dict(kept.arrays)
        with self.reading():
            epoch = int(facts.pop("epoch"))
            trainer.restore(facts.pop("trainer"), {key: arrays.pop(key) for key in trainer.state()[1]}, epoch)
            return Standing(name, trainer, epoch, facts, arrays)

    def keep(self, standings: Sequence[Standing]) -> None:
        """Remember networks after an epoch, and write the file if it is time to."""
        if self._file is None:
            return
        for standing in standings:
            trainer, arrays = standing.trainer.state()
            own = {key: array.copy() for key, array in {**arrays, **standing.arrays}.items()}
            self._kept[standing.name] = _Kept({**standing.facts, "trainer": trainer, "epoch": standing.epoch}, own)
        self._written = False
        if self._file.is_due:
            self._write()
            self._file.wait(EVERY)

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if self._file is None:
            return
        if kind is None:
            self._file.remove()
        elif not self._written:
            self._write()

    def _write(self) -> None:
        """Write the file; a failure is remembered, since the training can do without."""
        assert self._file is not None
        arrays = {f"{name}.{key}": array for name, kept in self._kept.items() for key, array in kept.arrays.items()}
        try:
            self._file.write({"networks": {name: kept.facts for name, kept in self._kept.items()}}, arrays)
            self._written, self._epochs = True, self._count()
        except RnncastError as error:
            self.failure = self.failure or error

    def _count(self) -> int:
        return sum(int(kept.facts["epoch"]) for kept in self._kept.values())

    def _take(self, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str | None:
        assert self._file is not None
        differences = self._file.differences(meta)
        if differences.keys() & set(_OF_ANOTHER):
            return in_words({name: differences[name] for name in _OF_ANOTHER if name in differences})
        if differences:
            raise DataError(
                f"the training that was interrupted had other options: {in_words(differences)}",
                where=self._file.path,
                hint="give the same options, or leave out --resume to begin anew",
            )
        networks = {name: _Kept(dict(facts), {}) for name, facts in meta["networks"].items()}
        for name, array in arrays.items():
            network, _, key = name.rpartition(".")
            if not np.isfinite(array).all():
                raise ValueError(f"{name} holds values that are not finite")
            networks[network].arrays[key] = array
        self._kept = networks
        return None


def checkpoint_of(
    path: str, panel: Panel, network: NetworkConfig, training: TrainingConfig, started_from: str | None = None
) -> Checkpoint:
    """The checkpoint of a training of these rows and settings, with this version.

    `started_from` is the fingerprint of the model that it went on from, if it did.
    """
    settings = {**network.to_dict(), **{k: v for k, v in training.to_dict().items() if k not in _UNTOLD}}
    parts = ", ".join(f"{name} {version}" for name, version in versions().items())
    of = {_VERSION: __version__, _PARTS: parts, **{typed_name(name): value for name, value in settings.items()}}
    of |= {_FROM: started_from, _DATA: identity_in_words(panel)}
    return Checkpoint(CheckpointFile(path, FORMAT, np.dtype(np.float32), of, "leave out --resume to begin anew"))


def train_epochs(
    standings: Sequence[Standing], epochs: int, deadline: Deadline, checkpoint: Checkpoint
) -> Iterator[tuple[int, list[float]]]:
    """Train networks side by side up to so many epochs; those that were kept go on where they stood.

    Yields
    ------
    epoch, list of float
        Number of the epoch, and the mean loss of each network, NaN for one that made no update in it.
    """
    for epoch in range(1 + min((standing.epoch for standing in standings), default=epochs), epochs + 1):
        going = [standing for standing in standings if standing.epoch < epoch]
        updates = going[0].trainer.training.epoch_updates
        losses = run_side_by_side([standing.trainer for standing in going], updates, deadline)
        if all(math.isnan(loss) for loss in losses):
            return
        for standing in going:
            standing.epoch = epoch
        checkpoint.keep(going)
        found = dict(zip((standing.name for standing in going), losses, strict=True))
        yield epoch, [found.get(standing.name, math.nan) for standing in standings]


NO_CHECKPOINT = Checkpoint()
