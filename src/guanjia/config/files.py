"""What files are accepted: sizes and kinds, from the environment. Read without Django."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
KINDS = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/heic",
    "image/bmp",
    "image/tiff",
    "audio/*",
    "video/*",
    "text/plain",
    "application/pdf",
    "application/rtf",
    "application/zip",
    "application/vnd.rar",
    "application/x-7z-compressed",
    "application/x-ole-storage",
    "application/vnd.openxmlformats-officedocument.*",
)
"""Neither programs nor what a browser would run (HTML, SVG, scripts)."""
_KIND = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+*-]+")


class UnusableFilesError(ValueError):
    """The first argument names the setting, the second says what it expects."""


@dataclass(frozen=True, slots=True)
class Files:
    """`each` and `together` are bytes: of one file, and of all that come with one message."""

    each: int
    together: int
    kinds: tuple[str, ...]


def read_files(environ: Mapping[str, str]) -> Files:
    """Raises UnusableFilesError."""
    each, together = _size(environ, "GUANJIA_FILE_MB", 25), _size(environ, "GUANJIA_MESSAGE_MB", 50)
    kinds = tuple(environ.get("GUANJIA_FILE_TYPES", " ".join(KINDS)).replace(",", " ").lower().split())
    if wrong := [kind for kind in kinds if not _KIND.fullmatch(kind)]:
        raise UnusableFilesError("GUANJIA_FILE_TYPES", "media types such as image/png, audio/*", wrong[0])
    return Files(each * MEGABYTE, together * MEGABYTE, kinds)


def _size(environ: Mapping[str, str], name: str, otherwise: int) -> int:
    given = environ.get(name, str(otherwise))
    if not re.fullmatch(r"[1-9][0-9]{0,3}", given):
        raise UnusableFilesError(name, "a whole number of megabytes, 1 to 9999", repr(given))
    return int(given)
