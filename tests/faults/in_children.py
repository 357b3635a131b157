"""Command lines on damaged files, each in a child with limits; see open_each.py. How such a run may end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

MOST_MEMORY = 200
"""MiB over what the sound model takes."""

MOST_SECONDS = 20
"""Beyond all that a file should take, and far below what a bomb would."""


needs_fork = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="children are limited as Linux does it")


def counts(short: int, full: int) -> pytest.MarkDecorator:
    """A test of a sample in every run, and of the full count with ``-m faults``."""
    return pytest.mark.parametrize(
        "count", [pytest.param(short, id="short"), pytest.param(full, id="full", marks=pytest.mark.faults)]
    )


def run_each(jobs: list[list[str]]) -> list[dict[str, Any]]:
    """Run command lines in children; see open_each.py."""
    program = Path(__file__).parent / "open_each.py"
    done = subprocess.run(
        [sys.executable, program], input=json.dumps(jobs), capture_output=True, text=True, check=True, timeout=3000
    )
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def check_end(name: str, got: dict[str, Any], codes: set[int], sound: dict[str, Any]) -> None:
    """How a run on a crafted file may end."""
    assert got["code"] in codes, (name, got)
    assert "Traceback" not in got["stderr"] and len(got["stderr"].splitlines()) <= 6, (name, got)
    assert got["memory"] - sound["memory"] < MOST_MEMORY, (name, got)
    assert got["seconds"] < MOST_SECONDS, (name, got)
