"""Searching: cases, merchants and services, each within what the searcher may see."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.models import CaseState
from guanjia.search.asking import STATES, Asked
from guanjia.search.marking import piece, said_in
from guanjia.search.scope import Scope
from guanjia.search.terms import OF_MERCHANT, Needle, fold
from guanjia.search.walk import NEWEST, PATIENCE, Of, walk

PAGE = 20
MERCHANTS_MOST = 8
SERVICES_MOST = 8
LATE = timedelta(seconds=15)
MESSAGES_MOST = 30
"""The newest messages of a case in which its snippet is looked for."""


@dataclass(frozen=True, slots=True)
class CaseHit:
    """A case that was found. `where` says in which of its texts, empty where the title says it all."""

    number: str
    title: SafeString
    state: str
    state_text: str
    due_at: datetime | None
    at: datetime
    merchant_ref: str
    merchant: SafeString
    where: str
    internal: bool
    said: SafeString
    in_title: bool


@dataclass(frozen=True, slots=True)
class CaseHits:
    """A page, the newest first, and those whose title has all the words before the others. `before` is where
    to go on; `looked_until` is set where patience ended before the page was full."""

    hits: list[CaseHit]
    before: int | None
    looked_until: datetime | None


@dataclass(frozen=True, slots=True)
class MerchantHit:
    ref: str
    name: SafeString


@dataclass(frozen=True, slots=True)
class ServiceHit:
    line: str
    title: SafeString
    code: str


_READ = f"""
SELECT c.id, c.number, c.title, c.need, c.state, c.due_at, coalesce(c.solved_at, c.opened_at), m.name, m.ref,
  (SELECT json_agg(json_build_array(x.internal, x.body)) FROM (
     SELECT internal, body FROM cases_message
     WHERE case_id = c.id AND body <> '' AND (%(notes)s OR NOT internal)
     ORDER BY id DESC LIMIT {MESSAGES_MOST}) x),
  (SELECT json_agg(json_build_array(coalesce(s.internal, false), f.name)) FROM cases_attachment f
     LEFT JOIN cases_message s ON s.id = f.message_id
     WHERE f.case_id = c.id AND f.name <> '' AND (%(notes)s OR NOT coalesce(s.internal, false)))
FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id WHERE c.id = ANY(%(keys)s::bigint[])
ORDER BY c.id DESC
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class _Text:
    kind: str
    internal: bool
    text: str


class _Case:
    """A case with all texts that this searcher may read."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        _pk, self.number, self.title, need, self.state, self.due_at, self.at, self.name, self.ref = row[:9]
        said, files = row[9] or (), row[10] or ()
        self.cut = len(said) >= MESSAGES_MOST
        self.texts = [_Text("need", False, need), *(_Text("said", *one) for one in said)]
        self.texts += [_Text("file", *one) for one in files]

    def folded(self) -> list[str]:
        known = (self.title, self.name, self.ref, self.number)
        return [" ".join(fold(text).split()) for text in (*known, *(one.text for one in self.texts))]


def search_cases(
    asked: Asked, scope: Scope, *, before: int = NEWEST, most: int = PAGE, patience: float = PATIENCE
) -> CaseHits:
    """The newest cases with all that is asked for. A few statements, however many cases there are."""
    began, hits = time.monotonic(), list[CaseHit]()
    query = _query(asked, scope)
    while query:
        left = max(0.0, patience - (time.monotonic() - began))
        found = walk(Of.CASE, query, scope, most=most, before=before, also=_state(asked), patience=left)
        hits += _hits(asked, scope, found.keys)
        if found.before is None:
            return CaseHits(hits, None, None)
        over = len(found.keys) < most or time.monotonic() - began > patience
        if over or len(hits) >= most // 2:
            short = over and len(hits) < most
            return CaseHits(hits, found.before, _opened_below(found.before) if short else None)
        before = found.before
    return CaseHits([], None, None)


def _query(asked: Asked, scope: Scope) -> str:
    """Empty where nothing can be found."""
    parts = [asked.query(notes=scope.notes)]
    if asked.merchant:
        known = prepared("SELECT id FROM merchants_merchant WHERE ref = %(ref)s", {"ref": asked.merchant})
        if not known:
            return ""
        parts.append(f"'{OF_MERCHANT}{known[0][0]}'")
    return "&".join(part for part in parts if part)


def _state(asked: Asked) -> str:
    """Asked of each match; the states are our own words."""
    if not asked.state:
        return "true"
    states = ", ".join(f"'{state}'" for state in STATES[asked.state])
    return f"(SELECT c.state FROM cases_case c WHERE c.id = h.id) IN ({states})"  # noqa: S608 - our own text


def _opened_below(before: int) -> datetime | None:
    """When the newest of those cases was opened that have not been looked through."""
    found = prepared(
        "SELECT opened_at FROM cases_case WHERE id < %(before)s ORDER BY id DESC LIMIT 1", {"before": before}
    )
    return found[0][0] if found else None


def case_numbered(number: str, scope: Scope) -> bool:
    """Whether there is a case with this number that the scope allows."""
    if not number or scope.nothing:
        return False
    where = scope.where or "true"
    statement = f"""SELECT true FROM (SELECT id, merchant_id AS merchant FROM cases_case
      WHERE number = %(number)s) h WHERE {where}"""  # noqa: S608 - our own text
    return bool(prepared(statement, {"number": number, **scope.values}))


def _hits(asked: Asked, scope: Scope, keys: Sequence[int]) -> list[CaseHit]:
    if not keys:
        return []
    cases = [_Case(row) for row in prepared(_READ, {"keys": list(keys), "notes": scope.notes})]
    sure = [case for case in cases if case.cut or _has_all(asked, case)]
    hits = [_hit(asked, case) for case in sure]
    return sorted(hits, key=lambda hit: not hit.in_title)


def _has_all(asked: Asked, case: _Case) -> bool:
    """What the index could not tell is asked of the texts themselves."""
    loose = [needle for needle in asked.needles if needle.loose]
    if not loose and not asked.phrases:
        return True
    texts = case.folded()
    return all(any(needle.within(text) for text in texts) for needle in loose) and all(
        any(phrase in text for text in texts) for phrase in asked.phrases
    )


def _hit(asked: Asked, case: _Case) -> CaseHit:
    words = asked.marked
    title = piece(case.title, words, long=200)
    kind, internal, said = "", False, piece("", words).html
    if len(title.found) < len(words):
        best = max(case.texts, key=lambda one: len(said_in(one.text, words) - title.found))
        if said_in(best.text, words) - title.found:
            kind, internal, said = best.kind, best.internal, piece(best.text, words).html
    return CaseHit(
        number=case.number,
        title=title.html,
        state=case.state,
        state_text=_(CaseState(case.state).label),
        due_at=case.due_at if case.state in STATES["open"] else None,
        at=case.at,
        merchant_ref=case.ref,
        merchant=piece(case.name, words).html,
        where=kind,
        internal=internal,
        said=said,
        in_title=len(title.found) >= len(words),
    )


def search_merchants(asked: Asked, scope: Scope, *, most: int = MERCHANTS_MOST) -> list[MerchantHit]:
    """Merchants by name and reference, the exact reference first, then those that came in last."""
    if asked.nothing or scope.nothing or asked.merchant or asked.state:
        return []
    found = walk(Of.MERCHANT, asked.query(notes=False), scope, most=most, patience=PATIENCE / 4)
    rows = prepared(
        "SELECT ref, name FROM merchants_merchant WHERE id = ANY(%(keys)s::bigint[]) ORDER BY id DESC",
        {"keys": found.keys},
    )
    hits = [(ref, name) for ref, name in rows if all(_named(needle, ref, name) for needle in asked.needles)]
    hits.sort(key=lambda hit: fold(hit[0]) != fold(asked.typed))
    return [MerchantHit(ref, piece(name, asked.marked).html) for ref, name in hits]


def _named(needle: Needle, ref: str, name: str) -> bool:
    return not needle.loose or needle.within(fold(name)) or needle.within(fold(ref))


_SERVICES = """
SELECT l.titles::json, s.titles::json, s.code FROM lines_service s JOIN lines_line l ON l.id = s.line_id
WHERE s.active AND l.active AND lower(concat_ws(' ', s.code, l.slug,
  (SELECT string_agg(value, ' ') FROM jsonb_each_text(s.titles)),
  (SELECT string_agg(value, ' ') FROM jsonb_each_text(l.titles)))) LIKE ALL (%(like)s::text[])
ORDER BY l.slug, s.code LIMIT %(most)s
"""


def search_services(asked: Asked, *, most: int = SERVICES_MOST) -> list[ServiceHit]:
    """Services in force, by their titles and codes and those of their line; everybody may know them."""
    if asked.nothing or asked.merchant or asked.state:
        return []
    like = [f"%{needle.text}%" for needle in asked.needles]
    found = prepared(_SERVICES, {"like": like, "most": most})
    return [
        ServiceHit(pick(line), piece(pick(title), asked.marked).html, code) for line, title, code in found
    ]


_LATE = """
SELECT EXISTS (SELECT FROM base_flow WHERE name = 'search' AND lease IS NULL AND due_at < %(since)s)
"""


def catching_up(now: datetime) -> bool:
    """Whether what was written more than LATE ago has not been indexed yet."""
    [(late,)] = prepared(_LATE, {"since": now - LATE})
    return bool(late)
