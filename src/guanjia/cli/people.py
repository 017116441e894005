"""`guanjia person add | link`: who may come in, for whoever runs the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit

if TYPE_CHECKING:
    from guanjia.people.actions import Invitation

ROLES = ("account_manager", "service_lead", "integrity_officer", "operator")


@click.group("person")
def person_group() -> None:
    """Let people in."""


@person_group.command()
@click.argument("username")
@click.option("--name", required=True, help="What people call them.")
@click.option("--email", default="", help="Where they are written to.")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="A role of the house.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def add(username: str, name: str, email: str, roles: tuple[str, ...], as_json: bool) -> int:
    """Add somebody, and print a link with which they choose a password: once, within a week."""
    with house():
        from django.db import transaction
        from django.utils import timezone

        from guanjia.base.actors import SYSTEM
        from guanjia.people.actions import grant_role, invite
        from guanjia.people.models import Role

        now = timezone.now()
        with transaction.atomic():
            invited = invite(actor=SYSTEM, username=username, name=name, email=email, now=now)
            for role in roles:
                grant_role(actor=SYSTEM, user=invited.user, role=Role(role), now=now)
        _tell(invited, as_json)
    return Exit.OK


@person_group.command()
@click.argument("username")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def link(username: str, as_json: bool) -> int:
    """Print a new link for somebody who has no password yet, or has lost it."""
    with house():
        from django.utils import timezone

        from guanjia.base.actors import SYSTEM
        from guanjia.people.actions import renew_invitation
        from guanjia.people.queries import person_named

        _tell(renew_invitation(actor=SYSTEM, user=person_named(username), now=timezone.now()), as_json)
    return Exit.OK


def _tell(invited: Invitation, as_json: bool) -> None:
    emit({"username": invited.user.username, "link": invited.url}, invited.url, as_json=as_json)
