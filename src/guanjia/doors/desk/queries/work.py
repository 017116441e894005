"""The work around one case: tasks, checklist, plans, promises and a hand-over that waits for an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.base.texts import pick
from guanjia.cases.handing import Choice, receivers
from guanjia.cases.models import FollowUpKind, Plan, PlanVersion, TaskState
from guanjia.lines.models import Line
from guanjia.people.models import User

TASKS_MOST = 200
LINES_MOST = 100
PROMISES_MOST = 20
HANDOVERS_MOST = 20
CHOICES_MOST = 200


@dataclass(frozen=True, slots=True)
class WordLook:
    author: str
    body: str
    asks: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class TaskLook:
    """A task that somebody has asked for; `doer` is the line, team or pool where there is one. `asked`: its
    last word is a question that nobody has answered."""

    pk: int
    title: str
    state: str
    detail: str
    doer: str
    person: str
    due_at: datetime
    starts_at: datetime | None
    done_at: datetime | None
    holds: bool
    visible: bool
    waits_for: tuple[str, ...]
    words: tuple[WordLook, ...]

    @property
    def ended(self) -> bool:
        return self.done_at is not None

    @property
    def waits(self) -> bool:
        return self.state == TaskState.BLOCKED

    @property
    def state_text(self) -> str:
        return _(TaskState(self.state).label)

    @property
    def asked(self) -> bool:
        return bool(self.words and self.words[-1].asks and not self.ended)


@dataclass(frozen=True, slots=True)
class LineLook:
    pk: int
    text: str
    by: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class PromiseLook:
    """`kept` is None while it runs."""

    pk: int
    kind: str
    text: str
    by: str
    due_at: datetime
    kept: bool | None
    ended_at: datetime | None

    @property
    def kind_text(self) -> str:
        return _(FollowUpKind(self.kind).label)

    @property
    def late(self) -> bool:
        return self.ended_at is not None and self.ended_at > self.due_at


@dataclass(frozen=True, slots=True)
class OfferLook:
    """A hand-over that waits for its receiver; `mine`: the reader may answer."""

    giver: str
    receiver: str
    reason: str
    note: str
    answer_by: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Tasks and checklist in the order of doing, what has ended behind. `plans` are names with what is done
    and what there is of each."""

    tasks: tuple[TaskLook, ...]
    checklist: tuple[LineLook, ...]
    plans: tuple[tuple[str, int, int], ...]
    promises: tuple[PromiseLook, ...]
    offer: OfferLook | None

    @property
    def open(self) -> list[TaskLook]:
        return [task for task in self.tasks if not task.ended]

    @property
    def done(self) -> int:
        return len(self.tasks) - len(self.open)

    @property
    def ticked(self) -> int:
        return sum(1 for line in self.checklist if line.at)

    @property
    def running(self) -> list[PromiseLook]:
        return [promise for promise in self.promises if promise.kept is None]

    def __bool__(self) -> bool:
        return bool(self.tasks or self.checklist or self.plans or self.running or self.offer)


_WORK = f"""
SELECT
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(t.id, t.title, t.state, t.detail, l.titles, coalesce(g.name, p.name), u.name,
     t.due_at, t.starts_at, t.done_at, t.holds, t.visible,
     (SELECT json_agg(b.title ORDER BY b.id) FROM cases_taskblock k JOIN cases_task b ON b.id = k.by_id
      WHERE k.task_id = t.id AND b.done_at IS NULL),
     (SELECT json_agg(json_build_array(a.name, w.body, w.asks, w.at) ORDER BY w.id)
      FROM cases_taskword w JOIN people_user a ON a.id = w.author_id WHERE w.task_id = t.id)) AS one
   FROM cases_task t JOIN people_user u ON u.id = t.assignee_id LEFT JOIN lines_line l ON l.id = t.line_id
   LEFT JOIN people_team g ON g.id = t.team_id LEFT JOIN people_pool p ON p.id = t.pool_id
   WHERE t.case_id = %(case)s AND t.kind = 'by_hand'
   ORDER BY t.done_at IS NOT NULL, t.state = 'blocked', t.due_at, t.id LIMIT {TASKS_MOST}) x),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(c.id, c.text, u.name, c.ticked_at) AS one
   FROM cases_checkline c LEFT JOIN people_user u ON u.id = c.ticked_by_id
   WHERE c.case_id = %(case)s ORDER BY c.id LIMIT {LINES_MOST}) x),
  (SELECT json_agg(json_build_array(n.name,
     (SELECT count(done_at) FROM cases_task t WHERE t.case_id = %(case)s AND t.plan_id = a.id),
     (SELECT count(*) FROM cases_task t WHERE t.case_id = %(case)s AND t.plan_id = a.id)) ORDER BY a.id)
   FROM cases_appliedplan a JOIN cases_plan n ON n.id = a.plan_id WHERE a.case_id = %(case)s),
  (SELECT json_agg(x.one) FROM (
   SELECT json_build_array(f.id, f.kind, f.text, u.name, f.due_at, f.kept, f.ended_at) AS one
   FROM cases_followup f JOIN people_user u ON u.id = f.by_id WHERE f.case_id = %(case)s
   ORDER BY f.ended_at IS NOT NULL, f.due_at, f.id LIMIT {PROMISES_MOST}) x),
  (SELECT json_build_array(coalesce(fp.name, ft.name, fg.name), coalesce(p.name, t.name, g.name),
     h.reason, h.note, h.answer_by,
     h.person_id = %(user)s OR t.lead_id = %(user)s OR g.lead_id = %(user)s
     OR EXISTS (SELECT FROM people_team_members WHERE team_id = h.team_id AND user_id = %(user)s)
     OR EXISTS (SELECT FROM people_pool_members WHERE pool_id = h.pool_id AND user_id = %(user)s)
     OR EXISTS (SELECT FROM people_absence WHERE user_id = h.person_id AND substitute_id = %(user)s
                AND during @> %(at)s::timestamptz))
   FROM cases_handover h LEFT JOIN people_user p ON p.id = h.person_id
   LEFT JOIN people_team t ON t.id = h.team_id LEFT JOIN people_pool g ON g.id = h.pool_id
   LEFT JOIN people_user fp ON fp.id = h.from_person_id LEFT JOIN people_team ft ON ft.id = h.from_team_id
   LEFT JOIN people_pool fg ON fg.id = h.from_pool_id
   WHERE h.case_id = %(case)s AND h.state = 'offered')
"""  # noqa: S608 - our own text


def work_of(case: int, user: User, now: datetime) -> Work:
    """All of it in one statement."""
    [found] = prepared(_WORK, {"case": case, "user": user.pk, "at": now})
    tasks, checklist, plans, promises, offer = found
    return Work(
        tasks=tuple(_task(*one) for one in tasks or ()),
        checklist=tuple(LineLook(pk, text, by or "", _at(at)) for pk, text, by, at in checklist or ()),
        plans=tuple((name, done, count) for name, done, count in plans or ()),
        promises=tuple(_promise(*one) for one in promises or ()),
        offer=_offer(*offer) if offer else None,
    )


def _at(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _task(
    pk: int,
    title: str,
    state: str,
    detail: str,
    line: dict[str, str] | None,
    group: str | None,
    person: str,
    due_at: str,
    starts_at: str | None,
    done_at: str | None,
    holds: bool,
    visible: bool,
    waits_for: Sequence[str] | None,
    words: Sequence[Any] | None,
) -> TaskLook:
    return TaskLook(
        pk=pk,
        title=title,
        state=state,
        detail=detail,
        doer=pick(line) if line else group or person,
        person=person,
        due_at=datetime.fromisoformat(due_at),
        starts_at=_at(starts_at),
        done_at=_at(done_at),
        holds=holds,
        visible=visible,
        waits_for=tuple(waits_for or ()),
        words=tuple(
            WordLook(author, body, asks, datetime.fromisoformat(at)) for author, body, asks, at in words or ()
        ),
    )


def _promise(
    pk: int, kind: str, text: str, by: str, due_at: str, kept: bool | None, ended_at: str | None
) -> PromiseLook:
    return PromiseLook(pk, kind, text, by, datetime.fromisoformat(due_at), kept, _at(ended_at))


def _offer(giver: str, receiver: str, reason: str, note: str, answer_by: str, mine: bool | None) -> OfferLook:
    return OfferLook(giver, receiver, reason, note, datetime.fromisoformat(answer_by), bool(mine))


def doers(merchant: int, now: datetime) -> tuple[list[Choice], list[Choice]]:
    """Who may be asked for a task: who looks after the merchant, and the lines; three statements."""
    lines = Line.objects.filter(active=True).order_by("slug")[:CHOICES_MOST]
    return receivers(merchant, now=now), [Choice(f"line:{line.slug}", pick(line.titles)) for line in lines]


def plans_on_offer() -> list[Plan]:
    return list(Plan.objects.filter(retired_at=None).order_by("name")[:CHOICES_MOST])


def latest_version(plan: int) -> PlanVersion | None:
    found = PlanVersion.objects.select_related("plan").filter(plan=plan, plan__retired_at=None)
    return found.order_by("-number").first()


@dataclass(frozen=True, slots=True)
class HandoverLook:
    at: datetime
    giver: str
    receiver: str
    by: str
    reason: str
    note: str
    state: str
    answer: str


_HANDOVERS = f"""
SELECT h.at, coalesce(fp.name, ft.name, fg.name), coalesce(p.name, t.name, g.name), b.name, h.reason, h.note,
  h.state, h.answer
FROM cases_handover h JOIN people_user b ON b.id = h.by_id LEFT JOIN people_user p ON p.id = h.person_id
LEFT JOIN people_team t ON t.id = h.team_id LEFT JOIN people_pool g ON g.id = h.pool_id
LEFT JOIN people_user fp ON fp.id = h.from_person_id LEFT JOIN people_team ft ON ft.id = h.from_team_id
LEFT JOIN people_pool fg ON fg.id = h.from_pool_id
WHERE h.case_id = %(case)s ORDER BY h.id DESC LIMIT {HANDOVERS_MOST}
"""  # noqa: S608 - our own text


def handovers_of(case: int) -> list[HandoverLook]:
    """The newest first."""
    return [HandoverLook(*row) for row in prepared(_HANDOVERS, {"case": case})]
