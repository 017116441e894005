"""Secrets at rest: sealed with a key derived from the installation's secret key."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@lru_cache(maxsize=1)
def _box(secret_key: str) -> Fernet:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"guanjia seal v1")
    return Fernet(base64.urlsafe_b64encode(kdf.derive(secret_key.encode())))


def seal(secret: str) -> bytes:
    return _box(settings.SECRET_KEY).encrypt(secret.encode())


def unseal(sealed: bytes | memoryview) -> str:
    """Raises cryptography.fernet.InvalidToken when the secret key is not the one that sealed it."""
    return _box(settings.SECRET_KEY).decrypt(bytes(sealed)).decode()
