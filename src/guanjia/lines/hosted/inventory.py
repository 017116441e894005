"""Units of a slot: taken under its lock, given back when a hold comes to nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F

from guanjia.base.sql import run
from guanjia.lines.hosted.store import columns_of, record_of
from guanjia.lines.models import HostedHold, HostedSlot
from guanjia.lines.protocol import fence
from guanjia.lines.protocol.fence import RESERVING


def lock_slot(service_pk: int, key: str) -> HostedSlot | None:
    """The slot, locked until the transaction ends; None where there is none."""
    slots = HostedSlot.objects.select_for_update(no_key=True)
    return slots.filter(service_id=service_pk, key=key).first()


def make_room(slot: HostedSlot, wanted: int, now: datetime) -> int:
    """Give lapsed holds' units back, the oldest first, until `wanted` units are free (4.7).

    `slot` is locked, and is brought up to date. Returns the free units. A hold took a unit at least,
    which bounds how many are looked at.
    """
    missing = min(wanted, slot.capacity) - (slot.capacity - slot.taken)
    if missing > 0:
        lapsed = HostedHold.objects.filter(slot=slot, state__in=RESERVING, expires_at__lte=now)
        for hold in lapsed.order_by("expires_at")[:missing]:
            step = fence.lapse(record_of(hold.record), now)
            HostedHold.objects.filter(pk=hold.pk).update(**columns_of(step.record))
            take(slot, -hold.quantity)
    return slot.capacity - slot.taken


def take(slot: HostedSlot, quantity: int) -> None:
    """Take units that `make_room` found free, under the same lock.

    Added up in the database: were the lock ever missing, its constraint would still refuse.
    """
    HostedSlot.objects.filter(pk=slot.pk).update(taken=F("taken") + quantity)
    slot.taken += quantity


def give_back(line_pk: int, hold_id: UUID) -> None:
    """Free what a hold took. Once per hold: the fence sees to it."""
    run(
        "UPDATE lines_hostedslot s SET taken = s.taken - h.quantity FROM lines_hostedhold h"
        " WHERE h.line_id = %s AND h.hold_id = %s AND s.id = h.slot_id",
        [line_pk, hold_id],
    )
