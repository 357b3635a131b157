"""What training found, in a sentence: does the network add anything to the naive path, and how sure is that."""

from __future__ import annotations

import math

from rnncast.model.model import Model

NO_SIGN = 0.99
"""Relative error above which a gain is too small to be a sign of anything."""

CLEAR = 0.95
"""Relative error below which the gain is worth the word."""


def naive_path(model: Model) -> str:
    """What the network corrects: the last value, or the last season."""
    return "last value" if model.network.season_length == 1 else "last season"


def training_verdict(model: Model) -> str:
    """One or two sentences on the validation part.

    That part has chosen when training stopped and how much of the network is used, so its figure flatters the model;
    the sentence says so wherever it claims a gain.
    """
    validation = model.record.get("validation")
    naive = naive_path(model)
    if not validation:
        return "validation: none, the series are too short for a part of their own; nothing is known of the skill"
    intervals = ", with intervals" if len(model.network.quantile_levels) > 1 else ""
    if model.blend == 0 or model.record.get("best_epoch") == 0:
        return f"validation: the network found nothing to add to the {naive}; the model forecasts it{intervals}"
    relative = float(validation["relative_mae"])
    windows = int(validation["windows"])
    figure = (
        f"validation: mean absolute error {relative:.3f} of the {naive}'s over {windows:,} "
        f"window{'' if windows == 1 else 's'}"
    )
    if not math.isfinite(relative) or relative > NO_SIGN:
        return f"{figure}: no sign of skill"
    gain = "a gain" if relative < CLEAR else "a small gain"
    return f"{figure}: {gain}, but on the rows that chose when to stop, so it flatters"


def training_summary(model: Model) -> str:
    """Members, updates and windows in one line."""
    record = model.record
    updates = [int(count) for count in record["updates"]]
    least, most = min(updates), max(updates)
    span = f"{most:,}" if least == most else f"{least:,} to {most:,}"
    members = f"{len(updates)} member{'' if len(updates) == 1 else 's'}"
    epochs = int(record.get("best_epoch", 0))
    return (
        f"trained {members}, {model.network.cell} of {model.network.hidden_size} units, "
        f"{span} update{'' if most == 1 else 's'} each (best epoch {epochs}) on {int(record['windows']):,} windows"
    )
