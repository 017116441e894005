"""Whether a person wrote a mail, and whether its sender is who it says.

Automatic, in this order: 1. a delivery report (RFC 3464: `multipart/report; report-type=delivery-status`),
or what older servers return: no envelope sender and a mailer's name or words; 2. an absence, by its words in
a mail that says it is automatic, or by the beginning of its subject, since large Chinese mailboxes mark
theirs by nothing else; 3. anything else that says it is automatic (RFC 3834 §5: `Auto-Submitted` other than
`no`; the older `X-Autoreply`, `X-Autorespond`, `Precedence: auto_reply|bulk|junk`); 4. mailing lists (RFC
2919 `List-Id`, `Precedence: list`). Linear.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Final


class Automatic(StrEnum):
    BOUNCE = "bounce"
    AWAY = "away"
    ROBOT = "robot"
    LIST = "list"


Headers = Mapping[str, Sequence[str]]
"""Values by lower-case name, in order, decoded."""

_MAILERS: Final = re.compile(
    r"(?i)^(mailer-daemon|postmaster|mail-daemon|mdaemon|bounces?|no-?reply-bounce)\b"
)
_RETURNED: Final = re.compile(
    r"(?i)undeliver|delivery (status|failure|has failed)|mail delivery|returned (mail|to sender)"
    r"|failure notice|退信|系统退回|投递失败|发送失败|无法送达"
)
_AWAY: Final = re.compile(
    r"(?i)out[ -]of[ -](the )?office|auto(matic)?[ -]?(reply|response)|on (vacation|leave|holiday)"
    r"|away from (the office|my)|自动回复|自動回覆|自动答复|休假|外出|不在办公室|假期"
)
_AWAY_FIRST: Final = re.compile(
    r"(?i)^\W*(自动回复|自動回覆|自动答复|automatic reply|auto[- ]?reply|out[- ]of[- ]office)"
)
_ROBOTS: Final = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply", "x-mail-autoreply")


def automatic(headers: Headers, *, report: bool, sender: str, subject: str) -> Automatic | None:
    """What kind of machine wrote it; None for a person. `report`: it is a delivery report by its type."""
    if report or (_no_way_back(headers) and (_MAILERS.match(sender) or _RETURNED.search(subject))):
        return Automatic.BOUNCE
    robot = _is_robot(headers)
    if _AWAY_FIRST.match(subject) or (robot and _AWAY.search(subject)):
        return Automatic.AWAY
    if robot or _no_way_back(headers):
        return Automatic.ROBOT
    if "list-id" in headers or "list" in _words(headers, "precedence"):
        return Automatic.LIST
    return None


def _no_way_back(headers: Headers) -> bool:
    """An empty envelope sender (RFC 3834 §2, RFC 5321 §4.5.5): never to be answered."""
    return "<>" in _words(headers, "return-path")


def _is_robot(headers: Headers) -> bool:
    submitted = _words(headers, "auto-submitted")
    if submitted and not submitted[0].startswith("no"):
        return True
    if any(name in headers for name in _ROBOTS):
        return True
    return bool({"auto_reply", "auto-reply", "bulk", "junk"} & set(_words(headers, "precedence")))


def _words(headers: Headers, name: str) -> list[str]:
    return [value.strip().lower() for value in headers.get(name, ())]


_RESULT: Final = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*(\w+)", re.I)
_PROPERTY: Final = re.compile(
    r"\b(header\.from|header\.d|header\.i|smtp\.mailfrom)\s*=\s*\"?([^\s;\"]+)", re.I
)


def authenticated(results: Iterable[str], *, authserv: str, domain: str) -> bool:
    """Whether our own server vouches that a mail is from this domain (RFC 8601).

    Only the topmost field of that server counts: what stands below may have come with the mail. DMARC
    passed for the domain, or DKIM or SPF for it or for one above it.
    """
    if not authserv or not domain:
        return False
    for value in results:
        text = re.sub(r"\([^()]*\)", " ", value)
        server, _semicolon, rest = text.partition(";")
        if server.split()[:1] == [authserv] or server.strip().lower() == authserv:
            return any(_vouches(part, domain.lower()) for part in rest.split(";"))
    return False


def _vouches(part: str, domain: str) -> bool:
    result = _RESULT.search(part)
    if result is None or result[2].lower() != "pass":
        return False
    named = [value.rpartition("@")[2].lower().rstrip(".") for _name, value in _PROPERTY.findall(part)]
    if result[1].lower() == "dmarc":
        return not named or domain in named
    return any(name == domain or ("." in name and domain.endswith(f".{name}")) for name in named)
