"""A command that takes its options from flags, the environment and a file, in this order.

Where nothing stands but flags, that costs a look at the environment and one at the folder; the rest is loaded where
something does.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperOption

from rnncast.cli.config import sources
from rnncast.cli.output import Output
from rnncast.errors import RnncastError

if TYPE_CHECKING:
    from rnncast.cli.config.settle import Settled

PREFIX = "RNNCAST_"
"""How a variable begins that holds for an option."""

FILE = "rnncast.toml"
"""The file of options, in the current folder."""


def config_options() -> list[TyperOption]:
    """The options that say where options stand; every command has them."""
    words = {
        "--config": ("File of options.  [./rnncast.toml, if there is one]", "FILE"),
        "--no-config": ("Read no file of options.  [off]", None),
        "--show-config": ("Print each option with its value and where it stands; do nothing else.  [off]", None),
    }
    return [
        TyperOption(
            param_decls=[word],
            type=str if metavar else None,
            is_flag=metavar is None,
            metavar=metavar,
            help=text,
            expose_value=False,
        )
        for word, (text, metavar) in words.items()
    ]


class ConfiguredCommand(TyperCommand):
    """A command whose options may stand in the environment or in a file."""

    def __init__(self, name: str | None, **settings: Any) -> None:
        super().__init__(name, **settings)
        self.params = [*self.params, *config_options()]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse what was typed, and look up what was not."""
        if _has_single_dash(args):
            from rnncast.cli.mistyped import refuse_single_dash

            refuse_single_dash(args, self.params, ctx.help_option_names)
        if _stands_anything(args):
            typed, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            if not typed.get("help"):  # which a fault elsewhere must not keep away
                self._settle(ctx, typed)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error about an option says where its value stands."""
        if ctx.obj is None:
            return super().invoke(ctx)
        out = Output(quiet=ctx.params.get("quiet", False), hold=ctx.params.get("json", False))
        for warning in ctx.obj.warnings:
            out.warn(warning)
        try:
            done = super().invoke(ctx)
        except RnncastError as error:
            sources.place(error)
            raise
        out.release()
        return done

    def _settle(self, ctx: Any, typed: Mapping[str, Any]) -> None:
        from rnncast.cli.config.settle import settle

        ctx.obj = settle(self, ctx, typed)
        if typed.get("show_config"):
            self._show(ctx, typed, ctx.obj)

    def _show(self, ctx: Any, typed: Mapping[str, Any], settled: Settled) -> NoReturn:
        """Print the options as they stand, arguments aside, and end."""
        from rnncast.cli.config.shown import show

        options = [one for one in self.params if one.param_type_name == "option" and one.name != "show_config"]
        values = {str(option.name): option.handle_parse_result(ctx, typed, [])[0] for option in options}
        show(str(ctx.info_name), options, values, settled)
        raise typer.Exit


def _has_single_dash(words: Sequence[str]) -> bool:
    """Whether a word may be ``-horizon``, which the parser would take for ``-h`` and other letters."""
    return any(len(word) > 2 and word[0] == "-" and word[1] != "-" for word in words)


def _stands_anything(words: Sequence[str]) -> bool:
    """Whether environment or folder may hold options, or the words ask for them."""
    return (
        any(word.startswith(("--config", "--no-config", "--show-config")) for word in words)
        or any(name.startswith(PREFIX) for name in os.environ)
        or os.path.lexists(FILE)
    )
