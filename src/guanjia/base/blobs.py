"""Contents too large for a column: kept in pieces, in the transaction of the row that names them.

Decision record 0009 says why in the database. Whoever owns a blob drops it; a trigger on the owner's table
does when the row goes.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO
from uuid import UUID, uuid4

from guanjia.base.models import Piece
from guanjia.base.sql import rows

PIECE = 1024 * 1024
"""Bytes held in memory at once, whatever the size of the whole."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A blob as it was stored: its id, its size in bytes, the SHA-256 of its content."""

    blob: UUID
    size: int
    digest: bytes


def keep(content: Iterable[bytes]) -> Kept:
    """Store a content that comes in chunks of any size, with one piece in memory."""
    blob, size, digest = uuid4(), 0, hashlib.sha256()
    for position, piece in enumerate(_cut(content)):
        Piece.objects.create(blob=blob, position=position, content=piece)
        digest.update(piece)
        size += len(piece)
    return Kept(blob, size, digest.digest())


def _cut(content: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in content:
        waiting += chunk
        while len(waiting) >= PIECE:
            yield bytes(waiting[:PIECE])
            del waiting[:PIECE]
    if waiting:
        yield bytes(waiting)


def pieces(blob: UUID) -> Iterator[bytes]:
    """The content in order, one statement and one piece at a time."""
    position = 0
    statement = "SELECT content FROM base_piece WHERE blob = %s AND position = %s"
    while found := rows(statement, [blob, position]):
        yield bytes(found[0][0])
        position += 1


def spooled(blob: UUID) -> IO[bytes]:
    """The content as a file of its own: reading it slowly holds neither memory nor a database connection."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the reader closes it
    for piece in pieces(blob):
        file.write(piece)
    file.seek(0)
    return file


def drop(blobs: Iterable[UUID]) -> None:
    """Forget the contents, and with them all that they say about anybody."""
    Piece.objects.filter(blob__in=list(blobs)).delete()
