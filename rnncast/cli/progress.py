"""Progress of training and of a backtest: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rnncast.cli.output import Output
from rnncast.cli.signals import raise_again

if TYPE_CHECKING:
    from rnncast.training.search import EpochReport

LINE_EVERY = 10
"""Epochs between two plain lines."""


FEWEST_FORECASTS = 1000
"""Forecasts of a ledger that take long enough for a line to tell of them."""

ORIGIN_LINES = 5
"""Plain lines that tell of the origins of a backtest."""


def say_compiling(output: Output, before: Callable[[], None] | None = None) -> None:
    """Say it in one line if kernels have to be compiled: nothing else is said for a while. `before` may refuse it."""
    from rnncast.core.compiling import tell_of_compiling

    def say(kept: bool) -> None:
        if before is not None:
            before()
        output.passing(f"compiling the kernels ({'once, ' if kept else ''}about half a minute) ...")

    tell_of_compiling(say)


class Progress:
    """Shows how far training or a backtest is; a context manager, so that the bar is gone before anything is said.

    Parameters
    ----------
    output
        Where to show it.
    epochs
        Whether plain lines tell of epochs; a bar always does.
    """

    def __init__(self, output: Output, *, epochs: bool = True) -> None:
        self._output = output
        self._epochs = epochs
        self._bar = output.bar()
        self._origin = ""
        self._fifths = 0
        self._held: dict[int, str] = {}  # by member: its last epoch is not known until all is over

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
        self._release()

    def _release(self) -> None:
        for line in self._held.values():
            self._output.note(line)
        self._held = {}

    def epoch(self, report: EpochReport) -> None:
        """One epoch of one member is done."""
        raise_again()
        word = "search" if report.phase == "search" else "training"
        member = f", member {report.member} of {report.members}" if report.members > 1 else ""
        name = f"{self._origin}{word}{member}"
        losses = f"loss {report.loss:.4f}"
        if report.validation_loss is not None:
            losses += f", validation {report.validation_loss:.4f}"
        if self._bar is not None:
            self._bar.show(name, report.epoch, report.epochs, losses)
        elif self._epochs:
            self._line(report, f"{name}, epoch {report.epoch} of {report.epochs}: {losses}")

    def _line(self, report: EpochReport, line: str) -> None:
        """Say the first epoch of a member, every tenth and the last; members may go side by side."""
        if report.epoch == 1:
            self._release()
        self._held.pop(report.member, None)
        if report.epoch == 1 or report.epoch % LINE_EVERY == 0:
            self._output.note(line)
        else:
            self._held[report.member] = line

    def origin(self, done: int, total: int) -> None:
        """So many origins of a backtest are done."""
        raise_again()
        self._release()
        fifths, self._fifths = self._fifths, done * ORIGIN_LINES // total
        if self._bar is not None:
            self._origin = f"origin {min(done + 1, total)} of {total}: "
            self._bar.show("origins", done, total)
        elif self._fifths > fifths:
            self._output.note(f"origin {done} of {total}")

    def issued(self, done: int, total: int) -> None:
        """One forecast of a ledger is scored."""
        raise_again()
        if self._bar is not None:
            self._bar.show("forecasts", done, total)
        elif total >= FEWEST_FORECASTS and done * ORIGIN_LINES // total > (done - 1) * ORIGIN_LINES // total:
            self._output.note(f"forecast {done:,} of {total:,}")
