"""What is known about merchants."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.merchants.models import FactDefinition, Member, MemberRole, Merchant

MEMBERS_MOST = 200


def members_of(merchant: Merchant) -> list[Member]:
    """The merchant's own people with their accounts, owners first, MEMBERS_MOST of them."""
    found = Member.objects.select_related("user").filter(merchant=merchant)
    return sorted(found.order_by("pk")[:MEMBERS_MOST], key=lambda member: member.role != MemberRole.OWNER)


def member_of(merchant: Merchant, member_id: int) -> Member:
    """One of the merchant's own people. Raises Missing."""
    member = Member.objects.select_related("user").filter(merchant=merchant, pk=member_id).first()
    if member is None:
        raise Missing(_("这个人已经不是成员了。"), hint=_("请刷新查看最新的成员。"))
    return member


def fact_keys() -> list[str]:
    """The keys of all defined facts, in the order that exports have them in."""
    return list(FactDefinition.objects.order_by("key").values_list("key", flat=True))


def undefined(keys: Iterable[str]) -> list[str]:
    """Those of the keys that no fact definition explains, sorted."""
    wanted = set(keys)
    known = FactDefinition.objects.filter(key__in=wanted).values_list("key", flat=True)
    return sorted(wanted - set(known))
