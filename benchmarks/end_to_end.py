"""Whole trainings of one job, from a CSV file to a trained network: rnncast, a plain PyTorch loop, neuralforecast.

    pip install torch==2.13.0 neuralforecast      (the CPU build of torch)
    python benchmarks/end_to_end.py [--rounds 3] [--updates 2000] [--threads N] [--only lstm-32]
                                    [--programs pytorch,neuralforecast] [--json FILE]

The job: 100 simulated series of 2,500 days (a random walk of the logarithm whose changes have an autocorrelation of
0.5, from a fixed seed), horizon 10, input of 80 rows, mean absolute error, batches of 128 windows, one recurrent layer.
`rnncast train --members 1` searches for the number of epochs on earlier rows, scores 4,096 validation windows after
each epoch, and trains once more on all rows; `--updates` is the most that search and refit may take together. How many
it took is read from its record, and the others do as many.

- pytorch: `end_to_end_pytorch.py`, the same search and refit as one would write them by hand, in the fastest of its
  ways and numbers of threads, found beforehand in a short trial.
- neuralforecast: `end_to_end_neuralforecast.py`, its own loader and trainer, in the faster of its two modes (one step
  ahead, `recurrent=True`, or all at once) and numbers of threads, found likewise.

Each program is a process of its own, and the programs take turns. Given are the medians of the time that passes from
the start of the process to its end, and its ratio to rnncast; the same per 1,000 updates; the time without updates
(rnncast and PyTorch with none, neuralforecast with one), which is start, imports, reading, preparing and one scoring;
the time that the cores compute, and its ratio; and the most resident memory. On a machine that others use, the ratio of
the time computed on one thread (`--threads 1`) is the one to trust. rnncast's first run, which compiles its kernels, is
given apart. The validation losses of rnncast and of the PyTorch loop, on the same windows, show whether both did the
same.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from end_to_end_programs import EPOCH_UPDATES, NETWORKS, SEED, Bench, Run, make_file

PROGRAMS = ("rnncast", "pytorch", "neuralforecast")
NEEDS = {"pytorch": ("torch", "pandas"), "neuralforecast": ("torch", "pandas", "neuralforecast")}
ALIKE = 0.01
"""Relative difference of validation losses up to which two trainings count as alike."""

COLUMNS = (
    "network", "program", "way, threads", "s", "ratio", "s per 1,000 updates", "s without updates", "s computed",
    "ratio computed", "peak MB",
)  # fmt: skip


def compare(bench: Bench, programs: list[str], rounds: int) -> dict[str, Any]:
    """All figures of one network; the programs take turns."""
    first = bench.rnncast(bench.max_epochs)
    record = bench.record()
    updates = (bench.search_epochs + bench.refit_epochs) * EPOCH_UPDATES
    for program in programs[1:]:
        bench.choose(program)
    runs: dict[str, list[Run]] = {program: [] for program in programs}
    starts: dict[str, list[Run]] = {program: [] for program in programs}
    for _ in range(rounds):
        for program in programs:
            starts[program].append(bench.turn(program, updates=False))
            runs[program].append(bench.turn(program, updates=True))
    got = {
        "network": bench.network,
        "updates": updates,
        "first_run_seconds": first.seconds,
        "validation": {"rnncast": record["search_losses"]},
        "programs": {},
    }
    if "pytorch" in programs:
        got["validation"]["pytorch"] = json.loads(runs["pytorch"][-1].output)["validation"]
    for program in programs:
        seconds = statistics.median(one.seconds for one in runs[program])
        computed = statistics.median(one.computed for one in runs[program])
        ours = got["programs"].get("rnncast", {"seconds": seconds, "computed_seconds": computed})
        got["programs"][program] = {
            "way": " x".join(map(str, bench.ways.get(program, ()))),
            "seconds": seconds,
            "ratio": seconds / ours["seconds"],
            "seconds_per_1000": 1000 * seconds / updates,
            "seconds_without_updates": statistics.median(one.seconds for one in starts[program]),
            "computed_seconds": computed,
            "computed_ratio": computed / ours["computed_seconds"],
            "peak_mb": statistics.median(one.peak for one in runs[program]),
            "all_seconds": [one.seconds for one in runs[program]],
            "all_computed_seconds": [one.computed for one in runs[program]],
        }
    return got


def show(got: dict[str, Any]) -> None:
    """Print the table of one network's figures, and the notes below it."""
    print(f"\n| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    print("\n".join(rows_of(got)), end="\n\n")
    print("\n".join(notes_of(got)), end="\n\n", flush=True)


def rows_of(got: dict[str, Any]) -> list[str]:
    """Table rows of one network's figures."""
    return [
        f"| {got['network']} | {program} | {one['way'] or '-'} | {one['seconds']:.1f} | {one['ratio']:.1f} | "
        f"{one['seconds_per_1000']:.2f} | {one['seconds_without_updates']:.1f} | {one['computed_seconds']:.1f} | "
        f"{one['computed_ratio']:.1f} | {one['peak_mb']:.0f} |"
        for program, one in got["programs"].items()
    ]


def notes_of(got: dict[str, Any]) -> list[str]:
    """What is to be known beside the table."""
    notes = [
        f"{got['network']}: {got['updates']:,} updates; rnncast's first run, which compiles its kernels: "
        f"{got['first_run_seconds']:.1f} s"
    ]
    losses = got["validation"]
    if "pytorch" in losses:
        ours, theirs = losses["rnncast"], losses["pytorch"]
        same = abs(ours[0] / theirs[0] - 1) < 1e-4
        apart = min(theirs) / min(ours) - 1
        verdict = "alike" if same and abs(apart) < ALIKE else "NOT ALIKE: the two did not do the same"
        notes.append(
            f"{got['network']}: validation loss, rnncast and pytorch: at the start {ours[0]:.4f} and {theirs[0]:.4f}, "
            f"best {min(ours):.4f} and {min(theirs):.4f} ({apart:+.2%}): {verdict}"
        )
    return notes


def installed(programs: list[str]) -> list[str]:
    """The programs that can run; a line on each that cannot."""
    kept = []
    for program in programs:
        missing = [name for name in NEEDS.get(program, ()) if importlib.util.find_spec(name) is None]
        if missing:
            print(f"{program} is left out: pip install {' '.join(missing)}")
        else:
            kept.append(program)
    return kept


def main() -> None:
    """Compare the programs on each network and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="turns of each program")
    parser.add_argument("--updates", type=int, default=2000, help="most updates of search and refit together")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="most threads of each program")
    parser.add_argument("--only", choices=NETWORKS, help="one network")
    parser.add_argument("--programs", default=",".join(PROGRAMS), help="rnncast's peers to run, or none")
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    wanted = given.programs.split(",")
    programs = ["rnncast", *installed([name for name in PROGRAMS[1:] if name in wanted])]
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        make_file(Path(folder) / "panel.csv")
        for network in [given.only] if given.only else NETWORKS:
            bench = Bench(network, Path(folder), given.updates, given.threads)
            figures.append(compare(bench, programs, given.rounds))
            show(figures[-1])
    if given.json:
        peers = sorted({name for program in programs for name in NEEDS.get(program, ())})
        about = {
            "rounds": given.rounds,
            "seed": SEED,
            "threads": given.threads,
            "cores": os.cpu_count(),
            "machine": platform.machine(),
        }
        about |= {"python": platform.python_version(), "versions": {name: version(name) for name in peers}}
        given.json.write_text(json.dumps(about | {"figures": figures}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
