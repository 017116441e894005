"""What a line's console shows: what waits for a decision, and the inventory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from guanjia.lines.hosted.store import record_of
from guanjia.lines.models import HostedHold, HostedSlot, Line, Service
from guanjia.lines.protocol.fence import RESERVING, HoldRecord
from guanjia.lines.protocol.messages import HoldState, Money

WAITING_MOST = 200
SLOTS_MOST = 1000


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot's units: `taken` counts confirmed holds and those that have not lapsed; `held` the latter."""

    key: str
    capacity: int
    taken: int
    held: int

    @property
    def confirmed(self) -> int:
        return self.taken - self.held

    @property
    def free(self) -> int:
        return self.capacity - self.taken


@dataclass(frozen=True, slots=True)
class WaitingDecision:
    """A pending hold as the specialist sees it. `mandate` is the one that covers it, if any does.

    After `due_at` the wait escalates; `silence_consents_at` is when silence becomes consent, None
    where it becomes refusal. From `expires_at` on there is nothing left to decide.
    """

    hold_id: UUID
    service_code: str
    service_titles: Mapping[str, str]
    params: Mapping[str, Any]
    merchant_ref: str
    merchant_name: str
    package_number: str
    item: int
    mandate: str | None
    quote: Money | None
    asked_at: datetime
    due_at: datetime
    silence_consents_at: datetime | None
    expires_at: datetime
    quantity: int
    slot: SlotState
    schema: Mapping[str, Any]


def decisions_waiting(line: Line, now: datetime, limit: int = WAITING_MOST) -> list[WaitingDecision]:
    """What waits for a person of this line, the first clock to run out first."""
    holds = HostedHold.objects.filter(line=line, state=HoldState.PENDING, expires_at__gt=now)
    first = list(holds.order_by("decision_due_at", "pk")[:limit])
    slots = {slot.pk: slot for slot in _slots(now).filter(pk__in={hold.slot_id for hold in first})}
    return [_waiting(hold, slots[hold.slot_id]) for hold in first if hold.slot_id]


def inventory(
    service: Service, now: datetime, *, after: str | None = None, limit: int = SLOTS_MOST
) -> list[SlotState]:
    """The slots of a hosted service in the order of their keys, those behind `after`."""
    slots = _slots(now).filter(service=service)
    if after is not None:
        slots = slots.filter(key__gt=after)
    return [_slot_state(slot) for slot in slots.order_by("key")[:limit]]


def _slots(now: datetime) -> QuerySet[HostedSlot]:
    """Slots with their service, what lapsed holds have not yet given back (`lapsed`), and what holds
    that may still come to nothing have taken (`held`)."""
    open_holds = HostedHold.objects.filter(slot=OuterRef("pk"), state__in=RESERVING)
    return HostedSlot.objects.select_related("service").annotate(
        lapsed=_units(open_holds.filter(expires_at__lte=now)),
        held=_units(open_holds.filter(expires_at__gt=now)),
    )


def _units(holds: QuerySet[HostedHold]) -> Coalesce:
    units = holds.order_by().values("slot").annotate(units=Sum("quantity")).values("units")
    return Coalesce(Subquery(units), 0)


def _slot_state(slot: Any) -> SlotState:
    return SlotState(slot.key, slot.capacity, slot.taken - slot.lapsed, slot.held)


def _waiting(hold: HostedHold, slot: HostedSlot) -> WaitingDecision:
    record: HoldRecord = record_of(hold.record)
    request = record.request
    # The database holds it: a hold with a slot was asked for, and a pending one has both instants.
    assert request is not None
    assert record.decision_due_at is not None
    assert record.expires_at is not None
    return WaitingDecision(
        hold_id=hold.hold_id,
        service_code=slot.service.code,
        service_titles=slot.service.titles,
        params=request.params,
        merchant_ref=request.merchant_ref,
        merchant_name=request.merchant_name,
        package_number=request.package_number,
        item=request.item,
        mandate=request.mandate,
        quote=record.quote,
        asked_at=hold.created_at,
        due_at=record.decision_due_at,
        silence_consents_at=record.silence_consents_at,
        expires_at=record.expires_at,
        quantity=hold.quantity,
        slot=_slot_state(slot),
        schema=slot.service.schema,
    )
