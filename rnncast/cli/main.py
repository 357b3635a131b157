"""The entry point of the command line, around which the one error boundary stands.

Start-up is part of the tool: what only some calls need is imported by those calls. Typer alone takes half as long as
NumPy, so this module does without it, and the version is said before it is loaded.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence

from rnncast.cli import boundary, output

PROGRAM = "rnncast"

COLLECT_EVERY = 50_000
"""New objects after which cyclic garbage is looked for; what imports make is none, and is looked through in vain."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code.

    Parameters
    ----------
    arguments
        Command line without the program's name; None for that of the process, which ends with the call.
    """
    if arguments is None:
        gc.set_threshold(COLLECT_EVERY)
    # The networks are small: threads of the linear algebra library would cost start-up time and win nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Kernels are written in vectors: what LLVM does beyond its first level takes a fifth of compiling and wins nothing.
    os.environ.setdefault("NUMBA_OPT", "1")
    output.prepare_streams()
    code = boundary.run(_call, sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        gc.freeze()  # memory goes back with the process: no last search for garbage in all that was imported
    return code


def say_version() -> None:
    """Name and version on stdout."""
    from rnncast import __version__

    output.Output().line(f"{PROGRAM} {__version__}")


def _call(arguments: Sequence[str]) -> int:
    """Parse and run; the exit code."""
    if list(arguments) in (["--version"], ["-V"]):
        say_version()
        return 0
    from rnncast.cli.commands import invoke

    return invoke(PROGRAM, arguments)
