"""Cases that belong together: links, merges, splits, and what races and strangers cannot do to them."""

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, InternalError, connection, transaction

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases import actions
from guanjia.cases.belonging import LinkedAlready, NotMergeable, NotUndoable, OtherMerchant, merged_into
from guanjia.cases.models import (
    Case,
    CaseLink,
    CaseState,
    ClockStatus,
    LinkKind,
    Message,
    Quote,
    Tag,
    Tagging,
    Watch,
)
from guanjia.cases.rules import StillRunning
from guanjia.demo.cast import make_cast, make_merchant, put_in_charge
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories

MINUTE = timedelta(minutes=1)


@pytest.fixture
def pair(cast, noon):
    """Two cases of Mira's, the second an hour younger."""
    return stories.a_case(cast, noon), stories.a_case(cast, noon + 60 * MINUTE)


@pytest.fixture
def later(noon):
    return noon + 90 * MINUTE


def by(user, case, now):
    return {"actor": user, "number": case.number, "now": now}


def link(user, one, two, now, kind=LinkKind.RELATED):
    return actions.link_cases(other=two.number, kind=kind, **by(user, one, now))


def merge(user, one, two, now):
    return actions.merge_cases(into=two.number, **by(user, one, now))


def live(case):
    found = case.clocks.filter(stopped_at=None).order_by("kind")
    return [(clock.kind, clock.started_at, clock.due_at) for clock in found]


def fresh(case):
    case.refresh_from_db()
    return case


# --- numbers and links ----------------------------------------------------------------------------


def test_a_number_is_never_changed(cast, noon, unchanged):
    case = stories.a_case(cast, noon)
    with unchanged(), pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(number="GJ-2026-999999")


def test_a_link_is_on_both_cases_and_made_once(cast, pair, later, unchanged):
    one, two = pair
    link(cast.lin, one, two, later)
    told = Event.objects.filter(kind="cases.linked").order_by("pk")
    assert [(event.subject, event.payload["outward"]) for event in told] == [
        (f"case:{one.number}", True),
        (f"case:{two.number}", False),
    ]
    with unchanged(), pytest.raises(LinkedAlready):
        link(cast.lin, two, one, later, LinkKind.DUPLICATE)
    actions.unlink_cases(other=one.number, **by(cast.lin, two, later))
    assert not CaseLink.objects.exists()
    with unchanged(), pytest.raises(Missing):
        actions.unlink_cases(other=one.number, **by(cast.lin, two, later))


def test_the_number_of_the_other_may_be_typed_loosely(cast, pair, later):
    one, two = pair
    serial = two.number.rpartition("-")[2].lstrip("0")
    made = actions.link_cases(other=f"gj 2026 {serial}", kind=LinkKind.RELATED, **by(cast.lin, one, later))
    assert made.target == two


def test_a_link_never_leads_to_a_strangers_case(cast, pair, noon, later, unchanged):
    one, _two = pair
    other = actions.open_case(actor=cast.mo, merchant_ref=cast.mo_shop.ref, need="?", now=noon)
    with unchanged():
        for user, case, target in ((cast.lin, one, other), (cast.mo, other, one), (cast.yan, one, other)):
            with pytest.raises((Missing, Forbidden)):
                link(user, case, target, later)
            with pytest.raises((Missing, Forbidden)):
                merge(user, case, target, later)
        with pytest.raises(OtherMerchant):  # who sees both
            link(cast.wei, one, other, later)
        with pytest.raises(Forbidden):  # links are the house's
            link(cast.mira, one, _two, later)
        with pytest.raises(BadInput):
            link(cast.lin, one, one, later)
        with pytest.raises(BadInput):
            actions.link_cases(other="毛毯", kind=LinkKind.RELATED, **by(cast.lin, one, later))
        with pytest.raises(BadInput):
            link(cast.lin, one, _two, later, LinkKind.MERGED)


def test_the_database_refuses_a_link_between_two_merchants(cast, pair, noon, unchanged):
    other = actions.open_case(actor=cast.mo, merchant_ref=cast.mo_shop.ref, need="?", now=noon)
    for kind in LinkKind:
        with unchanged(), pytest.raises(IntegrityError, match="two merchants"), transaction.atomic():
            CaseLink.objects.create(kind=kind, source=pair[0], target=other, at=noon)


def test_parts_are_one_level_deep(cast, pair, noon, later, unchanged):
    part, whole = pair
    third = stories.a_case(cast, noon)
    link(cast.lin, part, whole, later, LinkKind.PART)
    for source, target in ((whole, third), (third, part), (part, third)):
        with unchanged(), pytest.raises(LinkedAlready):
            link(cast.lin, source, target, later, LinkKind.PART)
    with unchanged(), pytest.raises(IntegrityError), transaction.atomic():
        CaseLink.objects.create(kind=LinkKind.PART, source=whole, target=third, at=noon)
    link(cast.lin, third, whole, later, LinkKind.PART)


# --- merging --------------------------------------------------------------------------------------


def test_a_merge_keeps_words_first_contacts_and_the_earliest_promises(cast, pair, later):
    one, two = pair  # one's promises are an hour earlier
    promises = live(one)
    word = actions.say(body="快一点", **by(cast.mira, one, later))
    tag = Tag.objects.create(name="大促")
    Tagging.objects.create(case=one, tag=tag)
    Watch.objects.create(case=one, user=cast.wei, since=later)
    merged = merge(cast.lin, one, two, later)
    assert merged == two
    fresh(one)
    assert (one.state, one.closed_at, one.due_at, live(one)) == (CaseState.CLOSED, later, None, [])
    assert {clock.status for clock in one.clocks.all()} == {ClockStatus.CANCELLED}
    assert live(two) == promises
    assert fresh(two).due_at == min(due for _kind, _start, due in promises)
    assert Message.objects.get(pk=word.pk).case == one
    assert (one.first_contact, two.first_contact) == (cast.lin, cast.lin)
    assert two.taggings.get().tag == tag
    assert two.watches.get().user == cast.wei
    assert merged_into(one) == two


def test_a_word_to_a_merged_case_is_said_where_it_went(cast, pair, later):
    one, two = pair
    merge(cast.lin, one, two, later)
    word = actions.say(body="在吗", **by(cast.mira, one, later))
    assert word.case == two
    assert fresh(one).state == CaseState.CLOSED


def test_a_merge_is_undone_until_something_happens(cast, pair, later, unchanged):
    one, two = pair
    before = live(one), live(two)
    merge(cast.lin, one, two, later)
    back = actions.unmerge_cases(into=two.number, **by(cast.lin, one, later + MINUTE))
    assert (back.state, back.closed_at) == (CaseState.OPEN, None)
    assert (live(one), live(two)) == before
    assert back.due_at == min(due for _kind, _start, due in before[0])
    assert fresh(two).due_at == min(due for _kind, _start, due in before[1])
    merge(cast.lin, one, two, later)
    actions.say(body="好", **by(cast.mira, two, later))
    with unchanged(), pytest.raises(NotUndoable):
        actions.unmerge_cases(into=two.number, **by(cast.lin, one, later))


def test_merges_make_no_chains(cast, pair, noon, later, unchanged):
    one, two = pair
    third = stories.a_case(cast, noon)
    merge(cast.lin, one, two, later)
    for source, target in ((two, third), (third, one), (one, third), (two, one)):
        with unchanged(), pytest.raises(NotMergeable):
            merge(cast.lin, source, target, later)
    merge(cast.lin, third, two, later)
    for source, target in ((two, third), (one, third)):
        with unchanged(), pytest.raises(IntegrityError), transaction.atomic():
            CaseLink.objects.create(kind=LinkKind.MERGED, source=source, target=target, at=noon)


def test_what_still_runs_is_not_merged_away(cast, noon, later, unchanged):
    package = stories.pending(cast, noon)
    other = stories.a_case(cast, noon)
    with unchanged(), pytest.raises(StillRunning, match=package.number):
        merge(cast.lin, package.case, other, later)
    merge(cast.lin, other, package.case, later)


def test_a_case_is_not_merged_into_one_that_is_over(cast, pair, later, unchanged):
    one, two = pair
    actions.solve_case(**by(cast.lin, two, later))
    with unchanged(), pytest.raises(NotMergeable):
        merge(cast.lin, one, two, later)
    with unchanged(), pytest.raises(Forbidden):
        merge(cast.mira, two, one, later)
    merge(cast.lin, two, one, later)


@pytest.mark.django_db(transaction=True)
def test_of_merges_at_once_only_those_without_a_chain_remain(noon):
    cast = make_cast(noon)
    cases = [stories.a_case(cast, noon) for _ in range(3)]
    ring = list(zip(cases, [*cases[1:], cases[0]], strict=True))
    together, outcomes = threading.Barrier(3), []

    def one(source, target):
        try:
            together.wait(timeout=30)
            merge(cast.lin, source, target, noon + MINUTE)
            outcomes.append("merged")
        except NotMergeable:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=pair) for pair in ring]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(outcomes) == ["merged", "refused", "refused"]
    [only] = CaseLink.objects.all()
    assert fresh(only.source).state == CaseState.CLOSED
    assert Case.objects.filter(state=CaseState.CLOSED).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_merge_straight_into_the_table_waits_for_the_one_before_it(noon):
    """The control: no rule of ours is asked, only the database."""
    cast = make_cast(noon)
    one, two, three = (stories.a_case(cast, noon) for _ in range(3))
    faults, begun = [], threading.Event()

    def second():
        begun.wait(timeout=30)
        try:
            CaseLink.objects.create(kind=LinkKind.MERGED, source=two, target=three, at=noon)
        except (IntegrityError, InternalError) as fault:
            faults.append(fault)
        finally:
            connection.close()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        CaseLink.objects.create(kind=LinkKind.MERGED, source=one, target=two, at=noon)
        begun.set()
        thread.join(timeout=0.3)
        assert thread.is_alive(), "it waits for the lock"
    thread.join(timeout=30)
    assert len(faults) == 1
    assert CaseLink.objects.count() == 1


# --- splitting ------------------------------------------------------------------------------------


def test_a_split_quotes_what_it_takes_and_runs_on_clocks_of_its_own(cast, pair, later):
    case, _other = pair
    said = [actions.say(body=body, **by(cast.mira, case, later)) for body in ("发票", "展位", "仓库")]
    note = actions.say(body="先问财务", internal=True, **by(cast.lin, case, later))
    new = actions.split_case(messages=[said[0].pk, note.pk], need="补开发票", **by(cast.lin, case, later))
    new = Case.objects.get(pk=new.pk)
    assert new.number != case.number
    assert (new.need, new.merchant, new.first_contact) == ("补开发票", case.merchant, case.first_contact)
    assert {started for _kind, started, _due in live(new)} == {later}
    assert set(Quote.objects.filter(case=new).values_list("message", flat=True)) == {said[0].pk, note.pk}
    assert {message.case for message in [*said, note]} == {case}
    joined = CaseLink.objects.get()
    assert (joined.kind, joined.source, joined.target) == (LinkKind.SPLIT, new, case)


def test_a_split_takes_only_words_of_its_own_case(cast, pair, later, unchanged):
    case, other = pair
    strange = actions.say(body="别的", **by(cast.mira, other, later))
    mine = actions.say(body="这里的", **by(cast.mira, case, later))
    wrong: tuple[list[int], ...] = ([], [strange.pk], [mine.pk, strange.pk], [0])
    with unchanged():
        for messages in wrong:
            with pytest.raises(BadInput):
                actions.split_case(messages=messages, need="x", **by(cast.lin, case, later))
        with pytest.raises(BadInput):
            actions.split_case(messages=[mine.pk], need=" ", **by(cast.lin, case, later))
        for user in (cast.mira, cast.wei):
            with pytest.raises(Forbidden):
                actions.split_case(messages=[mine.pk], need="x", **by(user, case, later))
        with pytest.raises(Missing):
            actions.split_case(messages=[mine.pk], need="x", **by(cast.mo, case, later))


def test_words_of_a_merged_case_can_be_split_off_again(cast, pair, later):
    one, two = pair
    word = actions.say(body="发票", **by(cast.mira, one, later))
    merge(cast.lin, one, two, later)
    new = actions.split_case(messages=[word.pk], need="发票", **by(cast.lin, two, later))
    assert new.quotes.get().message == word


def test_a_manager_of_two_merchants_links_within_each_only(cast, noon, later, unchanged):
    shop = make_merchant("M-3", "三号店", owner=cast.mo, pool=cast.pool, now=noon)
    put_in_charge(cast.lin, shop, noon)
    one = stories.a_case(cast, noon)
    other = actions.open_case(actor=cast.lin, merchant_ref="M-3", need="?", now=noon)
    with unchanged(), pytest.raises(OtherMerchant):
        link(cast.lin, one, other, later)
    with unchanged(), pytest.raises(OtherMerchant):
        merge(cast.lin, one, other, later)
