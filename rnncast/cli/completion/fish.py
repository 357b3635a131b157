"""The script for fish."""

from __future__ import annotations

from collections.abc import Sequence

from rnncast.cli.completion.words import Command, Option, Value

_HEAD = """\
# Completion of rnncast in fish. Read from ~/.config/fish/completions/rnncast.fish
function __rnncast_runs --description 'Whether a command of rnncast was typed; without its name, whether none was'
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; and continue
        test "$word" = "$argv[1]"
        return
    end
    test -z "$argv[1]"
end
"""


def script(commands: Sequence[Command]) -> str:
    """Completion of the commands, of which the first is the program itself."""
    _, *others = commands
    lines = [_line("", f"-f -a {command.name} -d {_quoted(command.help)}") for command in others]
    for command in commands:
        lines += [_line(command.name, one) for option in command.options for one in _options(option)]
        if command.arguments and command.arguments[0].is_model:
            lines.append(_line(command.name, "-k -a '(__fish_complete_suffix .npz)'"))
    return _HEAD + "\n".join(lines) + "\n"


def _line(command: str, rest: str) -> str:
    runs = f"__rnncast_runs {command}" if command else '__rnncast_runs ""'
    return f"complete -c rnncast -n '{runs}' {rest}"


def _options(option: Option) -> list[str]:
    """The arguments of ``complete``: one line for the names that mean the same, one more for each opposite."""
    value = "" if option.value is None else f" {_value(option.value)}"
    longs = [word for word in option.words if word.startswith("--")]
    shorts = "".join(f"-s {word[1:]} " for word in option.words if not word.startswith("--"))
    return [
        f"{shorts if first else ''}-l {word[2:]}{value} -d {_quoted(option.help)}"
        for first, word in zip([True, *[False] * len(longs)], longs, strict=False)
    ]


def _value(value: Value) -> str:
    if value.choices:
        return f"-x -a {_quoted(' '.join(_escaped(choice) for choice in value.choices))}"
    if value.is_model:
        return "-x -a '(__fish_complete_suffix .npz)'"
    return "-r -F" if value.is_file else "-x"


def _escaped(word: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.," else "\\" + c for c in word)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
