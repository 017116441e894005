"""The merchant's answer to a priced proposal: yes, no, or item by item."""

from datetime import timedelta

import pytest

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases.models import Clock, ClockKind
from guanjia.cases.notices import words_of
from guanjia.core.package import Confirmed, Held, Mode
from guanjia.ledger.models import Event
from guanjia.packages.actions import answer_proposal, compose_package, submit_package
from guanjia.packages.composing import ItemDraft
from guanjia.packages.history import history
from guanjia.packages.queries import look
from guanjia.packages.rules import NotDeclinable, NothingToAccept, PriceChanged, QuoteExpired
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import BANNER, BOXES, LATER, PRICE, a_case, ask, holds, lines_say

DAY = timedelta(days=1)
SECOND = ItemDraft("display-slots", "home-banner", {"day": "2026-11-12"})


def proposed(cast, noon, *, items=(BANNER, SECOND, BOXES), mode=Mode.ALL_OR_NOTHING):
    """What Lin, her account manager, proposes to Mira."""
    number = a_case(cast, noon).number
    package = compose_package(actor=cast.lin, case_number=number, mode=mode, items=items, now=noon)
    return submit_package(actor=cast.lin, number=package.number, now=noon)


def states(package):
    return [(item.state, item.reason_code) for item in package.items.order_by("position")]


def answer(cast, package, declined, total, noon, **more):
    about = {"actor": cast.mira, "number": package.number, "now": noon} | more
    return answer_proposal(declined=declined, total=total, **about)


def test_a_managers_proposal_waits_for_the_merchant_with_a_total_and_a_deadline(cast, noon):
    package = proposed(cast, noon)
    seen = look(package)
    assert (seen.state, seen.to_accept, seen.accept_due_at) == ("submitted", 2 * PRICE, noon + DAY)
    assert [item.declinable for item in seen.items] == [True, True, True]
    assert [item.quote for item in seen.items] == [PRICE, PRICE, None]
    assert seen.if_refused == "如果其中一条业务线不同意，其余的也全部撤回，什么都不占用、不收费。"
    clock = Clock.objects.get(case=package.case, kind=ClockKind.MERCHANT_ANSWER)
    assert (clock.due_at, clock.stopped_at) == (noon + DAY, None)


def test_of_unpriced_services_nothing_is_asked(cast, noon):
    package = proposed(cast, noon, items=(BOXES,))
    seen = look(package)
    assert (seen.state, seen.to_accept, seen.accept_due_at) == ("holding", None, None)
    assert [item.declinable for item in seen.items] == [False]
    assert not Clock.objects.filter(kind=ClockKind.MERCHANT_ANSWER).exists()


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_says_what_a_refusal_brings(cast, noon, mode):
    said = {m: look(proposed(cast, noon, mode=m)).if_refused for m in Mode}
    assert said[mode]
    assert len(set(said.values())) == len(Mode)


def test_what_is_declined_is_taken_out_and_the_rest_is_asked_for(cast, noon):
    package = answer(cast, proposed(cast, noon), [2], PRICE, noon)
    assert package.state == "holding"
    assert states(package) == [("holding", ""), ("released", "declined_by_merchant"), ("holding", "")]
    accepted = list(package.items.order_by("position").values_list("accepted_amount", flat=True))
    assert accepted == [PRICE, None, None]
    assert look(package).total == PRICE
    event = Event.objects.get(kind="packages.answered")
    assert event.payload == {"package": package.number, "declined": [2], "total": PRICE}
    assert history(package)[1].text == "不要“首页展示位”，其余确认总价 ¥1,200.00。"


def test_it_ends_as_done_without_it(cast, noon):
    package = answer(cast, proposed(cast, noon), [2], PRICE, noon)
    first, _declined, boxes = holds(package)
    lines_say(package, Held(first, noon + LATER, PRICE), Held(boxes, noon + LATER, 0), now=noon)
    lines_say(package, Confirmed(first), Confirmed(boxes), now=noon)
    seen = look(package)
    assert (seen.state, seen.accepted_total) == ("done", PRICE)
    assert seen.next == "全部 2 项都已生效。"
    assert words_of(package.case.messages.last()) == f"一揽子 {package.number} 已全部生效。"


def test_declining_every_item_gives_the_package_up(cast, noon):
    package = answer(cast, proposed(cast, noon), [1, 2, 3], 0, noon)
    assert package.state == "released"
    assert {state for state, _ in states(package)} == {"released"}
    assert "商家不要这一项" in look(package).next
    assert history(package)[1].text == "全部不要：“首页展示位”、“首页展示位”、“分仓备货”。"
    assert not Clock.objects.filter(kind=ClockKind.MERCHANT_ANSWER, stopped_at=None).exists()


def test_declining_nothing_is_a_plain_yes(cast, noon):
    package = answer(cast, proposed(cast, noon), [], 2 * PRICE, noon)
    assert package.state == "holding"
    assert history(package)[1].text == "确认总价 ¥2,400.00。"


def test_of_a_risen_quote_the_rest_takes_effect(cast, noon):
    package = answer(cast, stories.dearer(cast, noon), [1], 0, noon)
    assert package.state == "confirming"
    assert states(package) == [("releasing", "declined_by_merchant"), ("confirming", "")]


@pytest.mark.parametrize("total", [2 * PRICE, PRICE + 1, 0, -1])
def test_the_total_is_that_of_the_accepted_items(cast, noon, unchanged, total):
    package = proposed(cast, noon)
    with unchanged(), pytest.raises(PriceChanged) as refusal:
        answer(cast, package, [2], total, noon)
    assert refusal.value.message == "价格已变为 ¥1,200.00，与您看到的不同。"


def test_an_expired_quote_cannot_be_accepted_but_it_can_be_declined(cast, noon, unchanged):
    package, late = stories.dearer(cast, noon), noon + LATER
    with unchanged(), pytest.raises(QuoteExpired):
        answer(cast, package, [2], 150_000, late)
    package.items.filter(position=2).update(hold_expires_at=late + LATER)
    answer(cast, package, [1], 0, late)
    assert states(package)[0] == ("releasing", "declined_by_merchant")


def test_nothing_is_declined_when_nothing_is_asked(cast, noon, unchanged):
    package = ask(cast, noon)
    with unchanged(), pytest.raises(NothingToAccept):
        answer(cast, package, [1], 0, noon)


def test_an_item_that_is_out_is_not_declined_again(cast, noon, unchanged):
    package = stories.dearer(cast, noon)
    package.items.filter(position=2).update(state="refused")
    with unchanged(), pytest.raises(NotDeclinable):
        answer(cast, package, [2], 150_000, noon)


@pytest.mark.parametrize("declined", [[0], [4], [1, 9]])
def test_an_item_that_is_not_there_is_not_declined(cast, noon, unchanged, declined):
    package = proposed(cast, noon)
    with unchanged(), pytest.raises(BadInput):
        answer(cast, package, declined, PRICE, noon)


@pytest.mark.parametrize(("who", "error"), [("lin", Forbidden), ("wei", Forbidden), ("mo", Missing)])
def test_only_the_merchant_answers(cast, noon, unchanged, who, error):
    package = proposed(cast, noon)
    with unchanged(), pytest.raises(error):
        answer(cast, package, [2], PRICE, noon, actor=getattr(cast, who))
