"""The merchant's own people: their roles, and the owner that must remain."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import Missing
from guanjia.demo.cast import make_cast
from guanjia.ledger.models import Event
from guanjia.merchants.actions import LastOwner, add_member, change_role, remove_member
from guanjia.merchants.models import Member, MemberRole
from guanjia.merchants.queries import members_of


@pytest.fixture
def staff(cast, noon):
    shop = cast.mira_shop
    return add_member(actor=SYSTEM, merchant=shop, user=cast.mo, role=MemberRole.STAFF, now=noon)


def owner_of(merchant):
    return Member.objects.get(merchant=merchant, role=MemberRole.OWNER)


def last_event():
    return Event.objects.order_by("-id").values("kind", "actor", "merchant_id", "payload")[0]


def test_a_role_is_changed_and_the_log_says_from_what(cast, noon, staff):
    shop = cast.mira_shop
    changed = change_role(actor=SYSTEM, merchant=shop, member_id=staff.pk, role=MemberRole.FINANCE, now=noon)
    assert (changed.pk, Member.objects.get(pk=staff.pk).role) == (staff.pk, "finance")
    assert last_event() == {
        "kind": "merchants.member_role_changed",
        "actor": "system:guanjia",
        "merchant_id": shop.pk,
        "payload": {"merchant": shop.pk, "user": cast.mo.pk, "before": "staff", "role": "finance"},
    }


def test_the_same_role_again_changes_nothing(cast, noon, staff, unchanged):
    with unchanged():
        change_role(
            actor=SYSTEM, merchant=cast.mira_shop, member_id=staff.pk, role=MemberRole.STAFF, now=noon
        )


def test_a_member_is_removed(cast, noon, staff):
    remove_member(actor=SYSTEM, merchant=cast.mira_shop, member_id=staff.pk, now=noon)
    assert [member.user for member in members_of(cast.mira_shop)] == [cast.mira]
    assert last_event()["payload"] == {"merchant": cast.mira_shop.pk, "user": cast.mo.pk, "role": "staff"}


def test_the_last_owner_stays_owner(cast, noon, staff, unchanged):
    shop, owner = cast.mira_shop, owner_of(cast.mira_shop)
    with unchanged():
        with pytest.raises(LastOwner, match="米拉"):
            remove_member(actor=SYSTEM, merchant=shop, member_id=owner.pk, now=noon)
        with pytest.raises(LastOwner, match="米拉"):
            change_role(actor=SYSTEM, merchant=shop, member_id=owner.pk, role=MemberRole.VIEWER, now=noon)


def test_an_owner_may_go_when_another_is_there(cast, noon, staff):
    shop, owner = cast.mira_shop, owner_of(cast.mira_shop)
    change_role(actor=SYSTEM, merchant=shop, member_id=staff.pk, role=MemberRole.OWNER, now=noon)
    remove_member(actor=SYSTEM, merchant=shop, member_id=owner.pk, now=noon)
    assert owner_of(shop).user == cast.mo


def test_another_merchants_member_is_not_ours_to_touch(cast, noon, unchanged):
    with unchanged(), pytest.raises(Missing):
        remove_member(actor=SYSTEM, merchant=cast.mira_shop, member_id=owner_of(cast.mo_shop).pk, now=noon)


def test_owners_come_first(cast, noon, staff):
    assert [member.user for member in members_of(cast.mira_shop)] == [cast.mira, cast.mo]
    change_role(actor=SYSTEM, merchant=cast.mira_shop, member_id=staff.pk, role=MemberRole.OWNER, now=noon)
    assert [member.role for member in members_of(cast.mira_shop)] == ["owner", "owner"]


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_at_once_leave_one(noon):
    market = make_cast(noon)
    shop = market.mira_shop
    add_member(actor=SYSTEM, merchant=shop, user=market.mo, role=MemberRole.OWNER, now=noon)
    owners = [member.pk for member in members_of(shop)]
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lambda member: _goes(shop, member, noon), owners))
    assert sorted(outcomes) == ["gone", "last_owner"]
    assert Member.objects.filter(merchant=shop, role=MemberRole.OWNER).count() == 1


def _goes(shop, member, now):
    try:
        remove_member(actor=SYSTEM, merchant=shop, member_id=member, now=now)
    except LastOwner as refusal:
        return refusal.code
    finally:
        connection.close()
    return "gone"
