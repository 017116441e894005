"""The marks of a case, to see and to change in place."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.cases.changing import GIVEN_KINDS
from guanjia.cases.models import CaseKind, Priority
from guanjia.doors.desk.parts.shape import Part
from guanjia.doors.desk.queries.case import Opened
from guanjia.people.pages import Visit

_MARKS = """
SELECT c.priority, c.kind,
  ARRAY(SELECT t.name FROM cases_tagging g JOIN cases_tag t ON t.id = g.tag_id
        WHERE g.case_id = c.id ORDER BY t.name),
  ARRAY(SELECT ARRAY[u.id::text, u.name] FROM cases_watch w JOIN people_user u ON u.id = w.user_id
        WHERE w.case_id = c.id ORDER BY u.name, u.id)
FROM cases_case c WHERE c.id = %(case)s
"""


@dataclass(frozen=True, slots=True)
class Marks:
    """`priorities` and `kinds` are values, words, and whether it is so; `watching`: the reader does."""

    number: str
    priorities: list[tuple[int, str, bool]]
    kinds: list[tuple[str, str, bool]]
    tags: list[str]
    watchers: list[str]
    watching: bool


def marks(visit: Visit, case: Opened) -> Part:
    """One statement."""
    [(priority, kind, tags, watchers)] = prepared(_MARKS, {"case": case.pk})
    kinds = [one for one in CaseKind if one in GIVEN_KINDS or one == kind]
    shown = Marks(
        number=case.number,
        priorities=[(one.value, _(one.label), one == priority) for one in Priority],
        kinds=[(one.value, _(one.label), one == kind) for one in kinds],
        tags=tags,
        watchers=[name for _pk, name in watchers],
        watching=str(visit.user.pk) in {pk for pk, _name in watchers},
    )
    return Part("doors/desk/marks.html", shown)
