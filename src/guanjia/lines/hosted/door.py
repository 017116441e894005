"""LP/1 over HTTP for hosted lines: a responder per line, rebuilt when the line's row changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

from guanjia.base.seal import unseal
from guanjia.base.sql import rows
from guanjia.lines.hosted.business import holds_of
from guanjia.lines.models import Line, LineKind
from guanjia.lines.protocol.responder import Responder

PREFIX: Final = "/lines/"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a hosted line answers: `path` is that of its base URL. Threads may share it."""

    version: str
    path: str
    responder: Responder


_doors: dict[int, Door] = {}
"""By line. A race costs one build too many; old entries are replaced, never added to."""


def base_url_of(slug: str) -> str:
    """Where a hosted line of this name answers."""
    return f"{settings.BASE_URL}{PREFIX}{slug}"


def door_of(slug: str) -> Door | None:
    """The door of an active hosted line, or None."""
    # Services are published by writing the line's row too (`read_manifest`), and each version of a
    # row has its own xmin and ctid: one look tells whether anything has changed.
    found = rows(
        "SELECT id, xmin::text || ctid::text FROM lines_line WHERE slug = %s AND kind = %s AND active",
        [slug, LineKind.HOSTED],
    )
    if not found:
        return None
    [(pk, version)] = found
    door = _doors.get(pk)
    if door is None or door.version != version:
        door = _doors[pk] = _open(Line.objects.get(pk=pk), version)
    return door


def _open(line: Line, version: str) -> Door:
    holds = holds_of(line, now)
    return Door(version, urlsplit(line.base_url).path, Responder(holds, unseal(line.sealed_secret)))


def now() -> datetime:
    return datetime.now(UTC)
