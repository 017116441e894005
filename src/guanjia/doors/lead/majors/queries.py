"""Major cases as the lead sees them: how far each is, and its children page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.models import CaseState, MajorCase, MajorState, MajorUpdate
from guanjia.cases.rules import no_case
from guanjia.core.package import ItemState
from guanjia.lines.models import Line, Service
from guanjia.merchants.models import FactDefinition
from guanjia.packages.words import item_word

PAGE = 50
STATES = (
    ItemState.HOLDING,
    ItemState.PENDING_DECISION,
    ItemState.HELD,
    ItemState.CONFIRMING,
    ItemState.CONFIRMED,
)


@dataclass(frozen=True, slots=True)
class Row:
    number: str
    title: str
    state: str
    state_text: str
    owner: str
    opened_at: datetime
    recipients: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Of `recipients`, how many have their case, have heard the newest update, are done, are kept open."""

    recipients: int
    opened: int
    heard: int
    over: int
    kept: int

    @property
    def percent(self) -> int:
        return 100 * self.opened // max(self.recipients, 1)


@dataclass(frozen=True, slots=True)
class Child:
    pk: int
    merchant: str
    number: str
    state: str
    state_text: str
    kept_open: bool


def majors(before: int) -> tuple[list[Row], int]:
    """A page, the newest first, and the `before` of the next one (0: there is none)."""
    found = list(MajorCase.objects.select_related("owner").filter(pk__lt=before).order_by("-pk")[: PAGE + 1])
    page = found[:PAGE]
    rows = [
        Row(
            one.number,
            one.title,
            one.state,
            _(one.get_state_display()),
            one.owner.name,
            one.opened_at,
            one.recipients,
        )
        for one in page
    ]
    return rows, page[-1].pk if len(found) > PAGE else 0


def major_numbered(number: str) -> MajorCase:
    """Raises Missing."""
    found = MajorCase.objects.select_related("owner").filter(number=number).first()
    if found is None:
        raise no_case(number)
    return found


_PROGRESS = """
SELECT count(*), count(r.case_id), count(*) FILTER (WHERE r.case_id IS NOT NULL AND r.heard = %(newest)s),
  count(*) FILTER (WHERE c.state IN ('solved', 'closed')), count(*) FILTER (WHERE r.kept_open)
FROM cases_recipient r LEFT JOIN cases_case c ON c.id = r.case_id WHERE r.major_id = %(major)s
"""


def progress(major: MajorCase, newest: int) -> Progress:
    [found] = prepared(_PROGRESS, {"major": major.pk, "newest": newest})
    return Progress(*found)


_CHILDREN = f"""
SELECT r.id, m.name, coalesce(c.number, ''), coalesce(c.state, ''), r.kept_open
FROM cases_recipient r JOIN merchants_merchant m ON m.id = r.merchant_id
  LEFT JOIN cases_case c ON c.id = r.case_id
WHERE r.major_id = %(major)s AND r.id > %(after)s ORDER BY r.id LIMIT {PAGE + 1}
"""  # noqa: S608 - our own text


def children(major: MajorCase, after: int) -> tuple[list[Child], int]:
    """A page in the order of their turns, and the `after` of the next one (0: there is none)."""
    found = prepared(_CHILDREN, {"major": major.pk, "after": after})
    page = [
        Child(pk, merchant, number, state, _(CaseState(state).label) if state else "", kept)
        for pk, merchant, number, state, kept in found[:PAGE]
    ]
    return page, page[-1].pk if len(found) > PAGE else 0


def updates_of(major: MajorCase) -> list[MajorUpdate]:
    return list(major.updates.select_related("author").order_by("-n"))


def chosen_by(criteria: dict[str, Any]) -> list[str]:
    """How the recipients were found, in words."""
    said = []
    if criteria["line"] or criteria["service"]:
        said.append(
            _("业务线或服务：%(what)s")
            % {"what": " / ".join(filter(None, [criteria["line"], criteria["service"]]))}
        )
    if criteria["state"]:
        said.append(_("条目状态：%(state)s") % {"state": item_word(ItemState(criteria["state"]))[0]})
    if criteria["fact"]:
        said.append(f"{criteria['fact']} = {criteria['value']}")
    if criteria["refs"]:
        said.append(_("名单：%(n)s 家") % {"n": criteria["refs"]})
    return said


def choices() -> dict[str, Sequence[tuple[str, str]]]:
    """What the form offers: lines, services, states of items, facts. Three statements."""
    services = Service.objects.select_related("line").order_by("line__slug", "code")
    return {
        "lines": [(line.slug, pick(line.titles)) for line in Line.objects.order_by("slug")],
        "services": [(one.code, f"{pick(one.line.titles)} · {pick(one.titles)}") for one in services],
        "states": [(state.value, item_word(state)[0]) for state in STATES],
        "facts": [(one.key, pick(one.titles)) for one in FactDefinition.objects.order_by("key")],
    }


def working(major: MajorCase) -> bool:
    """The flow is at it: the page looks again by itself."""
    return major.state in (MajorState.OPENING, MajorState.SOLVING)
