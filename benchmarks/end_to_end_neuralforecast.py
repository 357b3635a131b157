"""The job of `end_to_end.py` with neuralforecast: one process, from the CSV file to the fitted network.

    python benchmarks/end_to_end_neuralforecast.py JOB      (JSON, as `end_to_end.py` writes it)

Defaults, except for what makes the job the same: encoder, a linear decoder, input size, horizon, loss, updates, windows
of an update, learning rate, and as many validation windows, as often as the search of the others scores them. (Its own
choice would be all windows of all series.) No logger, checkpoints, progress bar or summary.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from typing import Any

import pandas as pd
import torch

VALIDATION_WINDOWS = 4096
HELD_OUT = 0.2


def fit(job: dict[str, Any], recurrent: bool) -> dict[str, float]:
    """Read, fit and give the updates done and the seconds that the fit took; on one thread those that it computed."""
    clock = time.process_time if job["threads"] == 1 else time.perf_counter
    from neuralforecast import NeuralForecast
    from neuralforecast.losses.pytorch import MAE
    from neuralforecast.models import GRU, LSTM, RNN

    for name in ("lightning_fabric", "pytorch_lightning", "lightning"):
        logging.getLogger(name).setLevel(logging.ERROR)
    frame = pd.read_csv(job["file"], parse_dates=["ds"])
    held_out = int(HELD_OUT * frame.groupby("unique_id").size().min())
    scored = max(1, round(VALIDATION_WINDOWS / (held_out - job["horizon"] + 1)))  # series
    updates = max(1, (job["search_epochs"] + job["refit_epochs"]) * job["epoch_updates"])
    direct = {} if recurrent else {"decoder_layers": 1}
    model = {"rnn": RNN, "gru": GRU, "lstm": LSTM}[job["cell"]](
        h=job["horizon"],
        input_size=job["input_size"],
        encoder_n_layers=1,
        encoder_hidden_size=job["hidden"],
        recurrent=recurrent,
        loss=MAE(),
        max_steps=updates,
        learning_rate=job["learning_rate"],
        windows_batch_size=job["batch"],
        val_check_steps=max(1, updates // max(1, job["search_epochs"])),
        valid_batch_size=scored,
        limit_val_batches=1,
        random_seed=job["seed"] + 1,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **direct,
    )
    forecaster = NeuralForecast(models=[model], freq="D")
    began = clock()
    forecaster.fit(df=frame, val_size=held_out)
    return {"updates": updates, "seconds": clock() - began}


def main() -> None:
    """Fit and print the figures as JSON."""
    warnings.filterwarnings("ignore")
    job = json.loads(sys.argv[1])
    torch.set_num_threads(job["threads"])
    print(json.dumps(fit(job, job["way"] == "recurrent")))


if __name__ == "__main__":
    main()
