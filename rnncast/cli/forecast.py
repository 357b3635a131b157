"""``rnncast forecast``: from a model and the rows it keeps, or fresh ones, to a table of forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rnncast.cli.config.sources import by_flag
from rnncast.cli.forms import STDOUT, refuse_bytes_on_terminal, refuse_dash
from rnncast.cli.inputs import (
    STDIN,
    check_ending,
    check_output,
    check_stdin,
    missing_series,
    open_model,
    read_for_model,
)
from rnncast.cli.options import (
    Computing,
    InputOptions,
    Report,
    at_least,
    check_levels,
    flag,
    given,
    option,
    settle_form,
    takes,
)
from rnncast.cli.output import Output, flush
from rnncast.cli.progress import say_compiling
from rnncast.errors import UsageError
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.cli.freshness import MaxAge
    from rnncast.data.panel import Panel
    from rnncast.forecasting.result import Forecast
    from rnncast.model.model import Model

EXAMPLES = """\b
Examples:
  rnncast forecast prices.npz
  rnncast forecast prices.npz fresh.csv --level 90 -o forecast.parquet
  rnncast forecast prices.npz fresh.csv --append issued.csv
  tail -200 fresh.csv | rnncast forecast prices.npz - --quantiles 0.1,0.5,0.9
"""


@takes(columns=InputOptions, computing=Computing, report=Report)
def forecast(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Model file, or - for stdin.", show_default=False)],
    columns: InputOptions,
    computing: Computing,
    report: Report,
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT...]", help="Fresh rows, or - for stdin.  [the model's rows]", show_default=False
        ),
    ] = None,
    horizon: Annotated[int | None, option("Steps to forecast.", "the trained horizon", "N")] = None,
    level: Annotated[
        list[float] | None, option("Central interval in per cent; may be repeated.", "the model's", "PERCENT")
    ] = None,
    quantiles: Annotated[str | None, option("Quantiles, as 0.1,0.5,0.9.", "none", "LIST")] = None,
    format: Annotated[
        Literal["csv", "json", "ndjson", "parquet", "table"] | None,
        option("Form of the output.", "by -o's ending; else table on a terminal, csv in a pipe"),
    ] = None,
    output: Annotated[str | None, option("File to write, or - for stdout.", "stdout", "FILE", "--output", "-o")] = None,
    no_clobber: Annotated[bool, flag("Refuse to replace an existing file.", "--no-clobber")] = False,
    append: Annotated[str | None, option("Ledger, csv or parquet, to record it in as well.", "none", "LEDGER")] = None,
    max_age: Annotated[
        str | None, option("Age of the newest row above which to end with 76: 90min, 36h, 3d, 2w.", "any", "AGE")
    ] = None,
    only_new: Annotated[
        bool, flag("End with 75 if no row came since the model's last forecast in the ledger.", "--only-new")
    ] = False,
    core: Annotated[
        Literal["auto", "numpy", "numba"] | None,
        option("What computes: NumPy starts at once, Numba's kernels are faster.", "auto, by the amount of work"),
    ] = None,
    verbose: Annotated[bool, flag("Say on stderr what computes, and why.", "--verbose", "-v")] = False,
) -> None:
    """Forecast with a trained model, from the rows that it keeps or from fresh ones.

    The columns keep the input's names; rnncast is the point forecast, rnncast-lo-80 and rnncast-hi-80 the bounds of the
    80 per cent interval. A ledger keeps what was issued, once, for evaluate --forecasts.
    """
    from rnncast.cli.freshness import parse_max_age
    from rnncast.cli.ledger import check_appending, record_forecast

    computing.apply()
    out = Output(quiet=_is_quiet(report, verbose), hold=report.json)
    say_compiling(out)
    at_least(1, horizon=horizon)
    taus = parse_quantiles(quantiles)
    check_levels(level or ())
    refuse_dash(append=append)
    check_stdin([model, *(inputs or ())])
    goal = _destination(format, output, [model, *(inputs or ())], report, out, clobber=not no_clobber)
    if append is not None:
        check_appending(append, [model, *(inputs or ())], goal.path)
    elif only_new and by_flag("only_new"):
        raise UsageError("--only-new needs a ledger to look into", hint="--append LEDGER names it")
    limit = parse_max_age(max_age)
    trained = open_model(model)
    levels = trained.levels if level is None and not taus else tuple(level or ())
    issued = issue(
        trained,
        inputs or (),
        columns,
        out,
        horizon=horizon,
        levels=levels,
        quantiles=taus,
        max_age=limit,
        core=core,
        verbose=verbose,
    )
    table = issued.table(levels=tuple(dict.fromkeys(levels)), quantiles=taus)

    def deliver() -> None:
        _deliver(goal, {"model": model, "inputs": inputs or [], "output": goal.path}, trained, issued, table, out)

    if append is None:
        deliver()
    else:
        record_forecast(append, trained, issued, levels, taus, out, deliver=deliver, only_new=only_new)
    out.release()


@dataclass(frozen=True)
class _Destination:
    """Where a forecast goes: a file, or stdout (None); in which form; whether one JSON document goes to stdout."""

    path: str | None
    form: str | None
    with_document: bool
    clobber: bool


def _destination(
    format: str | None, output: str | None, sources: Sequence[str], report: Report, out: Output, *, clobber: bool
) -> _Destination:
    """Where the options send a forecast; an error for what cannot be written, before any work is done."""
    path = None if output == STDOUT else output
    if not clobber and path is None and by_flag("no_clobber"):
        raise UsageError("--no-clobber needs a file that could be replaced", hint="-o FILE names it")
    if path is not None:
        check_output(path, sources, clobber=clobber)
        if by_flag("output") and not by_flag("format"):
            format = None  # the ending that was typed counts before a form that stands elsewhere
    with_document = settle_form(report, format) == "json" and report.json
    if path is not None and format is None:
        check_ending(path)
    elif path is None and format == "parquet":
        refuse_bytes_on_terminal("--format parquet", out)
    return _Destination(path, format, with_document, clobber)


def _deliver(
    goal: _Destination, files: dict[str, Any], model: Model, issued: Forecast, table: dict[str, Any], out: Output
) -> None:
    """Write the table, the document, or both, and see them out; `files` are the names of what is read and written."""
    if goal.path is not None or not goal.with_document:
        _write(issued, table, goal.form, goal.path, out, clobber=goal.clobber)
    if goal.with_document:
        out.document(_document(files, model, issued, table, out))
    flush()


def _is_quiet(report: Report, verbose: bool) -> bool:
    """Whether only errors are said; a flag counts before what stands elsewhere, and two contradict each other."""
    if verbose and report.quiet and by_flag("verbose") == by_flag("quiet"):
        raise UsageError("--verbose and --quiet contradict each other", hint="leave one of them out")
    return report.quiet and not (verbose and by_flag("verbose"))


def issue(
    model: Model,
    inputs: Sequence[str],
    columns: InputOptions,
    out: Output,
    *,
    horizon: int | None,
    levels: Sequence[float],
    quantiles: Sequence[float],
    max_age: MaxAge | None = None,
    core: str | None = None,
    verbose: bool = False,
) -> Forecast:
    """Read the input, if there is one, and forecast unless it is too old; notes go to stderr."""
    from rnncast.cli.freshness import check_age
    from rnncast.forecasting.cores import choose_core
    from rnncast.forecasting.predict import check_kind
    from rnncast.forecasting.predict import forecast as forecast_model

    panel, steps = None, horizon or model.network.horizon
    if inputs:
        panel, notes = read_for_model(inputs, columns, model)
        out.notes(notes)
        check_kind(model, panel)
        if max_age is not None:
            check_age(panel, max_age, "standard input" if STDIN in inputs else ", ".join(inputs), out)
    elif named := given(columns):
        raise UsageError(f"{named[0]} needs an input", hint="name a file of rows after the model")
    elif max_age is not None and model.history is not None:
        check_age(model.history.panel, max_age, "the rows that the model keeps", out)
    chosen = choose_core(model, panel, steps, core or "auto")
    if verbose:
        out.note(chosen.describe())
    if panel is not None:
        if (missing := missing_series(panel, model)) is not None:
            out.warn(missing)
        if model.network.stateful:
            from rnncast.forecasting.carrying import carried_on

            model, notes = carried_on(model, panel, chosen.kernels)
            out.notes(notes)
            panel = model.history.panel if model.history is not None else panel
        if (short := short_histories(model, panel)) is not None:
            out.note(short)
        if (seen := seen_before(model, panel)) is not None:
            out.warn(seen)
    if steps > model.network.horizon and (levels or quantiles):
        out.note(
            f"steps {model.network.horizon + 1} to {steps} lie beyond the trained horizon of {model.network.horizon}: "
            "their intervals are extrapolated, not calibrated"
        )
    return forecast_model(model, panel, steps, quantile_levels(levels, quantiles), chosen)


def seen_before(model: Model, panel: Panel) -> str | None:
    """A warning where training has seen rows after the last one given; None where it has not."""
    from rnncast.data.isotime import format_stamp

    last, zone, until = panel.times.max(), panel.calendar.zone, model.last_trained
    if last >= until:
        return None
    end, seen = format_stamp(last, zone), format_stamp(until, zone)
    return f"the rows end at {end}, and the model was trained on rows up to {seen}: it has seen what it forecasts here"


def short_histories(model: Model, panel: Panel) -> str | None:
    """A warning for series with fewer rows than the network reads, or than the model keeps; None if there are none."""
    needed = dict.fromkeys(panel.ids, model.network.history_rows)
    if model.history is not None:
        kept = zip(model.history.panel.ids, model.history.panel.lengths.tolist(), strict=True)
        needed |= {name: max(rows, model.network.history_rows) for name, rows in kept if name in needed}
    short = [s for s, name in enumerate(panel.ids) if panel.lengths[s] < needed[name]]
    if not short:
        return None
    first = (
        f'"{panel.ids[short[0]]}" has {panel.lengths[short[0]]}'
        if panel.columns.id
        else f"there are {panel.lengths[0]}"
    )
    others = len(short) - 1
    more = f", and so {'has 1' if others == 1 else f'have {others}'} more series" if others else ""
    return (
        f"warning: the model reads {needed[panel.ids[short[0]]]} rows and {first}{more}; a forecast from fewer rows is "
        "another one, with other intervals"
    )


def quantile_levels(levels: Sequence[float], quantiles: Sequence[float]) -> tuple[float, ...]:
    """Quantiles that the intervals and the list need together, ascending."""
    from rnncast.model.config import quantile_levels as of_levels

    return tuple(sorted({*(of_levels(levels) if levels else ()), *quantiles}))


def parse_quantiles(text: str | None) -> tuple[float, ...]:
    """Quantiles of a comma list, in its order; UsageError for what is not between 0 and 1."""
    if text is None:
        return ()
    found: list[float] = []
    for word in text.split(","):
        try:
            value = round(float(word), 12)
        except ValueError:
            value = float("nan")
        if not 0 < value < 1:
            raise UsageError(
                f"--quantiles must be numbers between 0 and 1, found {word.strip()!r}", hint="as 0.1,0.5,0.9"
            )
        found.append(value)
    return tuple(dict.fromkeys(found))


def _write(
    issued: Forecast, table: dict[str, Any], fmt: str | None, path: str | None, out: Output, *, clobber: bool
) -> None:
    from rnncast.data.write import write_table

    zones = dict.fromkeys(table, issued.zone)
    write_table(table, path, fmt, out.stdout, clobber=clobber, zones=zones, bold=out.stdout_is_colored)
    if path is not None:
        out.note(f"wrote {len(issued.point):,} rows to {path}")


def _document(
    files: dict[str, Any], model: Model, issued: Forecast, table: dict[str, Any], out: Output
) -> dict[str, Any]:
    """What ``--json`` prints; `files` are the names of all that was read and written."""
    from rnncast.data.isotime import format_stamp
    from rnncast.data.write import records
    from rnncast.model.fingerprint import fingerprint

    warning = "warning: "
    return {
        "schema": "rnncast.forecast/1",
        **files,
        "fingerprint": fingerprint(model),
        "columns": {"id": issued.columns.id, "time": issued.columns.time},
        "horizon": int(issued.steps.max()),
        "newest_row": format_stamp(issued.cutoffs.max(), issued.zone),
        "rows": list(records(table, dict.fromkeys(table, issued.zone))),
        "notes": [text for text in out.held if not text.startswith(warning)],
        "warnings": [text.removeprefix(warning) for text in out.held if text.startswith(warning)],
    }
