"""Options that several commands share, declared once, and how a command takes a group of them.

A group is a frozen dataclass whose fields are Typer options; `takes` gives a command's function the options of the
groups as parameters of the command line, and hands the groups over whole. Every option is None (or empty, or false)
unless it is given, so that "given" can be told from "left to the data". Nothing heavier than Typer is imported here:
this module is loaded by every call. For the same reason annotations are no strings: each would be compiled each time.
"""

import inspect
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from rnncast.cli.color import choose
from rnncast.cli.config.sources import by_flag
from rnncast.cli.forms import refuse_dash
from rnncast.errors import UsageError, typed_name
from rnncast.records import dataclass

if TYPE_CHECKING:
    from rnncast.data.options import ReadOptions


def option(help: str, default: str, metavar: str | None = None, *names: str) -> Any:
    """An option with its default said in words at the end of its line of help."""
    return typer.Option(*names, help=f"{help}  [{default}]", show_default=False, metavar=metavar)


SKIP_BAD = "--skip-bad/--no-skip-bad"


def flag(help: str, *names: str) -> Any:
    """An option that is off unless it is given."""
    return typer.Option(*names, help=f"{help}  [off]", show_default=False)


def at_least(least: int, **values: int | None) -> None:
    """UsageError unless each value that was given is `least` or more; keywords are the names of the options."""
    for name, value in values.items():
        if value is not None and value < least:
            raise UsageError(f"{typed_name(name)} must be at least {least}, found {value}")


@dataclass(frozen=True)
class InputOptions:
    """How the columns of an input are named, how its text is written, and which rows count."""

    id_col: Annotated[str | None, option("Column that names the series.", "found by its name", "NAME")] = None
    time_col: Annotated[
        str | None,
        option("Column of dates or integer steps; none counts rows.", "found by its name or content", "NAME"),
    ] = None
    target_col: Annotated[str | None, option("Column to forecast.", "found by its name or content", "NAME")] = None
    wide: Annotated[bool, flag("Take each column of numbers as a series.", "--wide")] = False
    files: Annotated[
        Literal["series", "parts"] | None,
        option("Files without an id column: a series each, or parts of one.", "series, if they overlap in time"),
    ] = None
    freq: Annotated[str | None, option("Step between rows: B, D, W-FRI, ME, h, 30min ...", "learnt", "STEP")] = None
    irregular: Annotated[bool, flag("Take stamps that keep no regular step.", "--irregular")] = False
    holidays: Annotated[str | None, option("File of dates that are closed, one a line.", "none", "FILE")] = None
    until: Annotated[
        str | None, option("Last date or step to use; later rows are not seen.", "the last row", "STAMP")
    ] = None
    duplicates: Annotated[
        Literal["error", "first", "last", "mean"] | None, option("Rows with one stamp: which counts.", "error")
    ] = None
    missing: Annotated[
        Literal["drop", "ffill", "error"] | None,
        option("Rows without a value: left out, filled with the value before.", "drop"),
    ] = None
    dayfirst: Annotated[
        bool | None, option("Whether 01/02/2024 is in February or January.", "found", None, "--dayfirst/--monthfirst")
    ] = None
    time_unit: Annotated[
        Literal["s", "ms", "us", "ns", "excel", "step"] | None,
        option("Unit of UNIX times; or Excel's days, or steps.", "found"),
    ] = None
    time_zone: Annotated[
        str | None, option("Zone of stamps that name none, and of the forecast's.", "as in the file", "ZONE")
    ] = None
    sep: Annotated[str | None, option("Character between fields; tab for a tab.", "found", "CHAR")] = None
    decimal: Annotated[Literal[".", ","] | None, option("Decimal mark.", "found")] = None
    thousands: Annotated[Literal[",", ".", "'", "space", "none"] | None, option("Mark between thousands.", "found")] = (
        None
    )
    encoding: Annotated[str | None, option("Encoding of text.", "UTF-8, UTF-16 or cp1252, as found", "NAME")] = None
    header: Annotated[str | None, option("Line of the header, from 1, or none.", "found", "LINE|none")] = None

    def __post_init__(self) -> None:
        refuse_dash(holidays=self.holidays)

    def read_options(self) -> "ReadOptions":
        """The same for the reader; UsageError for what contradicts itself."""
        from rnncast.data.options import ReadOptions

        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return ReadOptions(**{name: value for name, value in values.items() if value is not None})


@dataclass(frozen=True)
class TrainingChoices:
    """The network and its training; what is not given is left to the data."""

    horizon: Annotated[int | None, option("Steps to forecast.", "one season, or 10 without a season", "N")] = None
    level: Annotated[
        list[float] | None, option("Central interval in per cent; may be repeated.", "80 and 95", "PERCENT")
    ] = None
    season_length: Annotated[int | None, option("Rows of a season; 1 for none.", "found in the data", "N")] = None
    preset: Annotated[
        Literal["fast", "default", "best"] | None,
        option("How much is trained; what is named beside it counts before it.", "default"),
    ] = None
    cell: Annotated[Literal["rnn", "gru", "lstm"] | None, option("Recurrent cell.", "lstm")] = None
    activation: Annotated[
        Literal["tanh", "sigmoid"] | None, option("Activation of the rnn cell; the others use tanh.", "tanh")
    ] = None
    hidden_size: Annotated[int | None, option("Units of a layer.", "32", "N")] = None
    layers: Annotated[int | None, option("Recurrent layers.", "1", "N")] = None
    input_size: Annotated[
        int | None,
        option("Rows that the network reads, or scales a row by.", "16 horizons, from 64 to 256, or 14 seasons", "N"),
    ] = None
    loss: Annotated[
        Literal["quantile", "student-t", "mse", "mae", "huber"] | None,
        option("What training minimises; the first two also the intervals.", "quantile"),
    ] = None
    members: Annotated[int | None, option("Networks trained and averaged.", "3, or as --preset says", "N")] = None
    max_epochs: Annotated[
        int | None, option("Most epochs; 0 leaves the baseline untrained.", "20, or as --preset says", "N")
    ] = None
    learning_rate: Annotated[float | None, option("Highest learning rate.", "0.01", "X")] = None
    batch_size: Annotated[
        int | None,
        option("Windows of an update; with --stateful sequences side by side, 32.", "128, or as --preset says", "N"),
    ] = None
    seed: Annotated[int | None, option("Start of the random numbers; same seed, same model.", "0", "N")] = None
    time_limit: Annotated[
        float | None, option("No update begins after this time; scoring comes on top.", "no limit", "SECONDS")
    ] = None
    stateful: Annotated[
        bool, flag("Read a series as one sequence; the model keeps its state, and goes on from it.", "--stateful")
    ] = False
    truncation: Annotated[
        int | None,
        option("Rows that a gradient goes back over, with --stateful.", "64, or 2 seasons to 336 rows", "N"),
    ] = None

    def __post_init__(self) -> None:
        at_least(
            1,
            horizon=self.horizon,
            season_length=self.season_length,
            hidden_size=self.hidden_size,
            layers=self.layers,
            members=self.members,
            batch_size=self.batch_size,
            truncation=self.truncation,
        )
        at_least(2, input_size=self.input_size)
        at_least(0, max_epochs=self.max_epochs, seed=self.seed)
        if self.learning_rate is not None and not 0 < self.learning_rate < 10:
            raise UsageError(f"--learning-rate must be above 0 and below 10, found {self.learning_rate:g}")
        if self.time_limit is not None and not 0 < self.time_limit < math.inf:
            raise UsageError(
                f"--time-limit must be a number of seconds above 0, found {self.time_limit:g}",
                hint="leave it out for no limit",
            )
        check_levels(self.level or ())


@dataclass(frozen=True)
class Computing:
    """What the machine may be used for; nothing of it alters a result."""

    threads: Annotated[
        int | None, option("Threads that compute.", "RNNCAST_NUM_THREADS, or the cores there are for it", "N")
    ] = None

    def apply(self) -> None:
        """Let it hold for this process; UsageError for what is no number of threads."""
        from rnncast.core.threads import VARIABLE, set_threads, threads

        at_least(1, threads=self.threads)
        set_threads(self.threads)
        count = threads()
        if self.threads is not None or VARIABLE in os.environ:
            os.environ["OMP_NUM_THREADS"] = str(count)  # which pyarrow, that reads, goes by when it is loaded


@dataclass(frozen=True)
class Report:
    """What is said, and how."""

    json: Annotated[bool, flag("One JSON document on stdout; an error is JSON on stderr.", "--json")] = False
    quiet: Annotated[bool, flag("Leave nothing but errors on stderr.", "--quiet", "-q")] = False
    color: Annotated[
        Literal["auto", "always", "never"] | None,
        option("Colours.", "as NO_COLOR or FORCE_COLOR say, else on a terminal"),
    ] = None
    debug: Annotated[bool, flag("Show the traceback of an error.", "--debug")] = False

    def __post_init__(self) -> None:
        if self.color is not None:
            choose(self.color)


def settle_form(report: Report, form: str | None) -> str | None:
    """The form of what is printed; a flag counts before what stands elsewhere, and two contradict each other."""
    if not report.json or form in (None, "json"):
        return "json" if report.json else form
    if by_flag("json") == by_flag("format"):
        raise UsageError(f"--json and --format {form} contradict each other", hint="leave one of them out")
    return "json" if by_flag("json") else form


def check_levels(levels: Sequence[float]) -> None:
    """UsageError unless each is a central interval in per cent; below 1 a fraction was meant."""
    for level in levels:
        if not 1 <= level < 100:
            raise UsageError(
                f"--level must be at least 1 and below 100 per cent, found {level:g}",
                hint=f"--level {100 * level:g}, in per cent" if 0.01 <= level < 1 else "as --level 80 --level 95",
            )


def typed(group: InputOptions) -> list[str]:
    """The options of a group that hold, as the user would type them, for a command to be copied."""
    words: list[str] = []
    for name in _set(group):
        option, value = typed_name(name), getattr(group, name)
        if option == "--dayfirst" and value is False:
            option = "--monthfirst"
        words += [option] if isinstance(value, bool) else [option, str(value)]
    return words


def given(group: TrainingChoices | InputOptions) -> list[str]:
    """Names of the options of a group that the user typed; what stands in environment or file is a default."""
    return [typed_name(name) for name in _set(group) if by_flag(name)]


def _set(group: TrainingChoices | InputOptions) -> list[str]:
    return [field.name for field in fields(group) if getattr(group, field.name) not in (field.default, [])]


def takes(**groups: type[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command's function: its parameters named here become the options of their groups.

    The function's own parameters come first in ``--help``, then those of the groups in the order given.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(function, include_extras=True)
        parameters = [
            parameter.replace(annotation=hints[name], kind=parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(function).parameters.items()
            if name not in groups
        ]
        for group in groups.values():
            types = get_type_hints(group, include_extras=True)
            parameters += [
                inspect.Parameter(
                    field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=types[field.name]
                )
                for field in fields(group)
            ]

        @wraps(function)
        def command(**values: Any) -> None:
            whole = {
                name: group(**{field.name: values.pop(field.name) for field in fields(group)})
                for name, group in groups.items()
            }
            function(**values, **whole)

        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del command.__wrapped__  # Typer would read the parameters of the inner function
        return command

    return decorate
