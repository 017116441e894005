"""Events of the log with what they are about, read set by set: a batch costs a few statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from guanjia.cases.colleagues import colleagues
from guanjia.cases.models import Case, Message
from guanjia.cases.models.marks import Mention, Watch
from guanjia.ledger.models import Event
from guanjia.lines.models import Line, LineStaff, Mandate
from guanjia.merchants.models import Member, MemberRole
from guanjia.packages.models import Package
from guanjia.people.models import Absence, Pool, Role, RoleGrant, Team

SPEAKERS_MOST = 200
"""Of a case with a thousand messages, those who spoke last are still part of it."""


@dataclass(frozen=True)
class Fact:
    """One event. `actor` is the key of the person who did it, None for the house or a line."""

    event: int
    kind: str
    at: datetime
    actor: int | None
    merchant: int | None
    payload: Mapping[str, Any]
    case: Case | None
    batch: Batch

    @property
    def message(self) -> int | None:
        found = self.payload.get("message")
        return found if isinstance(found, int) else None

    @property
    def internal(self) -> bool:
        """Whether it is about an internal note. What cannot be read any more counts as one."""
        return self.message is not None and self.batch.internal.get(self.message, True)

    @property
    def by_merchant(self) -> bool:
        return self.actor is not None and self.actor in self.batch.members(self.merchant)

    @property
    def slugs(self) -> set[str]:
        """The lines whose items moved, or the one it is about."""
        moved = {item["line"] for item in self.payload.get("items", ()) if isinstance(item, dict)}
        named = self.payload.get("line")
        return moved | ({named} if isinstance(named, str) else set())


class Batch:
    """Some events, and everything their circles of people are made of, each read once and if needed."""

    def __init__(self, keys: Sequence[int], now: datetime) -> None:
        self.now = now
        self._events = list(Event.objects.filter(pk__in=keys).order_by("pk"))

    @cached_property
    def facts(self) -> list[Fact]:
        return [self._fact(event) for event in self._events]

    def _fact(self, event: Event) -> Fact:
        kind, _colon, ref = event.actor.partition(":")
        return Fact(
            event=event.pk,
            kind=event.kind,
            at=event.at,
            actor=int(ref) if kind == "user" and ref.isdecimal() else None,
            merchant=event.merchant_id,
            payload=event.payload,
            case=self._cases.get(_number(event)),
            batch=self,
        )

    @cached_property
    def _cases(self) -> dict[str, Case]:
        """By the number of the case, or of the package that is part of it."""
        numbers = {_number(event) for event in self._events} - {""}
        whole = Case.objects.select_related("person", "team__lead", "pool__lead")
        found = {case.number: case for case in whole.filter(number__in=numbers)}
        packages = Package.objects.filter(number__in=numbers - found.keys())
        of_package = {p.number: p.case_id for p in packages.only("number", "case_id")}
        cases = whole.in_bulk(set(of_package.values())) if of_package else {}
        return found | {number: cases[key] for number, key in of_package.items()}

    @cached_property
    def internal(self) -> dict[int, bool]:
        keys = {event.payload.get("message") for event in self._events} - {None}
        return dict(Message.objects.filter(pk__in=keys).values_list("pk", "internal")) if keys else {}

    @cached_property
    def _mentions(self) -> dict[int, set[int]]:
        return _sets(Mention.objects.filter(message__in=self.internal).values_list("message_id", "user_id"))

    def mentioned(self, message: int | None) -> set[int]:
        return self._mentions.get(message, set()) if message is not None else set()

    @cached_property
    def _members(self) -> dict[int, dict[int, str]]:
        merchants = {event.merchant_id for event in self._events} - {None}
        return _grouped(
            Member.objects.filter(merchant__in=merchants).values_list("merchant_id", "user_id", "role")
        )

    def members(self, merchant: int | None, *roles: MemberRole) -> set[int]:
        """A merchant's own people, of these roles or of all."""
        found = self._members.get(merchant, {}) if merchant else {}
        return {user for user, role in found.items() if not roles or role in roles}

    @cached_property
    def _speakers(self) -> dict[int, set[int]]:
        keys = [case.pk for case in self._cases.values()]
        spoken = Message.objects.filter(case__in=keys, author__isnull=False).order_by("-pk")
        return _sets(spoken.values_list("case_id", "author_id")[: SPEAKERS_MOST * max(len(keys), 1)])

    @cached_property
    def _watchers(self) -> dict[int, set[int]]:
        keys = [case.pk for case in self._cases.values()]
        return _sets(Watch.objects.filter(case__in=keys).values_list("case_id", "user_id"))

    def around(self, case: Case) -> set[int]:
        """Who is answerable for a case, has spoken on it, or follows it."""
        return {case.answerable.pk} | self._speakers.get(case.pk, set()) | self._watchers.get(case.pk, set())

    @cached_property
    def _teams(self) -> dict[int, set[int]]:
        keys = {case.team_id for case in self._cases.values()} - {None}
        return _sets(Team.members.through.objects.filter(team__in=keys).values_list("team_id", "user_id"))

    def holders(self, case: Case) -> set[int]:
        """The person, or the team with its lead; of a pool its lead alone."""
        return {case.answerable.pk} | (self._teams.get(case.team_id, set()) if case.team_id else set())

    @cached_property
    def leads(self) -> set[int]:
        """Who leads the service."""
        return set(RoleGrant.objects.filter(role=Role.SERVICE_LEAD).values_list("user_id", flat=True))

    @cached_property
    def lines(self) -> dict[str, Line]:
        slugs = set().union(*(fact.slugs for fact in self.facts))
        return {line.slug: line for line in Line.objects.filter(slug__in=slugs)}

    @cached_property
    def _line_staff(self) -> dict[int, set[int]]:
        keys = [line.pk for line in self.lines.values()]
        return _sets(LineStaff.objects.filter(line__in=keys).values_list("line_id", "user_id"))

    def line_people(self, slugs: Iterable[str]) -> set[int]:
        """The leads and specialists of these lines."""
        lines = [self.lines[slug] for slug in slugs if slug in self.lines]
        staff = [self._line_staff.get(line.pk, set()) for line in lines]
        return {line.lead_id for line in lines}.union(*staff)

    def mandated(self, mandate: object) -> set[int]:
        """Who may use a mandate: the person, or all of the team or pool."""
        found = Mandate.objects.filter(pk=mandate).first() if isinstance(mandate, int) else None
        if found is None:
            return set()
        if found.person_id is not None:
            return {found.person_id}
        if found.team_id is not None:
            of_team = Team.members.through.objects.filter(team=found.team_id)
            return set(of_team.values_list("user_id", flat=True))
        of_pool = Pool.members.through.objects.filter(pool=found.pool_id)
        return set(of_pool.values_list("user_id", flat=True))

    def colleagues(self, merchant: int, among: Iterable[int]) -> set[int]:
        """Of these people, those of the house who may see this merchant now, and who stands in for them;
        never its own people."""
        asked = sorted(set(among))
        found = {one.pk for one in colleagues(merchant, now=self.now, among=asked)} if asked else set()
        return found | ({self._away[pk] for pk in found & self._away.keys()} - self.members(merchant))

    @cached_property
    def _away(self) -> dict[int, int]:
        """Everybody who is away now, with who stands in."""
        found = Absence.objects.filter(during__contains=self.now, substitute__is_active=True)
        return dict(found.values_list("user", "substitute"))


def _number(event: Event) -> str:
    """The case or the package an event is about, as its payload says, else its subject."""
    payload = event.payload
    return str(payload.get("case") or payload.get("package") or event.subject.partition(":")[2])


def _sets(pairs: Iterable[tuple[Any, Any]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for key, value in pairs:
        found.setdefault(key, set()).add(value)
    return found


def _grouped(triples: Iterable[tuple[Any, Any, str]]) -> dict[int, dict[int, str]]:
    found: dict[int, dict[int, str]] = {}
    for key, user, role in triples:
        found.setdefault(key, {})[user] = role
    return found


Circle = Callable[[Fact], set[int]]
"""Whom an event concerns. What a person may see is checked after it."""
