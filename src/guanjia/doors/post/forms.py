"""What the post's forms may hold."""

from __future__ import annotations

from datetime import time

from django.http import QueryDict
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, FieldError
from guanjia.people.actions.account import NewsWish
from guanjia.people.forms import quiet_hours_of
from guanjia.people.news import KINDS
from guanjia.post.actions import Wish


def wish_of(given: QueryDict) -> Wish:
    return Wish(
        kind=given.get("kind", ""),
        label=given.get("label", ""),
        url=given.get("url", ""),
        secret=given.get("secret", ""),
        news=given.getlist("news"),
    )


def news_wish_of(given: QueryDict) -> NewsWish:
    """Each kind at once, in the letter of the day, or not by mail. Raises BadInput."""
    return NewsWish(
        muted=[kind for kind in KINDS if given.get(f"mail_{kind}") == "none"],
        gathered=[kind for kind in KINDS if given.get(f"mail_{kind}") == "daily"],
        gathered_at=_hour(given.get("gathered_at", "")),
        quiet=quiet_hours_of(given.get("quiet_from", ""), given.get("quiet_until", "")),
    )


def _hour(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        wrong = FieldError("/gathered_at", _("每天几点"), _("请填写时间，例如 09:00。"))
        raise BadInput(_("有一项需要改。"), errors=[wrong]) from None


def key_of(text: str) -> int:
    """A key as a form sends it; 0 for anything else."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def keys_of(texts: list[str]) -> list[int]:
    return [key for text in texts if (key := key_of(text))]
