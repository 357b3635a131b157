"""The environment of cron: nearly no variables, no home, closed stdin, an installation that is read only, not root.

Run by root, the commands become another user, who may read everything (so that the interpreter can be anywhere) and
write to one folder only. Run by anybody else, they stay that user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cli_cases import QUICK, call, weekdays, write_prices

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).resolve().parent.parent.parent / "rnncast"
NOBODY = 65534
MAY_READ = "+dac_read_search"
BECOME = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
          f"--inh-caps={MAY_READ}", f"--ambient-caps={MAY_READ}"]  # fmt: skip


class Cron:
    """Runs commands as cron would, in a folder with prices."""

    def __init__(self, folder: Path) -> None:
        self.work, self.site = folder / "work", folder / "site"
        self.work.mkdir()
        write_prices(self.work / "prices.csv", np.random.default_rng(5))
        shutil.copytree(PACKAGE, self.site / "rnncast", ignore=shutil.ignore_patterns("__pycache__"))
        for path in [self.site, *self.site.rglob("*")]:
            path.chmod(path.stat().st_mode & ~0o222)
        self.become = BECOME if os.getuid() == 0 else []
        if self.become:
            for path in (self.work, self.work / "prices.csv"):
                os.chown(path, NOBODY, NOBODY)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the interpreter, with its stdin closed."""
        command = [*self.become, "sh", "-c", 'exec "$@" <&-', "sh", sys.executable, *arguments]
        environment = {"LANG": "C", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(self.site)}
        return subprocess.run(command, cwd=self.work, env=environment, capture_output=True, text=True)

    def rnncast(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command line."""
        return self.python("-m", "rnncast", *arguments)


@pytest.fixture(scope="module")
def cron(tmp_path_factory):
    """Cron, and a model that it has trained."""
    if not hasattr(os, "getuid"):
        pytest.skip("no users as cron knows them")
    if os.getuid() == 0 and subprocess.run([*BECOME, "true"], capture_output=True).returncode != 0:
        pytest.skip("root cannot become another user here: no setpriv, or no capabilities")
    jobs = Cron(tmp_path_factory.mktemp("cron"))
    jobs.trained = jobs.rnncast("train", "prices.csv", *QUICK, "--until", weekdays(120)[-1])
    yield jobs
    for path in [jobs.site, *jobs.site.rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)  # so that pytest can remove it


def warnings_of(done):
    return [line for line in done.stderr.splitlines() if "warning" in line.lower()]


def test_the_environment_is_that_of_cron(cron):
    code = "import os, sys, rnncast; print(rnncast.__file__, os.getuid(), sys.stdin, sorted(os.environ))"
    file, user, stdin, *names = cron.python("-c", code).stdout.split(maxsplit=3)
    assert Path(file).parent == cron.site / "rnncast"
    assert int(user) != 0
    assert stdin == "None"
    assert "HOME" not in names[0] and "TERM" not in names[0] and "LANG" in names[0]
    written = cron.python("-c", "import rnncast; open(rnncast.__file__, 'a')")
    assert "PermissionError" in written.stderr


def test_train(cron):
    assert cron.trained.returncode == 0, cron.trained.stderr
    assert cron.trained.stdout == ""
    assert len(warnings_of(cron.trained)) <= 1
    assert cron.trained.stderr.splitlines()[-1] == "next: rnncast forecast prices.npz"


def test_forecast(cron, monkeypatch):
    got = cron.rnncast("forecast", "prices.npz", "prices.csv", "--append", "issued.csv")
    assert got.returncode == 0, got.stderr
    assert warnings_of(got) == []
    monkeypatch.chdir(cron.work)
    assert got.stdout == call("forecast", "prices.npz", "prices.csv").out


def test_quiet_leaves_no_mail(cron):
    got = cron.rnncast("forecast", "prices.npz", "prices.csv", "-q", "-o", "today.csv")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")
    assert (cron.work / "today.csv").exists()


def test_evaluate(cron):
    got = cron.rnncast("evaluate", "prices.npz", "prices.csv", "--n-windows", "2")
    assert got.returncode == 0, got.stderr
    assert len(warnings_of(got)) <= 1
    assert "2 origins" in got.stdout


def test_closed_stdin_as_the_input(cron):
    got = cron.rnncast("forecast", "prices.npz", "-")
    assert (got.returncode, got.stdout) == (66, "")
    assert got.stderr.splitlines()[0] == "error: standard input is closed"


def test_nothing_is_left_but_what_was_asked_for(cron):
    for name in ("issued.csv", "today.csv"):
        cron.rnncast("forecast", "prices.npz", "-q", *(["-o", name] if name == "today.csv" else ["--append", name]))
    assert sorted(os.listdir(cron.work)) == ["issued.csv", "prices.csv", "prices.npz", "today.csv"]
    assert list(cron.site.rglob("__pycache__")) == []
