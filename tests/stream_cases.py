"""Real processes with real streams: pipes, files, terminals, and streams that are closed or full."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROGRAM = (sys.executable, "-m", "rnncast")
PATIENCE = 120.0
"""Seconds after which a process is taken for stuck."""


def environment(**more: str) -> dict[str, str]:
    """That of the tests, without what decides on colours and widths."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return {**kept, "TERM": "xterm-256color", **more}


def run(*arguments: str | bytes | Path, **more: object) -> subprocess.CompletedProcess[bytes]:
    """A process with pipes, unless `more` names other streams."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | more
    if "input" in streams:
        del streams["stdin"]
    return subprocess.run([*PROGRAM, *arguments], timeout=PATIENCE, env=environment(), **streams)  # type: ignore[call-overload, no-any-return]


def on_terminal(
    arguments: Sequence[str | Path],
    columns: int = 80,
    *,
    output: bool = True,
    variables: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Exit code, and what a terminal got of stdout and stderr; with `output` off of stderr alone."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        stdin=slave,
        stdout=slave if output else subprocess.DEVNULL,
        stderr=slave,
        env=environment(**(variables or {})),
    )
    os.close(slave)
    got, deadline = b"", time.monotonic() + PATIENCE
    try:
        while time.monotonic() < deadline:
            if not select.select([master], [], [], 1.0)[0]:
                continue
            piece = _read(master)
            if not piece:
                break
            got += piece
        return process.wait(PATIENCE), got.decode("utf-8").replace("\r\n", "\n")
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _read(master: int) -> bytes:
    """A piece of what the terminal got; nothing once nobody can write to it any more."""
    try:
        return os.read(master, 1 << 16)
    except OSError:  # Linux says so with EIO
        return b""
