"""A merchant at the house's door, as a process of its own: composes and submits packages over four lines.

    python bench/merchant.py LINE_URL      with DATABASE_URL and GUANJIA_HOME in the environment

Each line on stdin is a number of packages to submit; each is answered by a line on stdout when they are.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime

from ground import LINES


def main(line_url: str) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guanjia.config.settings")
    import django

    django.setup()
    furnish(line_url)
    for order in sys.stdin:
        for _ in range(int(order)):
            submit()
        print(order.strip(), flush=True)


def furnish(line_url: str) -> None:
    """Tables, a merchant, and four lines that never decide by hand; nothing where they are there already."""
    from django.core.management import call_command

    from guanjia.lines.models import Line

    call_command("migrate", verbosity=0, interactive=False)
    if Line.objects.exists():
        return
    lead = _people()
    for number in range(LINES):
        _line(f"line-{number}", line_url, lead)


def _people():  # type: ignore[no-untyped-def]  # a User: importing models must wait for Django
    from guanjia.merchants.models import Member, Merchant
    from guanjia.people.models import Pool, User

    lead = User.objects.create(username="wei", name="Wei")
    owner = User.objects.create(username="mo", name="Mo")
    pool = Pool.objects.create(code="commons", name="Commons", lead=lead)
    now = datetime.now(UTC)
    merchant = Merchant.objects.create(ref="M-1", name="Mo", home_pool=pool, created_at=now)
    Member.objects.create(merchant=merchant, user=owner, role="owner")
    return lead


def _line(slug, line_url, lead):  # type: ignore[no-untyped-def]
    from guanjia.base.actors import SYSTEM
    from guanjia.lines.actions.joining import register_line
    from guanjia.lines.models import Service
    from guanjia.lines.protocol.signing import new_secret

    line = register_line(
        actor=SYSTEM,
        slug=slug,
        titles={"zh-Hans": "线", "en": "Line"},
        kind="remote",
        base_url=line_url,
        secret=new_secret(),
        lead=lead,
        now=datetime.now(UTC),
    )
    Service.objects.create(
        line=line,
        code="slot",
        titles={"zh-Hans": "展位", "en": "Slot"},
        schema={"type": "object"},
        hold_ttl_seconds=900,
        decision_rule="never",
        decision_within_seconds=0,
        decision_grace_seconds=0,
        silence="refusal",
    )


def submit() -> None:
    """Open a case and submit a package over the four lines: what a merchant's request costs us."""
    from guanjia.cases.actions import open_case
    from guanjia.core.package import Mode
    from guanjia.packages.actions import request_package
    from guanjia.packages.composing import ItemDraft
    from guanjia.people.models import User

    now = datetime.now(UTC)
    owner = User.objects.get(username="mo")
    case = open_case(actor=owner, merchant_ref="M-1", need="Four slots.", now=now)
    items = [ItemDraft(f"line-{number}", "slot", {}) for number in range(LINES)]
    request_package(
        actor=owner, case_number=case.number, mode=Mode.ALL_OR_NOTHING, items=items, now=datetime.now(UTC)
    )


if __name__ == "__main__":
    main(sys.argv[1])
