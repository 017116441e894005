"""A business line and its services, as a department writes them."""

import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from os import PathLike
from typing import Any, Final
from uuid import UUID, uuid4

from guanjia.lines.protocol.fence import HoldRecord, Outcome
from guanjia.lines.protocol.holds import Clock, Holds
from guanjia.lines.protocol.messages import (
    NEVER_DECIDES,
    DecisionNotice,
    DecisionRule,
    HoldRequest,
    HoldView,
    Manifest,
    Money,
    Reason,
    ServiceSpec,
    Texts,
)
from guanjia.lines.protocol.responder import Responder
from guanjia.lines.protocol.signing import Secrets, check_secrets
from guanjia.lines.protocol.wire import dump_body
from guanjia.lines.sdk.app import LineApp
from guanjia.lines.sdk.outbox import Outbox
from guanjia.lines.sdk.store import SqliteStore
from guanjia.lines.sdk.unfenced import UnfencedHolds

TOMBSTONE_DAYS: Final = 40
_SWEEP_LIMIT: Final = 100

Reserve = Callable[[sqlite3.Connection, HoldRequest], Outcome]
Settle = Callable[[sqlite3.Connection, HoldRecord], None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing(db: sqlite3.Connection, record: HoldRecord) -> None:
    """A service whose reservation is already final, or holds nothing to give back."""


class Service:
    """One service; its three functions are registered by decoration.

    All three run inside the fence's transaction on the line's database: they read and write, and
    leave begin, commit and rollback to the fence.
    """

    def __init__(self, spec: ServiceSpec) -> None:
        self.spec = spec
        self.on_hold: Reserve | None = None
        self.on_confirm: Settle = _nothing
        self.on_release: Settle | None = None

    def hold(self, reserve: Reserve) -> Reserve:
        """Try: reserve and return Held, or Pending, or return Refused and reserve nothing."""
        self.on_hold = reserve
        return reserve

    def confirm(self, settle: Settle) -> Settle:
        """Confirm: make the reservation of `record.hold_id` final. Nothing to do by default."""
        self.on_confirm = settle
        return settle

    def release(self, settle: Settle) -> Settle:
        """Give the reservation of `record.hold_id` back: released, refused by a person, lapsed."""
        self.on_release = settle
        return settle


class Line:
    """A business line over its own SQLite database.

    `secret` is shared with Guanjia (several while it is rotated); `callback` is where decisions
    are posted, None if Guanjia only polls; `tables` is a script of `CREATE TABLE IF NOT EXISTS`.
    `unsafe_without_fence` exists for one experiment, which shows what the fence is for.
    Raises ValueError for a malformed secret.
    """

    def __init__(
        self,
        slug: str,
        *,
        titles: Texts,
        database: str | PathLike[str],
        secret: Secrets,
        callback: str | None = None,
        tables: str = "",
        clock: Clock = _utc_now,
        unsafe_without_fence: bool = False,
    ) -> None:
        check_secrets(secret)
        self.slug = slug
        self.titles = titles
        self.clock = clock
        self.store = SqliteStore(database, tables)
        self._secret = secret
        self._callback = callback
        self._services: dict[str, Service] = {}
        self._kind_of_holds = UnfencedHolds if unsafe_without_fence else Holds

    def service(
        self,
        code: str,
        *,
        titles: Texts,
        schema: Mapping[str, Any],
        hold_ttl_seconds: int,
        price: Money | None = None,
        decision: DecisionRule = NEVER_DECIDES,
    ) -> Service:
        """Declare a service (4.1), before the line first answers. Raises ValueError otherwise."""
        if code in self._services or "holds" in self.__dict__:
            raise ValueError(f"{code} is declared twice, or too late")
        spec = ServiceSpec(code, titles, schema, hold_ttl_seconds, price, decision)
        service = self._services[code] = Service(spec)
        return service

    @cached_property
    def holds(self) -> Holds:
        """The calls of the protocol without HTTP.

        Raises ValueError where a service is incomplete or the manifest would be refused.
        """
        return self._kind_of_holds(self._work(), self.store, self.clock)

    def asgi(self) -> LineApp:
        """The ASGI application, for granian or any other server with lifespan."""
        outbox = self._callback and Outbox(self.store, self._secret, self._callback, self.clock)
        return LineApp(Responder(self.holds, self._secret), self.store, outbox or None, self.tidy)

    def decide(
        self,
        hold_id: UUID,
        approve: bool,
        reason: Reason | None = None,
        quote: Money | None = None,
    ) -> HoldView:
        """Decide a pending hold by hand and queue the webhook, in one transaction (5.1).

        From any thread or process. Raises NotPendingError, ProtocolError `unknown_hold`, and
        ValueError for a refusal without a reason.
        """
        with self.store.transaction():
            if approve:
                view = self.holds.approve(hold_id, quote)
            elif reason is None:
                raise ValueError("a refusal needs a reason")
            else:
                view = self.holds.refuse(hold_id, reason)
            self._announce(view)
        return view

    def pending(self, limit: int = 100) -> list[HoldRecord]:
        """What waits for a person, the first to expire first."""
        return self.store.pending(self.clock(), limit)

    def tidy(self) -> None:
        """Give lapsed reservations back and forget old tombstones; the app calls it on and on."""
        self.holds.sweep(_SWEEP_LIMIT)
        self.store.forget(self.clock() - timedelta(days=TOMBSTONE_DAYS), _SWEEP_LIMIT)

    def _work(self) -> "_Work":
        specs = tuple(service.spec for service in self._services.values())
        return _Work(Manifest(self.slug, self.titles, specs), self._services, self.store)

    def _announce(self, view: HoldView) -> None:
        if self._callback:
            now = self.clock()
            notice = DecisionNotice(self.slug, now, view)
            self.store.put_message(f"msg_{uuid4().hex}", dump_body(notice.to_json()), now)


class _Work:
    """The services as the `Business` of the protocol, each on the store's own connection."""

    def __init__(self, manifest: Manifest, services: Mapping[str, Service], store: SqliteStore) -> None:
        self.manifest = manifest
        self._store = store
        self._reserve: dict[str, Reserve] = {}
        self._confirm: dict[str, Settle] = {}
        self._release: dict[str, Settle] = {}
        for code, service in services.items():
            if service.on_hold is None or service.on_release is None:
                raise ValueError(f"{code} needs a hold and a release function")
            self._reserve[code] = service.on_hold
            self._confirm[code] = service.on_confirm
            self._release[code] = service.on_release

    def reserve(self, request: HoldRequest) -> Outcome:
        return self._reserve[request.service](self._store.db, request)

    def confirm(self, record: HoldRecord) -> None:
        self._confirm[_service_of(record)](self._store.db, record)

    def release(self, record: HoldRecord) -> None:
        self._release[_service_of(record)](self._store.db, record)


def _service_of(record: HoldRecord) -> str:
    assert record.request is not None  # only a tombstone has none, and it has no effect
    return record.request.service
