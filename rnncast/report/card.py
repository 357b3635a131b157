"""A model's card: what it was trained on, what it is, how training went. As text and as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rnncast.core.shape import parameter_count
from rnncast.data.isotime import format_stamp
from rnncast.model.fingerprint import fingerprint
from rnncast.model.gate import GROUPS
from rnncast.model.model import Model
from rnncast.report import recorded
from rnncast.report.tables import label_width, size
from rnncast.report.training import training_summary, training_verdict


def card_lines(model: Model, path: str, origin: Mapping[str, Any], width: int | None = None) -> list[tuple[str, str]]:
    """The card as labels and texts.

    Parameters
    ----------
    model, path
        The model and its file.
    origin
        ``bytes``, ``format_version`` and ``package_version`` of the file.
    width
        Columns that labels and tables have to fit; None where nothing is fitted.
    """
    network, record = model.network, model.record
    columns = [f"time {model.columns.time!r}", f"target {model.columns.target!r}"]
    if model.columns.id is not None:
        columns.insert(0, f"id {model.columns.id!r}")
    levels = ", ".join(f"{level:.12g} %" for level in model.levels)
    members = len(model.parameters)
    season = f"season of {network.season_length} rows" if network.season_length > 1 else "no season"
    lines = [
        ("model", path),
        ("fingerprint", fingerprint(model)),
        ("file", f"{size(origin['bytes'])}, format {origin['format_version']}, rnncast {origin['package_version']}"),
        ("data", f"{int(record['series']):,} series, {int(record['rows']):,} rows, until {_until(model)}"),
        ("columns", ", ".join(columns)),
        ("calendar", model.calendar.describe()),
        ("network", _network(model)),
        ("reads", f"{_reads(model)}; {season}"),
        ("forecasts", f"{network.horizon} steps; {'intervals ' + levels if levels else 'no intervals'}"),
        ("parameters", f"{parameter_count(network.shape):,} in each of {members} member{'s' if members != 1 else ''}"),
        ("training", training_summary(model)),
        ("", f"loss {network.loss}, learning rate {record['training']['learning_rate']:g}, "
             f"batch {record['training']['batch_size']}, seed {record['training']['seed']}{_more_options(model)}"),
        ("result", training_verdict(model)),
        ("intervals", _intervals(model)),
        ("history", _history(model)),
    ]  # fmt: skip
    return lines + _recorded(record, None if width is None else width - label_width(lines))


def _recorded(record: Mapping[str, Any], width: int | None) -> list[tuple[str, str]]:
    """Folds, gate, coverage and versions, as far as there are any: a line each, the label before the first."""
    said = recorded.remarks_of(record)
    lines: list[tuple[str, str]] = []
    for label, table in (
        ("folds", recorded.fold_table(record)),
        ("gate", recorded.gate_table(record)),
        ("coverage", recorded.coverage_table(record)),
        ("went on", recorded.continued_table(record)),
    ):
        texts = table.grid.lines(width) if table is not None else []
        texts += [said[label]] if label in said else []
        lines += [("" if number else label, text) for number, text in enumerate(texts)]
    versions = ", ".join(f"{name} {version}" for name, version in recorded.versions_of(record))
    return lines + ([("versions", versions)] if versions else [])


def card_document(model: Model, path: str, origin: Mapping[str, Any]) -> dict[str, Any]:
    """The card as JSON values."""
    history = model.history
    return {
        "kind": "model",
        "path": path,
        **origin,
        "fingerprint": fingerprint(model),
        **model_document(model),
        "parameters": parameter_count(model.network.shape),
        "history": None
        if history is None
        else {
            "series": len(history.panel.ids),
            "rows": len(history.panel.times),
            "until": format_stamp(history.panel.times.max()),
            "states": history.states is not None,
        },
    }


def model_document(model: Model) -> dict[str, Any]:
    """What a model is and how it was trained, as JSON values."""
    return {
        "network": model.network.to_dict(),
        "members": len(model.parameters),
        "levels": list(model.levels),
        "columns": asdict(model.columns),
        "calendar": {**model.calendar.to_dict(), "description": model.calendar.describe()},
        "trained_until": model.trained_until,
        "calibration": None if model.calibration is None else asdict(model.calibration.volatility),
        "gate": {group: asdict(blend) for group, blend in zip(GROUPS, model.gate, strict=True)},
        "record": dict(model.record),
        "verdict": training_verdict(model),
    }


def _until(model: Model) -> str:
    """Last training row, on the wall clock of the zone if there is one."""
    zone = model.calendar.zone
    return model.trained_until if zone is None else format_stamp(model.last_trained, zone)


def _network(model: Model) -> str:
    network = model.network
    layers = f"{network.layers} layer{'s' if network.layers != 1 else ''}"
    activation = f", {network.activation}" if network.cell == "rnn" else ""
    return (
        f"{network.cell}{activation}, {layers} of {network.hidden_size} units; channels {', '.join(network.channels)}"
    )


def _more_options(model: Model) -> str:
    """Options of the training that models of earlier versions did not have."""
    preset, rows = (model.record["training"].get(name) for name in ("preset", "truncation"))
    gradients = f", gradients over {rows} rows" if model.network.stateful and rows else ""
    return (f", preset {preset}" if preset else "") + gradients


def _reads(model: Model) -> str:
    rows = model.network.input_size
    if not model.network.stateful:
        latest, week = model.network.recurrent_size, model.network.long_season
        recurrent = f", the recurrent layers the last {latest}" if 0 < latest < rows else ""
        return f"{rows} rows{recurrent}" + (f"; a season of {week} rows weighed as well" if week else "")
    return f"each series as one sequence, its state carried from row to row; scaled by the last {rows} rows"


def _intervals(model: Model) -> str:
    """How intervals are made: from which volatility, or from the network's own gaps."""
    if model.calibration is None:
        return "of the network, not calibrated" if len(model.network.quantile_levels) > 1 else "none"
    scale = model.calibration.volatility
    width = f", mixed with the network's width ({scale.width:.12g})" if scale.width else ""
    return (
        f"calibrated, any level; scaled by absolute changes (decay {scale.decay:.12g}, persistence "
        f"{scale.persistence:.12g}{width})"
    )


def _history(model: Model) -> str:
    if model.history is None:
        return "no rows kept: a forecast needs an input"
    panel = model.history.panel
    state = ", and the states after them" if model.network.stateful else ""
    return f"last {len(panel.times):,} rows of {len(panel.ids):,} series kept{state}: a forecast needs no input"
