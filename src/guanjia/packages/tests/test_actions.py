import threading
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import translation

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.idempotency import KeyReused
from guanjia.core.package import Mode
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.lines.params import SchemaViolation
from guanjia.lines.protocol.messages import HoldState, HoldView, Reason
from guanjia.packages.actions import (
    accept_package,
    cancel_package,
    compose_package,
    receive_decision,
    settle_item_by_hand,
    submit_package,
)
from guanjia.packages.composing import ItemDraft
from guanjia.packages.models import Package
from guanjia.packages.rules import (
    NotByHand,
    NothingToAccept,
    PriceChanged,
    QuoteExpired,
    TooLate,
    UnknownService,
)
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import BANNER, BOXES, LATER, PRICE, a_case, ask, holds

AT_ONCE = 32
MILLION = "长" * 1_000_000


@pytest.fixture
def refused(unchanged):
    """Runs an act in both languages: refused with this error, nothing changed, words in each language.

    Returns the two refusals, Chinese first.
    """

    def check(error, act):
        caught = []
        for language in ("zh-hans", "en"):
            with translation.override(language), unchanged(), pytest.raises(error) as refusal:
                act()
            assert refusal.type is error
            assert refusal.value.message
            assert refusal.value.hint
            caught.append(refusal.value)
        chinese, english = caught
        assert chinese.message != english.message
        assert not any("\u4e00" <= c <= "\u9fff" for c in english.message.partition("“")[0] + english.hint)
        return chinese, english

    return check


# --- one effect -----------------------------------------------------------------------------------


def test_a_repeat_with_the_same_key_is_the_same_package(cast, noon):
    case = a_case(cast, noon).number
    first = ask(cast, noon, case=case, idempotency_key="one")
    again = ask(cast, noon + timedelta(hours=1), case=case, idempotency_key="one")
    assert again.pk == first.pk
    assert Package.objects.count() == 1
    assert again.created_at == noon


def test_another_key_is_another_package(cast, noon):
    case = a_case(cast, noon).number
    assert (
        ask(cast, noon, case=case, idempotency_key="one").pk
        != ask(cast, noon, case=case, idempotency_key="two").pk
    )


def test_a_key_belongs_to_its_caller(cast, noon):
    case = a_case(cast, noon).number
    mine = ask(cast, noon, case=case, idempotency_key="one")
    of_lin = ask(cast, noon, case=case, idempotency_key="one", actor=cast.lin, accept_total=None)
    assert of_lin.pk != mine.pk


def test_a_key_used_for_something_else_is_refused(cast, noon, refused):
    case = a_case(cast, noon).number
    ask(cast, noon, case=case, idempotency_key="one")
    refused(
        KeyReused, lambda: ask(cast, noon, case=case, idempotency_key="one", items=[BOXES], accept_total=0)
    )


def test_a_refused_request_leaves_its_key_free(cast, noon):
    case = a_case(cast, noon).number
    with pytest.raises(UnknownService):
        ask(cast, noon, case=case, idempotency_key="one", items=[replace(BOXES, service="nothing")])
    assert ask(cast, noon, case=case, idempotency_key="one").state == "holding"


@pytest.mark.django_db(transaction=True)
def test_one_key_32_times_at_once_is_one_package(cast, noon):
    case, numbers, faults = a_case(cast, noon).number, [], []
    together = threading.Barrier(AT_ONCE)

    def request():
        try:
            together.wait(timeout=30)
            numbers.append(ask(cast, noon, case=case, idempotency_key="one").number)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=request) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert len(numbers) == AT_ONCE
    assert len(set(numbers)) == 1
    assert Package.objects.count() == 1
    assert Event.objects.filter(kind="packages.submitted").count() == 1


# --- what cannot be asked for ---------------------------------------------------------------------


def test_an_unknown_service_is_named(cast, noon, refused):
    case = a_case(cast, noon).number
    items = [replace(BANNER, service="moon-banner")]
    chinese, english = refused(UnknownService, lambda: ask(cast, noon, case=case, items=items))
    assert chinese.message == "没有服务“display-slots/moon-banner”，或业务线已停办。"
    assert english.message == "There is no service “display-slots/moon-banner”, or its line is closed."


def test_a_service_of_a_closed_line_is_unknown(cast, noon, refused):
    case = a_case(cast, noon).number
    cast.display.active = False
    cast.display.save(update_fields=["active"])
    refused(UnknownService, lambda: ask(cast, noon, case=case))


def test_parameters_that_break_the_schema_are_named_as_people_call_them(cast, noon, refused):
    case = a_case(cast, noon).number
    items = [BANNER, replace(BOXES, params={"boxes": 501, "colour": "red"})]
    chinese, english = refused(SchemaViolation, lambda: ask(cast, noon, case=case, items=items))
    assert {(e.path, e.label, e.message) for e in chinese.errors} == {
        ("/boxes", "箱数", "不能大于 500"),
        ("", "分仓备货", "没有这些字段：colour"),
    }
    assert ("/boxes", "Boxes", "must not be more than 500") in {
        (e.path, e.label, e.message) for e in english.errors
    }
    assert "Boxes: must not be more than 500" in english.message


def test_a_missing_parameter_is_named(cast, noon, refused):
    case = a_case(cast, noon).number
    items = [replace(BANNER, params={})]
    chinese, english = refused(SchemaViolation, lambda: ask(cast, noon, case=case, items=items))
    assert [(e.path, e.label, e.message) for e in chinese.errors] == [("/day", "日期", "必填")]
    assert [(e.path, e.label, e.message) for e in english.errors] == [("/day", "Day", "is required")]


@pytest.mark.parametrize("value", [MILLION, "a\x00b"], ids=["a million characters", "NUL"])
def test_a_hostile_parameter_is_refused(cast, noon, refused, value):
    case = a_case(cast, noon).number
    items = [replace(BANNER, params={"day": "2026-11-11", "shop": value})]
    refused(SchemaViolation, lambda: ask(cast, noon, case=case, items=items))


def test_a_package_needs_items(cast, noon, refused):
    case = a_case(cast, noon).number
    refused(BadInput, lambda: ask(cast, noon, case=case, items=[]))


def test_a_package_has_at_most_fifty_items(cast, noon, refused):
    case = a_case(cast, noon).number
    _, english = refused(BadInput, lambda: ask(cast, noon, case=case, items=[BOXES] * 51))
    assert english.message == "A package holds at most 50 items; this one has 51."


def test_a_core_needs_an_item(cast, noon, refused):
    case, items = a_case(cast, noon).number, [replace(BOXES, core=False)]
    refused(BadInput, lambda: ask(cast, noon, case=case, items=items, mode=Mode.CORE_AND_OPTIONAL))


@pytest.mark.parametrize("total", [0, PRICE - 1, PRICE + 1, -PRICE])
def test_a_yes_to_another_price_is_refused(cast, noon, refused, total):
    case = a_case(cast, noon).number
    refused(PriceChanged, lambda: ask(cast, noon, case=case, accept_total=total))


def test_only_the_merchant_says_yes_to_a_price(cast, noon, refused):
    case = a_case(cast, noon).number
    refused(PriceChanged, lambda: ask(cast, noon, case=case, actor=cast.lin))


def test_known_facts_are_never_asked_again(cast, noon):
    package = ask(cast, noon)
    assert package.items.get(position=1).params == {"day": "2026-11-11", "shop": "云栖女装"}


# --- whose it is ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda package, who, now: accept_package(actor=who, number=package.number, total=PRICE, now=now),
        lambda package, who, now: cancel_package(actor=who, number=package.number, now=now),
        lambda package, who, now: submit_package(actor=who, number=package.number, now=now),
        lambda package, who, now: settle_item_by_hand(
            actor=who, number=package.number, position=1, outcome="waived", now=now
        ),
    ],
    ids=["accept", "cancel", "submit", "settle by hand"],
)
def test_a_strangers_package_does_not_exist(cast, noon, refused, act):
    package = ask(cast, noon, accept_total=None)
    number = package.number
    strangers, _ = refused(Missing, lambda: act(package, cast.mo, noon))
    package.number = "PK-2026-999999"
    nobodys, _ = refused(Missing, lambda: act(package, cast.mira, noon))
    assert strangers.status == nobodys.status == 404
    assert strangers.message.replace(number, package.number) == nobodys.message
    assert strangers.hint == nobodys.hint


def test_a_case_of_somebody_else_does_not_exist(cast, noon, refused):
    case = a_case(cast, noon).number
    refused(Missing, lambda: ask(cast, noon, case=case, actor=cast.mo))


def test_the_account_manager_cannot_say_yes_for_the_merchant(cast, noon, refused):
    package = ask(cast, noon, accept_total=None)
    refused(Forbidden, lambda: accept_package(actor=cast.lin, number=package.number, total=PRICE, now=noon))


def test_a_person_without_a_relation_has_none_after_being_made_inactive(cast, noon, refused):
    package = ask(cast, noon, accept_total=None)
    cast.mira.is_active = False
    refused(Missing, lambda: cancel_package(actor=cast.mira, number=package.number, now=noon))


# --- yes, no, too late ----------------------------------------------------------------------------


def test_yes_to_the_listed_price_starts_the_holds(cast, noon):
    package = ask(cast, noon, accept_total=None)
    assert package.state == "submitted"
    accepted = accept_package(actor=cast.mira, number=package.number, total=PRICE, now=noon)
    assert accepted.state == "holding"
    assert [item.accepted_amount for item in package.items.order_by("position")] == [PRICE, None]


def test_yes_to_a_risen_quote_confirms(cast, noon):
    package = stories.dearer(cast, noon)
    assert (package.state, package.accept_due_at) == ("deciding", noon + timedelta(hours=24))
    assert (
        accept_package(actor=cast.mira, number=package.number, total=150_000, now=noon).state == "confirming"
    )


def test_yes_to_a_price_that_has_changed_is_refused(cast, noon, refused):
    package = stories.dearer(cast, noon)
    act = lambda: accept_package(actor=cast.mira, number=package.number, total=PRICE, now=noon)  # noqa: E731
    chinese, english = refused(PriceChanged, act)
    assert chinese.message == "价格已变为 ¥1,500.00，与您看到的不同。"
    assert english.message == "The price is now ¥1,500.00, not the one you were shown."


def test_yes_to_an_expired_quote_is_refused(cast, noon, refused):
    package = stories.dearer(cast, noon)
    late = noon + LATER
    refused(
        QuoteExpired,
        lambda: accept_package(actor=cast.mira, number=package.number, total=150_000, now=late),
    )


@pytest.mark.parametrize("stage", [stories.ask, stories.pending, stories.done, stories.refused])
def test_yes_when_nothing_is_asked_is_refused(cast, noon, refused, stage):
    package = stage(cast, noon)
    refused(
        NothingToAccept, lambda: accept_package(actor=cast.mira, number=package.number, total=PRICE, now=noon)
    )


@pytest.mark.parametrize("stage", [stories.ask, stories.pending, stories.dearer])
def test_a_package_can_be_given_up_before_the_point_of_no_return(cast, noon, stage):
    package = cancel_package(actor=cast.mira, number=stage(cast, noon).number, now=noon)
    assert package.state == "releasing"
    assert {item.reason_code for item in package.items.all()} == {"cancelled"}


@pytest.mark.parametrize("stage", [stories.confirming, stories.needs_hand, stories.done, stories.refused])
def test_after_it_the_cancel_is_too_late(cast, noon, refused, stage):
    package = stage(cast, noon)
    refused(TooLate, lambda: cancel_package(actor=cast.mira, number=package.number, now=noon))


def test_a_package_is_submitted_once(cast, noon, refused):
    package = ask(cast, noon)
    refused(TooLate, lambda: submit_package(actor=cast.mira, number=package.number, now=noon))


def test_a_draft_asks_nothing_of_any_line(cast, noon):
    case = a_case(cast, noon).number
    draft = compose_package(actor=cast.lin, case_number=case, mode=Mode.BEST_EFFORT, items=[BANNER], now=noon)
    assert (draft.state, draft.items.get().next_at) == ("drafted", None)
    submitted = submit_package(actor=cast.mira, number=draft.number, now=noon, accept_total=PRICE)
    assert submitted.state == "holding"


# --- by hand --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "item", "package"),
    [
        ("confirmed", "confirmed", "done"),
        ("retry", "holding", "confirming"),
        ("waived", "releasing", "confirming"),
    ],
)
def test_a_named_person_settles_what_is_stuck(cast, noon, outcome, item, package):
    number = stories.needs_hand(cast, noon).number
    after = settle_item_by_hand(actor=cast.lin, number=number, position=1, outcome=outcome, now=noon)
    assert (after.items.get(position=1).state, after.state) == (item, package)


@pytest.mark.parametrize("position", [0, 2, 99])
def test_an_item_that_needs_no_hand_is_left_alone(cast, noon, refused, position):
    number = stories.needs_hand(cast, noon).number
    refused(
        NotByHand,
        lambda: settle_item_by_hand(
            actor=cast.lin, number=number, position=position, outcome="waived", now=noon
        ),
    )


def test_an_outcome_that_does_not_exist_is_refused(cast, noon):
    number = stories.needs_hand(cast, noon).number
    with pytest.raises(BadInput):
        settle_item_by_hand(actor=cast.lin, number=number, position=1, outcome="magic", now=noon)  # type: ignore[arg-type]


def test_the_merchant_does_not_settle_by_hand(cast, noon, refused):
    number = stories.needs_hand(cast, noon).number
    refused(
        Forbidden,
        lambda: settle_item_by_hand(actor=cast.mira, number=number, position=1, outcome="waived", now=noon),
    )


# --- the line's word ------------------------------------------------------------------------------


def view(hold_id, now, state=HoldState.HELD):
    reason = Reason("sold_out", {"zh-Hans": "排满", "en": "full"}) if state is HoldState.REFUSED else None
    return HoldView(hold_id, state, expires_at=now + LATER, reason=reason)


@pytest.mark.parametrize(
    ("state", "item", "package"),
    [(HoldState.HELD, "confirming", "confirming"), (HoldState.REFUSED, "refused", "releasing")],
)
def test_the_lines_decision_counts(cast, noon, state, item, package):
    waiting = stories.pending(cast, noon)
    hold = view(holds(waiting)[0], noon, state)
    assert receive_decision(line=cast.display, hold=hold, now=noon) is True
    waiting.refresh_from_db()
    assert (waiting.items.get(position=1).state, waiting.state) == (item, package)


def test_a_second_word_and_a_late_one_change_nothing(cast, noon, unchanged):
    package = stories.refused(cast, noon)
    hold = view(holds(package)[0], noon)
    with unchanged():
        assert receive_decision(line=cast.display, hold=hold, now=noon) is False


def test_a_lapsed_hold_is_taken_again_and_never_confirmed(cast, noon):
    package = stories.pending(cast, noon)
    first = holds(package)[0]
    lapsed = HoldView(first, HoldState.LAPSED)
    assert receive_decision(line=cast.display, hold=lapsed, now=noon) is True
    item = package.items.get(position=1)
    assert (item.state, item.generation, item.hold_id != first) == ("holding", 1, True)


def test_another_lines_hold_and_an_unknown_one_are_not_there(cast, noon, refused):
    package = stories.pending(cast, noon)
    for hold_id in (holds(package)[0], uuid4()):
        hold = view(hold_id, noon)
        refused(Missing, lambda hold=hold: receive_decision(line=cast.warehousing, hold=hold, now=noon))


def test_a_made_up_person_may_do_nothing(cast, noon, refused):
    package = ask(cast, noon)
    nobody = make_user("nobody", "Nobody")
    refused(Missing, lambda: cancel_package(actor=nobody, number=package.number, now=noon))


def test_a_draft_of_unknown_line_says_so_briefly(cast, noon, refused):
    case = a_case(cast, noon).number
    items = [ItemDraft("x" * 100_000, "y", {})]
    chinese, _ = refused(UnknownService, lambda: ask(cast, noon, case=case, items=items))
    assert len(chinese.message) < 200
