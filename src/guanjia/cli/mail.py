"""`guanjia mail take | status`: mail from a mail server's pipe, and how the mailbox is."""

from __future__ import annotations

from typing import IO

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit

BEGINNING = 256 * 1024
"""Bytes kept of a mail that is too large: its text stands there."""


@click.group("mail")
def mail_group() -> None:
    """Take mail in, and see how the mailbox is."""


@mail_group.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def take(file: IO[bytes], as_json: bool) -> int:
    """Take in one raw mail from FILE, or from `-`, as a mail server hands it over.

    When the command ends well, the mail is kept; a worker judges it. The same mail twice is one.
    """
    with house():
        from django.utils import timezone

        from guanjia.post.mail.known import place
        from guanjia.post.mail.storing import store

        most = place().most
        raw = file.read(most + 1)
        cut = len(raw) > most
        mail = store(raw[:BEGINNING] if cut else raw, cut=cut, now=timezone.now())
        emit({"mail": mail.pk, "bytes": mail.size, "cut": cut}, f"kept as mail {mail.pk}", as_json=as_json)
    return Exit.OK


@mail_group.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> int:
    """Say when the mailbox last answered, and how many mails are in which state."""
    with house():
        from guanjia.post.mail.queries import mailboxes, states

        boxes = [
            {
                "mailbox": box.name,
                "answered_at": box.answered_at,
                "failures": box.failures,
                "failure": box.failure,
            }
            for box in mailboxes()
        ]
        counts = states()
        lines = [f"{box['mailbox']}: {box['failure'] or 'answers'}" for box in boxes] or [
            "no mailbox was asked yet"
        ]
        lines += [f"{state}: {count}" for state, count in counts.items()]
        emit({"mailboxes": boxes, "mails": counts}, "\n".join(lines), as_json=as_json)
    return Exit.OK
