"""Authority as data: what a mandate allows, counts, refuses and gets back."""

from datetime import UTC, date, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput
from guanjia.demo.cast import DISPLAY_SLOTS, make_lin, make_line, make_mo, make_otto, make_pool, make_wei
from guanjia.ledger.models import Event
from guanjia.lines.actions.joining import read_manifest
from guanjia.lines.actions.mandates import (
    grant_mandate,
    period_start,
    return_uses,
    revoke_mandate,
    use_mandate,
)
from guanjia.lines.models import Line, Mandate, MandatePeriod, MandateSpend, MandateUse, Service
from guanjia.lines.models.line import Silence
from guanjia.lines.protocol.messages import Manifest, Money, ServiceSpec
from guanjia.lines.queries import mandates_for
from guanjia.lines.rules import NotYourLine
from guanjia.lines.tests.at_once import WAIT_SECONDS, at_once
from guanjia.lines.tests.doors import NOON
from guanjia.people.models import Team

pytestmark = pytest.mark.django_db

TITLES = {"zh-Hans": "展位", "en": "Slots"}
PLAIN = {"type": "object"}


@pytest.fixture
def otto():
    return make_otto()


@pytest.fixture
def lin():
    return make_lin(NOON)


@pytest.fixture
def line(otto):
    return make_line(DISPLAY_SLOTS, lead=otto, now=NOON)


def banner():
    return Service.objects.select_related("line").get(code="home-banner")


def grant(holder, **changes):
    terms = {
        "actor": make_otto(),
        "line": Line.objects.get(slug="display-slots"),
        "service": None,
        "holder": holder,
        "amount_per_use": 1000,
        "amount_per_period": 2500,
        "uses_per_period": 5,
        "period": MandatePeriod.DAY,
        "silence": Silence.CONSENT,
        "now": NOON,
    }
    return grant_mandate(**terms | changes)


def use(mandate, amount, item=None, now=NOON):
    with transaction.atomic():
        return use_mandate(
            actor=make_lin(NOON), mandate=mandate, item=item or uuid4(), amount=amount, merchant_id=7, now=now
        )


def give_back(*items, now=NOON):
    with transaction.atomic():
        return_uses(actor=SYSTEM, items=items, now=now)


def spent():
    return list(MandateSpend.objects.order_by("period_start").values_list("period_start", "amount", "uses"))


def everything():
    return [
        list(model.objects.order_by("pk").values()) for model in (Mandate, MandateSpend, MandateUse, Event)
    ]


# --- granting and revoking ----------------------------------------------------------------------


def test_a_grant_says_who_may_do_what_until_when(line, otto, lin):
    until = NOON + timedelta(days=30)
    mandate = grant(lin, service=banner(), until=until)
    assert (mandate.person, mandate.team, mandate.pool) == (lin, None, None)
    assert (mandate.granted_by, mandate.currency) == (otto, "CNY")
    event = Event.objects.latest("pk")
    assert (event.kind, event.actor, event.subject) == (
        "lines.mandate_granted",
        f"user:{otto.pk}",
        f"mandate:{mandate.pk}",
    )
    assert event.payload == {
        "mandate": mandate.pk,
        "line": "display-slots",
        "service": "home-banner",
        "holder": f"user:{lin.pk}",
        "amount_per_use": 1000,
        "amount_per_period": 2500,
        "uses_per_period": 5,
        "period": "day",
        "silence": "consent",
        "until": until.isoformat(),
    }


def test_only_the_lines_own_people_grant_and_revoke(line, lin):
    mandate = grant(lin)
    before = everything()
    with pytest.raises(NotYourLine):
        grant(lin, actor=lin)
    with pytest.raises(NotYourLine):
        revoke_mandate(actor=lin, mandate=mandate, now=NOON)
    assert everything() == before


@pytest.mark.parametrize(
    "terms",
    [
        {"amount_per_use": -1},
        {"amount_per_use": 2501},
        {"amount_per_period": 2**53},
        {"uses_per_period": 0},
        {"uses_per_period": 2**31},
        {"until": NOON},
        {"until": NOON - timedelta(days=1)},
    ],
)
def test_terms_that_make_no_sense_are_refused(line, lin, terms):
    before = everything()
    with pytest.raises(BadInput):
        grant(lin, **terms)
    assert everything() == before


def test_a_service_of_another_line_cannot_be_granted(line, otto, lin):
    spec = ServiceSpec("other", TITLES, PLAIN, 900)
    other = make_line(Manifest("other-line", TITLES, (spec,)), lead=otto, now=NOON)
    with pytest.raises(BadInput):
        grant(lin, service=other.services.get())
    assert not Mandate.objects.exists()


def test_revoking_twice_is_one_event_and_ends_its_use(line, otto, lin):
    mandate = grant(lin)
    assert use(mandate, 100)
    for _ in range(2):
        revoke_mandate(actor=otto, mandate=mandate, now=NOON + timedelta(hours=1))
    assert Event.objects.filter(kind="lines.mandate_revoked").count() == 1
    assert Mandate.objects.get().revoked_at == NOON + timedelta(hours=1)
    assert not use(mandate, 100)  # whoever still has it in hand
    assert spent() == [(date(2026, 11, 10), 100, 1)]


# --- using --------------------------------------------------------------------------------------


def test_a_use_within_the_limits_is_counted_noted_and_logged(line, lin):
    mandate, item = grant(lin), uuid4()
    assert use(mandate, 1000, item)
    assert spent() == [(date(2026, 11, 10), 1000, 1)]
    note = MandateUse.objects.get()
    assert (note.item, note.amount, note.used_by, note.used_at) == (item, 1000, lin, NOON)
    event = Event.objects.latest("pk")
    assert (event.kind, event.merchant_id) == ("lines.mandate_used", 7)
    assert event.payload == {"mandate": mandate.pk, "item": str(item), "amount": 1000}


@pytest.mark.parametrize(
    ("terms", "amounts", "reach"),
    [
        ({}, [1001], [False]),
        ({}, [1000, 1000, 501, 500, 1], [True, True, False, True, False]),
        ({"uses_per_period": 2}, [0, 0, 0], [True, True, False]),
        ({"amount_per_use": 0, "amount_per_period": 0}, [0, 1], [True, False]),
    ],
)
def test_each_limit_is_reached_and_never_passed(line, lin, terms, amounts, reach):
    mandate = grant(lin, **terms)
    assert [use(mandate, amount) for amount in amounts] == reach
    used = [amount for amount, reached in zip(amounts, reach, strict=True) if reached]
    assert spent() == ([(date(2026, 11, 10), sum(used), len(used))] if used else [])
    assert MandateUse.objects.count() == len(used)


def test_a_new_period_begins_at_midnight_in_shanghai(line, lin):
    mandate = grant(lin, amount_per_period=1000)
    assert use(mandate, 1000)
    last = datetime(2026, 11, 10, 15, 59, 59, tzinfo=UTC)
    assert not use(mandate, 1000, now=last)
    assert use(mandate, 1000, now=last + timedelta(seconds=1))
    assert spent() == [(date(2026, 11, 10), 1000, 1), (date(2026, 11, 11), 1000, 1)]


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (MandatePeriod.DAY, date(2027, 1, 1)),
        (MandatePeriod.WEEK, date(2026, 12, 28)),
        (MandatePeriod.MONTH, date(2027, 1, 1)),
    ],
)
def test_periods_start_where_people_expect(period, start):
    assert period_start(period, datetime(2026, 12, 31, 16, tzinfo=UTC)) == start


def test_nothing_reaches_outside_its_validity(line, lin):
    mandate = grant(lin, until=NOON + timedelta(hours=1))
    assert not use(mandate, 1, now=NOON - timedelta(seconds=1))
    assert not use(mandate, 1, now=NOON + timedelta(hours=1))
    assert spent() == []


# --- giving back --------------------------------------------------------------------------------


def test_a_returned_use_frees_its_amount_exactly_once(line, lin):
    mandate, item, kept = grant(lin), uuid4(), uuid4()
    use(mandate, 900, item)
    use(mandate, 100, kept)
    for _ in range(2):
        give_back(item, uuid4())
    assert spent() == [(date(2026, 11, 10), 100, 1)]
    returned = Event.objects.filter(kind="lines.mandate_use_returned")
    assert [event.payload for event in returned] == [
        {"mandate": mandate.pk, "item": str(item), "amount": 900}
    ]
    assert MandateUse.objects.get(item=item).returned_at == NOON
    assert MandateUse.objects.get(item=kept).returned_at is None


def test_what_is_returned_later_counts_for_the_period_it_was_used_in(line, lin):
    mandate, item = grant(lin), uuid4()
    use(mandate, 900, item)
    tomorrow = NOON + timedelta(days=1)
    use(mandate, 500, now=tomorrow)
    give_back(item, now=tomorrow)
    assert spent() == [(date(2026, 11, 10), 0, 0), (date(2026, 11, 11), 500, 1)]


def test_many_items_of_many_mandates_are_returned_together(line, lin):
    one, two = grant(lin), grant(lin)
    items = [uuid4() for _ in range(4)]
    for mandate, item in zip([one, one, two, two], items, strict=True):
        use(mandate, 300, item)
    give_back(*items[:3])
    amounts = dict(MandateSpend.objects.values_list("mandate_id", "amount"))
    assert amounts == {one.pk: 0, two.pk: 300}


def test_returning_nothing_is_nothing(line):
    before = everything()
    give_back()
    assert everything() == before


# --- who may ------------------------------------------------------------------------------------


def found(service, *, person=0, teams=(), pools=(), at=NOON):
    return mandates_for(service, person=person, teams=teams, pools=pools, at=at)


def test_a_person_a_team_and_a_pool_find_their_own(line, lin):
    wei = make_wei(NOON)
    team = Team.objects.create(code="villa", name="专班", lead=wei)
    pool = make_pool(wei)
    mine, teams, pools = grant(lin), grant(team), grant(pool)
    assert found(banner(), person=lin.pk) == [mine]
    assert found(banner(), teams=[team.pk]) == [teams]
    assert found(banner(), pools=[pool.pk]) == [pools]
    assert found(banner(), person=lin.pk, teams=[team.pk], pools=[pool.pk]) == [mine, teams, pools]
    assert found(banner(), person=make_mo().pk) == []


def test_the_narrowest_comes_first(line, lin):
    wide = grant(lin, amount_per_use=10)
    large = grant(lin, service=banner(), amount_per_use=900)
    small = grant(lin, service=banner(), amount_per_use=100)
    assert found(banner(), person=lin.pk) == [small, large, wide]


def test_revoked_ended_and_foreign_mandates_are_not_found(line, otto, lin):
    revoke_mandate(actor=otto, mandate=grant(lin), now=NOON)
    grant(lin, until=NOON + timedelta(hours=1))
    assert found(banner(), person=lin.pk, at=NOON + timedelta(hours=1)) == []
    assert found(banner(), person=lin.pk, at=NOON - timedelta(seconds=1)) == []
    other = make_line(Manifest("other-line", TITLES, ()), lead=otto, now=NOON)
    grant(lin, line=other)
    assert len(found(banner(), person=lin.pk)) == 1


def test_a_limit_in_one_currency_says_nothing_about_another(line, lin):
    yuan = grant(lin)
    dollars = ServiceSpec("dollar-banner", TITLES, PLAIN, 900, Money(100, "USD"))
    manifest = Manifest("display-slots", TITLES, (*DISPLAY_SLOTS.services, dollars))
    read_manifest(actor=SYSTEM, line=line, manifest=manifest, now=NOON)
    service = Service.objects.get(code="dollar-banner")
    assert found(service, person=lin.pk) == []
    own = grant(lin, service=service)
    assert own.currency == "USD"
    assert found(service, person=lin.pk) == [own]
    assert found(banner(), person=lin.pk) == [yuan]


# --- at the same time ---------------------------------------------------------------------------

THREADS = 8


@pytest.mark.django_db(transaction=True)
def test_control_read_then_write_passes_the_limit(line, lin):
    """What the conditional upsert is for: here all read before any writes, and all fit."""
    mandate = grant(lin)
    start = period_start(MandatePeriod.DAY, NOON)
    MandateSpend.objects.create(mandate=mandate, period_start=start, amount=0, uses=0)
    all_read = Barrier(THREADS)

    def read_then_write():
        with transaction.atomic():
            spend = MandateSpend.objects.get()
            all_read.wait(WAIT_SECONDS)
            if spend.amount + 1000 <= mandate.amount_per_period:
                MandateUse.objects.create(
                    mandate=mandate, item=uuid4(), amount=1000, period_start=start, used_by=lin, used_at=NOON
                )
                MandateSpend.objects.filter(pk=spend.pk).update(amount=spend.amount + 1000)

    at_once(*[read_then_write] * THREADS)
    assert sum(MandateUse.objects.values_list("amount", flat=True)) == 1000 * THREADS
    assert sum(MandateUse.objects.values_list("amount", flat=True)) > mandate.amount_per_period


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("terms", "amount", "reach"),
    [({}, 1000, 2), ({"amount_per_period": 10**6, "uses_per_period": 3}, 1, 3)],
)
def test_uses_at_once_never_pass_a_limit(line, lin, terms, amount, reach):
    mandate = grant(lin, **terms)
    outcomes = at_once(*[lambda: use(mandate, amount)] * THREADS * 2)
    assert sorted(outcomes) == [False] * (2 * THREADS - reach) + [True] * reach
    assert spent() == [(date(2026, 11, 10), amount * reach, reach)]
    assert MandateUse.objects.count() == reach


@pytest.mark.django_db(transaction=True)
def test_a_use_that_waited_for_one_that_failed_gets_its_turn(line, lin):
    mandate = grant(lin, uses_per_period=1)

    def fail():
        with transaction.atomic():
            use_mandate(actor=lin, mandate=mandate, item=uuid4(), amount=1, merchant_id=7, now=NOON)
            raise ConnectionAbortedError

    outcomes = at_once(*[fail] * 4, *[lambda: use(mandate, 1)] * 4)
    assert outcomes[4:].count(True) == 1
    assert spent() == [(date(2026, 11, 10), 1, 1)]


@pytest.mark.django_db(transaction=True)
def test_returns_at_once_free_the_amount_once_and_it_can_be_used_again(line, lin):
    mandate, item = grant(lin, uses_per_period=1), uuid4()
    use(mandate, 1000, item)
    outcomes = at_once(*[lambda: give_back(item)] * THREADS, *[lambda: use(mandate, 700)] * 2)
    assert outcomes[:THREADS] == [None] * THREADS
    used = outcomes[THREADS:].count(True)
    assert used <= 1
    assert spent() == [(date(2026, 11, 10), 700 * used, used)]
    assert Event.objects.filter(kind="lines.mandate_use_returned").count() == 1
    assert use(mandate, 700) is (used == 0)


@pytest.mark.django_db(transaction=True)
def test_no_use_comes_after_a_revocation(line, otto, lin):
    """The use has the mandate in hand as it was; the revocation is under way when it is asked."""
    mandate = grant(lin)
    revoked = Barrier(2)

    def revoke():
        with transaction.atomic():
            revoke_mandate(actor=otto, mandate=mandate, now=NOON)
            revoked.wait(WAIT_SECONDS)

    def late_use():
        revoked.wait(WAIT_SECONDS)
        return use(mandate, 1)

    assert at_once(revoke, late_use) == [None, False]
    assert spent() == []
