"""What is promised has a clock that both sides see; it is kept by a word, or by saying so."""

from datetime import timedelta

import pytest

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases import actions
from guanjia.cases.handing import PromiseEndedAlready
from guanjia.cases.models import Clock, ClockKind, ClockStatus, FollowUp, FollowUpKind, Message
from guanjia.cases.notices import words_of
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories
from guanjia.people.actions import grant_role, set_absence
from guanjia.people.models import Role

HOUR = timedelta(hours=1)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def promise(cast, case, noon, **more):
    about = {"actor": cast.lin, "number": case.number, "kind": FollowUpKind.CALL, "now": noon}
    return actions.make_promise(**{**about, "text": "打电话说价格", "due_at": noon + HOUR, **more})


def clock_of(made):
    return Clock.objects.get(item=made.key)


def test_a_promise_is_a_clock_that_the_list_goes_by(cast, noon, case):
    made = promise(cast, case, noon)
    clock = clock_of(made)
    assert (clock.kind, clock.due_at, clock.owner) == (ClockKind.FOLLOW_UP, noon + HOUR, cast.lin)
    case.refresh_from_db()
    assert case.due_at == noon + HOUR
    public = Message.objects.filter(case=case, internal=False).get()
    assert words_of(public) == "约定：打电话说价格，最迟 11月10日 13:00。"


def test_several_run_beside_each_other(cast, noon, case):
    first, second = promise(cast, case, noon), promise(cast, case, noon, due_at=noon + 2 * HOUR)
    end(cast, case, first, noon, kept=True)
    assert (clock_of(first).status, clock_of(second).status) == (ClockStatus.STOPPED, ClockStatus.RUNNING)


def end(cast, case, made, now, **more):
    return actions.end_promise(actor=cast.lin, number=case.number, promise=made.pk, now=now, **more)


@pytest.mark.parametrize(("kind", "kept"), [(FollowUpKind.ANSWER, True), (FollowUpKind.CALL, None)])
def test_a_public_word_keeps_what_was_to_be_answered(cast, noon, case, kind, kept):
    made = promise(cast, case, noon, kind=kind)
    actions.say(actor=cast.lin, number=case.number, body="内部", internal=True, now=noon)
    actions.say(actor=cast.mira, number=case.number, body="好", now=noon)
    made.refresh_from_db()
    assert made.kept is None
    actions.say(actor=cast.lin, number=case.number, body="价格是…", now=noon)
    made.refresh_from_db()
    assert made.kept is kept
    assert (clock_of(made).stopped_at is not None) is bool(kept)


def test_late_is_late_and_taking_it_back_is_told(cast, noon, case):
    late, back = promise(cast, case, noon), promise(cast, case, noon)
    end(cast, case, late, noon + 2 * HOUR, kept=True)
    end(cast, case, back, noon, kept=False)
    told = Event.objects.filter(kind="cases.promise_ended").order_by("pk")
    ended = [(event.payload["kept"], event.payload["late"]) for event in told]
    assert ended == [(True, True), (False, False)]
    assert clock_of(back).status == ClockStatus.CANCELLED
    newest = Message.objects.filter(case=case).latest("pk")
    assert words_of(newest) == "之前的约定取消了：打电话说价格。"


def test_solving_a_case_ends_what_was_promised_on_it(cast, noon, case):
    made = promise(cast, case, noon)
    actions.solve_case(actor=cast.lin, number=case.number, now=noon)
    made.refresh_from_db()
    assert (made.kept, made.ended_by) == (True, cast.lin)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "pray"},
        {"text": " "},
        {"text": "x" * 201},
        {"due_at": timedelta(0)},
        {"due_at": timedelta(days=367)},
    ],
)
def test_a_bad_promise_is_refused(cast, noon, case, unchanged, wrong):
    given = {k: noon + v if isinstance(v, timedelta) else v for k, v in wrong.items()}
    with unchanged(), pytest.raises(BadInput):
        promise(cast, case, noon, **given)


def test_who_may_not_speak_promises_nothing(cast, noon, case, unchanged):
    made = promise(cast, case, noon)
    with unchanged():
        with pytest.raises(Missing):
            promise(cast, case, noon, actor=cast.mo)
        for somebody in (cast.mira, cast.wei):
            with pytest.raises(Forbidden):
                promise(cast, case, noon, actor=somebody)
        with pytest.raises(Missing):
            actions.end_promise(actor=cast.lin, number=case.number, promise=0, kept=True, now=noon)
    end(cast, case, made, noon, kept=True)
    with unchanged(), pytest.raises(PromiseEndedAlready):
        end(cast, case, made, noon, kept=True)
    assert FollowUp.objects.count() == 1


def test_who_stands_in_answers_in_both_names(cast, noon, case):
    lea = make_user("lea", "Lea")
    grant_role(actor=SYSTEM, user=lea, role=Role.ACCOUNT_MANAGER, now=noon)
    about = {"actor": cast.lin, "user": cast.lin, "substitute": lea, "now": noon}
    set_absence(**about, since=noon, until=noon + HOUR)
    with pytest.raises(Missing):
        actions.say(actor=lea, number=case.number, body="好", now=noon + HOUR)
    said = actions.say(actor=lea, number=case.number, body="好", now=noon)
    assert (said.author, said.standing_in) == (lea, cast.lin)
    assert Event.objects.get(kind="cases.stood_in").payload["absent"] == cast.lin.pk
    assert actions.say(actor=cast.lin, number=case.number, body="在", now=noon).standing_in is None
