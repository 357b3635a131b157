"""The package as it is installed: version, dependencies, what an import costs, what CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import rnncast

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_version_has_one_source() -> None:
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "rnncast/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", rnncast.__version__)


def test_run_time_dependencies_are_the_six() -> None:
    got = {re.match(r"[a-z]+", line)[0] for line in PROJECT["project"]["dependencies"]}  # type: ignore[index]
    assert got == {"numpy", "numba", "pandas", "typer", "rich", "pyarrow"}


def test_import_of_the_package_loads_nothing_else() -> None:
    code = "import sys; before = set(sys.modules); import rnncast; print(sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "['rnncast']"


def test_ci_installs_and_tests_with_one_command_each() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if line and not line.startswith("#")]
    assert 'python -m pip install -e ".[test]"' in lines
    assert lines[-1] == "python -m pytest -n auto"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_licence_is_the_whole_apache_text() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text and "END OF TERMS AND CONDITIONS" in text
