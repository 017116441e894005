"""To whom a case may be handed, and the refusals of hand-overs and promises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Refusal
from guanjia.base.sql import prepared
from guanjia.cases.colleagues import colleagues
from guanjia.cases.models import Case, Handover
from guanjia.coverage.models import Responsibility
from guanjia.people.models import Pool, Team, User

Receiver = User | Team | Pool

ANSWER_WITHIN = timedelta(hours=4)
"""Working time in which a receiver may decline; after it, without a word, the case goes back."""
REASON_MOST = 200
NOTE_MOST = 4_000


class OwnsAlready(Refusal):
    code = "owns_already"


class NoAccessYet(Refusal):
    """Only a lead may hand a case to somebody without a responsibility for its merchant."""

    code = "no_access_yet"


class DeclinedBefore(Refusal):
    code = "declined_before"


class NothingToAnswer(Refusal):
    code = "nothing_to_answer"


class PromiseEndedAlready(Refusal):
    code = "promise_ended"


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody to choose in a form: `ref` is `person:7` and the like."""

    ref: str
    name: str


def ref_of(holder: Receiver) -> str:
    """As events and forms name a holder: `person:7`, `team:2`, `pool:1`."""
    kind = {User: "person", Team: "team", Pool: "pool"}[type(holder)]
    return f"{kind}:{holder.pk}"


def find_receiver(text: str) -> Receiver:
    """From `person:7`, `team:2` or `pool:1`. Raises BadInput for nobody, and for who cannot sign in."""
    kind, _colon, ref = text.partition(":")
    pk = int(ref) if ref.isdecimal() and len(ref) <= 18 else 0
    found: Receiver | None = None
    if kind == "person":
        found = User.objects.filter(pk=pk, is_active=True).first()
    elif kind == "team":
        found = Team.objects.select_related("lead").filter(pk=pk, lead__is_active=True).first()
    elif kind == "pool":
        found = Pool.objects.select_related("lead").filter(pk=pk, lead__is_active=True).first()
    if found is None:
        raise BadInput(_("没有这位接手人。"), hint=_("请从名单里选一位。"))
    return found


def columns(holder: Receiver, prefix: str = "") -> dict[str, Receiver | None]:
    """A holder as the three columns of `people.models.Holder`; two of them empty."""
    given: dict[str, Receiver | None] = {f"{prefix}{kind}": None for kind in ("person", "team", "pool")}
    given[f"{prefix}{ref_of(holder).partition(':')[0]}"] = holder
    return given


def may_receive(case: Case, receiver: Receiver, *, now: datetime) -> bool:
    """Whether the receiver looks after this merchant by a responsibility of any kind, or by its home pool."""
    if isinstance(receiver, User):
        return bool(colleagues(case.merchant_id, now=now, among=[receiver.pk]))
    if isinstance(receiver, Pool) and receiver.pk == case.merchant.home_pool_id:
        return True
    held = Responsibility.objects.filter(merchant=case.merchant_id, during__contains=now)
    return held.filter(**{"team" if isinstance(receiver, Team) else "pool": receiver}).exists()


def has_declined(case: Case, receiver: Receiver) -> bool:
    """Who has said no to this case is not asked again."""
    mine = Handover.objects.filter(case=case, state="declined")
    return mine.filter(**{ref_of(receiver).partition(":")[0]: receiver}).exists()


_GROUPS = """
SELECT 'team:' || t.id, t.name FROM people_team t WHERE t.id IN (
  SELECT r.team_id FROM coverage_responsibility r
  WHERE r.merchant_id = %(merchant)s AND r.during @> %(at)s::timestamptz)
UNION ALL
SELECT 'pool:' || g.id, g.name FROM people_pool g WHERE g.id IN (
  SELECT r.pool_id FROM coverage_responsibility r
  WHERE r.merchant_id = %(merchant)s AND r.during @> %(at)s::timestamptz
  UNION SELECT m.home_pool_id FROM merchants_merchant m WHERE m.id = %(merchant)s)
"""


def receivers(merchant: int, *, now: datetime) -> list[Choice]:
    """Who may take a case of this merchant now: colleagues, then teams and pools; two statements."""
    people = [Choice(f"person:{one.pk}", one.name) for one in colleagues(merchant, now=now)]
    return [*people, *(Choice(*row) for row in prepared(_GROUPS, {"merchant": merchant, "at": now}))]
