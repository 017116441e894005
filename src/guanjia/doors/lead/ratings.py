"""What merchants say about how it was done, by who was accountable, over the last three months."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guanjia.base.figures import figures
from guanjia.base.sql import rows

FRESH = timedelta(minutes=10)
MONTHS = 3
LISTED_MOST = 12


@dataclass(frozen=True, slots=True)
class Average:
    """Of a person, a team or a pool; of everybody where there is no name."""

    name: str
    ratings: int
    total: int

    @property
    def average(self) -> str:
        return f"{self.total / self.ratings:.1f}" if self.ratings else "–"


@dataclass(frozen=True, slots=True)
class Ratings:
    as_of: datetime
    everybody: Average
    each: Sequence[Average]


# A tally has one row for who is accountable and month: this reads a few rows, however many cases there are.
_READ = """
WITH recent AS (
  SELECT person_id, team_id, pool_id, sum(ratings) AS ratings, sum(total) AS total
  FROM cases_ratingtally
  WHERE month > (date_trunc('month', %s AT TIME ZONE 'UTC') - make_interval(months => %s))::date
  GROUP BY 1, 2, 3)
SELECT '', coalesce(sum(ratings), 0)::int, coalesce(sum(total), 0)::int FROM recent
UNION ALL (
SELECT coalesce(u.name, t.name, p.name), r.ratings::int, r.total::int
FROM recent r LEFT JOIN people_user u ON u.id = r.person_id LEFT JOIN people_team t ON t.id = r.team_id
  LEFT JOIN people_pool p ON p.id = r.pool_id
ORDER BY r.team_id IS NULL AND r.pool_id IS NULL, r.ratings DESC, 1 LIMIT %s)
"""


def ratings(now: datetime) -> Ratings | None:
    """Teams and pools first, then the people with most ratings; kept for FRESH."""
    kept = figures("lead-ratings", lambda: rows(_READ, [now, MONTHS, LISTED_MOST]), now=now, fresh=FRESH)
    if kept is None:
        return None
    everybody, *each = (Average(*row) for row in kept.content)
    return Ratings(kept.computed_at, everybody, each) if everybody.ratings else None
