"""Where mail goes out and comes in: a TOML file. Read without Django; docs/mail.md describes it.

address = "help@example.com"          # who writes, and where answers come: help+…@example.com
name = "云市管家"
[smtp]
host = "smtp.example.com"
security = "starttls"                 # or tls; none on this machine only
user = "help@example.com"
password_file = "/run/secrets/smtp"
[imap]
host = "imap.example.com"
security = "tls"
user = "help@example.com"
password_file = "/run/secrets/imap"
[incoming]
authserv = "mx.example.com"           # whose Authentication-Results are believed
[signature]
"zh-Hans" = "云市商家服务"
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LOCAL = ("127.0.0.1", "::1", "localhost")
PORTS = {("smtp", "starttls"): 587, ("smtp", "tls"): 465, ("smtp", "none"): 25}
PORTS |= {("imap", "starttls"): 143, ("imap", "tls"): 993, ("imap", "none"): 143}
MEMBERS = {"address": str, "name": str, "smtp": dict, "imap": dict, "incoming": dict, "signature": dict}
SERVER = {"host": str, "port": int, "security": str, "user": str, "password_file": str, "ca_file": str}
INCOMING = {"folder": str, "authserv": str, "keep_days": int, "most_mb": int, "seconds": int}
_ADDRESS = re.compile(r"[A-Za-z0-9._-]{1,30}@[A-Za-z0-9.-]{1,200}")


class UnusableMailError(ValueError):
    """The text says what is wrong; never a secret."""


@dataclass(frozen=True, slots=True)
class Server:
    """A mail server: `security` is starttls, tls or none; `ca_file` where its certificate is its own."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """`authserv` is the server whose Authentication-Results are believed; empty: none. `most` in bytes."""

    address: str
    name: str = ""
    smtp: Server | None = None
    imap: Server | None = None
    folder: str = "INBOX"
    authserv: str = ""
    keep_days: int = 30
    most: int = 40 * 1024 * 1024
    seconds: int = 20
    signature: Mapping[str, str] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def read_mail(file: Path) -> Mail:
    """Raises UnusableMailError."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableMailError(str(error)) from None
    _check("the file", content, MEMBERS)
    if not _ADDRESS.fullmatch(content.get("address", "")):
        raise UnusableMailError("address must be a plain address of at most 30 characters before the @")
    incoming = content.get("incoming", {})
    _check("[incoming]", incoming, INCOMING)
    signature = content.get("signature", {})
    _check("[signature]", signature, {"zh-Hans": str, "en": str})
    return Mail(
        address=content["address"],
        name=content.get("name", ""),
        smtp=_server("smtp", content),
        imap=_server("imap", content),
        folder=incoming.get("folder", "INBOX"),
        authserv=incoming.get("authserv", "").lower(),
        keep_days=_between(incoming, "keep_days", 30, 1, 3650),
        most=_between(incoming, "most_mb", 40, 1, 200) * 1024 * 1024,
        seconds=_between(incoming, "seconds", 20, 1, 3600),
        signature=signature,
    )


def _check(where: str, given: Mapping[str, Any], members: Mapping[str, type]) -> None:
    for name, value in given.items():
        if name not in members:
            raise UnusableMailError(f"{where}: unknown member {name}")
        if type(value) is not members[name]:
            raise UnusableMailError(f"{where}: {name} must be {members[name].__name__}")


def _between(given: Mapping[str, int], name: str, otherwise: int, least: int, most: int) -> int:
    value = given.get(name, otherwise)
    if not least <= value <= most:
        raise UnusableMailError(f"[incoming]: {name} must be {least} to {most}")
    return value


def _server(kind: str, content: Mapping[str, Any]) -> Server | None:
    given = content.get(kind)
    if given is None:
        return None
    _check(f"[{kind}]", given, SERVER)
    host, security = given.get("host", ""), given.get("security", "starttls" if kind == "smtp" else "tls")
    if not host or (kind, security) not in PORTS:
        raise UnusableMailError(f"[{kind}]: host, and security as one of starttls, tls, none")
    if security == "none" and host not in LOCAL:
        raise UnusableMailError(f"[{kind}]: without encryption on this machine only")
    return Server(
        host=host,
        port=given.get("port", PORTS[kind, security]),
        security=security,
        user=given.get("user", ""),
        password=_secret(kind, given.get("password_file")),
        ca_file=given.get("ca_file", ""),
    )


def _secret(kind: str, path: str | None) -> str:
    if path is None:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise UnusableMailError(f"[{kind}]: password_file cannot be read") from None
