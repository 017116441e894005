"""What people change in their own account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput, FieldError
from guanjia.ledger.actions import Entry, record
from guanjia.people.events import AccountChanged
from guanjia.people.models import Preference, User
from guanjia.people.news import KINDS

NAME_MOST = 120


@transaction.atomic
def change_person(*, actor: Actor, user: User, name: str, language: str, now: datetime) -> None:
    """What they are called, and in which language the house speaks to them. Raises BadInput."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_MOST:
        wrong = FieldError("/name", _("姓名"), _("请填写姓名，最多 120 字。"))
        raise BadInput(_("有一项需要改。"), errors=[wrong])
    if language not in dict(settings.LANGUAGES):
        raise BadInput(_("没有这种语言。"))
    User.objects.filter(pk=user.pk).update(name=name, language=language)
    user.name, user.language = name, language
    _note(actor, user, "person", now)


@transaction.atomic
def change_password(*, actor: Actor, user: User, password: str, now: datetime) -> None:
    """Every other browser is signed out by it. Raises BadInput for one that is too weak."""
    require_strong(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    _note(actor, user, "password", now)


def require_strong(password: str, user: User) -> None:
    """Raises BadInput with what is wrong with it, in the reader's language."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        wrong = [FieldError("/password", _("新密码"), message) for message in error.messages]
        raise BadInput(_("请换一个更强的密码。"), errors=wrong) from None


@dataclass(frozen=True, slots=True)
class NewsWish:
    """How somebody wants the kinds of news: not by mail, or in the letter of the day at `gathered_at`; the
    rest at once. No mail comes in the quiet hours."""

    muted: Sequence[str]
    gathered: Sequence[str]
    gathered_at: time
    quiet: tuple[time, time] | None


@transaction.atomic
def change_news(*, actor: Actor, user: User, wish: NewsWish, now: datetime) -> None:
    """Which kinds of news come by mail, and when."""
    muted = [kind for kind in KINDS if kind in wish.muted]
    gathered = [kind for kind in KINDS if kind in wish.gathered and kind not in muted]
    start, end = wish.quiet or (None, None)
    values = {
        "muted": muted,
        "gathered": gathered,
        "gathered_at": wish.gathered_at,
        "quiet_from": start,
        "quiet_until": end,
    }
    Preference.objects.update_or_create(user=user, defaults=values)
    _note(actor, user, "news", now)


def _note(actor: Actor, user: User, what: str, now: datetime) -> None:
    record([Entry(now, actor, f"user:{user.pk}", AccountChanged(user.pk, what))])
