"""docs/cli.md knows every command and every exit code, and nothing else."""

import re
from pathlib import Path

import click
import pytest

from guanjia.cli.exits import Exit
from guanjia.cli.main import COMMANDS, cli, run

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "cli.md").read_text("utf-8")


def commands(group: click.Group, path: str) -> list[str]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{path} {name} is in the table but cannot be imported"
        if isinstance(command, click.Group):
            found += commands(command, f"{path} {name}")
        else:
            found.append(f"{path} {name}")
    return found


def test_every_command_is_documented():
    assert [c for c in commands(cli, "guanjia") if f"`{c}" not in TEXT] == []


def test_every_documented_command_exists():
    known = commands(cli, "guanjia")
    named = re.findall(r"`(guanjia [a-z]+(?: [a-z]+)?)", TEXT)
    assert [n for n in named if not any(c == n or c.startswith(n) or n.startswith(c) for c in known)] == []


def test_every_exit_code_is_documented():
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", TEXT, flags=re.MULTILINE)}
    assert listed == {code.value for code in Exit}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_every_command_opens_without_a_database(name, capsys):
    assert run([name, "--help"]) == Exit.OK
    assert "Usage" in capsys.readouterr().out


def test_an_unknown_command_is_a_usage_error(capsys):
    assert run(["nonsense"]) == Exit.USAGE
    assert "nonsense" in capsys.readouterr().err
