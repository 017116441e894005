"""What a merchant says becomes a case. One verb, one transaction, one event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.idempotency import CLAIM, earlier, fingerprint
from guanjia.base.sql import as_json, prepared
from guanjia.base.texts import clean
from guanjia.cases.actions.clocks import opening_clocks
from guanjia.cases.actions.files import add_files
from guanjia.cases.events import CaseOpened
from guanjia.cases.filing import Upload, check_files, digests
from guanjia.cases.models import Case, CaseState
from guanjia.cases.numbers import case_number
from guanjia.cases.rules import NEED_MOST, title_of
from guanjia.coverage.rules import Verb, access_standing
from guanjia.coverage.standing import Standing, standing
from guanjia.ledger.actions import APPEND, Entry, events
from guanjia.people.actors import actor_of
from guanjia.people.models import User

# One statement, and so one transaction and one way to the database: key, case, clocks and event. Without
# a row from `claimed` nothing follows.
_OPEN = """
WITH claimed AS ({claim}),
opened AS (
  INSERT INTO cases_case (id, number, merchant_id, title, need, state, opened_by_id, first_contact_id,
    person_id, team_id, pool_id, opened_at, due_at)
  SELECT result, %(number)s, %(merchant)s, %(title)s, %(need)s, %(state)s, %(actor)s, %(first_contact)s,
    %(person)s::bigint, %(team)s::bigint, %(pool)s::bigint, %(now)s::timestamptz, %(due_at)s::timestamptz
  FROM claimed RETURNING id
),
running AS (
  INSERT INTO cases_clock (case_id, kind, owner_id, calendar, counted_with, promised, target, remaining,
    warn_share, started_at, counted_at, due_at, acts_at)
  SELECT opened.id, c.kind, %(answerable)s, c.calendar, c.counted_with, c.target, c.target, c.target,
    c.warn_share, %(now)s::timestamptz, %(now)s::timestamptz, c.due_at, c.acts_at
  FROM opened, json_to_recordset(%(clocks)s::json) AS c(kind text, calendar text, counted_with int,
    target int, warn_share smallint, due_at timestamptz, acts_at timestamptz)
),
told AS ({append}, opened)
SELECT id FROM opened
"""
_OPEN_ONCE = _OPEN.format(claim=CLAIM, append=APPEND)
_OPEN_ALWAYS = _OPEN.format(claim="SELECT %(id)s::bigint AS result", append=APPEND)
_CLOCK = ("kind", "calendar", "counted_with", "target", "warn_share", "due_at", "acts_at")
_NEXT = "SELECT nextval(pg_get_serial_sequence('cases_case', 'id')), nextval('cases_number')"


def open_case(
    *,
    actor: User,
    merchant_ref: str,
    need: str,
    now: datetime,
    files: Sequence[Upload] = (),
    idempotency_key: str | None = None,
) -> Case:
    """What a merchant says becomes a numbered case with an owner and a clock, in one transaction.

    `actor` is the merchant's member, or whoever took it in and is the first contact for good; `files` go
    with the need, all or none. With a key it happens once: whoever repeats it at the same time waits until
    the first is through, then reads it. Raises Missing or Forbidden (see coverage.rules), BadInput,
    KeyReused, FileRefused.
    """
    need = clean(need, field=_("要办的事"), most=NEED_MOST)
    found = access_standing(actor=actor, ref=merchant_ref, verb=Verb.OPEN_CASE, now=now)
    checked = check_files(files)
    content = [merchant_ref, need, *digests(checked)]
    case = _case(actor, found, need, now)
    if not checked:
        return _opened(case, found, idempotency_key, content)
    with transaction.atomic():
        opened = _opened(case, found, idempotency_key, content)
        if opened is case:
            add_files(actor=actor, case=case, message=None, files=checked, now=now)
    return opened


def _opened(case: Case, found: Standing, key: str | None, content: list[str]) -> Case:
    """The case, or the one that its key has opened before."""
    if key is None:
        prepared(_OPEN_ALWAYS, _columns(case, found))
        return case
    claim = {"scope": f"case:{case.opened_by_id}", "key": key}
    new = prepared(_OPEN_ONCE, {**_columns(case, found), **claim, "print": fingerprint(content)})
    return case if new else Case.objects.get(pk=earlier(**claim, content=content))


def open_beside(*, actor: User, beside: Case, need: str, now: datetime) -> Case:
    """A case that comes out of another one, with whom that one's first contact stays; on clocks of its own.

    Part of an action that has found out what its actor may do.
    """
    found = standing(actor, beside.merchant.ref, at=now)
    assert found is not None  # a case has a merchant
    case = _case(actor, found, clean(need, field=_("要办的事"), most=NEED_MOST), now)
    case.first_contact_id = beside.first_contact_id
    return _opened(case, found, None, [])


def _case(actor: User, found: Standing, need: str, now: datetime) -> Case:
    [(pk, number)] = prepared(_NEXT, {})
    case = Case(
        pk=pk,
        number=case_number(now, number),
        merchant_id=found.merchant,
        title=title_of(need),
        need=need,
        state=CaseState.OPEN,
        opened_by=actor,
        # Who took it in: the member of staff who filed it, or the owner when the merchant did alone.
        first_contact_id=found.answerable if found.member else actor.pk,
        person_id=found.person,
        team_id=found.team,
        pool_id=found.pool,
        opened_at=now,
    )
    case._state.adding = False  # what follows writes it
    return case


def _columns(case: Case, found: Standing) -> dict[str, object]:
    now, clocks = case.opened_at, opening_clocks(case, case.opened_at)
    case.due_at = due_at = min(clock.due_at for clock in clocks if clock.due_at)
    opened = CaseOpened(case.number, _owner_ref(found), case.first_contact_id, due_at.isoformat())
    entry = Entry(now, actor_of(case.opened_by), f"case:{case.number}", opened, found.merchant)
    return {
        "id": case.pk,
        "number": case.number,
        "merchant": found.merchant,
        "title": case.title,
        "need": case.need,
        "state": case.state,
        "actor": case.opened_by_id,
        "first_contact": case.first_contact_id,
        "person": found.person,
        "team": found.team,
        "pool": found.pool,
        "now": now,
        "due_at": due_at,
        "answerable": found.answerable,
        "clocks": as_json([{name: getattr(clock, name) for name in _CLOCK} for clock in clocks]),
        "events": events([entry]),
    }


def _owner_ref(found: Standing) -> str:
    for kind, holder in (("person", found.person), ("team", found.team), ("pool", found.pool)):
        if holder is not None:
            return f"{kind}:{holder}"
    raise AssertionError("an accountable holder is a person, a team or a pool")
