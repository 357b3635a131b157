"""``rnncast warmup``: compile the kernels before the first command that needs them."""

from __future__ import annotations

from rnncast.cli.options import Report, takes
from rnncast.cli.output import Output
from rnncast.cli.progress import say_compiling
from rnncast.errors import STORAGE_ERRORS, OutputError, StorageError

EXAMPLES = """\b
Examples:
  rnncast warmup
  rnncast warmup --json
  RNNCAST_CACHE_DIR=/srv/forecasts rnncast warmup -q
"""


@takes(report=Report)
def warmup(report: Report) -> None:
    """Compile the kernels, or load and verify them, so that no later command has to compile.

    They are kept in a folder of the user's own, made in the one that RNNCAST_CACHE_DIR names, else in the user's cache.
    """
    from time import monotonic

    out = Output(quiet=report.quiet, hold=report.json)
    begun = monotonic()
    folder = _folder()
    out.note(f"kernels are kept in {folder}")
    say_compiling(out, before=_check_writable)
    from rnncast.core.warmup import warm_up

    warmed = warm_up()
    for kernel in warmed:
        if kernel.failure is not None:
            raise _unkept(kernel.failure, folder)
    compiled = [kernel.name for kernel in warmed if kernel.compiled]
    seconds = monotonic() - begun
    out.note(f"{len(compiled)} compiled, {len(warmed) - len(compiled)} loaded and verified, in {seconds:.1f} s")
    if report.json:
        kernels = [{"name": kernel.name, "action": "compiled" if kernel.compiled else "loaded"} for kernel in warmed]
        out.document({"schema": "rnncast.warmup/1", "folder": folder, "kernels": kernels, "seconds": round(seconds, 3)})
    out.release()


def _folder() -> str:
    """Path of the folder; OutputError where there is none."""
    from rnncast.core.kernel_folder import NoFolderError
    from rnncast.core.warmup import folder_path

    try:
        return folder_path()
    except NoFolderError as reason:
        raise OutputError(f"there is no folder to keep kernels in: {reason}", hint=_remedy()) from None


def _check_writable() -> None:
    """Before kernels are compiled, see that they can be kept."""
    from rnncast.core.warmup import check_writable, folder_path

    try:
        check_writable()
    except OSError as error:
        raise _unkept(error, folder_path()) from None


def _unkept(error: OSError, folder: str) -> OutputError | StorageError:
    kind = StorageError if error.errno in STORAGE_ERRORS else OutputError
    return kind(f"kernels cannot be kept: {error.strerror}", where=folder, hint=_remedy())


def _remedy() -> str:
    from rnncast.core.kernel_folder import VARIABLE

    return f"{VARIABLE} names another place"
