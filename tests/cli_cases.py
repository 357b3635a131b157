"""Calling the command line inside the test process, and small files for it."""

from __future__ import annotations

import contextlib
import io
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np

from rnncast.cli.main import main

QUICK = ("--max-epochs", "1", "--members", "1", "--hidden-size", "4", "--horizon", "5")
"""Options of the shortest training."""


@dataclass(frozen=True)
class Result:
    """Exit code and what was written to the two streams."""

    code: int
    out: str
    err: str


def call(*arguments: str | Path, stdin: bytes = b"", terminal: bool = False) -> Result:
    """Run a command line; `terminal` makes stdout claim to be one."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="ascii") for _ in range(2)]  # the command has to see to UTF-8
    out, err = streams
    source = io.TextIOWrapper(io.BytesIO(stdin))
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "stdin", source),
        mock.patch.object(out, "isatty", lambda: terminal),
    ):
        code = main([str(word) for word in arguments])
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode("utf-8"))  # type: ignore[attr-defined]
    return Result(code, *texts)


def weekdays(rows: int) -> list[str]:
    """Dates of weekdays from 2020-01-01 on."""
    return np.busday_offset("2020-01-01", np.arange(rows), roll="forward").astype(str).tolist()


def write_prices(path: Path, rng: np.random.Generator, rows: int = 150, column: str = "close") -> Path:
    """A CSV file of one random walk on weekdays."""
    prices = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(rows)))
    lines = [f"{day},{price!r}" for day, price in zip(weekdays(rows), prices.tolist(), strict=True)]
    path.write_text("\n".join([f"date,{column}", *lines, ""]), encoding="utf-8")
    return path
