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
    validation_windows, judged_windows : int
        Most windows that are scored after an epoch, and that the gate and the intervals rest on.
    """

    members: int
    updates: float
    validation_windows: int = TrainingConfig.validation_windows
    judged_windows: int = TrainingConfig.judged_windows


PRESETS = {
    "fast": Preset(members=1, updates=0.25, validation_windows=1024, judged_windows=512),
    "default": Preset(members=3, updates=1.0),
    "best": Preset(members=8, updates=2.0),
}
"""The values of ``--preset``."""


def find_preset(name: str) -> Preset:
    """The preset of a name; UsageError if there is none."""
    if name not in PRESETS:
        raise UsageError(f"--preset must be one of {', '.join(PRESETS)}, found {name!r}")
    return PRESETS[name]
