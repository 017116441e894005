"""What a settle brings with it on the case: clocks, tasks, words, and when they end."""

from datetime import timedelta

from guanjia.cases.models import Case, Clock, ClockKind, Task, TaskKind
from guanjia.cases.notices import words_of
from guanjia.core.package import Confirmed, Held, Pending, Refused, Rejected, Unreachable
from guanjia.lines.protocol.messages import HoldState, HoldView, Money, Reason
from guanjia.packages.actions import accept_package, receive_decision, settle_item_by_hand
from guanjia.packages.signals import signal_of
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import LATER, PRICE, ask, holds, lines_say

HOURS = timedelta(hours=1)


def kinds(package):
    return [message.notice["kind"] for message in package.case.messages.order_by("pk") if message.notice]


def running(package, kind):
    return Clock.objects.filter(case=package.case, kind=kind, stopped_at=None)


def overdue(cast, noon):
    """The banner's line has promised an answer and not given it; its hold is kept alive meanwhile."""
    package = stories.pending(cast, noon)
    banner, boxes = holds(package)
    alive = noon + 6 * HOURS
    kept = (Pending(banner, alive, noon + 4 * HOURS, PRICE), Held(boxes, alive, 0))
    lines_say(package, *kept, now=noon + timedelta(minutes=10))
    return lines_say(package, now=noon + 4 * HOURS)


def test_a_wait_for_a_line_has_its_lead_as_owner_and_the_lines_promise_as_deadline(cast, noon):
    package = stories.pending(cast, noon)
    clock = running(package, ClockKind.LINE_DECISION).get()
    assert (clock.owner, clock.due_at) == (cast.otto, noon + 4 * HOURS)
    assert kinds(package) == ["decision_needed"]


def test_an_overdue_decision_is_a_task_for_the_lines_lead_that_ends_with_the_answer(cast, noon):
    package = overdue(cast, noon)
    task = Task.objects.get(case=package.case)
    assert (task.kind, task.assignee, task.done_at) == (TaskKind.OVERDUE_DECISION, cast.otto, None)
    later = noon + 4 * HOURS + timedelta(minutes=1)
    lines_say(package, Held(holds(package)[0], later + LATER, PRICE), now=later)
    task.refresh_from_db()
    assert task.done_at == later
    assert not running(package, ClockKind.LINE_DECISION).exists()


def test_a_late_no_counts_as_long_as_only_silence_holds_the_item(cast, noon):
    package = overdue(cast, noon)
    banner, boxes = holds(package)
    late = noon + 5 * HOURS
    package.items.filter(hold_id=boxes).update(state="holding")  # the other line is not ready yet
    package.items.filter(hold_id=banner).update(next_at=late)  # the look after the grace
    undecided = Pending(banner, noon + 6 * HOURS, noon + 4 * HOURS, PRICE)
    lines_say(package, undecided, Unreachable(boxes, "timeout"), now=late)
    assert package.items.get(hold_id=banner).by_silence
    no = HoldView(banner, HoldState.REFUSED, reason=Reason("full", {"zh-Hans": "已满", "en": "Full"}))
    assert receive_decision(line=cast.display, hold=no, now=late)
    assert package.items.get(hold_id=banner).state == "refused"


def test_a_confirm_that_does_not_get_through_is_a_task_that_ends_when_it_does(cast, noon):
    package = stories.confirming(cast, noon)
    banner, boxes = holds(package)
    lines_say(package, Confirmed(boxes), now=noon)
    for minute in range(1, 8):
        lines_say(package, Unreachable(banner, "timeout"), now=noon + timedelta(minutes=minute))
    task = Task.objects.get(case=package.case)
    assert (task.kind, task.assignee) == (TaskKind.STUCK_CONFIRM, cast.otto)
    lines_say(package, Confirmed(banner), now=noon + timedelta(minutes=9))
    task.refresh_from_db()
    assert task.done_at == noon + timedelta(minutes=9)
    assert package.state == "done"
    assert Case.objects.get(pk=package.case_id).state == "solved"


def test_what_needs_a_hand_is_a_task_for_a_named_person_until_it_is_settled(cast, noon):
    package = stories.needs_hand(cast, noon)
    task = Task.objects.get(case=package.case, done_at=None)
    assert (task.kind, task.assignee) == (TaskKind.STUCK_CONFIRM, cast.otto)
    settle_item_by_hand(actor=cast.lin, number=package.number, position=1, outcome="confirmed", now=noon)
    task.refresh_from_db()
    assert task.done_at == noon
    assert kinds(package)[-1] == "package_done"


def test_a_price_that_rose_after_the_point_of_no_return_can_be_accepted_and_retried(cast, noon):
    package = stories.confirming(cast, noon)
    banner, boxes = holds(package)
    lines_say(package, Confirmed(boxes), Rejected(banner, "hold_lapsed"), now=noon)
    again = package.items.get(position=1).hold_id
    assert again != banner
    lines_say(package, Held(again, noon + LATER, 150_000), now=noon)
    assert package.items.get(position=1).reason_code == "quote_rose"
    accept_package(actor=cast.mira, number=package.number, total=150_000, now=noon)
    settle_item_by_hand(actor=cast.lin, number=package.number, position=1, outcome="retry", now=noon)
    item = package.items.get(position=1)
    assert (item.state, item.accepted_amount) == ("holding", 150_000)  # again, then forward


def test_a_quote_in_another_currency_is_a_breach_and_not_a_price(cast, noon):
    package = ask(cast, noon)
    view = HoldView(holds(package)[0], HoldState.HELD, noon + LATER, Money(100, "USD"))
    signal = signal_of(view, package.currency)
    assert signal == Rejected(view.hold_id, "contract_breach", "a quote in USD, the package is in CNY")
    lines_say(package, signal, now=noon)
    assert package.items.get(position=1).state == "holding"


def test_a_refusal_is_told_in_the_readers_language(cast, noon):
    package = ask(cast, noon)
    why = {"zh-Hans": "这一天已经排满", "en": "That day is full"}
    lines_say(package, Refused(holds(package)[0], "sold_out", why), now=noon)
    told = package.case.messages.get(notice__kind="item_refused")
    assert "这一天已经排满" in words_of(told)
