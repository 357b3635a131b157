"""What training found, in a sentence: does the network add anything to the naive path, and how sure is that."""

from __future__ import annotations

from rnncast.model.model import Model

NO_SIGN = 0.99
"""Relative error above which a gain is too small to be a sign of anything."""

CLEAR = 0.95
"""Relative error below which the gain is worth the word."""

EVIDENCE = 2.0
"""t statistic of the gain over blocks of time below which it may well be chance."""


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
    intervals = ", with intervals" if len(model.network.quantile_levels) > 1 else ""
    if model.record["training"].get("max_epochs") == 0:
        return f"validation: none, no training was asked for; the model forecasts the {naive}{intervals}"
    if not validation:
        return f"validation: none, the series are too short for it; the model forecasts the {naive}{intervals}"
    if model.record.get("best_epoch") == 0:
        return f"validation: the network found nothing to add to the {naive}; the model forecasts it{intervals}"
    if model.blend == 0:
        own = ", with intervals of the network" if intervals else ""
        return f"validation: the network found nothing to add to the {naive}; the model forecasts it{own}"
    relative, statistic = float(validation["relative_mae"]), validation.get("t_statistic")
    windows = int(validation["windows"])
    figure = (
        f"validation: mean absolute error {relative:.3f} of the {naive}'s over {windows:,} "
        f"window{'' if windows == 1 else 's'}"
    )
    if statistic is not None:
        figure += f" (t {float(statistic):.1f} over {int(validation['blocks'])} blocks of time)"
    if not relative <= NO_SIGN or statistic is None or statistic < EVIDENCE:
        return f"{figure}: weak evidence, so {model.blend:.0%} of the network's correction is used"
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
    rows = "rows of sequences" if model.network.stateful else "windows"
    return (
        f"trained {members}, {model.network.cell} of {model.network.hidden_size} units, "
        f"{span} update{'' if most == 1 else 's'} each (best epoch {epochs}) on {int(record['windows']):,} {rows}"
    )
