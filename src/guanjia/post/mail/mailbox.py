"""The mailbox, by IMAP: what is new is fetched by its UID, and marked as read once it is kept.

The standard library's client, in a thread and with a timeout at every answer. A mail above the limit is
fetched by its beginning, where its text is.
"""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from guanjia.config.mail import Server

SECONDS = 30
TOGETHER = 48 * 1024 * 1024
"""Bytes that one turn brings; at least one mail."""
MAILS_MOST = 50
BEGINNING = 256 * 1024
"""Bytes fetched of a mail that is too large."""


@dataclass(frozen=True, slots=True)
class Raw:
    uid: int
    content: bytes
    cut: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """What is new in `folder` after UID `seen` under `validity`? Those of `done` have been kept."""

    folder: str
    validity: int
    seen: int
    done: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Fetched:
    """The new mails. After a `failure` there are none, and nothing is known."""

    validity: int = 0
    seen: int = 0
    mails: tuple[Raw, ...] = ()
    failure: str = ""


def fetch(ask: Ask, server: Server, most: int) -> Fetched:
    """Never raises for what the other side does."""
    try:
        with _session(server) as session:
            return _fetch(session, ask, most)
    except (imaplib.IMAP4.error, OSError, ValueError, EOFError) as fault:
        return Fetched(failure=f"{type(fault).__name__}: {_plain(fault)}"[:200])


def _plain(fault: Exception) -> str:
    text = fault.args[0] if fault.args else ""
    return " ".join((text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)).split())


@contextmanager
def _session(server: Server) -> Iterator[imaplib.IMAP4]:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    session: imaplib.IMAP4
    if server.security == "tls":
        session = imaplib.IMAP4_SSL(server.host, server.port, ssl_context=context, timeout=SECONDS)
    else:
        session = imaplib.IMAP4(server.host, server.port, timeout=SECONDS)
    try:
        if server.security == "starttls":
            session.starttls(context)
        session.login(server.user, server.password)
        yield session
    finally:
        with suppress(imaplib.IMAP4.error, OSError):
            session.logout()


def _fetch(session: imaplib.IMAP4, ask: Ask, most: int) -> Fetched:
    _ok(session.select(_quoted(ask.folder)))
    [validity] = session.response("UIDVALIDITY")[1]
    now_valid = int(validity or 0)
    if ask.done and now_valid == ask.validity:
        _ok(session.uid("STORE", ",".join(map(str, ask.done)), "+FLAGS.SILENT", "(\\Seen)"))
    seen = ask.seen if now_valid == ask.validity else 0
    mails, together = [], 0
    for uid in _new(session, seen):
        raw = _one(session, uid, most)
        seen = uid
        if raw is not None:
            mails.append(raw)
            together += len(raw.content)
        if together >= TOGETHER or len(mails) >= MAILS_MOST:
            break
    return Fetched(now_valid, seen, tuple(mails))


def _new(session: imaplib.IMAP4, seen: int) -> list[int]:
    """`n:*` names the last mail even where it is older than n (RFC 9051 §6.4.4)."""
    [found] = _ok(session.uid("SEARCH", f"UID {seen + 1}:*"))
    return sorted(uid for uid in map(int, (found or b"").split()) if uid > seen)


def _one(session: imaplib.IMAP4, uid: int, most: int) -> Raw | None:
    """None for a mail that is not there any more."""
    answer = _ok(session.uid("FETCH", str(uid), "(RFC822.SIZE)"))
    size = re.search(rb"RFC822\.SIZE (\d+)", answer[0] if isinstance(answer[0], bytes) else b"")
    if size is None:
        return None
    cut = int(size[1]) > most
    wanted = f"(BODY.PEEK[]<0.{BEGINNING}>)" if cut else "(BODY.PEEK[])"
    parts = _ok(session.uid("FETCH", str(uid), wanted))
    content = next((part[1] for part in parts if isinstance(part, tuple)), None)
    return Raw(uid, content, cut) if content is not None else None


def _ok(answer: tuple[str, list]) -> list:  # type: ignore[type-arg] # as imaplib has it
    kind, data = answer
    if kind != "OK":
        raise imaplib.IMAP4.error(data[0] if data else kind)
    return data


def _quoted(folder: str) -> str:
    escaped = folder.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
