"""What the pages of a merchant's door are asked for, read into types."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass
from typing import Self

from django.http import QueryDict
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.merchants.models import MemberRole

_SHOWN = re.compile(r"([0-9]{1,4}):([0-9]{1,15})")
_KEY = re.compile(r"[0-9a-f]{32}")
START_MOST = 200


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a box. `key` came with the page: sent twice from one page it has one effect."""

    text: str
    key: str

    @classmethod
    def blank(cls, text: str = "") -> Self:
        """`text` is a start that a link offers, so that it works without a script."""
        return cls(text.replace("\x00", "")[:START_MOST], uuid.uuid4().hex)

    @classmethod
    def read(cls, posted: QueryDict, name: str) -> Self:
        key = posted.get("key", "")
        return cls(posted.get(name, ""), key if _KEY.fullmatch(key) else uuid.uuid4().hex)

    @property
    def idempotency_key(self) -> str:
        """Another text from the same page is another thing to do."""
        text = self.text.strip().encode("utf-8", "replace")
        return hashlib.sha256(self.key.encode() + text).hexdigest()


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """A yes to some items at the prices that were shown, and a no to the rest."""

    taken: tuple[int, ...]
    declined: tuple[int, ...]
    total: int

    @classmethod
    def read(cls, posted: QueryDict) -> Self:
        """`shown` holds `position:amount` for each item asked about, `take` the positions taken; `none`
        refuses them all. The total is added up here, from what
        the reader saw. Raises BadInput."""
        found = [_SHOWN.fullmatch(text) for text in posted.getlist("shown")]
        shown = {int(one[1]): int(one[2]) for one in found if one}
        if not shown or len(shown) != len(found):
            raise BadInput(_("没有看到价格。"), hint=_("请刷新后再答复。"))
        ticked = () if "none" in posted else posted.getlist("take")
        taken = {position for position in shown if str(position) in ticked}
        total = sum(shown[position] for position in taken)
        return cls(tuple(sorted(taken)), tuple(sorted(shown.keys() - taken)), total)


@dataclass(frozen=True, slots=True)
class InviteForm:
    username: str
    name: str
    email: str
    role: str

    @classmethod
    def read(cls, posted: QueryDict) -> Self:
        username, name, email, role = (posted.get(key, "") for key in ("username", "name", "email", "role"))
        return cls(username, name, email, role)

    @classmethod
    def blank(cls) -> Self:
        return cls("", "", "", MemberRole.STAFF.value)


def member_role(text: str) -> MemberRole:
    """Raises BadInput."""
    try:
        return MemberRole(text)
    except ValueError:
        raise BadInput(_("没有这种身份。"), hint=_("请从列表里选一个。")) from None
