"""What somebody is putting together and has not submitted: kept on the server, right or wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID, uuid4

from guanjia.base.sql import rows
from guanjia.cases.models import Case
from guanjia.core.package import Mode
from guanjia.packages.models import Composition
from guanjia.people.models import User

KEPT = timedelta(days=30)
"""A composition that nobody has touched for so long is forgotten."""

Typed = Mapping[str, str | list[str]]
"""What was typed, by JSON pointer into the parameters."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One service chosen, and what was typed for it so far; `id` names it within its sheet."""

    id: str
    line: str
    service: str
    core: bool
    typed: Typed

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**stored)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A composition: under this `key` it takes effect once, however often it is submitted."""

    key: UUID
    mode: Mode
    items: tuple[Chosen, ...]

    @classmethod
    def empty(cls) -> Self:
        return cls(uuid4(), Mode.ALL_OR_NOTHING, ())

    def with_service(self, line: str, service: str) -> Self:
        number = max((int(item.id[1:]) for item in self.items), default=0) + 1
        return replace(self, items=(*self.items, Chosen(f"i{number}", line, service, True, {})))

    def without(self, item_id: str) -> Self:
        return replace(self, items=tuple(item for item in self.items if item.id != item_id))

    def stored(self) -> list[dict[str, Any]]:
        return [asdict(item) for item in self.items]


def composition_of(actor: User, case: Case, now: datetime) -> Sheet:
    """What this person has begun on this case; an empty sheet if nothing, or if it was submitted."""
    found = Composition.objects.filter(case=case, author=actor, saved_at__gt=now - KEPT).first()
    if found is None or used_up(actor, found.key):
        return Sheet.empty()
    return Sheet(found.key, Mode(found.mode), tuple(Chosen.read(item) for item in found.items))


def used_up(actor: User, key: UUID) -> bool:
    """Whether a package has been requested under this key."""
    wanted = [scope_of(actor), str(key)]
    return bool(rows("SELECT 1 FROM base_idempotencykey WHERE scope = %s AND key = %s", wanted))


def scope_of(actor: User) -> str:
    """Whose idempotency keys: a key belongs to its caller."""
    return f"package:{actor.pk}"
