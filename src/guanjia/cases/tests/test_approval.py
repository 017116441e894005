"""Replies of juniors: held, sent, returned; nothing of them reaches a merchant before."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases.actions import (
    approve_reply,
    ask_approval,
    end_apprentice,
    return_reply,
    say,
    set_apprentice,
    solve_case,
    wait_for_merchant,
)
from guanjia.cases.changing import Change
from guanjia.cases.models import Apprentice, CaseState, ClockKind, Draft, HeldReply, HeldState, Message
from guanjia.cases.rules import AlreadyDecided, AnsweredMeanwhile, NeedsApproval
from guanjia.coverage.models import Responsibility
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories
from guanjia.people.models import Team

HOUR = timedelta(hours=1)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


@pytest.fixture
def junior(cast, noon):
    """Lin's replies are read by Wei."""
    set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.wei, now=noon)
    return cast.lin


@pytest.fixture
def held(cast, case, junior, noon):
    return ask_approval(actor=junior, number=case.number, body="请准备三个仓", now=noon)


def runs(case, kind):
    return case.clocks.filter(kind=kind, stopped_at=None).exists()


def test_a_juniors_public_word_is_held_and_a_note_is_not(cast, case, junior, noon, unchanged):
    with unchanged(), pytest.raises(NeedsApproval):
        say(actor=junior, number=case.number, body="好的", now=noon)
    say(actor=junior, number=case.number, body="先问问", internal=True, now=noon)
    assert Message.objects.get().internal


def test_a_held_reply_is_no_message_and_stops_no_clock(cast, case, held, noon):
    assert (held.approver, held.due_at) == (cast.wei, noon + 2 * HOUR)
    assert not Message.objects.exists()
    assert runs(case, ClockKind.FIRST_ANSWER)
    clock = case.clocks.get(kind=ClockKind.REPLY_APPROVAL)
    assert (clock.owner, clock.due_at) == (cast.wei, held.due_at)
    [event] = Event.objects.filter(kind="cases.approval_asked")
    assert event.payload == {
        "case": case.number,
        "reply": held.pk,
        "approver": cast.wei.pk,
        "due_at": held.due_at.isoformat(),
    }


def test_it_goes_out_as_edited_and_the_first_answer_is_given_then(cast, case, held, noon):
    later = noon + HOUR
    done = approve_reply(actor=cast.wei, reply=held.pk, body="请准备两个仓", now=later)
    word = Message.objects.get()
    assert (word.body, word.author, word.internal, word.at) == ("请准备两个仓", cast.lin, False, later)
    assert (done.state, done.message, done.decided_by) == (HeldState.SENT, word, cast.wei)
    assert case.clocks.get(kind=ClockKind.FIRST_ANSWER).stopped_at == later
    assert not runs(case, ClockKind.REPLY_APPROVAL)
    [event] = Event.objects.filter(kind="cases.approval_given")
    assert (event.payload["edited"], event.payload["left_out"]) == (True, "")
    assert event.actor == f"user:{cast.wei.pk}"


def test_it_comes_back_with_a_reason_and_into_the_box(cast, case, held, noon):
    done = return_reply(actor=cast.wei, reply=held.pk, reason="先核对库存", now=noon)
    assert (done.state, done.reason) == (HeldState.RETURNED, "先核对库存")
    assert Draft.objects.get().body == "请准备三个仓"
    assert not Message.objects.exists()
    assert not runs(case, ClockKind.REPLY_APPROVAL)
    assert runs(case, ClockKind.FIRST_ANSWER)
    assert "先核对库存" not in str(list(Event.objects.values_list("payload", flat=True)))


def test_what_the_author_has_begun_since_is_kept(cast, case, held, noon):
    Draft.objects.create(case=case, author=cast.lin, internal=False, body="另一条", saved_at=noon)
    return_reply(actor=cast.wei, reply=held.pk, reason="再想想", now=noon)
    assert Draft.objects.get().body == "另一条"
    assert HeldReply.objects.get().body == "请准备三个仓"


@pytest.mark.parametrize(
    ("who", "refusal"), [("lin", Forbidden), ("mira", Forbidden), ("mo", Missing), ("otto", Missing)]
)
def test_nobody_else_decides(cast, held, noon, unchanged, who, refusal):
    by = {"actor": getattr(cast, who), "reply": held.pk, "now": noon}
    with unchanged(), pytest.raises(refusal):
        approve_reply(body="x", **by)
    with unchanged(), pytest.raises(refusal):
        return_reply(reason="x", **by)


def test_it_is_decided_once(cast, held, noon, unchanged):
    approve_reply(actor=cast.wei, reply=held.pk, body=held.body, now=noon)
    with unchanged(), pytest.raises(AlreadyDecided):
        approve_reply(actor=cast.wei, reply=held.pk, body=held.body, now=noon)
    with unchanged(), pytest.raises(AlreadyDecided):
        return_reply(actor=cast.wei, reply=held.pk, reason="x", now=noon)


def test_nothing_is_lost_when_the_case_is_solved_meanwhile(cast, case, junior, noon):
    then = Change(priority=1, solve=True)
    held = ask_approval(actor=junior, number=case.number, body="办好了", then=then, now=noon)
    solve_case(actor=cast.lin, number=case.number, now=noon)
    done = approve_reply(actor=cast.wei, reply=held.pk, body=held.body, now=noon + HOUR)
    case.refresh_from_db()
    assert (done.state, Message.objects.get(author=cast.lin).body) == (HeldState.SENT, "办好了")
    assert (case.state, case.priority) == (CaseState.SOLVED, 3)  # all along with it, or nothing of it
    assert Event.objects.get(kind="cases.approval_given").payload["left_out"] == "already_solved"


def test_what_goes_along_with_it_is_done_when_it_goes_out(cast, case, junior, noon):
    then = Change(priority=2, add_tags=("大促",), wait_days=3)
    held = ask_approval(actor=junior, number=case.number, body="请传执照", then=then, now=noon)
    case.refresh_from_db()
    assert (case.priority, case.state) == (3, CaseState.OPEN)
    approve_reply(actor=cast.wei, reply=held.pk, body=held.body, now=noon)
    case.refresh_from_db()
    assert (case.priority, case.state) == (2, CaseState.WAITING_MERCHANT)
    assert case.taggings.get().tag.name == "大促"


def test_what_was_not_read_is_shown_first(cast, case, junior, noon, unchanged):
    say(actor=cast.mira, number=case.number, body="改两个仓", now=noon)
    with unchanged(), pytest.raises(AnsweredMeanwhile):
        ask_approval(actor=junior, number=case.number, body="三个仓", seen=0, now=noon)


def test_the_same_key_holds_it_once(cast, case, junior, noon):
    about = {"actor": junior, "number": case.number, "body": "好", "now": noon, "idempotency_key": "k"}
    assert ask_approval(**about).pk == ask_approval(**about).pk
    assert HeldReply.objects.count() == 1


# --- who is a junior ------------------------------------------------------------------------------


def test_a_team_is_read_but_not_its_lead_nor_the_approver(cast, case, noon):
    su, kim = make_user("su", "苏晴"), make_user("kim", "Kim")
    team = Team.objects.create(code="t", name="专班", lead=su)
    team.members.add(su, kim, cast.lin)
    Responsibility.objects.filter(person=cast.lin).update(person=None, team=team)
    set_apprentice(actor=cast.wei, team=team, approver=cast.lin, now=noon)
    for free in (su, cast.lin):
        say(actor=free, number=case.number, body="好", now=noon)
    with pytest.raises(NeedsApproval):
        say(actor=kim, number=case.number, body="好", now=noon)
    assert ask_approval(actor=kim, number=case.number, body="好", now=noon).approver == cast.lin


def test_an_approver_who_may_not_see_the_merchant_is_replaced_by_who_answers(cast, case, noon, unchanged):
    kim = make_user("kim", "Kim")
    team = Team.objects.create(code="t", name="专班", lead=cast.lin)
    team.members.add(kim)
    Responsibility.objects.filter(person=cast.lin).update(person=None, team=team)
    set_apprentice(actor=cast.wei, user=kim, approver=cast.otto, now=noon)
    assert ask_approval(actor=kim, number=case.number, body="好", now=noon).approver == cast.lin
    set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.otto, now=noon)
    with unchanged(), pytest.raises(NeedsApproval):
        ask_approval(actor=cast.lin, number=case.number, body="好", now=noon)


def test_only_a_lead_says_who_is_read(cast, noon, unchanged, junior):
    one = Apprentice.objects.get()
    for who in (cast.lin, cast.mira, cast.yan):
        with unchanged(), pytest.raises(Forbidden):
            set_apprentice(actor=who, user=cast.otto, approver=cast.lin, now=noon)
        with unchanged(), pytest.raises(Forbidden):
            end_apprentice(actor=who, apprentice=one.pk, now=noon)
    with unchanged(), pytest.raises(BadInput):
        set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.lin, now=noon)
    with unchanged(), pytest.raises(BadInput):
        set_apprentice(actor=cast.wei, approver=cast.lin, now=noon)


def test_when_it_ends_words_go_out_at_once_again(cast, case, held, noon):
    end_apprentice(actor=cast.wei, apprentice=Apprentice.objects.get().pk, now=noon)
    say(actor=cast.lin, number=case.number, body="好", now=noon)
    assert HeldReply.objects.get().state == HeldState.WAITING
    with pytest.raises(Missing):
        end_apprentice(actor=cast.wei, apprentice=10**6, now=noon)


def test_one_who_waits_is_waited_for_until_the_last_is_decided(cast, case, held, noon):
    other = ask_approval(actor=cast.lin, number=case.number, body="另一句", now=noon)
    wait_for_merchant(actor=cast.lin, number=case.number, days=2, now=noon)
    return_reply(actor=cast.wei, reply=held.pk, reason="x", now=noon)
    assert runs(case, ClockKind.REPLY_APPROVAL)
    approve_reply(actor=cast.wei, reply=other.pk, body="另一句", now=noon)
    assert not runs(case, ClockKind.REPLY_APPROVAL)


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_send_it_once(cast, case, noon):
    set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.wei, now=noon)
    held = ask_approval(actor=cast.lin, number=case.number, body="好", now=noon)
    told, together = [], threading.Barrier(4)

    def decide():
        together.wait(timeout=30)
        try:
            approve_reply(actor=cast.wei, reply=held.pk, body="好", now=noon)
            told.append("sent")
        except AlreadyDecided:
            told.append("late")
        finally:
            connection.close()

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(told) == ["late", "late", "late", "sent"]
    assert Message.objects.filter(author=cast.lin).count() == 1
