"""Plans as their list shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from guanjia.base.sql import rows
from guanjia.base.texts import pick
from guanjia.cases.actions.plans import no_plan
from guanjia.cases.handing import Choice
from guanjia.cases.models import Plan, PlanVersion
from guanjia.lines.models import Line

PLANS_MOST = 200
CASES_MOST = 1000
LINES_MOST = 200

_PLANS = f"""
SELECT p.id, p.name, p.retired_at, v.number, json_array_length(v.steps::json), v.made_at,
  (SELECT count(*) FROM (SELECT FROM cases_appliedplan a WHERE a.plan_id = p.id LIMIT {CASES_MOST}) n)
FROM cases_plan p CROSS JOIN LATERAL (
  SELECT * FROM cases_planversion WHERE plan_id = p.id ORDER BY number DESC LIMIT 1) v
ORDER BY p.retired_at IS NOT NULL, p.name LIMIT {PLANS_MOST}
"""  # noqa: S608 - our own text


@dataclass(frozen=True, slots=True)
class PlanLook:
    """`cases` counts to CASES_MOST."""

    pk: int
    name: str
    retired_at: datetime | None
    version: int
    steps: int
    made_at: datetime
    cases: int


def plans() -> list[PlanLook]:
    """One statement; those on offer first."""
    return [PlanLook(*row) for row in rows(_PLANS)]


def newest(pk: int) -> PlanVersion:
    """Raises Missing."""
    found = PlanVersion.objects.select_related("plan", "made_by").filter(plan=pk).order_by("-number").first()
    if found is None:
        raise no_plan()
    return found


def versions(plan: Plan) -> list[PlanVersion]:
    return list(plan.versions.select_related("made_by").order_by("-number")[:20])


def lines() -> list[Choice]:
    found = Line.objects.filter(active=True).order_by("slug")[:LINES_MOST]
    return [Choice(f"line:{line.slug}", pick(line.titles)) for line in found]
