"""One effect per key: a caller that repeats itself gets the first answer again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.sql import rows, run


class KeyReused(BadInput):
    code = "idempotency_key_reused"


def fingerprint(content: object) -> bytes:
    """SHA-256 of the canonical JSON of what was asked for."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).digest()


def once(
    *, scope: str, key: str, content: object, now: datetime, effect: Callable[[], int]
) -> tuple[int, bool]:
    """Run `effect` unless this key has been used; return its result and whether it was new.

    The key's row is inserted first, in the same transaction: a concurrent repeat waits on its unique
    index until the first has committed, and then reads what the first brought about.
    Raises KeyReused if the key was used for something else.
    """
    print_ = fingerprint(content)
    with transaction.atomic():
        new = run(
            "INSERT INTO base_idempotencykey (scope, key, fingerprint, created_at)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (scope, key) DO NOTHING",
            [scope, key, print_, now],
        )
        if not new:
            return _earlier(scope, key, print_), False
        result = effect()
        run(
            "UPDATE base_idempotencykey SET result = %s WHERE scope = %s AND key = %s",
            [result, scope, key],
        )
        return result, True


CLAIM = """
INSERT INTO base_idempotencykey (scope, key, fingerprint, created_at, result)
VALUES (%(scope)s, %(key)s, %(print)s, %(now)s, %(id)s) ON CONFLICT (scope, key) DO NOTHING RETURNING result
"""
"""`once` for an effect that is one statement: this is its first part, the others insert what follows for
the rows that it returns. No row: the key has been used, and `earlier` says for what."""


def earlier(*, scope: str, key: str, content: object) -> int:
    """What the key has brought about. Raises KeyReused if it was used for something else."""
    return _earlier(scope, key, fingerprint(content))


def used(*, scope: str, key: str) -> bool:
    """Whether what came with this key has been done."""
    return bool(rows("SELECT FROM base_idempotencykey WHERE scope = %s AND key = %s", [scope, key]))


def _earlier(scope: str, key: str, print_: bytes) -> int:
    statement = "SELECT fingerprint, result FROM base_idempotencykey WHERE scope = %s AND key = %s"
    [(stored, result)] = rows(statement, [scope, key])
    if bytes(stored) != print_:
        raise KeyReused(
            _("这个幂等键已经用于另一个请求。"),
            hint=_("同一请求重试时用同一个键，新的请求请换一个键。"),
        )
    return int(result)
