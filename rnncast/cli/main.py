"""The command line: its commands, and the entry point with the one error boundary.

Start-up is part of the tool: nothing heavy is imported here or at the head of a command's module.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import typer

from rnncast.cli import boundary, output
from rnncast.cli.config.command import ConfiguredCommand
from rnncast.cli.evaluate import EXAMPLES as EVALUATE_EXAMPLES
from rnncast.cli.evaluate import evaluate
from rnncast.cli.forecast import EXAMPLES as FORECAST_EXAMPLES
from rnncast.cli.forecast import forecast
from rnncast.cli.inspect import EXAMPLES as INSPECT_EXAMPLES
from rnncast.cli.inspect import inspect
from rnncast.cli.options import flag
from rnncast.cli.train import EXAMPLES as TRAIN_EXAMPLES
from rnncast.cli.train import train
from rnncast.cli.warmup import EXAMPLES as WARMUP_EXAMPLES
from rnncast.cli.warmup import warmup

PROGRAM = "rnncast"

app = typer.Typer(
    name=PROGRAM,
    add_completion=False,
    rich_markup_mode=None,  # plain help: it starts faster, and shows brackets as they are
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: rnncast train prices.csv",
)


def _version(wanted: bool) -> None:
    if wanted:
        from rnncast import __version__

        output.Output().line(f"{PROGRAM} {__version__}")
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


class PlainUsage(ConfiguredCommand):
    """A command whose usage line names a required argument without braces around it."""

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Words of the usage line after the name of the command."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]


for _function, _examples, _summary in (
    (train, TRAIN_EXAMPLES, "Train a model and save it."),
    (forecast, FORECAST_EXAMPLES, "Forecast with a trained model."),
    (evaluate, EVALUATE_EXAMPLES, "Backtest, beside simple baselines."),
    (inspect, INSPECT_EXAMPLES, "Show what a model or a file holds."),
    (warmup, WARMUP_EXAMPLES, "Compile what the others need."),
):
    app.command(cls=PlainUsage, epilog=_examples, short_help=_summary)(_function)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit code.

    Parameters
    ----------
    arguments
        Command line without the program's name; None for that of the process.
    """
    # The networks are small: threads of the linear algebra library would cost start-up time and win nothing.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Kernels are written in vectors: what LLVM does beyond its first level takes a fifth of compiling and wins nothing.
    os.environ.setdefault("NUMBA_OPT", "1")
    output.prepare_streams()
    return boundary.run(_call, sys.argv[1:] if arguments is None else arguments)


def _call(arguments: Sequence[str]) -> None:
    """Parse and run, without Typer's own handling of errors."""
    command = typer.main.get_command(app)
    with command.make_context(PROGRAM, list(arguments)) as context:
        command.invoke(context)
