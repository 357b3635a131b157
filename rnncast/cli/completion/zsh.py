"""The script for zsh."""

from __future__ import annotations

from collections.abc import Sequence

from rnncast.cli.completion.words import Command, Option, Value

_SCRIPT = """\
#compdef rnncast
# Completion of rnncast in zsh. Read by: source FILE, after compinit; or as _rnncast in a folder of fpath
_rnncast() {{
    local context state state_descr line curcontext="$curcontext"
    typeset -A opt_args
    local -a commands
    commands=(
{commands}
    )
    _arguments -C -S \\
{program}
        '1:command:{{_describe command commands}}' \\
        '*:::argument:->arguments'
    [[ $state == arguments ]] || return
    words=("$line[1]" "${{words[@]}}")
    (( CURRENT += 1 ))
    case $line[1] in
{cases}
    esac
}}
if [[ "$funcstack[1]" == _rnncast ]]; then
    _rnncast "$@"
else
    compdef _rnncast rnncast
fi
"""


def script(commands: Sequence[Command]) -> str:
    """Completion of the commands, of which the first is the program itself."""
    program, *others = commands
    return _SCRIPT.format(
        commands="\n".join("        " + _quoted(f"{one.name}:{one.help}") for one in others),
        program="\n".join(f"        {spec} \\" for spec in _specs(program)),
        cases="\n".join(_case(command) for command in others),
    )


def _case(command: Command) -> str:
    specs = " \\\n".join(f"                {spec}" for spec in _specs(command))
    return f"        {command.name})\n            _arguments -S \\\n{specs}\n            ;;"


def _specs(command: Command) -> list[str]:
    """Specifications for ``_arguments``."""
    options = [_option(word, option) for option in command.options for word in option.words]
    *single, several = command.arguments or [None]
    arguments = [_quoted(f"{number}:{_value(value)}") for number, value in enumerate(single, 1) if value]
    return options + arguments + ([_quoted(f"*:{_value(several)}")] if several else [])


def _option(word: str, option: Option) -> str:
    text = option.help
    for special in "\\[]:":
        text = text.replace(special, "\\" + special)
    repeats = "*" if option.repeats else ""
    if option.value is None:
        return _quoted(f"{repeats}{word}[{text}]")
    joint = "=" if word.startswith("--") else "+"
    return _quoted(f"{repeats}{word}{joint}[{text}]:{_value(option.value)}")


def _value(value: Value) -> str:
    label = value.label.replace(":", "\\:")
    if value.choices:
        return f"{label}:({' '.join(_escaped(choice) for choice in value.choices)})"
    if value.is_model:
        return f'{label}:_files -g "*.npz"'
    return f"{label}:_files" if value.is_file else f"{label}: "


def _escaped(word: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.," else "\\" + c for c in word)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
