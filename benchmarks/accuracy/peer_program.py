"""One peer on one panel, as a process of its own; `peers.py` runs it in the peers' environment.

    python peer_program.py JOB      (JSON, as `peers.py` writes it)

The model is fitted and asked with documented defaults: neuralforecast's are trained once, for `max_steps` steps, on the
rows of `train`, and then predict from each history of `fresh` without being fitted again; statsforecast's are fitted to
each history anew. Series are numbered by row, so that no gap or holiday shifts a forecast. Nothing of rnncast is
imported.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any

import pandas as pd

RECURRENT = "-recurrent"
LEVELS = [80, 95]


def neural(job: dict[str, Any]) -> tuple[pd.DataFrame, float]:
    """Forecasts of a network of neuralforecast, and the seconds that fit and prediction took."""
    import neuralforecast.models
    import torch
    from neuralforecast import NeuralForecast

    for name in ("lightning_fabric", "lightning", "pytorch_lightning", "pytorch_lightning.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(job["threads"])
    name = job["model"]
    cell = getattr(neuralforecast.models, name.removesuffix(RECURRENT))
    model = cell(
        h=job["horizon"],
        input_size=-1,  # three horizons
        max_steps=job["max_steps"],
        random_seed=1,
        alias=name,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **({"recurrent": True} if name.endswith(RECURRENT) else {}),
    )
    forecaster = NeuralForecast(models=[model], freq=1)
    train, fresh = pd.read_parquet(job["train"]), pd.read_parquet(job["fresh"])
    began = time.perf_counter()
    forecaster.fit(df=train, val_size=0)
    table = forecaster.predict(df=fresh)
    return table, time.perf_counter() - began


def statistical(job: dict[str, Any]) -> tuple[pd.DataFrame, float]:
    """Forecasts of a model of statsforecast, and the seconds that they took."""
    import statsforecast.models
    from statsforecast import StatsForecast

    model = getattr(statsforecast.models, job["model"])(season_length=job["season"])
    fresh = pd.read_parquet(job["fresh"])
    began = time.perf_counter()
    table = StatsForecast(models=[model], freq=1, n_jobs=job["threads"]).forecast(
        df=fresh, h=job["horizon"], level=LEVELS
    )
    return table, time.perf_counter() - began


def main() -> None:
    """Fit, forecast, and write the forecasts, with seconds and versions beside them."""
    warnings.filterwarnings("ignore")
    job = json.loads(sys.argv[1])
    run, packages = {
        "neuralforecast": (neural, ("neuralforecast", "torch")),
        "statsforecast": (statistical, ("statsforecast",)),
    }[job["library"]]
    table, seconds = run(job)
    if "unique_id" not in table.columns:
        table = table.reset_index()
    table.to_parquet(job["out"])
    with open(job["said"], "w", encoding="utf-8") as file:
        json.dump({"seconds": seconds, "versions": {package: version(package) for package in packages}}, file)


if __name__ == "__main__":
    main()
