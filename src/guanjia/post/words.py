"""News in words, in the language that is active: made when it is read, from numbers and codes.

The statement below takes the words of a message for a merchant's people only where the message is public.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.moments import moment
from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.models import ClockKind, TaskKind
from guanjia.people.news import KINDS
from guanjia.post.models import Side
from guanjia.post.tellings import BY_CODE, Telling

EXCERPT_MOST = 140


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of news for a reader. `link` is a path of this installation; `body` the whole of what was
    said, `excerpt` its beginning; `number` and `title` those of the case."""

    news: int
    code: str
    kind: str
    side: str
    at: datetime
    phrase: str
    number: str
    title: str
    merchant: str
    ref: str
    body: str
    link: str
    case: int | None
    message: int | None

    @property
    def excerpt(self) -> str:
        text = " ".join(self.body.split())
        return text if len(text) <= EXCERPT_MOST else text[: EXCERPT_MOST - 1] + "…"

    @property
    def kind_title(self) -> str:
        return str(KINDS.get(self.kind, ""))


NEWS = """post_news w
  LEFT JOIN people_user a ON a.id = w.actor
  LEFT JOIN merchants_merchant m ON m.id = w.merchant_id
  LEFT JOIN cases_case c ON c.id = w.case_id AND w.side <> 'line'
  LEFT JOIN cases_message g ON g.id = w.message_id AND (w.side = 'house' OR NOT g.internal)"""
"""SQL: news `w` with what its words are made of."""
COLUMNS = (
    "w.id, w.code, w.side, w.at, w.values, coalesce(a.name, ''), coalesce(m.ref, ''), coalesce(m.name, ''),"
    " c.id, coalesce(c.number, ''), coalesce(c.title, ''), g.id, coalesce(g.body, '')"
)
COUNT = 13


def pieces(keys: Sequence[int]) -> dict[int, Piece]:
    """These news in words, by their keys; one statement."""
    found = rows(f"SELECT {COLUMNS} FROM {NEWS} WHERE w.id = ANY(%s)", [list(keys)])  # noqa: S608
    return {row[0]: piece(row) for row in found}


def piece(row: Sequence[Any]) -> Piece:
    """From the values of COLUMNS."""
    key, code, side, at, stored, who, ref, merchant, case, number, title, message, body = row
    values = json.loads(stored)
    telling = BY_CODE.get(code)
    link = _link(telling, side, ref, number, values)
    return Piece(
        news=key,
        code=code,
        kind=telling.news if telling else "",
        side=side,
        at=at,
        phrase=_phrase(telling, values, who, merchant),
        number=number,
        title=title,
        merchant=merchant,
        ref=ref,
        body=body,
        link=link,
        case=case,
        message=message,
    )


class _Values(dict[str, Any]):
    """What an older event did not say stays empty, rather than keep a page from being read."""

    def __missing__(self, key: str) -> str:
        return ""


def _phrase(telling: Telling | None, values: Mapping[str, Any], who: str, merchant: str) -> str:
    if telling is None:
        return _("有一条消息")
    words = telling.words if isinstance(telling.words, str) else telling.words(values)
    readable = {name: _readable(name, value) for name, value in values.items()}
    return _(words) % _Values(readable, who=who or _("管家"), merchant=merchant)


def _readable(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return pick(value)
    if name.endswith("due_at") and value:
        return moment(datetime.fromisoformat(value))
    if name == "task_kind":
        return _(TaskKind(value).label) if value in TaskKind else value
    if name == "clock_kind":
        return _(ClockKind(value).label) if value in ClockKind else value
    return value


def _link(telling: Telling | None, side: str, ref: str, number: str, values: Mapping[str, Any]) -> str:
    where = telling.link if telling else ""
    if where == "mandates":
        return reverse("desk_mandates")
    if where == "routines":
        return reverse("lead_routines")
    if where == "endpoints":
        return reverse("news_endpoints", args=[ref]) if ref else reverse("team_endpoints")
    if side == Side.LINE:
        slug = values.get("slug")
        return reverse("console_line", args=[slug]) if slug else reverse("console")
    if where == "package" and values.get("package"):
        return reverse("door_package", args=[ref, values["package"]])
    if not number:
        return reverse("news")
    return (
        reverse("door_case", args=[ref, number])
        if side == Side.MERCHANT
        else reverse("desk_case", args=[number])
    )
