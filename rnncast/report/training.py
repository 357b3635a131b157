"""What training found, in a sentence: does the network add anything to the naive path, and how sure is that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rnncast.baselines.paths import LAST_VALUE, SEASONAL_NAIVE
from rnncast.model.model import Model


def naive_path(model: Model) -> str:
    """What the network corrects: the last value, or the last season."""
    return "last value" if model.network.season_length == 1 else "last season"


def training_verdict(model: Model) -> str:
    """What the held-out rows of the gate say of the network, and so what the model issues, in a sentence or two."""
    naive, record = naive_path(model), model.record
    intervals = ", with intervals" if len(model.network.quantile_levels) > 1 else ""
    if model.calibration is not None:
        intervals = ", with intervals from few rows" if record.get("fallback") else ", with calibrated intervals"
    went_on = any(entry["epochs"] for entry in record.get("continued", ()))
    rows = "held-out rows of the first training" if went_on else "held-out rows"
    judged: Sequence[Mapping[str, Any]] = record.get("gate") or ()
    if record.get("validation"):  # of the first format of models
        return f"{rows}: {model.network_share:.0%} of the network's correction of the {naive} is used"
    if not judged:
        issued = model.gate[0].baseline
        name = f"the {naive}" if issued in (LAST_VALUE, SEASONAL_NAIVE) else issued
        return f"{rows}: none, the series are too short; the model issues {name}{intervals}"
    largest = max(judged, key=lambda group: int(group["windows"]))
    text = f"{rows}: " + _of_group(largest, naive) + intervals
    if len(judged) > 1:
        of_group = f' for most series ("{largest["group"]}")'
        text = f"{rows}{of_group}: {_of_group(largest, naive)}{intervals}; {len(judged) - 1} more groups"
    return text


def _of_group(group: Mapping[str, Any], naive: str) -> str:
    """What a group's windows say: what is issued for it, and why."""
    baseline, blend = str(group["baseline"]), float(group["blend"])
    plain = baseline in (LAST_VALUE, SEASONAL_NAIVE)
    name = f"the {naive}" if plain else baseline
    over = "" if plain else f" (error {group['baseline_relative_mae']:.3f} of the {naive}'s)"
    if blend == 0:
        return f"the network could not be shown to add to {name}{over}; the model issues it alone"
    statistic = group.get("t_statistic")
    sure = "" if statistic is None else f", t {float(statistic):.1f} over {int(group['blocks'])} stretches of time"
    return (
        f"error of the network {group['network_relative_mae']:.3f} of the {naive}'s, blended "
        f"{group['blended_relative_mae']:.3f} ({int(group['windows']):,} windows{sure}); the model issues "
        f"{blend:.0%} network and {1 - blend:.0%} {name.removeprefix('the ')}"
    )


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
