"""Calls on a hosted line that arrive at the same time, on real connections to PostgreSQL."""

import json
from threading import Barrier
from uuid import uuid4

import pytest
from django.urls import include, path

from guanjia.lines.hosted import business, door
from guanjia.lines.models import HostedHold, HostedSlot
from guanjia.lines.tests.at_once import WAIT_SECONDS, at_once
from guanjia.lines.tests.hosted_line import HOLD_ID, HostedLine, assert_books_balance, make_hold

pytestmark = pytest.mark.django_db(transaction=True)

URLS = (path("lines/", include("guanjia.lines.urls")),)


@pytest.fixture
def hosted(monkeypatch, settings):
    settings.ROOT_URLCONF = URLS
    line = HostedLine()
    monkeypatch.setattr(door, "now", lambda: line.now)
    return line


def states(answers):
    return sorted(json.loads(answer.content)["state"] for answer in answers)


def test_a_hold_that_comes_32_times_at_once_has_one_effect(hosted):
    hosted.open("banner", "2026-11-11", 40)
    body = make_hold("banner", HOLD_ID)
    answers = at_once(*[lambda: hosted.send("POST", "/holds", body)] * 32)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert HostedHold.objects.count() == 1
    assert hosted.taken() == 1


def test_confirms_and_releases_at_once_have_one_winner(hosted):
    hosted.hold(hold_id=HOLD_ID)
    calls = [lambda: hosted.confirm(HOLD_ID), lambda: hosted.release(HOLD_ID)] * 8
    answers = at_once(*calls)
    won = states([answer for answer in answers if answer.status_code == 200])
    assert won in (["confirmed"] * 8, ["released"] * 8)
    assert {a.status_code for a in answers} == {200, 409}
    assert hosted.taken() == (1 if won[0] == "confirmed" else 0)


def test_of_many_holds_for_the_last_unit_one_wins(hosted):
    bodies = [make_hold("banner", uuid4()) for _ in range(16)]
    answers = at_once(*[lambda body=body: hosted.send("POST", "/holds", body) for body in bodies])
    assert states(answers) == ["held"] + ["refused"] * 15
    assert hosted.taken() == 1


def test_without_the_lock_both_see_the_last_unit_and_the_database_refuses_one(hosted, monkeypatch, caplog):
    """The control: what the lock is for, and what stands behind it."""
    both_looked = Barrier(2)

    def look(service_pk, key):
        slot = HostedSlot.objects.get(service_id=service_pk, key=key)
        both_looked.wait(WAIT_SECONDS)
        return slot

    monkeypatch.setattr(business, "lock_slot", look)
    bodies = [make_hold("banner", uuid4()) for _ in range(2)]
    answers = at_once(*[lambda body=body: hosted.send("POST", "/holds", body) for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [200, 500]
    assert "slot_never_overbooked" in caplog.text
    assert hosted.taken() == 1
    assert_books_balance()


def test_a_hold_and_its_release_at_once_leave_nothing_taken(hosted):
    """Whichever comes first: an empty release bars the hold, a late one gives it back."""
    body = make_hold("banner", HOLD_ID)
    calls = [lambda: hosted.send("POST", "/holds", body), lambda: hosted.release(HOLD_ID)] * 8
    at_once(*calls)
    assert HostedHold.objects.get().state == "released"
    assert hosted.taken() == 0


def test_a_lapsed_unit_goes_to_one_of_many_while_its_holder_releases(hosted):
    late = hosted.hold(ttl=1).hold_id
    hosted.later(seconds=1)
    bodies = [make_hold("banner", uuid4()) for _ in range(8)]
    calls = [lambda body=body: hosted.send("POST", "/holds", body) for body in bodies]
    answers = at_once(*calls, lambda: hosted.release(late), lambda: hosted.confirm(late))
    assert states(answers[:8]) == ["held"] + ["refused"] * 7
    assert hosted.taken() == 1
    assert_books_balance()


def test_a_storm_over_several_slots_ends_with_books_that_balance(hosted):
    """No call waits for another in a circle, and none is answered 500."""
    days = [f"2026-11-{day}" for day in range(12, 16)]
    for day in days:
        hosted.open("banner", day, 3)
    held = [hosted.hold(params={"day": day}, ttl=ttl).hold_id for day in days for ttl in (1, 1, 60)]
    hosted.later(seconds=1)
    fresh = [make_hold("banner", uuid4(), params={"day": day}) for day in days * 3]
    calls = [lambda body=body: hosted.send("POST", "/holds", body) for body in fresh]
    calls += [lambda hold_id=hold_id: hosted.release(hold_id) for hold_id in held[::2]]
    calls += [lambda hold_id=hold_id: hosted.confirm(hold_id) for hold_id in held[1::2]]
    answers = at_once(*calls)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert_books_balance()


def test_capacity_is_never_set_below_what_is_being_taken(hosted):
    hosted.open("banner", "2026-11-11", 8)
    bodies = [make_hold("banner", uuid4()) for _ in range(8)]
    calls = [lambda body=body: hosted.send("POST", "/holds", body) for body in bodies]
    *answers, lowered = at_once(*calls, lambda: hosted.open("banner", "2026-11-11", 4))
    slot = HostedSlot.objects.get(service__code="banner")
    if isinstance(lowered, Exception):
        assert (type(lowered).__name__, slot.capacity) == ("StillTaken", 8)
    else:
        assert slot.capacity == 4
    assert slot.taken == states(answers).count("held") <= slot.capacity
