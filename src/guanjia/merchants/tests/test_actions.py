import pytest

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.ledger.models import Event
from guanjia.merchants.actions import (
    MemberAlready,
    RefTaken,
    UnknownFact,
    add_member,
    define_fact,
    register_merchant,
    set_facts,
)
from guanjia.merchants.models import FactDefinition, Member, MemberRole, Merchant
from guanjia.merchants.rules import guard, readable_name, unguard

CITY = {"zh-Hans": "城市", "en": "City"}


@pytest.fixture
def city(cast, noon):
    return define_fact(actor=SYSTEM, key="city", titles=CITY, source="registry", now=noon)


def registered(cast, noon, **more):
    values = {"ref": "M-1", "name": "青瓷", "home_pool": cast.pool, "facts": {}}
    return register_merchant(**{"actor": SYSTEM, "now": noon, **values, **more})


def last_event():
    return Event.objects.order_by("-id").values("kind", "actor", "merchant_id", "subject", "payload")[0]


def test_a_merchant_is_registered_with_what_is_known_of_it(cast, noon, city):
    merchant = registered(cast, noon, ref=" M-1 ", facts={"city": " 杭州 "})
    kept = Merchant.objects.get(ref="M-1")
    assert (kept.name, kept.home_pool, kept.facts, kept.created_at) == (
        "青瓷",
        cast.pool,
        {"city": "杭州"},
        noon,
    )
    assert last_event() == {
        "kind": "merchants.registered",
        "actor": "system:guanjia",
        "merchant_id": merchant.pk,
        "subject": f"merchant:{merchant.pk}",
        "payload": {"merchant": merchant.pk, "home_pool": cast.pool.pk, "facts": ["city"]},
    }


def test_a_reference_is_given_once(cast, noon, unchanged):
    with unchanged(), pytest.raises(RefTaken, match="M-1042"):
        registered(cast, noon, ref="M-1042")


@pytest.mark.parametrize(
    "wrong",
    [
        {"ref": ""},
        {"ref": "x" * 65},
        {"ref": "M\n1"},
        {"ref": "M\x001"},
        {"name": " "},
        {"name": "长" * 201},
        {"facts": {"city": "x" * 1001}},
        {"facts": {"city": ["x" * 1001]}},
        {"facts": {"city": {"a": "\x00"}}},
        {"facts": {"not a key": "x"}},
        {"facts": {"undefined": "x"}},
    ],
    ids=str,
)
def test_what_cannot_be_kept_is_refused(cast, noon, city, unchanged, wrong):
    with unchanged(), pytest.raises(BadInput) as refusal:
        registered(cast, noon, **wrong)
    assert refusal.value.message
    assert refusal.value.hint


def test_a_fact_that_nobody_defined_is_named(cast, noon, city, unchanged):
    with unchanged(), pytest.raises(UnknownFact, match="colour"):
        set_facts(actor=SYSTEM, merchant=cast.mira_shop, facts={"city": "杭州", "colour": "red"}, now=noon)


def test_new_facts_join_the_old_and_none_forgets_one(cast, noon, city):
    define_fact(actor=SYSTEM, key="staff", titles=CITY, source="registry", now=noon)
    merchant = registered(cast, noon, facts={"city": "杭州", "staff": 5})
    assert set_facts(actor=SYSTEM, merchant=merchant, facts={"staff": 6}, now=noon).facts == {
        "city": "杭州",
        "staff": 6,
    }
    assert set_facts(actor=SYSTEM, merchant=merchant, facts={"city": None}, now=noon).facts == {"staff": 6}
    assert last_event()["payload"] == {"merchant": merchant.pk, "facts": ["city"]}


def test_facts_we_know_already_change_nothing(cast, noon, city, unchanged):
    merchant = registered(cast, noon, facts={"city": "杭州"})
    with unchanged():
        set_facts(actor=SYSTEM, merchant=merchant, facts={"city": "杭州"}, now=noon)


def test_a_member_is_added_once(cast, noon, unchanged):
    added = add_member(actor=SYSTEM, merchant=cast.mira_shop, user=cast.mo, role=MemberRole.STAFF, now=noon)
    assert last_event()["payload"] == {"merchant": cast.mira_shop.pk, "user": cast.mo.pk, "role": "staff"}
    with unchanged():
        again = add_member(
            actor=SYSTEM, merchant=cast.mira_shop, user=cast.mo, role=MemberRole.STAFF, now=noon
        )
    assert again == added


def test_a_member_in_another_role_is_refused(cast, noon, unchanged):
    with unchanged(), pytest.raises(MemberAlready, match="店主"):
        add_member(actor=SYSTEM, merchant=cast.mira_shop, user=cast.mira, role=MemberRole.STAFF, now=noon)
    assert Member.objects.get(merchant=cast.mira_shop).role == MemberRole.OWNER


def test_a_fact_is_defined_in_both_languages_and_defined_better_later(cast, noon, city, unchanged):
    with unchanged():
        define_fact(actor=SYSTEM, key="city", titles=CITY, source="registry", now=noon)
    define_fact(actor=SYSTEM, key="city", titles={**CITY, "en": "Town"}, source="registry", now=noon)
    assert FactDefinition.objects.get(key="city").titles == {"zh-Hans": "城市", "en": "Town"}
    with unchanged(), pytest.raises(BadInput, match="en"):
        define_fact(actor=SYSTEM, key="city", titles={"zh-Hans": "城市"}, source="registry", now=noon)


@pytest.mark.parametrize(
    ("ref", "name"), [("M-1042", "商家 M-1042"), ("3442f8959a84dea7ee197c632cb2df15", "商家 3442f895")]
)
def test_a_merchant_without_a_name_is_called_by_its_reference(ref, name):
    assert readable_name(ref) == name


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "'=1", "''=1", "＝1", "plain", "d'Oeste", "'", ""]
)
def test_a_guarded_cell_comes_back_as_it_was(cell):
    assert unguard(guard(cell)) == cell
    assert guard(cell)[:1] not in ("=", "+", "-", "@", "＝")
