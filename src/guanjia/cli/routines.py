"""`guanjia routines …`: rules of work as a file, to keep and to carry from one house to another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit

SIGNS = {"new": "+", "changed": "~", "same": "="}


@click.group()
def routines_group() -> None:
    """Rules of work as a JSON file."""


@routines_group.command("export")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Default: stdout.")
def export(output: Path | None) -> int:
    """All rules, each in its newest version."""
    with house():
        from guanjia.routines.exchange import exported

        text = json.dumps(exported(), ensure_ascii=False, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")
    return Exit.OK


@routines_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "username", required=True, metavar="USERNAME", help="The service lead who does it.")
@click.option("--apply/--dry-run", default=False, help="Do it, or (default) only say what it would do.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def import_(file: Path, username: str, apply: bool, as_json: bool) -> int:
    """Take in the rules of FILE as drafts; a lead switches them on after a look.

    Rules are told apart by their names; those that the file does not name stay as they are.
    """
    with house():
        from guanjia.people.queries import person_named
        from guanjia.routines.exchange import take_in

        actor = person_named(username)
        found = take_in(actor=actor, body=file.read_bytes(), apply=apply, now=datetime.now(UTC))
    lines = [f"{SIGNS[one.fate]} {one.name}" for one in found]
    data = {"applied": apply, "routines": [{"name": one.name, "fate": one.fate} for one in found]}
    emit(data, "\n".join(lines), as_json=as_json)
    return Exit.OK
