"""The script for bash, from 3.2 (macOS) on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rnncast.cli.completion.words import Command, Option

_SCRIPT = """\
# Completion of rnncast in bash. Read by: source FILE
_rnncast() {{
    local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD - 1]}}
    local command='' count=0 skip='' files='' i word
    local words=()
    COMPREPLY=()
    if [[ $cur == '=' ]]; then # --cell=
        cur=''
    elif [[ $prev == '=' ]]; then # --cell=g
        prev=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        if [[ $word == '=' ]]; then
            skip=1
        elif [[ -n $skip ]]; then
            skip=''
        else
            case $word in
                {valued}) skip=1 ;;
                -?*) ;;
                *) if [[ -z $command ]]; then command=$word; else count=$((count + 1)); fi ;;
            esac
        fi
    done
    case "$command $prev" in
{values}
        *)
            if [[ $cur == -* ]]; then
                case $command in
{options}
                esac
            else
                case "$command $count" in
{arguments}
                esac
            fi
            ;;
    esac
    for word in ${{words[@]+"${{words[@]}}"}}; do
        if [[ $word == "$cur"* ]]; then COMPREPLY+=("$word"); fi
    done
    if [[ -n $files ]]; then
        compopt -o filenames 2>/dev/null # bash 3.2 has none
        while IFS= read -r word; do
            COMPREPLY+=("$word")
        done < <(
            if [[ $files == models ]]; then
                compgen -f -X '!*.npz' -- "$cur"
                compgen -d -- "$cur"
            else
                compgen -f -- "$cur"
            fi
        )
    fi
}}
complete -F _rnncast rnncast
"""


def script(commands: Sequence[Command]) -> str:
    """Completion of the commands, of which the first is the program itself."""
    program, *others = commands
    valued = sorted({word for command in commands for one in command.options if one.value for word in one.words})
    return _SCRIPT.format(
        valued=" | ".join(valued),
        values="\n".join(line for command in commands for one in command.options for line in _value(command, one)),
        options="\n".join(_case(command.name, _words(_all_words(command))) for command in commands),
        arguments="\n".join(
            [
                _case(" *", _words(command.name for command in others)),
                *(
                    _case(f"{command.name} 0", "files=models")
                    for command in others
                    if command.arguments and command.arguments[0].is_model
                ),
                *(_case(f"{command.name} *", "files=all") for command in others if command.arguments),
            ]
        ),
    )


def _value(command: Command, option: Option) -> list[str]:
    """What stands after an option; nothing is offered where it could be anything."""
    if option.value is None:
        return []
    done = ":"
    if option.value.choices:
        done = _words(option.value.choices)
    elif option.value.is_file:
        done = "files=models" if option.value.is_model else "files=all"
    pattern = " | ".join(_quoted(f"{command.name} {word}") for word in option.words)
    return [f"        {pattern}) {done} ;;"]


def _case(pattern: str, done: str) -> str:
    head, star = (pattern[:-1], "*") if pattern.endswith("*") else (pattern, "")
    return f"                    {_quoted(head)}{star}) {done} ;;"


def _all_words(command: Command) -> Iterable[str]:
    return (word for one in command.options for word in one.words)


def _words(words: Iterable[str]) -> str:
    """Words as they would be typed, a quote with its backslash."""
    return f"words=({' '.join(_quoted(word.replace(chr(39), chr(92) + chr(39))) for word in words)})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
