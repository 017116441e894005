"""Writing cases out: for staff within what they list, for a merchant what is its own, for the CLI all.

Internal notes are a column of their own that only whoever may read them can ask for; what a merchant is
given is read by a statement that has no notes in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.utils import timezone
from psycopg.sql import SQL, Composable, Literal

from guanjia.merchants.exporting import Export, stream

MOST = 10_000
"""Cases of one export from a page; the command line has no end."""
WORDS_MOST = 1000
"""The newest words of one case."""
COLUMNS = (
    "number",
    "merchant",
    "merchant_name",
    "title",
    "need",
    "state",
    "kind",
    "priority",
    "owner",
    "first_contact",
    "opened_at",
    "due_at",
    "solved_at",
    "closed_at",
    "rating",
    "rating_words",
    "conversation",
)
NOTES = "internal_notes"

_TALK = """(SELECT string_agg(to_char(s.at AT TIME ZONE {zone}, 'YYYY-MM-DD HH24:MI')
    || ' ' || a.name || E'\\n' || s.body, E'\\n\\n' ORDER BY s.id)
  FROM (SELECT * FROM cases_message WHERE case_id = c.id AND body <> '' AND {internal}
        ORDER BY id DESC LIMIT {most}) s JOIN people_user a ON a.id = s.author_id)"""
_READ = """
SELECT c.number, m.ref, m.name, c.title, c.need, c.state, c.kind, c.priority,
  coalesce(p.name, t.name, g.name), f.name, c.opened_at, c.due_at, c.solved_at, c.closed_at,
  r.score, nullif(r.words, ''), {talk}
FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id
  JOIN people_user f ON f.id = c.first_contact_id
  LEFT JOIN people_user p ON p.id = c.person_id
  LEFT JOIN people_team t ON t.id = c.team_id
  LEFT JOIN people_pool g ON g.id = c.pool_id
  LEFT JOIN cases_rating r ON r.case_id = c.id
WHERE {which} ORDER BY c.id DESC
"""


def all_cases(*, notes: bool) -> Export:
    """Every case, the newest first."""
    return _export(SQL("true"), notes=notes)


def listed_cases(keys: Sequence[int], *, notes: bool) -> Export:
    """These cases; whoever calls has looked who may see them, and read notes."""
    return _export(SQL("c.id = ANY({})").format(Literal(list(keys[:MOST]))), notes=notes)


def own_cases(merchant: int) -> Export:
    """A merchant's own, all of them, with what was said to it and by it."""
    return _export(SQL("c.merchant_id = {}").format(Literal(merchant)), notes=False)


def _export(which: Composable, *, notes: bool) -> Export:
    talk = _talk("NOT internal")
    if notes:
        talk = SQL("{}, {}").format(talk, _talk("internal"))
    statement = SQL(_READ).format(talk=talk, which=which)
    columns = (*COLUMNS, NOTES) if notes else COLUMNS
    return Export(columns, _told(stream(statement)))


def _talk(internal: str) -> Composable:
    zone = Literal(timezone.get_default_timezone_name())
    return SQL(_TALK).format(zone=zone, internal=SQL(internal), most=Literal(WORDS_MOST))


def _told(rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """Instants in the marketplace's time zone, with the zone."""
    for row in rows:
        yield tuple(
            timezone.localtime(cell).isoformat(timespec="seconds") if isinstance(cell, datetime) else cell
            for cell in row
        )
