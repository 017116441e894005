"""How somebody comes to an account: by a link that works once."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput, FieldError, Refusal
from guanjia.ledger.actions import Entry, record
from guanjia.people.actions.account import require_strong
from guanjia.people.actors import actor_of
from guanjia.people.events import InvitationAccepted, Invited
from guanjia.people.links import welcome_token
from guanjia.people.models import User
from guanjia.people.queries import invited_by_link

USERNAME = re.compile(r"[\w.@+-]{2,80}")


class UsernameTaken(Refusal):
    code = "username_taken"


class LinkUsed(Refusal):
    code = "link_used"
    status = 410


class Invitation(NamedTuple):
    """The person and the link to hand over; the link is nowhere kept."""

    user: User
    url: str


@transaction.atomic
def invite(*, actor: Actor, username: str, name: str, email: str = "", now: datetime) -> Invitation:
    """A person without a password, and a link to choose one: it works once, and for a week.

    The caller has decided that `actor` may invite. Raises BadInput, UsernameTaken.
    """
    username, name, email = username.strip(), name.strip(), email.strip()
    _require_sound(username, name, email)
    user = User(username=username, name=name, email=email)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        raise UsernameTaken(
            _("这个登录名已有人使用。"), hint=_("请换一个，例如在后面加上店铺的简称。")
        ) from None
    record([Entry(now, actor, f"user:{user.pk}", Invited(user.pk))])
    return Invitation(user, _link(user))


@transaction.atomic
def renew_invitation(*, actor: Actor, user: User, now: datetime) -> Invitation:
    """A new link for somebody who lost the first, or their password. Earlier links end with the first use."""
    record([Entry(now, actor, f"user:{user.pk}", Invited(user.pk))])
    return Invitation(user, _link(user))


@transaction.atomic
def accept_invitation(*, uid: str, token: str, password: str, now: datetime) -> User:
    """The invited person chooses a password; the link is used up.

    Raises LinkUsed for a link that no longer works, BadInput for a password that is too weak.
    """
    user = invited_by_link(uid, token, lock=True)
    if user is None:
        raise LinkUsed(_("这个链接已经用过或已过期。"), hint=_("请让邀请您的人再发一个。"))
    require_strong(password, user)
    user.set_password(password)
    user.save(update_fields=["password"])
    record([Entry(now, actor_of(user), f"user:{user.pk}", InvitationAccepted(user.pk))])
    return user


def _link(user: User) -> str:
    uid = urlsafe_base64_encode(str(user.pk).encode())
    path = reverse("welcome", kwargs={"uid": uid, "token": welcome_token.make_token(user)})
    return f"{settings.BASE_URL}{path}"


def _require_sound(username: str, name: str, email: str) -> None:
    wrong = []
    if not USERNAME.fullmatch(username):
        wrong.append(
            FieldError("/username", _("登录名"), _("请用 2 到 80 个字母、数字或 . @ + - _，不含空格。"))
        )
    if not 1 <= len(name) <= 120:
        wrong.append(FieldError("/name", _("姓名"), _("请填写姓名，最多 120 字。")))
    if email and not _is_email(email):
        wrong.append(FieldError("/email", _("邮箱"), _("请填写完整的邮箱地址。")))
    if wrong:
        raise BadInput(_("有几项需要改。"), errors=wrong)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
