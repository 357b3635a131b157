"""Accuracy and cost of rnncast on named panels with fixed splits, beside references.

    python benchmarks/accuracy --data DATA [--panels m4_weekly,power_de] [--preset fast] [--before] [--json FILE]
                               [-- OPTIONS OF TRAIN]
    python benchmarks/accuracy --data DATA --table FILE [FILE ...]

DATA is a folder with the series (`m4/`, `prices/`, `nonprice/`); `panels.py` has the panels and their splits. Each
panel is trained once with `rnncast train`, default options, on the rows before its first origin, and forecast from
every origin with `rnncast forecast` and the rows up to it: what a user would type. `--season-length` is given for M4
only, whose rows have no dates.

`--before` leaves out the rows that are reported, and scores as many origins of the rows before them: settings are
chosen there.

With `--json FILE` a line is added for each panel, and panels that FILE has already, from the same sources and with the
same options, are passed over: a run that was interrupted goes on. `--table FILE` prints what files hold (those of
`peers.py` too) beside the published results of M4.

Columns: `scoring.py` defines them. `to GARCH-t` is the interval score at 95 % relative to that of GARCH(1,1) with
Student's t, estimated once; `benchmarks/intervals.py` measures this with more origins and
confidence intervals. Seconds are wall seconds of whole processes with kernels compiled beforehand, `forecast s` all
origins together; peak MB is the most resident memory of either.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lines import add_line, is_done
from panels import PANELS, chosen_panels, tasks_of
from program import fingerprint, machine, train_and_forecast, warm_up
from references import references
from scoring import score_panel
from table import METHOD, print_tables, summary_header, summary_row


def measure(panel: str, data: Path, options: list[str], *, before: bool) -> dict[str, Any]:
    """Everything about one panel."""
    spec = PANELS[panel]
    tasks = tasks_of(spec, data, before=before)
    issued, train, forecast = train_and_forecast(spec, tasks, options)
    methods = {METHOD: issued, **references(spec, tasks, data, before=before)}
    return {
        **identity(panel, options, before=before),
        "machine": machine(),
        "tasks": len(tasks),
        "series": len({task.series.name for task in tasks}),
        "train_seconds": train.seconds,
        "train_computed_seconds": train.computed_seconds,
        "forecast_seconds": forecast.seconds,
        "peak_mb": max(train.peak_mb, forecast.peak_mb),
        "methods": score_panel(spec, tasks, methods),
    }


def identity(panel: str, options: list[str], *, before: bool) -> dict[str, Any]:
    """What a line of the JSON file is told by."""
    return {"kind": "panel", "panel": panel, "before": before, "options": options, "source": fingerprint()}


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the series")
    parser.add_argument("--panels", help="names, with commas between them; all if left out")
    parser.add_argument("--preset", help="given to rnncast train")
    parser.add_argument("--before", action="store_true", help="score rows before those that are reported")
    parser.add_argument("--json", type=Path, help="file to add a line a panel to, and to go on from")
    parser.add_argument("--table", type=Path, nargs="+", help="files to print tables of; nothing is measured")
    parser.add_argument("options", nargs="*", help="options given to rnncast train, after --")
    return parser.parse_args()


def main() -> None:
    """Measure the panels named, or print what was measured."""
    given = arguments()
    if given.table:
        print_tables(given.table, given.data)
        return
    panels = chosen_panels(given.panels, before=given.before)
    options = [*(["--preset", given.preset] if given.preset else []), *given.options]
    warm_up()
    print(summary_header(), flush=True)
    for panel in panels:
        if is_done(identity(panel, options, before=given.before), given.json):
            continue
        line = measure(panel, given.data, options, before=given.before)
        print(summary_row(line), flush=True)
        add_line(line, given.json)


if __name__ == "__main__":
    main()
