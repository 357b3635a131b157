"""Where compiled kernels are kept, and what happens where they cannot be."""

import subprocess
import sys

import pytest

from rnncast.core import jit

CODE = """
from rnncast.core.jit import jit_entry
@jit_entry
def one(x):
    return x + 1
@jit_entry
def two(x):
    return x + 2
print(one(1), two(1))
"""


def test_no_writable_cache_gives_one_warning_and_works(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    environment = {"NUMBA_CACHE_DIR": str(blocked / "below"), "PYTHONPATH": ":".join(sys.path), "HOME": str(tmp_path)}
    ran = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, env=environment, check=False)
    assert ran.stdout.split() == ["2", "3"], ran.stderr
    assert ran.stderr.count("RuntimeWarning") == 1
    assert "compiled anew" in ran.stderr


def test_the_folder_is_private_and_stays_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = jit._cache_folder()
    assert folder.parent == tmp_path / "rnncast"
    assert folder.stat().st_mode & 0o077 == 0
    assert jit._cache_folder() == folder


@pytest.mark.skipif(sys.platform == "win32", reason="file modes mean nothing there")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    jit._cache_folder().chmod(0o777)
    assert jit._cache_folder() is None


def test_another_source_is_another_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = jit._cache_folder()
    sources = tmp_path / "core"
    sources.mkdir()
    (sources / "cells.py").write_text("changed = True")
    monkeypatch.setattr(jit, "__file__", str(sources / "jit.py"))
    assert jit._cache_folder() != before
