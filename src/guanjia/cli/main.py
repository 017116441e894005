"""`guanjia`: the command line. Each command's code is imported only when it is used."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from typing import Any

import click

from guanjia import __version__
from guanjia.cli.exits import Exit
from guanjia.cli.output import complain, complain_refusal

COMMANDS: Mapping[str, tuple[str, str]] = {
    "up": ("guanjia.cli.running:up", "Run the whole house: database, web and worker."),
    "web": ("guanjia.cli.running:web", "Run the web door."),
    "worker": ("guanjia.cli.running:worker", "Run a worker: it does what flows have promised."),
    "migrate": ("guanjia.cli.running:migrate", "Bring the database's tables up to date."),
    "demo": ("guanjia.demo.command:demo", "Play the story on a demo marketplace of six lines."),
    "import": ("guanjia.cli.importing:import_group", "Import merchants and responsibilities."),
    "export": ("guanjia.cli.exporting:export_group", "Export merchants, responsibilities and cases."),
    "person": ("guanjia.cli.people:person_group", "Let people in."),
    "line": ("guanjia.cli.lines:line_group", "Register, check and serve business lines."),
    "clocks": ("guanjia.cli.clocks:clocks_group", "Count deadlines anew after a calendar has changed."),
    "package": ("guanjia.cli.packages:package_group", "Look at packages."),
    "replay": ("guanjia.demo.replay.command:replay_group", "Play real data again and compare."),
    "mail": ("guanjia.cli.mail:mail_group", "Take mail in, and see how the mailbox is."),
    "routines": ("guanjia.cli.routines:routines_group", "Rules of work as a file."),
    "doctor": ("guanjia.cli.doctor:doctor", "Say how the house is, and what to do if it is not well."),
}


class LazyGroup(click.Group):
    """Lists commands from the table; imports one when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--lang", type=click.Choice(["zh-Hans", "en"]), help="Language of what is printed.")
@click.version_option(__version__, prog_name="guanjia")
def cli(lang: str | None) -> None:
    """Guanjia (管家): one door per merchant, over every business line."""
    if lang:
        os.environ["GUANJIA_LANGUAGE"] = lang


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; turn what can go wrong into words and an exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Like `main`, but returns the exit code."""
    as_json = "--json" in arguments
    try:
        result: Any = cli.main(args=arguments, prog_name="guanjia", standalone_mode=False)
    except click.exceptions.Abort:
        return Exit.INTERRUPTED
    except click.ClickException as mistake:
        mistake.show()
        return Exit.USAGE
    except Exception as fault:
        return _explain(fault, as_json)
    return result if isinstance(result, int) else Exit.OK


def _explain(fault: Exception, as_json: bool) -> int:
    """The exit code of a fault that has a name; any other is ours and keeps its traceback."""
    from django.db import DatabaseError, InterfaceError

    from guanjia.base.errors import Refusal
    from guanjia.base.postgres import PostgresError
    from guanjia.base.processes import AlreadyRunningError, ProgramError
    from guanjia.config.env import SettingError

    if isinstance(fault, Refusal):
        complain_refusal(fault, as_json=as_json)
        return Exit.REFUSED
    if isinstance(fault, SettingError):
        complain(str(fault), code="setting", as_json=as_json)
        return Exit.SETTINGS
    if isinstance(fault, PostgresError | DatabaseError | InterfaceError):
        hint = "guanjia doctor"
        complain(str(fault).strip(), hint=hint, code="database", as_json=as_json)
        return Exit.DATABASE
    if isinstance(fault, ProgramError | AlreadyRunningError):
        complain(str(fault), code="process", as_json=as_json)
        return Exit.PROCESS
    raise fault
