"""Packages as rows: read many into `core.package` values, and write back what a decision changed.

Every writer locks the package row first; its items are guarded by that lock.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from guanjia.base.sql import as_json, rows, run
from guanjia.core.package import ENDED, Item, ItemState, Mode, Package, PackageState


@dataclass(frozen=True, slots=True)
class ItemRow:
    """What an item is about: it never changes after submission."""

    pk: int
    position: int
    service_code: str
    line_pk: int
    line_slug: str
    params: Mapping[str, Any]
    mandate_pk: int | None
    within_mandate: bool


@dataclass(frozen=True, slots=True)
class PackageRow:
    """A package with what its calls and its notices need. `items` is parallel to `package.items`."""

    pk: int
    number: str
    merchant_pk: int
    merchant_ref: str
    merchant_name: str
    case_pk: int
    currency: str
    package: Package
    items: tuple[ItemRow, ...]


@dataclass(frozen=True, slots=True)
class Change:
    row: PackageRow
    after: Package


_HEAD = (
    "SELECT p.id, p.number, p.merchant_id, m.ref, m.name, p.case_id, p.currency, p.state, p.mode,"
    " p.accept_due_at, p.cancel_requested FROM packages_package p"
    " JOIN merchants_merchant m ON m.id = p.merchant_id WHERE p.id = ANY(%s) ORDER BY p.id"
)
_ITEMS = (
    "SELECT i.package_id, i.id, i.position, s.code, s.line_id, l.slug, i.params, i.mandate_id,"
    " i.within_mandate, i.uid, i.state, i.core, i.ttl_seconds, i.grace_seconds, i.silence_consents,"
    " i.generation, i.attempts, i.next_at, i.give_up_at, i.hold_expires_at, i.decision_due_at,"
    " i.escalated, i.by_silence, i.stuck, i.declined, i.accepted_amount, i.quote_amount,"
    " i.reference, i.reason_code, i.reason"
    " FROM packages_item i JOIN lines_service s ON s.id = i.service_id"
    " JOIN lines_line l ON l.id = s.line_id"
    " WHERE i.package_id = ANY(%s) ORDER BY i.package_id, i.position"
)


def load(keys: Collection[int], *, lock: bool = True) -> dict[int, PackageRow]:
    """Packages with their items; with `lock`, locked in key order until the transaction ends."""
    wanted = sorted(keys)
    heads = rows(_HEAD + (" FOR UPDATE OF p" if lock else ""), [wanted])
    items: dict[int, list[tuple[Any, ...]]] = {head[0]: [] for head in heads}
    for item in rows(_ITEMS, [wanted]):
        items[item[0]].append(item)
    return {head[0]: _package_row(head, items[head[0]]) for head in heads}


def _package_row(head: tuple[Any, ...], items: Sequence[tuple[Any, ...]]) -> PackageRow:
    *about, state, mode, accept_due_at, cancel_requested = head
    core = tuple(_core_item(item) for item in items)
    package = Package(PackageState(state), Mode(mode), core, accept_due_at, cancel_requested)
    return PackageRow(*(*about, package, tuple(_item_row(item) for item in items)))


def _item_row(item: tuple[Any, ...]) -> ItemRow:
    pk, position, code, line_pk, line_slug, params, mandate_pk, within = item[1:9]
    return ItemRow(pk, position, code, line_pk, line_slug, _json(params), mandate_pk, within)


def _core_item(item: tuple[Any, ...]) -> Item:
    uid, state, *rest, reason = item[9:]
    return Item(*(uid, ItemState(state), *rest, _json(reason)))


def _json(value: Any) -> dict[str, Any]:
    """Django's connection hands jsonb over as text."""
    if value == "{}":  # nearly all
        return {}
    found: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
    return found


# ANY tells the planner how many rows there are: of a json_to_recordset it expects a hundred, and would
# rather read a small table whole.
_SAVE_ITEMS = (
    "UPDATE packages_item i SET state = c.state, generation = c.generation, hold_id = c.hold_id,"
    " attempts = c.attempts, next_at = c.next_at, give_up_at = c.give_up_at,"
    " hold_expires_at = c.hold_expires_at, decision_due_at = c.decision_due_at,"
    " escalated = c.escalated, by_silence = c.by_silence, stuck = c.stuck, declined = c.declined,"
    " accepted_amount = c.accepted_amount, quote_amount = c.quote_amount,"
    " reference = c.reference, reason_code = c.reason_code, reason = c.reason"
    " FROM json_to_recordset(%s::json) AS c(id bigint, state text, generation int, hold_id uuid,"
    " attempts int, next_at timestamptz, give_up_at timestamptz, hold_expires_at timestamptz,"
    " decision_due_at timestamptz, escalated bool, by_silence bool, stuck bool, declined bool,"
    " accepted_amount bigint, quote_amount bigint, reference text, reason_code text, reason jsonb)"
    " WHERE i.id = c.id AND i.id = ANY(%s)"
)
_SAVE_PACKAGES = (
    "UPDATE packages_package p SET state = c.state, accept_due_at = c.accept_due_at,"
    " cancel_requested = c.cancel_requested,"
    " confirming_at = CASE WHEN c.state = 'confirming' THEN coalesce(p.confirming_at, %s)"
    "  ELSE p.confirming_at END,"
    " ended_at = CASE WHEN c.ended THEN coalesce(p.ended_at, %s) END"
    " FROM json_to_recordset(%s::json) AS c(id bigint, state text, accept_due_at timestamptz,"
    " cancel_requested bool, ended bool) WHERE p.id = c.id AND p.id = ANY(%s)"
)


def save(changes: Sequence[Change], now: datetime) -> None:
    """Write what differs, in two statements however many packages there are."""
    _save_items(
        [
            (row.pk, after)
            for change in changes
            for row, before, after in zip(
                change.row.items, change.row.package.items, change.after.items, strict=True
            )
            if before != after
        ]
    )
    _save_packages([c for c in changes if _head(c.row.package) != _head(c.after)], now)


def _head(package: Package) -> tuple[object, ...]:
    return package.state, package.accept_due_at, package.cancel_requested


def _save_items(items: Sequence[tuple[int, Item]]) -> None:
    if items:
        columns = as_json([_item_columns(pk, item) for pk, item in items])
        run(_SAVE_ITEMS, [columns, [pk for pk, _ in items]])


def _item_columns(pk: int, item: Item) -> dict[str, object]:
    return {
        "id": pk,
        "state": item.state,
        "generation": item.generation,
        "hold_id": item.hold_id,
        "attempts": item.attempts,
        "next_at": item.next_at,
        "give_up_at": item.give_up_at,
        "hold_expires_at": item.hold_expires_at,
        "decision_due_at": item.decision_due_at,
        "escalated": item.escalated,
        "by_silence": item.by_silence,
        "stuck": item.stuck,
        "declined": item.declined,
        "accepted_amount": item.accepted_amount,
        "quote_amount": item.quote_amount,
        "reference": item.reference,
        "reason_code": item.reason_code,
        "reason": item.reason,
    }


def _save_packages(changes: Sequence[Change], now: datetime) -> None:
    if changes:
        columns = as_json([_package_columns(change) for change in changes])
        run(_SAVE_PACKAGES, [now, now, columns, [change.row.pk for change in changes]])


def _package_columns(change: Change) -> dict[str, object]:
    return {
        "id": change.row.pk,
        "state": change.after.state,
        "accept_due_at": change.after.accept_due_at,
        "cancel_requested": change.after.cancel_requested,
        "ended": change.after.state in ENDED,
    }


def keys_of_hold(line_pk: int, hold_id: UUID) -> tuple[int, int] | None:
    """The package and item behind a hold on this line, or None: another line's hold is nobody's."""
    found = rows(
        "SELECT i.package_id, i.id FROM packages_item i JOIN lines_service s ON s.id = i.service_id"
        " WHERE i.hold_id = %s AND s.line_id = %s",
        [hold_id, line_pk],
    )
    return found[0] if found else None
