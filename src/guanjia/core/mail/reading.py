"""A raw mail to its parts. Never raises for what a mail contains.

Steps: 1. the standard library's parser takes it apart (the tolerant policy: the strict one raises for some
headers of strangers); a mail too deep for it is read by its headers alone; 2. headers and bodies are
decoded (`charsets`); 3. the text is the first plain part, else the first HTML part as text; 4. what has a
name, or says that it is attached, is a file; small inline pictures are a signature's and none; 5. what is
said now is cut out of it (`quotes`); 6. marks of machines and of delivery reports are read (`signals`).
"""

from __future__ import annotations

import email
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import policy
from email.message import Message
from typing import Final

from guanjia.core.mail.charsets import decoded, header_text
from guanjia.core.mail.markup import text_of
from guanjia.core.mail.quotes import said
from guanjia.core.mail.signals import Automatic, automatic

PARTS_MOST: Final = 200
ORNAMENT_MOST: Final = 16 * 1024
"""Bytes of an inline picture that is taken for part of a signature."""
_ID: Final = re.compile(r"<[^<>\s]{1,998}>")
_ADDRESS: Final = re.compile(r"[^<>@\s\"(),:;\\\[\]]+@[^<>@\s\"(),:;\\\[\]]+")
_QUOTED: Final = re.compile(r"\"(?:\\.|[^\"\\])*\"|\((?:\\.|[^()\\])*\)")
_RECIPIENTS: Final = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to")


@dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """`sender` is the one address in From, lower case, or empty; `text` is all, `said` what is new.

    `answers` are the Message-IDs it answers, the nearest first. `returned` are those of a letter that comes
    back, and `for_good` whether its server has given up (RFC 3463: class 5).
    """

    message_id: str
    answers: tuple[str, ...]
    sender: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    said: str
    files: tuple[File, ...]
    automatic: Automatic | None
    returned: tuple[str, ...]
    for_good: bool
    results: tuple[str, ...]

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]

    @property
    def content(self) -> bytes:
        """A digest of what the mail says, whichever way it came."""
        parts = [self.message_id, self.sender, self.subject, self.text]
        digest = hashlib.sha256("\x00".join(parts).encode("utf-8", "replace"))
        for file in self.files:
            digest.update(hashlib.sha256(file.content).digest())
        return digest.digest()


def read(raw: bytes) -> Mail:
    """`raw` may be cut off anywhere."""
    try:
        message = email.message_from_bytes(raw, policy=policy.compat32)
        parts = list(_leaves(message))
        text, files = _text(parts), tuple(_files(parts))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError, AssertionError, IndexError):
        message = email.message_from_bytes(
            re.split(rb"\r?\n\r?\n", raw, maxsplit=1)[0][:100_000], policy=policy.compat32
        )
        text, files = "", ()
    headers = _headers(message)
    subject, sender = " ".join(headers.get("subject", ()))[:500], _sender(headers)
    report = "delivery-status" in str(message.get("content-type", "")).lower()
    kind = automatic(headers, report=report, sender=sender, subject=subject)
    back = kind is Automatic.BOUNCE
    return Mail(
        message_id=next(iter(_ids(headers, "message-id")), ""),
        answers=tuple(dict.fromkeys([*_ids(headers, "in-reply-to"), *reversed(_ids(headers, "references"))])),
        sender=sender,
        recipients=tuple(dict.fromkeys(_recipients(headers))),
        subject=subject,
        text=text,
        said=said(text),
        files=files,
        automatic=kind,
        returned=tuple(_returned(raw)) if back else (),
        for_good=back and _for_good(raw),
        results=tuple(headers.get("authentication-results", ())),
    )


def _leaves(message: Message) -> Iterator[Message]:
    """Parts that hold a content, attached mails whole; a walk without recursion."""
    waiting, seen = [message], 0
    while waiting and seen < PARTS_MOST:
        part = waiting.pop()
        seen += 1
        payload = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting.extend(one for one in reversed(payload) if isinstance(one, Message))
        else:
            yield part


def _headers(message: Message) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.lower(), []).append(header_text(str(value)[:20_000]))
    return found


def _ids(headers: dict[str, list[str]], name: str) -> list[str]:
    return [one for value in headers.get(name, ()) for one in _ID.findall(value)][-100:]


def _sender(headers: dict[str, list[str]]) -> str:
    """Strictly: one From with one address, or nobody (RFC 5322 §3.6.2 allows more, people have one)."""
    given = headers.get("from", [])
    if len(given) != 1:
        return ""
    bare = _QUOTED.sub(" ", given[0])
    found = re.findall(r"<([^<>]*)>", bare) or [bare]
    address = found[0].strip() if len(found) == 1 else ""
    return address.lower() if _ADDRESS.fullmatch(address) and address.isascii() else ""


def _recipients(headers: dict[str, list[str]]) -> Iterator[str]:
    for name in _RECIPIENTS:
        for value in headers.get(name, ()):
            yield from (one.lower() for one in _ADDRESS.findall(value)[:100])


def _content(part: Message) -> bytes:
    payload = part.get_payload()
    if isinstance(payload, list):  # an attached mail
        return b"\n".join(one.as_bytes() for one in payload if isinstance(one, Message))
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _text(parts: list[Message]) -> str:
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind and not _is_file(part):
                text = decoded(_content(part), str(part.get_content_charset() or ""))
                text = text_of(text) if kind == "text/html" else text
                if text.strip():
                    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return ""


def _is_file(part: Message) -> bool:
    disposition = str(part.get("content-disposition", "")).strip().lower()
    return disposition.startswith("attachment") or bool(_name(part))


def _files(parts: list[Message]) -> Iterator[File]:
    for number, part in enumerate(parts, start=1):
        attached_mail = part.get_content_maintype() == "message"
        picture = part.get_content_maintype() == "image"
        if not (_is_file(part) or attached_mail or picture):
            continue
        content = _content(part)
        if picture and part.get("content-id") and len(content) <= ORNAMENT_MOST:
            continue
        ending = "eml" if attached_mail else part.get_content_subtype()
        yield File(_name(part) or f"{number}.{ending}", content)


def _name(part: Message) -> str:
    """By RFC 2231, by RFC 2047 (which mailers use although §5 forbids it), or in raw bytes."""
    try:
        name = part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        name = ""
    if name and "\ufffd" not in name:
        return header_text(name)
    for header, value in part.raw_items():
        if header.lower() in ("content-disposition", "content-type"):
            found = re.search(r"(?:file)?name\s*=\s*(?:\"([^\"]*)\"|([^;\s]+))", header_text(str(value)))
            if found:
                return found[1] or found[2]
    return ""


_ORIGINAL: Final = re.compile(
    rb"(?im)^(?:message-id|original-message-id|x-original-message-id):[ \t]*\r?\n?[ \t]*(<[^<>\s]+>)"
)
_STATUS: Final = re.compile(rb"(?im)^(?:status|action):[ \t]*([0-9]\.[0-9.]+|failed|delayed)")
_HARD: Final = re.compile(rb"\b5\.[0-9]\.[0-9]{1,3}\b|\b55[0-4]\b")


def _returned(raw: bytes) -> list[str]:
    """Message-IDs in the returned part, wherever its server has put it; the report's own comes first."""
    return [one.decode("ascii", "replace") for one in _ORIGINAL.findall(raw)[:50]]


def _for_good(raw: bytes) -> bool:
    said = [one.lower() for one in _STATUS.findall(raw)]
    if said:
        return b"failed" in said or any(one.startswith(b"5") for one in said)
    return bool(_HARD.search(raw))
