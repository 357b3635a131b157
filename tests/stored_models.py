"""Trains a small model of each kind, in the format that this version writes, with the forecasts that it issues.

    python tests/stored_models.py

writes fixtures/models/format_N/, N being the format's version: NAME.npz, and NAME.json with the forecast that
every later version must issue from it. A folder that stands there is never written again: these files show that what a
released version wrote still opens. After FORMAT_VERSION is raised, run it once and commit the new folder;
tests/test_stored_models.py finds every folder that there is.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from rnncast.cli.main import main as rnncast
from rnncast.data.options import ReadOptions
from rnncast.data.panel import Panel
from rnncast.data.read import read_input
from rnncast.forecasting.predict import forecast
from rnncast.forecasting.result import Forecast
from rnncast.model.artifact import FORMAT_VERSION, load_model
from rnncast.model.model import Model

FOLDER = Path(__file__).parent / "fixtures" / "models"
LEVELS = (0.025, 0.1, 0.9, 0.975)
SMALL = ("--hidden-size", "4", "--input-size", "12", "--horizon", "3", "--max-epochs", "12", "-q")

KINDS = {
    "quantile_lstm": ("series", ["--cell", "lstm", "--members", "2"]),
    "stateful_gru": ("series", ["--cell", "gru", "--stateful", "--members", "2"]),
    "student_t": ("series", ["--loss", "student-t", "--members", "2"]),
    "mse_without_intervals": ("series", ["--cell", "rnn", "--loss", "mse", "--members", "1"]),
    "panel_with_zone": ("panel", ["--cell", "gru", "--members", "1"]),
    "two_seasons": ("weeks", ["--cell", "lstm", "--members", "2", "--season-length", "24"]),
    "no_history": ("series", ["--cell", "lstm", "--layers", "2", "--members", "1", "--no-history"]),
}
"""Name -> data and options of the training."""


def swings(rng: np.random.Generator, rows: int) -> np.ndarray:
    """Values (rows,) around 50 whose next ones can be told in part: an autoregression of the second order."""
    values = np.zeros(rows)
    for row in range(2, rows):
        values[row] = 1.6 * values[row - 1] - 0.8 * values[row - 2] + rng.standard_normal()
    return 50.0 + values


def write_data(folder: Path) -> dict[str, Path]:
    """Files that the models are trained on."""
    rng = np.random.default_rng(6)
    paths = {"series": folder / "series.csv", "panel": folder / "panel.csv"}
    days = np.busday_offset("2024-01-01", np.arange(180), roll="forward").astype(str)
    rows = [f"{day},{value:.4f}" for day, value in zip(days, swings(rng, len(days)), strict=True)]
    paths["series"].write_text("\n".join(["date,level", *rows, ""]), encoding="utf-8")
    hours = np.arange("2024-03-28T00", "2024-04-02T00", dtype="datetime64[h]").astype(str)  # the clock changes in it
    rows = [
        f"{name},{hour}:00Z,{value:.4f}"
        for name in ("north", "south")
        for hour, value in zip(hours, swings(rng, len(hours)), strict=True)
    ]
    paths["weeks"] = folder / "weeks.csv"
    hours = np.arange("2024-03-01T00", "2024-04-12T00", dtype="datetime64[h]")
    day = np.resize(rng.standard_normal(24), len(hours))
    resting = np.array([[1.0], [1.0], [0.0], [0.0]])  # two of the four series rest at weekends
    rest = (np.arange(len(hours)) // 24 % 7 >= 5) * resting
    weeks = 10.0 + day * (1.0 - rest) + 0.1 * rng.standard_normal(rest.shape)
    lines = [
        f"{name},{hour},{value:.4f}"
        for name, values in zip("abcd", weeks, strict=True)
        for hour, value in zip(hours.astype(str), values, strict=True)
    ]
    paths["weeks"].write_text("\n".join(["site,time,load", *lines, ""]), encoding="utf-8")
    paths["panel"].write_text("\n".join(["site,time,load", *rows, ""]), encoding="utf-8")
    return paths


def rows_for(model: Model, folder: Path) -> Panel | None:
    """The rows from which a model without a history forecasts; None for one that keeps its own."""
    if model.history is not None:
        return None
    path = str(folder / "series.csv")
    return read_input([path], ReadOptions(), columns=model.columns, calendar=model.calendar).panel


def as_document(issued: Forecast) -> dict[str, Any]:
    """A forecast as JSON values: floats in full precision."""
    return {
        "ids": [issued.ids[series] for series in issued.series],
        "times": issued.times.astype(str).tolist(),
        "point": issued.point.tolist(),
        "network": issued.network.tolist(),
        "quantiles": issued.quantiles.tolist(),
    }


def issue(path: Path) -> dict[str, Any]:
    """What the model in a file forecasts: twice its horizon, at `LEVELS` if it has intervals."""
    model = load_model(path)
    levels = LEVELS if len(model.network.quantile_levels) > 1 else ()
    return as_document(forecast(model, rows_for(model, path.parent), 2 * model.network.horizon, levels))


def main() -> None:
    """Train and write every kind."""
    folder = FOLDER / f"format_{FORMAT_VERSION}"
    folder.mkdir(parents=True)  # an error if it is there: its files are those of a version that was released
    data = write_data(folder)
    for name, (source, options) in KINDS.items():
        path = folder / f"{name}.npz"
        zone = ["--time-zone", "Europe/Berlin"] if source == "panel" else []
        code = rnncast(["train", str(data[source]), "-o", str(path), *SMALL, *options, *zone])
        if code != 0:
            raise SystemExit(code)
        path.with_suffix(".json").write_text(json.dumps(issue(path), indent=1) + "\n", encoding="utf-8")
    for name in ("panel", "weeks"):  # their models keep the rows that they forecast from
        data[name].unlink()


if __name__ == "__main__":
    main()
