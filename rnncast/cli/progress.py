"""Progress of training and of a backtest: a bar on a terminal, a plain line now and then otherwise."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rnncast.cli.output import Output

if TYPE_CHECKING:
    from rnncast.training.train import EpochReport

LINE_EVERY = 10
"""Epochs between two plain lines."""


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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def epoch(self, report: EpochReport) -> None:
        """One epoch of one member is done."""
        word = "search" if report.phase == "search" else "training"
        name = f"{self._origin}{word}, member {report.member} of {report.members}"
        losses = f"loss {report.loss:.4f}"
        if report.validation_loss is not None:
            losses += f", validation {report.validation_loss:.4f}"
        if self._bar is not None:
            self._bar.show(name, report.epoch, report.epochs, losses)
        elif self._epochs and (report.epoch % LINE_EVERY == 0 or report.epoch in (1, report.epochs)):
            self._output.note(f"{name}, epoch {report.epoch} of {report.epochs}: {losses}")

    def origin(self, done: int, total: int) -> None:
        """One origin of a backtest is done."""
        if self._bar is not None:
            self._origin = f"origin {min(done + 1, total)} of {total}: "
            self._bar.show("origins", done, total)
        elif done == total or done * 10 // total > (done - 1) * 10 // total:
            self._output.note(f"origin {done} of {total}")
