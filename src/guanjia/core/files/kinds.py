"""What a file is, by its first bytes.

Steps: 1. a signature at its place (PNG, PDF, ZIP, …); 2. ZIP containers by the names of their first members
(ECMA-376 part 2 §9.1: OOXML begins with `[Content_Types].xml` or `_rels/`); 3. ISO media by their brand
(ISO/IEC 14496-12 §4.3); 4. text that is markup a browser would run; 5. text in UTF-8 or GB 18030. Anything
else is `application/octet-stream`. Linear in `HEAD` bytes. Signatures: the formats' own specifications.
"""

from __future__ import annotations

import re
from typing import Final

HEAD: Final = 4096
"""Bytes that are looked at; the first chunk of a file holds at least these."""
UNKNOWN: Final = "application/octet-stream"
TEXT: Final = "text/plain"

_SIGNATURES: Final = (
    (0, b"%PDF-", "application/pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (8, b"WAVE", "audio/wav"),
    (0, b"BM", "image/bmp"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"#!", "text/x-script"),
)
_OFFICE: Final = (
    (b"word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    (b"xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    (b"ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
)
_BRANDS: Final = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
    b"qt  ": "video/quicktime",
    b"M4A ": "audio/mp4",
}
_MARKUP: Final = re.compile(
    rb"\s*(?:<!--.{0,2000}?-->\s*)*<(!doctype html|html|head|body|script|svg|\?xml)", re.S | re.I
)
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def kind_of(head: bytes) -> str:
    """The media type of a file that begins with these bytes."""
    head = head[:HEAD]
    for at, signature, kind in _SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _container(head)
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return _text(head)


def _container(head: bytes) -> str:
    if b"[Content_Types].xml" in head or b"_rels/" in head:
        for prefix, kind in _OFFICE:
            if prefix in head:
                return kind
    return "application/zip"


def _text(head: bytes) -> str:
    if _CONTROLS.search(head):
        return UNKNOWN
    markup = _MARKUP.match(head.removeprefix(b"\xef\xbb\xbf"))
    if markup:
        return "image/svg+xml" if b"<svg" in head.lower() else "text/html"
    return TEXT if _reads_as(head, "utf-8") or _reads_as(head, "gb18030") else UNKNOWN


def _reads_as(head: bytes, encoding: str) -> bool:
    """A character cut at the end of the head (four bytes at most) is no fault of the file."""
    for cut in range(4 if len(head) == HEAD else 1):
        try:
            head[: len(head) - cut].decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False
