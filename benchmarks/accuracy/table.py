"""Tables in Markdown of what was measured, from lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from lines import read_lines
from panels import PANELS
from published import published_m4
from references import GARCH_T

METHOD = "rnncast"
SCORES = (
    ("sMAPE", "smape", 3),
    ("MASE", "mase", 3),
    ("OWA", "owa", 3),
    ("relative MAE", "relative_mae", 4),
    ("to seasonal naive", "relative_mae_seasonal", 4),
    ("MAE", "mae", 4),
    ("interval score 95", "interval_score_95", 2),
    ("coverage 80", "coverage_80", 3),
    ("coverage 95", "coverage_95", 3),
    ("pinball", "pinball", 4),
)
"""Heading, key, and digits (significant ones for the MAE, which has the units of the panel)."""

COSTS = (("train s", "train_seconds"), ("forecast s", "forecast_seconds"), ("peak MB", "peak_mb"))
HEADINGS = [heading for heading, _, _ in SCORES]


def header(names: Iterable[str]) -> str:
    """Head of a table."""
    names = list(names)
    return f"| {' | '.join(names)} |\n{'|---' * len(names)}|"


def row(cells: Iterable[str]) -> str:
    """One row of a table."""
    return f"| {' | '.join(cells)} |"


def score_cells(scores: dict[str, Any]) -> list[str]:
    """The scores of a method, empty where it has none."""
    return [_number(scores.get(key), key, digits) for _, key, digits in SCORES]


def summary_header() -> str:
    """Head of the table of what is issued, a row a panel."""
    return header(["panel", "tasks", *HEADINGS, "to GARCH-t", *(heading for heading, _ in COSTS)])


def summary_row(line: dict[str, Any]) -> str:
    """What is issued on one panel."""
    costs = [f"{line[key]:.0f}" if key == "peak_mb" else f"{line[key]:.1f}" for _, key in COSTS]
    return row([_label(line), str(line["tasks"]), *score_cells(line["methods"][METHOD]), to_garch(line), *costs])


def to_garch(line: dict[str, Any]) -> str:
    """Interval score relative to that of GARCH(1,1) with Student's t; empty but for prices."""
    garch = line["methods"].get(GARCH_T)
    if garch is None:
        return ""
    return f"{line['methods'][METHOD]['interval_score_95'] / garch['interval_score_95']:.3f}"


def print_tables(files: list[Path], data: Path) -> None:
    """Print what the files hold: what is issued, then each panel beside references, published results and peers."""
    lines = [line for file in files for line in read_lines(file)]
    panels = _latest([one for one in lines if one["kind"] == "panel"], ("panel", "before", "options"))
    peers = _latest([one for one in lines if one["kind"] == "peer"], ("panel", "before", "model"))
    print(summary_header())
    for line in panels:
        print(summary_row(line))
    print()
    print(header(["panel", "method", *HEADINGS]))
    for line in panels:
        beside = {**line["methods"]} | ({} if line["before"] else published_m4(line["panel"], data))
        beside |= {
            _peer_name(one): one["peer"]
            for one in peers
            if (one["panel"], one["before"]) == (line["panel"], line["before"])
        }
        for name, scores in beside.items():
            print(row([_label(line), name, *score_cells(scores)]))
    if peers:
        print()
        print_peers(peers)


def print_peers(peers: list[dict[str, Any]]) -> None:
    """Print each peer beside rnncast on the same tasks, with the ratio of wall seconds."""
    print(peer_header())
    for line in peers:
        print(peer_row(line))
    print()
    print(header(["panel", "most accurate network", "MASE", "rnncast MASE", "ratio", "least times"]))
    for _, group in groupby(peers, key=_label):
        networks = [line for line in group if "neuralforecast" in line["versions"]]
        if networks:
            print(_verdict_row(networks))


def _verdict_row(networks: list[dict[str, Any]]) -> str:
    """The network with the least MASE, and the least ratio of wall seconds of any."""
    best = min(networks, key=lambda line: line["peer"]["mase"])
    theirs, ours = best["peer"]["mase"], best["rnncast"]["mase"]
    times = min(line["peer_seconds"] / line["rnncast_seconds"] for line in networks)
    figures = f"{theirs:.3f}", f"{ours:.3f}", f"{ours / theirs:.3f}", f"{times:.1f}"
    return row([_label(best), best["model"], *figures])


def peer_header() -> str:
    """Head of the table of peers."""
    measures = ("MASE", "OWA", "relative MAE", "to seasonal naive")
    return header(
        ["panel", "tasks", "peer", *measures, *(f"rnncast {name}" for name in measures), "MASE ratio"]
        + ["peer s", "without start s", "rnncast s", "times", "times without start"]
    )


def peer_row(line: dict[str, Any]) -> str:
    """One peer on one panel; a ratio of MASE below 1 says that rnncast is the more accurate."""
    keys = [one for one in SCORES if one[1] in ("mase", "owa", "relative_mae", "relative_mae_seasonal")]
    scores = [_number(line[who].get(key), key, digits) for who in ("peer", "rnncast") for _, key, digits in keys]
    ours, whole, inner = line["rnncast_seconds"], line["peer_seconds"], line["peer_work_seconds"]
    star = "*" if line.get("earlier") else ""
    seconds = [f"{whole:.1f}{star}", f"{inner:.1f}{star}", f"{ours:.1f}"]
    seconds += [f"{whole / ours:.1f}", f"{inner / ours:.1f}"] if line["every"] == 1 else ["", ""]
    ratio = f"{line['rnncast']['mase'] / line['peer']['mase']:.3f}"
    return row([_label(line), str(line["tasks"]), line["model"], *scores, ratio, *seconds])


def _peer_name(line: dict[str, Any]) -> str:
    every = f", every {line['every']}th origin" if line["every"] > 1 else ""
    return f"{line['model']} (peer{every})"


def _label(line: dict[str, Any]) -> str:
    options = " ".join(line["options"])
    return line["panel"] + (", before" if line["before"] else "") + (f" `{options}`" if options else "")


def _latest(lines: list[dict[str, Any]], keys: tuple[str, ...]) -> list[dict[str, Any]]:
    """The last line of each kind, in the order of the panels."""
    found = {json.dumps([line[key] for key in keys]): line for line in lines}
    order = list(PANELS)
    return sorted(found.values(), key=lambda line: order.index(line["panel"]))


def _number(value: float | None, key: str, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.{digits}g}" if key == "mae" else f"{value:.{digits}f}"
