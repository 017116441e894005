"""A merchant's own people, and what each role may do there: read from the one table of rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.coverage.rules import MAY, Relation, Verb
from guanjia.merchants.models import MemberRole, Merchant
from guanjia.merchants.queries import members_of
from guanjia.people.models import User

WORDS: Mapping[Verb, str] = {
    Verb.SEE: n_("查看全部事项和进度"),
    Verb.OPEN_CASE: n_("提出要办的事"),
    Verb.SPEAK: n_("参与沟通"),
    Verb.COMPOSE: n_("自己拟一揽子"),
    Verb.ACCEPT: n_("确认或拒绝价格"),
    Verb.CANCEL: n_("撤回一揽子"),
    Verb.SOLVE: n_("标记办结或重开"),
    Verb.PEOPLE: n_("管理成员"),
}
"""What a merchant's people may do, in words; what only staff do is not among them."""


@dataclass(frozen=True, slots=True)
class RoleWords:
    """A role, and what it may do."""

    role: str
    title: str
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """`joined` is off until the invitation has been accepted; `me` is the reader."""

    member_id: int
    name: str
    username: str
    role: str
    role_text: str
    joined: bool
    me: bool


def roles() -> list[RoleWords]:
    return [RoleWords(role.value, _(str(role.label)), _words(role)) for role in MemberRole]


def _words(role: MemberRole) -> tuple[str, ...]:
    return tuple(_(said) for verb, said in WORDS.items() if Relation(role.value) in MAY[verb])


def people_of(merchant: Merchant, *, reader: User) -> list[Person]:
    """Owners first; one statement."""
    return [
        Person(
            member_id=member.pk,
            name=member.user.name,
            username=member.user.username,
            role=member.role,
            role_text=_(member.get_role_display()),
            joined=member.user.has_usable_password(),
            me=member.user_id == reader.pk,
        )
        for member in members_of(merchant)
    ]
