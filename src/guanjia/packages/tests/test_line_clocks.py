"""A line's time to decide: its own word, or the house's promise in working time; one deadline either way."""

from datetime import UTC, datetime, timedelta

from guanjia.cases.models import ClockKind
from guanjia.cases.promises import EPOCH, HOUR, HOUSE_RULES, Book, Rule, begin_with, house_book
from guanjia.packages.models import Item
from guanjia.packages.tests import stories

FRIDAY_FIVE = datetime(2026, 11, 13, 9, tzinfo=UTC)


def line_clock(package):
    clock = package.case.clocks.get(kind=ClockKind.LINE_DECISION)
    return clock, Item.objects.get(uid=clock.item)


def test_without_a_promise_the_lines_own_word_counts(cast):
    clock, item = line_clock(stories.pending(cast, FRIDAY_FIVE))
    assert (clock.due_at, clock.calendar) == (item.decision_due_at, "")
    assert clock.due_at < FRIDAY_FIVE + timedelta(hours=5)


def test_a_promised_time_is_working_time_for_the_package_and_the_clock_alike(cast):
    slots = Rule({ClockKind.LINE_DECISION: 2 * HOUR}, line="display-slots", warn_share=50)
    begin_with(Book(house_book().calendars, ((EPOCH, (slots, *HOUSE_RULES)),)), seconds=60)
    clock, item = line_clock(stories.pending(cast, FRIDAY_FIVE))
    monday_ten = datetime(2026, 11, 16, 2, tzinfo=UTC)
    assert (clock.due_at, item.decision_due_at) == (monday_ten, monday_ten)
    assert (clock.calendar, clock.promised, clock.warn_share) == ("cn", 2 * HOUR, 50)
    package = item.package
    assert package.case.clocks.get(kind=ClockKind.FIRST_ANSWER).promised == 4 * HOUR
