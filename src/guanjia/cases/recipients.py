"""Whom a major case is about: merchants by what they have on the lines, by a fact, or from a list.

Packages belong to a room above this one, so they are read here in SQL and never written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.sql import rows

REFS_MOST = 50_000
RECIPIENTS_MOST = 50_000
SHOWN_MOST = 12


@dataclass(frozen=True, slots=True)
class Criteria:
    """All that is given has to hold. `line`, `service` and `state` are about one and the same item of a
    package; `fact` is a key of the marketplace's facts; `refs` are merchants' references."""

    line: str = ""
    service: str = ""
    state: str = ""
    fact: str = ""
    value: str = ""
    refs: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Without the list: it is in the table of recipients."""
        return {**asdict(self), "refs": len(self.refs)}

    @property
    def empty(self) -> bool:
        return not (self.line or self.service or self.state or self.fact or self.refs)


@dataclass(frozen=True, slots=True)
class Found:
    """How many there are, the first of them (reference, name), and what in the list is no merchant's."""

    count: int
    first: list[tuple[str, str]]
    unknown: list[str]


def read_refs(text: str) -> tuple[str, ...]:
    """References from a form or a file, apart by commas, semicolons or line breaks; each once."""
    found = tuple(dict.fromkeys(one for one in re.split(r"[\s,;，；、]+", text) if one))
    if len(found) > REFS_MOST:
        raise BadInput(_("名单里有 %(got)d 家，最多 %(most)d 家。") % {"got": len(found), "most": REFS_MOST})
    return found


CHOSEN = """
SELECT m.id FROM merchants_merchant m
WHERE (NOT %(listed)s OR m.ref = ANY(%(refs)s))
  AND (%(fact)s = '' OR m.facts ->> %(fact)s = %(value)s)
  AND (NOT %(on_lines)s OR m.id IN (
    SELECT p.merchant_id FROM packages_item i JOIN packages_package p ON p.id = i.package_id
      JOIN lines_service s ON s.id = i.service_id JOIN lines_line l ON l.id = s.line_id
    WHERE (%(line)s = '' OR l.slug = %(line)s) AND (%(service)s = '' OR s.code = %(service)s)
      AND (%(state)s = '' OR i.state = %(state)s)))
"""
"""SQL: the ids of the merchants; its values are those of `values_of`. With what is not asked for written as a
constant, the plan leaves it out."""
_COUNT = f"SELECT count(*) FROM ({CHOSEN}) c"  # noqa: S608 - our own text
_FIRST = f"""
SELECT m.ref, m.name FROM ({CHOSEN}) c JOIN merchants_merchant m USING (id) ORDER BY m.id LIMIT {SHOWN_MOST}
"""  # noqa: S608 - our own text
_UNKNOWN = f"""
SELECT t.ref FROM unnest(%s::text[]) t(ref) LEFT JOIN merchants_merchant m ON m.ref = t.ref
WHERE m.id IS NULL LIMIT {SHOWN_MOST}
"""  # noqa: S608 - our own text


def find_recipients(criteria: Criteria) -> Found:
    """A look at whom it would be; reads only. Raises BadInput where nothing narrows the choice."""
    values = values_of(criteria)
    [(count,)] = rows(_COUNT, values)
    first = [(str(ref), str(name)) for ref, name in rows(_FIRST, values)]
    unknown = [str(ref) for (ref,) in rows(_UNKNOWN, [values["refs"]])] if criteria.refs else []
    return Found(int(count), first, unknown)


def values_of(criteria: Criteria) -> Mapping[str, Any]:
    """Raises BadInput for criteria that everybody meets, and for a fact without its value."""
    if criteria.empty:
        raise BadInput(_("请至少给一个条件，或一份名单。"), hint=_("不能通知所有商家。"))
    if criteria.fact and not criteria.value:
        raise BadInput(_("请写出这条资料的值。"), hint=_("例如 地区 = 华东。"))
    return asdict(criteria) | {
        "refs": list(criteria.refs),
        "listed": bool(criteria.refs),
        "on_lines": bool(criteria.line or criteria.service or criteria.state),
    }
