"""What a case belongs with, as its pages show it: linked cases, a major case, and words to split off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.cases.history import SAID
from guanjia.cases.models import BY_HAND, LIVE, Case, CaseState, LinkKind

LINKS_MOST, OTHERS_MOST = 50, 12


@dataclass(frozen=True, slots=True)
class Beside:
    """A case that is linked to the open one. `text` says how; `by_hand`: people may unlink it; `merged`: it
    went into the open one."""

    number: str
    title: str
    state: str
    state_text: str
    first_contact: str
    opened_at: datetime
    text: str
    by_hand: bool
    merged: bool


@dataclass(frozen=True, slots=True)
class OfMajor:
    """The major case that the open one is a child of."""

    title: str
    kept_open: bool
    over: bool


@dataclass(frozen=True, slots=True)
class Belonging:
    number: str
    beside: list[Beside]
    major: OfMajor | None


_BESIDE = f"""
SELECT o.number, o.title, o.state, f.name, o.opened_at, l.kind, l.outward
FROM ((SELECT kind, target_id AS other, true AS outward, id FROM cases_caselink
       WHERE source_id = %(case)s ORDER BY id LIMIT {LINKS_MOST})
      UNION ALL (SELECT kind, source_id, false, id FROM cases_caselink
       WHERE target_id = %(case)s ORDER BY id LIMIT {LINKS_MOST})) l
  JOIN cases_case o ON o.id = l.other JOIN people_user f ON f.id = o.first_contact_id
UNION ALL
SELECT '', m.title, m.state, '', m.opened_at, '', r.kept_open
FROM cases_recipient r JOIN cases_majorcase m ON m.id = r.major_id WHERE r.case_id = %(case)s
"""  # noqa: S608 - our own text


def belonging(case: int, number: str) -> Belonging:
    """One statement. A link never leads to another merchant's case: the database refuses to make one."""
    beside, major = [], None
    for other, title, state, first_contact, opened_at, kind, flag in prepared(_BESIDE, {"case": case}):
        if not kind:
            major = OfMajor(title, kept_open=flag, over=state in ("solving", "solved"))
            continue
        link = LinkKind(kind)
        text = _(SAID[link][0 if flag else 1]) % {"other": other}
        merged = link == LinkKind.MERGED and not flag
        word = _(CaseState(state).label)
        beside.append(
            Beside(other, title, state, word, first_contact, opened_at, text, link in BY_HAND, merged)
        )
    return Belonging(number, beside, major)


@dataclass(frozen=True, slots=True)
class Other:
    """A case of the same merchant that might be meant."""

    number: str
    title: str
    state_text: str
    opened_at: datetime


def others_of(case: int, merchant: int) -> list[Other]:
    """What the merchant has in progress besides, the newest first; one statement."""
    live = Case.objects.filter(merchant=merchant, state__in=LIVE).exclude(pk=case).order_by("-pk")
    found = live.values_list("number", "title", "state", "opened_at")[:OTHERS_MOST]
    return [
        Other(number, title, _(CaseState(state).label), opened_at)
        for number, title, state, opened_at in found
    ]
