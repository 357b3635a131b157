"""Named amounts of training, from a first look to the best there is; what is named beside one counts before it."""

from __future__ import annotations

from rnncast.errors import UsageError
from rnncast.model.config import TrainingConfig
from rnncast.records import dataclass


@dataclass(frozen=True)
class Preset:
    """How much is trained.

    Attributes
    ----------
    members : int
        Networks trained and averaged.
    updates : float
        Factor on the number of updates that the data's size gives.
    max_epochs, batch_size : int
        Epochs that the updates are divided into, and windows of an update where the network is not stateful.
    validation_windows, judged_windows : int
        Most windows that are scored after an epoch, and that the gate and the intervals rest on.
    fold_networks : bool
        Whether gate and intervals have networks of their own; else that of the search goes on to be a single member.
    """

    members: int
    updates: float
    max_epochs: int = TrainingConfig.max_epochs
    batch_size: int = TrainingConfig.batch_size
    validation_windows: int = TrainingConfig.validation_windows
    judged_windows: int = TrainingConfig.judged_windows
    fold_networks: bool = TrainingConfig.fold_networks


PRESETS = {
    "fast": Preset(
        members=1,
        updates=0.25,
        max_epochs=10,
        batch_size=64,
        validation_windows=512,
        judged_windows=1024,
        fold_networks=False,
    ),
    "default": Preset(members=3, updates=1.0),
    "best": Preset(members=8, updates=2.0),
}
"""The values of ``--preset``."""


def find_preset(name: str) -> Preset:
    """The preset of a name; UsageError if there is none."""
    if name not in PRESETS:
        raise UsageError(f"--preset must be one of {', '.join(PRESETS)}, found {name!r}")
    return PRESETS[name]
