"""The commands that there are, each imported when it is asked for.

A command's module declares its options, which takes as long as the work of a small forecast: a call pays for its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from rnncast.cli import output
from rnncast.cli.config.command import ConfiguredCommand
from rnncast.cli.main import say_version
from rnncast.cli.options import flag

SUMMARIES = {
    "train": "Train a model and save it.",
    "forecast": "Forecast with a trained model.",
    "evaluate": "Backtest, beside simple baselines.",
    "inspect": "Show what a model or a file holds.",
    "warmup": "Compile what the others need.",
}
"""Commands in the order of the help. Each is the function of its name in the module of its name, beside EXAMPLES."""

_PLAIN: dict[str, Any] = {
    "add_completion": False,
    "rich_markup_mode": None,  # plain help: it starts faster, and shows brackets as they are
    "pretty_exceptions_enable": False,
    "context_settings": {"help_option_names": ["-h", "--help"], "max_content_width": 110},
}


class PlainUsage(ConfiguredCommand):
    """A command whose usage line names a required argument without braces around it."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Words of the usage line after the name of the command."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


class Commands(Mapping[str, Any]):
    """The commands by name, made when they are first looked up."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _made(name, SUMMARIES[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(SUMMARIES)

    def __len__(self) -> int:
        return len(SUMMARIES)


def _made(name: str, summary: str) -> Any:
    module = import_module(f"rnncast.cli.{name}")
    alone = typer.Typer(**_PLAIN)
    alone.command(cls=PlainUsage, epilog=module.EXAMPLES, short_help=summary)(getattr(module, name))
    return typer.main.get_command(alone)


class LazyGroup(TyperGroup):
    """The program, whose commands are made when they are looked up."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings | {"commands": None})
        self.commands = cast(Any, Commands())


app = typer.Typer(cls=LazyGroup, epilog="Start with: rnncast train prices.csv", **_PLAIN)


def _version(wanted: bool) -> None:
    if wanted:
        say_version()
        raise typer.Exit


def _completion(context: typer.Context, shell: str | None) -> None:
    if shell is not None:
        from rnncast.cli.completion.scripts import script_of

        output.Output().text(script_of(shell, context.command, context))
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version and exit.", callback=_version, is_eager=True)
    ] = False,
    completion: Annotated[
        Literal["bash", "zsh", "fish"] | None,
        typer.Option(help="Print the script of completion for a shell.", callback=_completion, is_eager=True),
    ] = None,
    debug: Annotated[bool, flag("Show the traceback of an error.", "--debug")] = False,
) -> None:
    """Forecast prices and other time series with recurrent neural networks, and say honestly how good they are."""


def invoke(program: str, arguments: Sequence[str]) -> int:
    """Parse and run, without Typer's own handling of errors; the exit code."""
    command = typer.main.get_command(app)
    try:
        with command.make_context(program, list(arguments)) as context:
            command.invoke(context)
    except typer.Exit as stop:  # --help and --version
        return stop.exit_code
    return 0
