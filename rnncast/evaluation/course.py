"""The course of a backtest: fold after fold, origin after origin, with a checkpoint and an audit if they are asked for.

Memory does not grow with the number of origins but for the table of what was issued.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rnncast.data.panel import Panel
from rnncast.evaluation.audit import Audit, audit
from rnncast.evaluation.checkpoint import Checkpoint, Progress, fingerprint
from rnncast.evaluation.folds import Source, fitted_folds, folds_of
from rnncast.evaluation.issued import Backtest
from rnncast.evaluation.issuing import Forecaster
from rnncast.evaluation.methods import Baselines, Terms
from rnncast.evaluation.origins import Origins, Plan
from rnncast.evaluation.table import Table
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.training.search import OnEpoch

OnOrigin = Callable[[int, int], None]
"""Called with the number of origins done and the number of all."""


@dataclass(frozen=True)
class Keeping:
    """What a backtest does beside its work.

    Attributes
    ----------
    checkpoint : str or None
        File in which what is done is kept, and from which the backtest goes on.
    audit : bool
        Whether an origin is forecast again with all later rows altered.
    """

    checkpoint: str | None = None
    audit: bool = False


NOTHING = Keeping()

MOST_ISSUED = 3
"""Kinds of what is issued that are told, where trainings differ."""


@dataclass(frozen=True)
class Run:
    """A backtest that has been run.

    Attributes
    ----------
    backtest : Backtest
        What was issued, and what came.
    notes : tuple of str
        What was chosen, left out and met.
    plan : Plan
        What was asked for.
    horizon : int
        Steps scored.
    origins : tuple of str
        Stamp of each origin; of integer steps those of the longest series.
    trainings : tuple of mapping
        What was trained when, as JSON values.
    audit : Audit or None
        What the audit found, if there was one.
    """

    backtest: Backtest
    notes: tuple[str, ...]
    plan: Plan
    horizon: int
    origins: tuple[str, ...]
    trainings: tuple[Mapping[str, Any], ...]
    audit: Audit | None = None

    @property
    def issued(self) -> str:
        """What the trainings let be issued, in words: the network, a simple path, or both; empty if it is not known."""
        found = dict.fromkeys(str(training["issued"]) for training in self.trainings if "issued" in training)
        shown = list(found)[:MOST_ISSUED]
        more = f", and {len(found) - len(shown)} more" if len(found) > len(shown) else ""
        return ", later ".join(shown) + more

    def document(self) -> dict[str, Any]:
        """The course of the backtest as JSON values."""
        return {
            "plan": asdict(self.plan),
            "horizon": self.horizon,
            "origins": list(self.origins),
            "trainings": [dict(training) for training in self.trainings],
            "audit": None if self.audit is None else asdict(self.audit),
        }


@dataclass(frozen=True)
class Course:
    """A backtest that can begin.

    Attributes
    ----------
    source, terms, panel, origins, plan, keeping
        Models, what is asked of them, all rows, where, and what happens besides.
    of : mapping
        Options that alter what is issued, as they are said to the user.
    """

    source: Source
    terms: Terms
    panel: Panel
    origins: Origins
    plan: Plan
    keeping: Keeping
    of: Mapping[str, Any]

    def run(self, notes: Sequence[str], on_epoch: OnEpoch, on_origin: OnOrigin, *said: str) -> Run:
        """From the first origin, or the first that the checkpoint does not hold, to the last."""
        table = Table(self.origins.pairs(0, len(self.origins)), self.terms)
        checkpoint = self._checkpoint()
        progress = checkpoint.restore(table, len(self.origins))
        begun = progress.origins
        resumed = (f"{begun} of {len(self.origins)} origins were done before",) if begun else ()
        if begun < len(self.origins):
            try:
                self._go_on(progress, table, checkpoint, on_epoch, on_origin)
            except BaseException as error:
                if checkpoint.keep_at_the_end(progress, table) and progress.origins:
                    done = f"{progress.origins} of {len(self.origins)} origins"
                    error.add_note(f"{self.keeping.checkpoint} keeps {done}: the same command goes on")
                raise
            checkpoint.keep(progress, table, now=True)
        return Run(
            backtest=table.backtest(self.panel),
            notes=tuple(dict.fromkeys((*notes, *progress.notes, *resumed, *said))),
            plan=self.plan,
            horizon=self.terms.horizon,
            origins=tuple(self.origins.stamps(self.panel)),
            trainings=tuple(progress.trainings),
            audit=audit(self.source, self.panel, self.origins, table) if self.keeping.audit else None,
        )

    def _checkpoint(self) -> Checkpoint:
        if self.keeping.checkpoint is None:
            return Checkpoint(None, {})
        plan = {f"--{name.replace('_', '-')}": value for name, value in asdict(self.plan).items()}
        return Checkpoint(self.keeping.checkpoint, fingerprint(self.panel, {**plan, **self.of}))

    def _go_on(
        self, progress: Progress, table: Table, checkpoint: Checkpoint, on_epoch: OnEpoch, on_origin: OnOrigin
    ) -> None:
        total = len(self.origins)
        on_origin(progress.origins, total)
        baselines = Baselines(self.panel, self.origins, self.terms)
        left = [blocks for blocks in folds_of(self.origins, self.source.refit) if blocks[-1].stop > progress.origins]
        firsts = [blocks[0].first for blocks in left]
        with closing(fitted_folds(self.source, self.panel, self.origins, firsts, on_epoch)) as folds:
            for blocks, fitted in zip(left, folds, strict=True):
                forecaster = Forecaster(fitted.model, self.panel, self.origins, self.terms, baselines)
                for origin in range(blocks[0].first, progress.origins):
                    forecaster.carry(origin)
                progress.begin(fitted.record, fitted.notes)
                for block in (block for block in blocks if block.stop > progress.origins):
                    table.fill(*block, forecaster.issue(*block, lambda done: on_origin(done, total)))
                    progress.notes.update(forecaster.notes)
                    progress.origins = block.stop
                    checkpoint.keep(progress, table)
