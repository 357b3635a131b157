"""kill -9 while a file is written: it is the old one or the new one, whole, and the next run goes on as if nothing was.

The full counts of docs/reliability.md: ``python -m pytest -m faults tests/faults/test_kills.py -rP``
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")


@pytest.mark.parametrize(
    ("every", "timed", "least"),
    [pytest.param(5, 4, 30, id="short"), pytest.param(1, 200, 200, id="full", marks=pytest.mark.faults)],
)
def test_a_kill_leaves_the_old_or_the_new_file(tmp_path, every, timed, least):
    program = Path(__file__).parent / "kill_each.py"
    command = [sys.executable, program, tmp_path, str(every), str(timed), "6"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=3000)
    outcomes = json.loads(done.stdout)
    assert len(outcomes) >= least
    for outcome in outcomes:
        assert outcome["state"] in ("old", "new"), outcome
        assert (outcome["read"], outcome["again"], outcome["whole"]) == (0, 0, True), outcome
        assert outcome["left"] == [], outcome  # the next run has swept what was left
    states = Counter(outcome["state"] for outcome in outcomes)
    assert min(states["old"], states["new"]) > 0  # before and after the file had its name
    print(f"{len(outcomes)} kills, {timed} of them at random: {states['old']} old, {states['new']} new, all whole")
