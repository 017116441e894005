"""Group robots of DingTalk, Feishu and WeCom: how each is spoken to, and what its answer means.

All take plain text here: their Markdown would let a merchant's words become links and mentions. Signing:
DingTalk signs `ms\\nsecret` with the secret as the key and puts both into the address; Feishu signs nothing
with `s\\nsecret` as the key and puts both into the body; a WeCom robot has only its address. Every robot
takes about 20 messages a minute, so news for one robot waits for the next slot and travels together.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from yarl import URL

from guanjia.post.letters import Outcome
from guanjia.post.models import EndpointKind

PACE = timedelta(seconds=4)
TEXT_MOST = 2000
"""Bytes of UTF-8. WeCom cuts off at 2,048; the others take more."""
_LATER = {
    EndpointKind.DINGTALK: {-1, 90018, 130101, 410100},
    EndpointKind.FEISHU: {9499, 11232},
    EndpointKind.WECOM: {-1, 45009},
}
"""Codes that ask for patience: too many messages, or their own fault."""
_CODES = ("errcode", "code", "StatusCode")


@dataclass(frozen=True, slots=True)
class Ring:
    """What to send, and where."""

    url: str
    body: bytes


def ring(kind: str, url: str, secret: str, text: str, now: datetime) -> Ring:
    """A text for a robot of this kind, signed as of `now` where it has a secret."""
    return _RINGS[EndpointKind(kind)](url, secret, text, now)


def _dingtalk(url: str, secret: str, text: str, now: datetime) -> Ring:
    body = _json({"msgtype": "text", "text": {"content": text}, "at": {"isAtAll": False}})
    if not secret:
        return Ring(url, body)
    stamp = str(int(now.timestamp() * 1000))
    sign = _mac(secret.encode(), f"{stamp}\n{secret}".encode())
    return Ring(str(URL(url).update_query(timestamp=stamp, sign=sign)), body)


def _feishu(url: str, secret: str, text: str, now: datetime) -> Ring:
    plain = text.replace("<at", "＜at")
    content: dict[str, Any] = {"msg_type": "text", "content": {"text": plain}}
    if secret:
        stamp = str(int(now.timestamp()))
        content |= {"timestamp": stamp, "sign": _mac(f"{stamp}\n{secret}".encode(), b"")}
    return Ring(url, _json(content))


def _wecom(url: str, secret: str, text: str, now: datetime) -> Ring:
    return Ring(url, _json({"msgtype": "text", "text": {"content": text}}))


_RINGS: Mapping[EndpointKind, Callable[[str, str, str, datetime], Ring]] = {
    EndpointKind.DINGTALK: _dingtalk,
    EndpointKind.FEISHU: _feishu,
    EndpointKind.WECOM: _wecom,
}


def verdict(kind: str, status: int, body: bytes) -> Outcome:
    """What a robot's answer means: they say 200 to nearly everything, and the code in the body counts."""
    if status == 429 or status >= 500:
        return Outcome("later", f"HTTP {status}")
    if status != 200:
        return Outcome("refused", f"HTTP {status}")
    code, words = _said(body)
    if code == 0:
        return Outcome("sent")
    if code is None:
        return Outcome("later", "no readable answer")
    return Outcome("later" if code in _LATER[EndpointKind(kind)] else "refused", f"{code}: {words}"[:200])


def _said(body: bytes) -> tuple[int | None, str]:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(answer, dict):
        return None, ""
    code = next((answer[name] for name in _CODES if isinstance(answer.get(name), int)), None)
    return code, str(answer.get("errmsg") or answer.get("msg") or "").replace("\x00", "")


def fit(lines: list[str], rest: Callable[[int], str]) -> str:
    """As many of the lines as a robot takes; `rest` says how many are left out."""
    kept: list[str] = []
    for n, line in enumerate(lines):
        tail = rest(len(lines) - n)
        if _size([*kept, line, tail]) > TEXT_MOST:
            return "\n".join([*kept, tail])
        kept.append(line)
    return "\n".join(kept)


def _size(lines: list[str]) -> int:
    return len("\n".join(lines).encode())


def _mac(key: bytes, content: bytes) -> str:
    return base64.b64encode(hmac.digest(key, content, "sha256")).decode()


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
