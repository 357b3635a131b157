"""rnncast beside neuralforecast's recurrent networks and statsforecast's models: same tasks, same scoring, one run.

    python3 -m venv peers-environment
    peers-environment/bin/pip install torch==2.13.0 neuralforecast==3.3.0 statsforecast==2.1.1    (torch: the CPU build)
    python benchmarks/accuracy/peers.py --data DATA --peer-python peers-environment/bin/python [--panels taxi,load]
                                        [--models LSTM,GRU-recurrent,AutoETS] [--preset fast] [--json FILE]

Each panel is trained and forecast by `rnncast train --preset fast` and `rnncast forecast`, and by each peer, a process
in the interpreter named, with as many threads (`--threads`). neuralforecast: documented defaults, input of three
horizons, 500 training steps, trained once on the rows before the first origin, then asked with the rows up to each
origin; `-recurrent` is `recurrent=True`, the mode that its users can choose instead of the default. It is handed the
last rows of each history only, more than it reads, and so is `rnncast forecast`. statsforecast: fitted anew at each
origin to the last 4,000 rows (which cuts the histories of power, load and taxi alone), with the panel's season; on
power at every fifth origin, where rnncast is scored on the same ones. AutoETS knows no season of more than 24 rows.

Wall seconds are those of whole processes, `train` and `forecast` together for rnncast; `without start` leaves out the
peer's imports, reading and writing, but nothing of rnncast's. A small run of each goes before, untimed.

With `--json FILE` a line is added for each panel and peer, and those that FILE has already are passed over. What a peer
does is the same beside every state of rnncast: one that FILE has beside an earlier state is not run again, its seconds
bear a star, and what they are to rnncast's is only as sure as two runs are alike. With a file of its own everything is
of one run.
`python benchmarks/accuracy --data DATA --table FILE` prints them.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from lines import add_line, find_line, is_done
from panels import PANELS, PanelSpec, Task, chosen_panels, first_tasks, tasks_of
from program import (
    Issued,
    Usage,
    clean_environment,
    collect,
    fingerprint,
    machine,
    run_measured,
    train_and_forecast,
    warm_up,
)
from references import yardsticks
from scoring import score_panel
from table import METHOD, peer_header, peer_row

NETWORKS = ("LSTM", "GRU", "LSTM-recurrent", "GRU-recurrent")
STATISTICAL = ("AutoETS", "SeasonalNaive", "AutoTheta")
STEPS = 500
READ = 20
"""Horizons at the end of a history that a network is handed; it reads three."""

HANDED = 1000
"""Rows at the end of a history that rnncast is handed to forecast from, more than it reads."""

FITTED = 4000
"""Rows at the end of a history that statsforecast is handed; a fit to tens of thousands takes minutes each."""

PEER_FIELDS = (
    "tasks", "peer", "peer_seconds", "peer_work_seconds", "peer_computed_seconds", "peer_peak_mb", "versions"
)  # fmt: skip
"""What a line says of the peer alone."""

EVERY = {"power_de": 5, "power_fr": 5}
"""Origins from one to the next at which statsforecast is fitted, where there are hundreds; no multiple of a week."""


@dataclass(frozen=True)
class Peers:
    """The interpreter of the peers, and threads of every program."""

    python: str
    threads: int

    def run(self, model: str, spec: PanelSpec, tasks: list[Task], steps: int = STEPS) -> tuple[Issued, Usage, Any]:
        """One peer's forecasts, what they took, and what it says of itself."""
        network = model in NETWORKS
        with tempfile.TemporaryDirectory() as folder:
            job = {
                "library": "neuralforecast" if network else "statsforecast",
                "model": model,
                "horizon": spec.horizon,
                "season": spec.season,
                "max_steps": steps,
                "threads": self.threads,
                **{name: f"{folder}/{name}.parquet" for name in ("train", "fresh", "out")},
                "said": f"{folder}/said.json",
            }
            first = first_tasks(tasks)
            counted_frame(first, [task.series.name for task in first]).to_parquet(job["train"])
            most = READ * spec.horizon if network else FITTED
            counted_frame(tasks, [task.tag for task in tasks], most).to_parquet(job["fresh"])
            program = str(Path(__file__).with_name("peer_program.py"))
            # Isolated: modules of this folder, and rnncast's, are not among those that it can import.
            command = [self.python, "-I", program, json.dumps(job)]
            usage = run_measured(command, folder, clean_environment(self.threads))
            issued = Issued({}, {})
            collect(pd.read_parquet(job["out"]), model, tasks, issued)
            return issued, usage, json.loads(Path(job["said"]).read_text(encoding="utf-8"))


def counted_frame(tasks: list[Task], names: list[str], most: int | None = None) -> pd.DataFrame:
    """Histories of tasks in long layout, at most their last rows, numbered from 0."""
    histories = [task.history[-most:] if most else task.history for task in tasks]
    lengths = [len(history) for history in histories]
    return pd.DataFrame(
        {
            "unique_id": np.repeat(names, lengths),
            "ds": np.concatenate([np.arange(length) for length in lengths]),
            "y": np.concatenate(histories),
        }
    )


@dataclass(frozen=True)
class Ours:
    """What rnncast issued for all tasks of a panel, and what it took."""

    issued: Issued
    usage: Usage


def run_peer(peers: Peers, model: str, spec: PanelSpec, shared: list[Task]) -> dict[str, Any]:
    """Scores and seconds of one peer; or why it gave none."""
    try:
        issued, usage, said = peers.run(model, spec, shared)
    except SystemExit as error:
        return {"error": str(error).strip().splitlines()[-1]}
    scores = score_panel(spec, shared, {**yardsticks(spec, shared), model: issued})
    return {
        "tasks": len(shared),
        "peer": scores[model],
        "peer_seconds": usage.seconds,
        "peer_work_seconds": said["seconds"],
        "peer_computed_seconds": usage.computed_seconds,
        "peer_peak_mb": usage.peak_mb,
        "versions": said["versions"],
        "earlier": False,
    }


def taken_over(identity: dict[str, Any], file: Path | None) -> dict[str, Any] | None:
    """What `run_peer` found beside an earlier state of rnncast; None if the file has nothing."""
    line = find_line(identity, file)
    return line and {name: line[name] for name in PEER_FIELDS} | {"earlier": True}


def score_ours(ours: Ours, spec: PanelSpec, shared: list[Task]) -> dict[str, Any]:
    """Scores and seconds of rnncast."""
    return {
        METHOD: score_panel(spec, shared, {**yardsticks(spec, shared), METHOD: ours.issued})[METHOD],
        "rnncast_seconds": ours.usage.seconds,
        "rnncast_computed_seconds": ours.usage.computed_seconds,
        "rnncast_peak_mb": ours.usage.peak_mb,
    }


def run_panel(panel: str, models: list[str], options: list[str], peers: Peers, given: argparse.Namespace) -> None:
    """Compare on one panel with every peer that the file has not."""
    spec = PANELS[panel]
    shown = {"kind": "peer", "panel": panel, "before": given.before, "threads": peers.threads}
    common = {**shown, "options": options, "source": fingerprint()}
    missing = [model for model in models if not is_done({**common, "model": model}, given.json)]
    if not missing:
        return
    tasks = tasks_of(spec, given.data, before=given.before)
    issued, train, forecast = train_and_forecast(spec, tasks, options, peers.threads, HANDED)
    ours = Ours(issued, train + forecast)
    scored: dict[int, dict[str, Any]] = {}  # by the origins that are shared
    for model in missing:
        every = 1 if model in NETWORKS else EVERY.get(panel, 1)
        shared = [task for task in tasks if task.origin % every == 0]
        found = taken_over({**shown, "model": model, "every": every}, given.json)
        found = run_peer(peers, model, spec, shared) if found is None else found
        scored[every] = scored.get(every) or score_ours(ours, spec, shared)
        line = {**common, "model": model, "every": every, "machine": machine(), **found, **scored[every]}
        if "error" in line:
            print(f"{panel}, {model}: {line['error']}", flush=True)
        else:
            print(peer_row(line), flush=True)
            add_line(line, given.json)


def warm_all(panel: str, models: list[str], options: list[str], peers: Peers, given: argparse.Namespace) -> None:
    """A small run of each program, so that nothing is compiled and all files have been read once before time counts."""
    spec = PANELS[panel]
    tasks = tasks_of(spec, given.data, before=given.before)
    name = tasks[0].series.name
    small = [task for task in tasks if task.series.name == name and task.origin == 0]
    warm_up(peers.threads)
    train_and_forecast(spec, small, [*options, "--max-epochs", "1"], peers.threads)
    for model in models:
        peers.run(model, spec, small, steps=1)


def main() -> None:
    """Compare on the panels named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the series")
    parser.add_argument("--peer-python", required=True, help="interpreter with neuralforecast and statsforecast")
    parser.add_argument("--panels", help="names, with commas between them; all if left out")
    parser.add_argument("--models", default=",".join([*NETWORKS, *STATISTICAL]), help="names, with commas")
    parser.add_argument("--preset", default="fast", help="given to rnncast train; '' for its own default")
    parser.add_argument("--before", action="store_true", help="score rows before those that are reported")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="threads of every program")
    parser.add_argument("--json", type=Path, help="file to add a line a comparison to, and to go on from")
    parser.add_argument("options", nargs="*", help="options given to rnncast train, after --")
    given = parser.parse_args()
    models = given.models.split(",")
    if unknown := [model for model in models if model not in (*NETWORKS, *STATISTICAL)]:
        raise SystemExit(f"{unknown[0]} is not a peer; peers: {', '.join((*NETWORKS, *STATISTICAL))}")
    panels = chosen_panels(given.panels, before=given.before)
    options = [*(["--preset", given.preset] if given.preset else []), *given.options]
    peers = Peers(os.path.abspath(given.peer_python), given.threads)
    warm_all(panels[0], models, options, peers, given)
    print(peer_header(), flush=True)
    for panel in panels:
        run_panel(panel, models, options, peers, given)


if __name__ == "__main__":
    main()
