"""The plus-address that an answer comes back to: it names a case and a person, and cannot be made up.

`reply+c17.2s.kq3…@…`: case and person in base 36, then 80 bits of HMAC-SHA256 under the installation's
key, in letters that survive a server which writes addresses in lower case (RFC 5321 §2.4 lets few care).
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from dataclasses import dataclass

from django.utils.crypto import salted_hmac
from django.utils.http import base36_to_int, int_to_base36

_TOKEN = re.compile(r"c([0-9a-z]{1,13})\.([0-9a-z]{1,13})\.([a-z2-7]{16})")
_MAC_BYTES = 10


@dataclass(frozen=True, slots=True)
class Bound:
    """What a token is bound to: the keys of a case and of the person it was written to."""

    case: int
    user: int


def reply_token(*, case: int, user: int) -> str:
    """For the plus-address of a letter to this person about this case; both are primary keys."""
    about = f"{int_to_base36(case)}.{int_to_base36(user)}"
    return f"c{about}.{_mac(about)}"


def read_token(token: str) -> Bound | None:
    """What a token says; None for one that is not ours."""
    found = _TOKEN.fullmatch(token.lower())
    if found is None:
        return None
    case, user, mac = found.groups()
    if not hmac.compare_digest(mac, _mac(f"{case}.{user}")):
        return None
    return Bound(base36_to_int(case), base36_to_int(user))


def _mac(about: str) -> str:
    digest = salted_hmac("guanjia.post.mail.reply", about, algorithm="sha256").digest()
    return b32encode(digest[:_MAC_BYTES]).decode().lower()
