"""The lock on a password, and what happens to somebody's ways in."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import Refusal
from guanjia.base.sql import rows, run
from guanjia.ledger.actions import Entry, record
from guanjia.people.events import FactorChanged, SessionsEnded, SignInLocked, WayLinked
from guanjia.people.models import User, WrongTries

TRIES_MOST = 5
LOCKED_FOR = timedelta(minutes=15)
"""After the last wrong try; as long without a try also forgets the earlier ones."""


class LockedOut(Refusal):
    code = "locked_out"
    status = 429


# Counted before the password is looked at, in one statement: ten tries at once are still ten tries.
_COUNT = """
INSERT INTO people_wrongtries AS t (digest, tries, last_at) VALUES (%(digest)s, 1, %(now)s)
ON CONFLICT (digest) DO UPDATE
  SET tries = CASE WHEN t.last_at <= %(forgotten)s THEN 1 ELSE t.tries + 1 END, last_at = %(now)s
  WHERE t.tries < %(most)s OR t.last_at <= %(forgotten)s
RETURNING tries
"""
_FORGET = "DELETE FROM people_wrongtries WHERE digest = %s"
_FORGET_OLD = "DELETE FROM people_wrongtries WHERE last_at < %s"


@transaction.atomic
def begin_try(*, username: str, now: datetime) -> None:
    """Somebody is about to try a password for this name. Raises LockedOut after TRIES_MOST wrong ones.

    It is counted as wrong until `forget_tries` says that it fitted. The name need not be anybody's: who
    tries cannot tell.
    """
    forgotten = now - LOCKED_FOR
    wanted = {"digest": _digest(username), "now": now, "forgotten": forgotten, "most": TRIES_MOST}
    counted = rows(_COUNT, wanted)
    if not counted:
        raise _locked(WrongTries.objects.get(pk=_digest(username)).last_at, now)
    if counted[0][0] == 1:
        run(_FORGET_OLD, [forgotten])


@transaction.atomic
def note_wrong_try(*, username: str, now: datetime) -> None:
    """The password did not fit; when that was the last try, the log has that the name is locked."""
    if not WrongTries.objects.filter(pk=_digest(username), tries__gte=TRIES_MOST).exists():
        return
    user = User.objects.filter(username=username).values_list("pk", flat=True).first()
    record([Entry(now, SYSTEM, f"user:{user or 0}", SignInLocked(user))])


def _locked(last: datetime, now: datetime) -> LockedOut:
    minutes = max(1, -((now - last - LOCKED_FOR) // timedelta(minutes=1)))
    return LockedOut(
        ngettext(
            "密码连续输错多次，这个登录名暂时锁住。%(minutes)d 分钟后可以再试。",
            "密码连续输错多次，这个登录名暂时锁住。%(minutes)d 分钟后可以再试。",
            minutes,
        )
        % {"minutes": minutes},
        hint=_("忘了密码，请让邀请您的人再发一个链接；用通行密钥登录不受影响。"),
    )


def forget_tries(*, username: str) -> None:
    """The password fitted."""
    run(_FORGET, [_digest(username)])


def _digest(username: str) -> bytes:
    return hashlib.sha256(username.casefold().encode()).digest()


@transaction.atomic
def link_way_in(*, actor: Actor, user: User, account: SocialAccount, now: datetime) -> None:
    """From now on this account elsewhere opens this person's account here."""
    account.user = user
    account.save()
    record([Entry(now, actor, f"user:{user.pk}", WayLinked(user.pk, account.provider))])


@transaction.atomic
def note_factor(*, actor: Actor, user: User, factor: str, change: str, now: datetime) -> None:
    """A second factor or passkey was added, removed or renewed."""
    record([Entry(now, actor, f"user:{user.pk}", FactorChanged(user.pk, factor, change))])


@transaction.atomic
def end_sessions(*, actor: Actor, user: User, keys: list[str], now: datetime) -> int:
    """Sign this person out in these browsers; returns how many there were."""
    own = _own_sessions(user, keys)
    if own:
        run("DELETE FROM django_session WHERE session_key = ANY(%s)", [own])
        run("DELETE FROM usersessions_usersession WHERE session_key = ANY(%s)", [own])
        record([Entry(now, actor, f"user:{user.pk}", SessionsEnded(user.pk, len(own)))])
    return len(own)


def _own_sessions(user: User, keys: list[str]) -> list[str]:
    of_user = "SELECT session_key FROM usersessions_usersession WHERE user_id = %s AND session_key = ANY(%s)"
    return [key for (key,) in rows(of_user, [user.pk, keys])]
