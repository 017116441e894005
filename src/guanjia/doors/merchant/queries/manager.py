"""Who looks after a merchant, what they promised, and how well that was kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from guanjia.base.moments import span
from guanjia.base.sql import prepared
from guanjia.cases.explaining import lasting
from guanjia.cases.models import ClockKind
from guanjia.cases.promises import About, book
from guanjia.coverage.standing import Standing


@dataclass(frozen=True, slots=True)
class Kept:
    """Of the last `of` first answers, `kept` came in time; `usual` is the median, None without any."""

    kept: int
    of: int
    usual: timedelta | None


@dataclass(frozen=True, slots=True)
class ManagerCard:
    """`kind` is person, team or pool; `lead` answers for a team or a pool; `backup` steps in."""

    name: str
    kind: str
    lead: str
    backup: str
    promise: int
    record: Kept

    @property
    def promise_text(self) -> str:
        return lasting(self.promise)

    @property
    def usual_text(self) -> str:
        return span(self.record.usual) if self.record.usual is not None else ""


# The newest cases first, and no more of their clocks than are counted: nothing here grows with the merchant.
_CARD = """
SELECT a.name,
  coalesce(
    (SELECT coalesce(p.name, t.name, g.name) FROM coverage_responsibility r
       LEFT JOIN people_user p ON p.id = r.person_id
       LEFT JOIN people_team t ON t.id = r.team_id
       LEFT JOIN people_pool g ON g.id = r.pool_id
     WHERE r.merchant_id = %(merchant)s AND r.role = 'backup' AND r.during @> %(at)s::timestamptz
     ORDER BY r.id LIMIT 1),
    (SELECT u.name FROM merchants_merchant m JOIN people_pool h ON h.id = m.home_pool_id
       JOIN people_user u ON u.id = h.lead_id WHERE m.id = %(merchant)s)),
  k.kept, k.counted, k.usual
FROM people_user a CROSS JOIN (
  SELECT count(*) FILTER (WHERE stopped_at <= due_at) AS kept, count(*) AS counted,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY stopped_at - started_at) AS usual
  FROM (
    SELECT k.started_at, k.due_at, k.stopped_at
    FROM (SELECT id FROM cases_case WHERE merchant_id = %(merchant)s ORDER BY id DESC LIMIT 60) c
      JOIN cases_clock k ON k.case_id = c.id AND k.kind = 'first_answer'
    WHERE k.status <> 'cancelled' AND (k.stopped_at IS NOT NULL OR k.due_at < %(at)s::timestamptz)
    ORDER BY c.id DESC, k.id DESC LIMIT 20
  ) answers
) k
WHERE a.id = %(answerable)s
"""
"""The record looks at the last 20 first answers among the 60 newest cases: one that is not due yet counts
neither way."""


def manager_of(held: Standing, *, at: datetime) -> ManagerCard:
    """One statement, beside the standing that was read at the door."""
    about = {"merchant": held.merchant, "answerable": held.answerable, "at": at}
    [(lead, backup, kept, of, usual)] = prepared(_CARD, about)
    kind = "person" if held.person else "team" if held.team else "pool"
    lead = "" if held.person else lead
    promise = book().promise(ClockKind.FIRST_ANSWER, About(tier=kind, pool=held.pool), at)
    assert promise is not None  # the house's own rule fits everybody
    return ManagerCard(held.holder, kind, lead, backup, promise.seconds, Kept(kept, of, usual))
