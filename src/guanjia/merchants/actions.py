"""What is done to merchants, one at a time; many at once come through `merchants.importing`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput, Refusal
from guanjia.base.texts import clean
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.merchants.events import (
    FactDefined,
    FactsSet,
    MemberAdded,
    MemberRemoved,
    MemberRoleChanged,
    MerchantRegistered,
)
from guanjia.merchants.models import FactDefinition, Member, MemberRole, Merchant
from guanjia.merchants.queries import member_of, undefined
from guanjia.merchants.rules import NAME_MOST, clean_facts, clean_ref
from guanjia.people.models import Pool, User


class RefTaken(Refusal):
    code = "merchant_ref_taken"


class MemberAlready(Refusal):
    code = "member_already"


class LastOwner(Refusal):
    code = "last_owner"


class UnknownFact(BadInput):
    code = "unknown_fact"


@transaction.atomic
def register_merchant(
    *, actor: Actor, ref: str, name: str, home_pool: Pool, facts: Mapping[str, object], now: datetime
) -> Merchant:
    """A merchant that the marketplace knows as `ref`; its home pool answers for it from now on.

    Raises BadInput, UnknownFact, RefTaken.
    """
    merchant = Merchant(
        ref=clean_ref(ref),
        name=clean(name, field=_("商家名称"), most=NAME_MOST),
        home_pool=home_pool,
        facts={key: value for key, value in _known(facts).items() if value is not None},
        created_at=now,
    )
    try:
        with transaction.atomic():
            merchant.save(force_insert=True)
    except IntegrityError:
        raise RefTaken(
            _("已经有编号为“%(ref)s”的商家。") % {"ref": merchant.ref},
            hint=_("请核对编号；要修改已有商家的信息，请直接更新它。"),
        ) from None
    registered = MerchantRegistered(merchant.pk, home_pool.pk, tuple(sorted(merchant.facts)))
    _log(actor, merchant, registered, now)
    return merchant


@transaction.atomic
def add_member(*, actor: Actor, merchant: Merchant, user: User, role: MemberRole, now: datetime) -> Member:
    """One of the merchant's own people. Adding the same person in the same role again changes nothing.

    Raises MemberAlready for somebody who is a member in another role.
    """
    member, new = Member.objects.get_or_create(merchant=merchant, user=user, defaults={"role": role})
    if new:
        _log(actor, merchant, MemberAdded(merchant.pk, user.pk, role.value), now)
    elif member.role != role:
        raise MemberAlready(
            _("此人已经是这家商家的成员，身份是“%(role)s”。") % {"role": MemberRole(member.role).label},
            hint=_("要换身份，请在他的名字旁边改。"),
        )
    return member


@transaction.atomic
def change_role(
    *, actor: Actor, merchant: Merchant, member_id: int, role: MemberRole, now: datetime
) -> Member:
    """Another role for one of the merchant's people; the same role again changes nothing.

    Raises Missing for somebody who is not (any more) a member, LastOwner.
    """
    member = _member(merchant, member_id)
    before = member.role
    if before == role:
        return member
    _spare_the_last_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    _log(actor, merchant, MemberRoleChanged(merchant.pk, member.user_id, before, role.value), now)
    return member


@transaction.atomic
def remove_member(*, actor: Actor, merchant: Merchant, member_id: int, now: datetime) -> None:
    """No longer one of the merchant's people; what they said and did stays.

    Raises Missing for somebody who is not (any more) a member, LastOwner.
    """
    member = _member(merchant, member_id)
    _spare_the_last_owner(member)
    _log(actor, merchant, MemberRemoved(merchant.pk, member.user_id, member.role), now)
    member.delete()


def _member(merchant: Merchant, member_id: int) -> Member:
    """The member, read under the merchant's lock: two owners cannot each see the other and both go."""
    Merchant.objects.select_for_update(no_key=True).get(pk=merchant.pk)
    return member_of(merchant, member_id)


def _spare_the_last_owner(member: Member) -> None:
    others = Member.objects.filter(merchant=member.merchant_id, role=MemberRole.OWNER).exclude(pk=member.pk)
    if member.role == MemberRole.OWNER and not others.exists():
        raise LastOwner(
            _("%(name)s是唯一的店主，不能移除，也不能换身份。") % {"name": member.user.name},
            hint=_("请先让另一个人成为店主。"),
        )


@transaction.atomic
def set_facts(*, actor: Actor, merchant: Merchant, facts: Mapping[str, object], now: datetime) -> Merchant:
    """Take over what is newly known; other facts stay, and None forgets one.

    Returns the merchant as it now is. Raises BadInput, UnknownFact.
    """
    told = _known(facts)
    kept = Merchant.objects.select_for_update().get(pk=merchant.pk)
    differing = {key: value for key, value in told.items() if kept.facts.get(key) != value}
    if not differing:
        return kept
    kept.facts = {k: v for k, v in {**kept.facts, **differing}.items() if v is not None}
    kept.save(update_fields=["facts"])
    _log(actor, kept, FactsSet(kept.pk, tuple(sorted(differing))), now)
    return kept


@transaction.atomic
def define_fact(
    *, actor: Actor, key: str, titles: Mapping[str, str], source: str, now: datetime
) -> FactDefinition:
    """Say what a fact is called, per language, and where it comes from; again to say it better.

    Raises BadInput.
    """
    [key] = clean_facts({key: None})
    named = {tag: clean(titles.get(tag, ""), field=f"{key} ({tag})", most=60) for tag in ("zh-Hans", "en")}
    told = {"titles": named, "source": clean(source, field=_("来源"), most=120)}
    before = FactDefinition.objects.filter(key=key, **told).first()
    if before is not None:
        return before
    definition, _new = FactDefinition.objects.update_or_create(key=key, defaults=told)
    record([Entry(now, actor, f"fact:{key}", FactDefined(key))])
    return definition


def _known(facts: Mapping[str, object]) -> dict[str, object]:
    cleaned = clean_facts(facts)
    unknown = undefined(cleaned)
    if unknown:
        raise UnknownFact(
            _("没有定义这些信息项：%(keys)s。") % {"keys": "、".join(unknown[:10])},
            hint=_("请先定义它们的名称和来源。"),
        )
    return cleaned


def _log(actor: Actor, merchant: Merchant, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor, f"merchant:{merchant.pk}", payload, merchant.pk)])
