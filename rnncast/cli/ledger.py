"""The forecast ledger on the command line: ``forecast --append`` records, ``evaluate --forecasts`` scores."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rnncast.cli.inputs import check_output
from rnncast.cli.output import Output
from rnncast.errors import DataError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from rnncast.forecasting.result import Forecast
    from rnncast.model.model import Model

CLOCK_VARIABLE = "SOURCE_DATE_EPOCH"
"""Environment variable with the time of a reproducible run, in seconds since 1970; instead of the clock."""


def check_appending(path: str, sources: Sequence[str], output: str | None) -> None:
    """Refuse a ledger that cannot be appended to before any work."""
    from rnncast.evaluation.ledger import check_ledger
    from rnncast.evaluation.ledger_files import ledger_format

    ledger_format(path)
    check_output(path, sources)
    if output is not None and os.path.realpath(output) == os.path.realpath(path):
        raise UsageError(f"-o and --append both name {path}", hint="the ledger holds the forecast: leave out -o")
    check_ledger(path)
    now()


def record_forecast(
    path: str,
    model: Model,
    issued: Forecast,
    levels: Sequence[float],
    quantiles: Sequence[float],
    out: Output,
    *,
    deliver: Callable[[], object],
    only_new: bool = False,
) -> None:
    """Append a forecast to a ledger, deliver it, and say what became of its rows.

    What somebody may act upon stands in the ledger before. But with `only_new` it is delivered first: what could not be
    would never be made again, once it stands there.

    Raises
    ------
    NothingNewError
        It starts from no later row than the model's last one there, and `only_new` refuses that.
    DataError
        The model was trained on later rows than those the forecast starts from.
    """
    from rnncast.data.summary import counted
    from rnncast.evaluation.ledger import append
    from rnncast.model.fingerprint import fingerprint

    _refuse_hindsight(model, issued)
    levels = tuple(dict.fromkeys(levels))
    done = append(
        path,
        issued,
        levels=levels,
        quantiles=quantiles,
        model=fingerprint(model),
        made_at=now(),
        only_new=only_new,
        deliver=deliver if only_new else lambda: None,
    )
    out.note(f"recorded {counted(done.added, 'row')} in {path}")
    if done.present:
        out.note(f"{counted(done.present, 'row')} of this forecast stood there already, and stayed as first issued")
    if done.changed:
        out.warn(
            f"{counted(done.changed, 'row')} there say another number: rows up to the cutoff were revised since, "
            "or the forecast started from others"
        )
    if not done.is_locked:
        out.warn("there are no locks here: let only one run at a time append")
    if not only_new:
        deliver()


def _refuse_hindsight(model: Model, issued: Forecast) -> None:
    from rnncast.data.isotime import format_stamp

    last, until = issued.cutoffs.max(), model.last_trained
    if last < until:
        end, seen = (format_stamp(stamp, issued.zone) for stamp in (last, until))
        raise DataError(
            f"the forecast starts from {end}, and the model was trained on rows up to {seen}: it has seen what it "
            "forecasts, and a record of it would flatter",
            hint=f"train on less: rnncast train INPUT --until {end}",
        )


def now() -> np.datetime64:
    """Now in UTC, to the second; the time that ``SOURCE_DATE_EPOCH`` names where it is set."""
    import time

    import numpy as np

    text = os.environ.get(CLOCK_VARIABLE)
    if text is None:
        return np.datetime64(int(time.time()), "s")
    if not (text.isascii() and text.isdigit() and len(text) <= 11):
        raise UsageError(f"{CLOCK_VARIABLE} must be a number of seconds since 1970, found {text!r}", hint="unset it")
    return np.datetime64(int(text), "s")
