"""The `Business` of a hosted line: what the fence asks for is a few units of a slot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from guanjia.lines.hosted.inventory import give_back, lock_slot, make_room, take
from guanjia.lines.hosted.services import Claim, HostedService
from guanjia.lines.hosted.store import HostedStore
from guanjia.lines.models import Line, Service
from guanjia.lines.protocol.fence import Held, HoldRecord, Outcome, Refused
from guanjia.lines.protocol.holds import Clock, Holds
from guanjia.lines.protocol.messages import HoldRequest, Manifest

_SHOWN: Final = 120


class HostedBusiness:
    """Stateless but for the services it was built from; threads may share it.

    The quote is the list price of one use, however many units that use takes (LP/1 §4.1.2).
    """

    def __init__(self, line: Line, services: Sequence[HostedService], clock: Clock) -> None:
        self.manifest = Manifest(line.slug, line.titles, tuple(service.spec for service in services))
        self._line_pk = line.pk
        self._services = {service.spec.code: service for service in services}
        self._clock = clock

    def reserve(self, request: HoldRequest) -> Outcome:
        claim = self._services[request.service].claim(request.params)
        slot = lock_slot(claim.service_pk, claim.key)
        if slot is None:
            return _no_such_slot(claim)
        left = make_room(slot, claim.quantity, self._clock())
        if claim.quantity > left:
            return _sold_out(claim, left)
        take(slot, claim.quantity)
        return Held()

    def confirm(self, record: HoldRecord) -> None:
        """Nothing: the units were taken by the hold, and now stay taken."""

    def release(self, record: HoldRecord) -> None:
        give_back(self._line_pk, record.hold_id)


def holds_of(line: Line, clock: Clock) -> Holds:
    """The calls of LP/1 on a hosted line as its services are now.

    Raises ValueError where they make no manifest.
    """
    rows = Service.objects.filter(line=line, active=True).order_by("code")
    services = [HostedService.of(row) for row in rows]
    store = HostedStore(line.pk, {service.spec.code: service for service in services})
    return Holds(HostedBusiness(line, services, clock), store, clock)


def _no_such_slot(claim: Claim) -> Refused:
    zh, en = ("还没有开放名额。", "No places are open yet.")
    if claim.key:
        key = _shown(claim)
        zh, en = f"没有“{key}”这个档位。", f"There is no slot “{key}”."
    return Refused("no_such_slot", {"zh-Hans": zh, "en": en})


def _sold_out(claim: Claim, left: int) -> Refused:
    zh = f"名额不足：要 {claim.quantity} 个，剩 {left} 个。"
    en = f"Sold out: {claim.quantity} asked for, {left} left."
    if claim.key:
        key = _shown(claim)
        zh, en = f"“{key}”{zh}", f"“{key}”: {en}"
    return Refused("sold_out", {"zh-Hans": zh, "en": en})


def _shown(claim: Claim) -> str:
    """The key as it is quoted: somebody may ask for one far longer than any there is."""
    return claim.key[:_SHOWN]
