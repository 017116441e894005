"""Signatures in both directions (§3): Standard Webhooks headers over HMAC-SHA256.

Secrets are `whsec_` + base64 of 24 to 64 bytes. Where a secret is being rotated, pass several:
signing then writes one signature per secret, verifying accepts any of them.
"""

import base64
import binascii
import hmac
import secrets as randomness
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from guanjia.lines.protocol.errors import ProtocolError

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix of the standard
TOLERANCE_SECONDS: Final = 300
_MAX_SIGNATURES: Final = 8

Secrets = str | Sequence[str]


def new_secret() -> str:
    """A fresh secret of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(randomness.token_bytes(32)).decode()


def sign(secret: str, message_id: str, timestamp: int | str, content: bytes) -> str:
    """One signature, `v1,` + base64, over `{id}.{timestamp}.{content}`. ValueError: bad secret."""
    mac = _keyed(secret).copy()
    mac.update(f"{message_id}.{timestamp}.".encode() + content)
    return "v1," + base64.b64encode(mac.digest()).decode()


def check_secrets(secrets: Secrets) -> None:
    """ValueError unless there is at least one secret and each is well formed."""
    if not [_key(secret) for secret in _all(secrets)]:
        raise ValueError("a line needs a secret")


def request_headers(
    secret: Secrets, method: str, path: str, body: bytes, now: datetime, message_id: str
) -> dict[str, str]:
    """Headers of a request from Guanjia to a line (3.2). `path` is relative to the base URL."""
    return _headers(secret, _request_content(method, path, body), now, message_id)


def webhook_headers(secret: Secrets, body: bytes, now: datetime, message_id: str) -> dict[str, str]:
    """Headers of a webhook from a line to Guanjia (3.1)."""
    return _headers(secret, body, now, message_id)


def verify_request(
    secrets: Secrets,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
) -> str:
    """Check a request's signature and return its message id.

    `headers` is any case-insensitive mapping, or a dict with lower-case names. Raises
    ProtocolError `signature_missing`, `timestamp_skew` or `signature_invalid` (3.3).
    """
    return _verify(secrets, headers, _request_content(method, path, body), now)


def verify_webhook(secrets: Secrets, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """Check a webhook's signature and return its message id; raises as `verify_request` does."""
    return _verify(secrets, headers, body, now)


def _request_content(method: str, path: str, body: bytes) -> bytes:
    return f"{method} {path}\n".encode() + body


def _all(secrets: Secrets) -> Sequence[str]:
    return (secrets,) if isinstance(secrets, str) else secrets


@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    """HMAC-SHA256 with the key already in it, to be copied: a line's secret signs call after call."""
    return hmac.new(_key(secret), digestmod="sha256")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("a line secret is whsec_ and base64 of 24 to 64 bytes")
    return key


def _headers(secrets: Secrets, content: bytes, now: datetime, message_id: str) -> dict[str, str]:
    if not _is_message_id(message_id):
        raise ValueError("a message id is 1 to 200 printable ASCII characters without a full stop")
    timestamp = str(int(now.timestamp()))
    signatures = [sign(secret, message_id, timestamp, content) for secret in _all(secrets)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _is_message_id(text: str) -> bool:
    # A full stop would let the boundary between id and timestamp move without a new signature.
    return 0 < len(text) <= 200 and text.isascii() and text.isprintable() and "." not in text


def _verify(secrets: Secrets, headers: Mapping[str, str], content: bytes, now: datetime) -> str:
    message_id = headers.get("webhook-id")
    timestamp = headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not (message_id and timestamp and signatures):
        raise ProtocolError("signature_missing", "webhook-id, -timestamp and -signature are needed")
    if not _is_message_id(message_id):
        raise ProtocolError("signature_invalid", "webhook-id is not a message id")
    _check_timestamp(timestamp, now)
    if not _matches(_all(secrets), message_id, timestamp, content, signatures):
        raise ProtocolError("signature_invalid", "no signature matches")
    return message_id


def _check_timestamp(timestamp: str, now: datetime) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise ProtocolError("timestamp_skew", "webhook-timestamp is not Unix seconds")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise ProtocolError("timestamp_skew", f"more than {TOLERANCE_SECONDS} s away")


def _matches(
    secrets: Sequence[str], message_id: str, timestamp: str, content: bytes, signatures: str
) -> bool:
    offered = [text.encode() for text in signatures.split(" ")[:_MAX_SIGNATURES]]
    for secret in secrets:
        expected = sign(secret, message_id, timestamp, content).encode()
        if any(hmac.compare_digest(expected, signature) for signature in offered):
            return True
    return False
