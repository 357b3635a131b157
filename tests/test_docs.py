"""The documentation says what the program does.

``python tests/test_docs.py`` writes docs/commands.md anew from the commands themselves.
"""

import re
from pathlib import Path

import pytest
import typer

from rnncast.cli.commands import app

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = typer.main.get_command(app)
COMMANDS = PROGRAM.commands
PAGE = ROOT / "docs" / "commands.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")


BEFORE = """\
# Commands

Options can also stand in the environment or in `rnncast.toml`: [configuration.md](configuration.md).

## rnncast
"""

COMPLETION = """\
Completion of commands, options, their values and files, with the Tab key; a line for each shell installs it:

```sh
rnncast --completion bash > ~/.rnncast.bash && echo '. ~/.rnncast.bash' >> ~/.bashrc
rnncast --completion zsh > ~/.rnncast.zsh && echo '. ~/.rnncast.zsh' >> ~/.zshrc # after compinit
rnncast --completion fish > ~/.config/fish/completions/rnncast.fish
```
"""


def commands_page() -> str:
    """Every command with its arguments and options: name, meaning, default."""
    parts = [BEFORE, table(PROGRAM), COMPLETION]
    for name, command in COMMANDS.items():
        parts.append(f"## rnncast {name}\n\n{paragraphs(command.help)}\n")
        parts.append(table(command))
    return "\n".join(parts)


def table(command) -> str:
    """The options of a command, or of the program itself."""
    rows = ["| option | meaning | default |", "|---|---|---|"]
    for parameter in command.params:
        if parameter.param_type_name == "option" and parameter.name != "help":
            meaning, default = re.fullmatch(r"(.*?)(?:  \[(.+)\])?", parameter.help).groups()
            names = ", ".join(f"`{option}`" for option in (*parameter.opts, *parameter.secondary_opts))
            rows.append(f"| {names} | {meaning} | {default or ''} |")
    return "\n".join(rows) + "\n"


def paragraphs(help_text: str) -> str:
    """The description of a command, without its examples."""
    return help_text.split("\b")[0].split("Examples:")[0].strip()


def test_page_of_the_commands_is_that_of_the_program():
    assert PAGE.read_text(encoding="utf-8") == commands_page(), "python tests/test_docs.py writes it anew"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_readme_shows_every_command(name):
    assert f"rnncast {name} " in README


def test_every_option_named_in_the_readme_exists():
    known = {
        option
        for command in (PROGRAM, *COMMANDS.values())
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README))
    assert named - known == set()


def test_files_that_the_readme_links_to_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_ci_runs_the_test_command_of_the_readme():
    command = 'python -m pip install -e ".[test]" && python -m pytest -n auto'
    assert f"\n    {command}\n" in README
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert all(step in steps for step in command.split(" && "))


def test_exit_codes_are_documented():
    from rnncast import errors

    page = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    codes = {cls.exit_code for cls in classes if issubclass(cls, errors.RnncastError)}
    assert len(codes) >= 6
    assert [code for code in codes if f"| {code} |" not in page] == []


if __name__ == "__main__":
    PAGE.write_text(commands_page(), encoding="utf-8")
