"""Cases with running clocks for `bench_clock`, and an edit of the calendar that moves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import transaction

from guanjia.base.sql import run
from guanjia.cases.actions.calendars import publish_calendar
from guanjia.demo.cast import make_cast

FILL_CASES = """
INSERT INTO cases_case (number, merchant_id, title, need, state, opened_by_id, first_contact_id, person_id,
  opened_at, due_at)
SELECT 'B-' || n, %(merchant)s, 't', 'n', 'open', %(user)s, %(user)s, %(user)s, %(now)s, %(due)s
FROM generate_series(1, %(rows)s) n
"""
FILL_CLOCKS = """
INSERT INTO cases_clock (case_id, kind, owner_id, calendar, counted_with, promised, target, remaining,
  started_at, counted_at, due_at, acts_at)
SELECT id, 'resolution', %(user)s, 'cn', 0, 97200, 97200, 97200, %(now)s, %(now)s, %(due)s, %(due)s
FROM cases_case WHERE number LIKE 'B-%%'
"""


def fill(rows: int) -> datetime:
    """Write them; the instant of which they are."""
    now = datetime(2026, 11, 10, 4, tzinfo=UTC)
    with transaction.atomic():
        cast = make_cast(now)
        about = {"merchant": cast.mira_shop.pk, "user": cast.lin.pk, "now": now, "rows": rows}
        about["due"] = now + timedelta(days=3)
        run(FILL_CASES, about)
        run(FILL_CLOCKS, about)
        publish_calendar(
            actor=cast.wei,
            code="cn",
            name="bench",
            zone="Asia/Shanghai",
            week=[[[480, 1200]]] * 5 + [[], []],
            days={},
            since=now + timedelta(hours=12),
            now=now,
        )
    return now
