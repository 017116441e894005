"""Holds and inventory of a hosted line in PostgreSQL, one transaction for both (LP/1 §6.1).

Locks are taken in one order, so that calls never wait for each other in a circle: the id of the
hold (it may have no row yet), then one slot. The slot's lock guards its units and the rows of its
holds; what a hold took never changes, so its slot can be read before it is locked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from guanjia.base.sql import rows, run
from guanjia.lines.hosted.services import HostedService
from guanjia.lines.models import HostedHold, HostedSlot
from guanjia.lines.protocol.fence import RESERVING, HoldRecord
from guanjia.lines.protocol.wire import Members


class HostedStore:
    """The `FenceStore` of one hosted line. It keeps no state of its own: threads may share it."""

    def __init__(self, line_pk: int, services: Mapping[str, HostedService]) -> None:
        self._line_pk = line_pk
        self._services = services

    def transaction(self) -> AbstractContextManager[object]:
        return transaction.atomic()

    def load(self, hold_id: UUID) -> HoldRecord | None:
        """The record, after waiting for everyone who is busy with this hold or its slot."""
        lock = "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))"
        rows(lock, [str(hold_id), self._line_pk])
        run(
            "SELECT FROM lines_hostedslot WHERE id ="
            " (SELECT slot_id FROM lines_hostedhold WHERE line_id = %s AND hold_id = %s)"
            " FOR NO KEY UPDATE",
            [self._line_pk, hold_id],
        )
        found = HostedHold.objects.filter(line_id=self._line_pk, hold_id=hold_id)
        record = found.values_list("record", flat=True).first()
        return None if record is None else record_of(record)

    def save(self, record: HoldRecord) -> None:
        known = HostedHold.objects.filter(line_id=self._line_pk, hold_id=record.hold_id)
        if not known.update(**columns_of(record)):
            slot_pk, quantity = self._taken(record)
            HostedHold.objects.create(
                line_id=self._line_pk,
                hold_id=record.hold_id,
                slot_id=slot_pk,
                quantity=quantity,
                created_at=record.changed_at,
                **columns_of(record),
            )

    def expired(self, now: datetime, limit: int) -> Sequence[HoldRecord]:
        """None: looking across slots would lock several. `make_room` gives back where it is needed."""
        return ()

    def _taken(self, record: HoldRecord) -> tuple[int | None, int]:
        """What a new hold took from which slot; a refused one and a tombstone took nothing."""
        if record.request is None or record.state not in RESERVING:
            return None, 0
        claim = self._services[record.request.service].claim(record.request.params)
        slot = HostedSlot.objects.get(service_id=claim.service_pk, key=claim.key)
        return slot.pk, claim.quantity


def record_of(value: object) -> HoldRecord:
    """A record as `save` wrote it."""
    return HoldRecord.from_json(Members(value, ""))


def columns_of(record: HoldRecord) -> dict[str, Any]:
    """What a row says of its record, for the indexes and for people."""
    return {
        "state": record.state.value,
        "expires_at": record.expires_at,
        "decision_due_at": record.decision_due_at,
        "record": record.to_json(),
    }
