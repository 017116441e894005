"""One log file per process, bounded: moved aside when its process starts and the file is large."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

LARGE = 10 * 1024 * 1024  # bytes
KEPT = 3  # older files, name.log.1 being the youngest
TAIL = 16 * 1024  # bytes that are read to find the last lines


def open_log(file: Path) -> IO[bytes]:
    """Open for appending, readable by its owner only, after moving a large one aside."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > LARGE:
        _rotate(file)
    return open(file, "ab", opener=lambda path, flags: os.open(path, flags, 0o600))


def _rotate(file: Path) -> None:
    for number in range(KEPT, 0, -1):
        older = file.with_name(f"{file.name}.{number}")
        newer = file.with_name(f"{file.name}.{number - 1}") if number > 1 else file
        if newer.exists():
            newer.replace(older)


def tail(file: Path, *, since: int = 0, lines: int = 12) -> str:
    """The last lines written after byte `since`; empty if there is no such file."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(since, size - TAIL))
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])
