"""Triggers: they hear what they wait for, act once, and never go round in a circle."""

from datetime import timedelta

import pytest
from django.db import transaction

from guanjia.base.errors import BadInput
from guanjia.base.sql import rows
from guanjia.cases.actions import open_case, say
from guanjia.cases.models import Message
from guanjia.coverage.models import Responsibility
from guanjia.ledger.models import Event
from guanjia.post.queries import notices
from guanjia.post.tests.rounds import tell_all
from guanjia.routines.actions import RUN_FLOW, deactivate_routine, save_routine
from guanjia.routines.models import Heard, Outcome, Result, Routine, Run
from guanjia.routines.rule import Office, Step
from guanjia.routines.running import CHAIN_MOST, FAILURES_MOST
from guanjia.routines.tests.rulebook import (
    URGENT,
    a_case,
    hear,
    is_,
    priority,
    switch_on,
    trigger,
    woken,
)

NOTE = Step("note", {"text": "{number}：{merchant} 的事请 {owner} 先看。"})


def test_an_event_that_nobody_waits_for_wakes_nothing(cast, noon):
    a_case(cast, noon)
    assert (Heard.objects.count(), woken(RUN_FLOW)) == (0, [])


def test_a_trigger_acts_on_the_case_of_its_event(cast, noon):
    routine = switch_on(cast, trigger("opened", every=(is_("subject", "退款", how="contains"),)), noon)
    other, refund = a_case(cast, noon), a_case(cast, noon, "退款没有到账")
    assert len(woken(RUN_FLOW)) == 2
    hear(noon)
    assert (priority(other), priority(refund)) == (3, 1)
    run = Run.objects.get(routine=routine)
    assert (run.changed, run.skipped, run.failed, run.ended_at) == (1, 0, 0, noon)
    event = Event.objects.get(kind="routines.acted")
    assert (event.actor, event.subject) == (f"routine:{routine.pk}", f"case:{refund.number}")
    assert event.payload["deeds"] == ["priority"]
    assert Event.objects.get(kind="cases.priority_set").actor == f"routine:{routine.pk}"


def test_an_event_that_was_looked_at_has_no_second_effect(cast, noon):
    switch_on(cast, trigger("opened", steps=(NOTE,)), noon)
    a_case(cast, noon)
    [event] = Heard.objects.values_list("event", flat=True)
    hear(noon)
    Heard.objects.create(event=event)  # as if its deletion had been lost
    hear(noon)
    assert Message.objects.filter(internal=True).count() == 1


def test_a_worker_that_dies_has_done_nothing(cast, noon):
    switch_on(cast, trigger("opened", steps=(NOTE,)), noon)
    case = a_case(cast, noon)

    def half():
        with transaction.atomic():
            hear(noon)
            assert case.messages.count() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half()
    assert (case.messages.count(), Run.objects.count(), Heard.objects.count()) == (0, 0, 1)
    hear(noon)
    assert case.messages.count() == 1


def test_the_word_of_a_rule_is_the_houses_and_not_the_first_answer(cast, noon):
    switch_on(cast, trigger("opened", steps=(Step("word", {"text": "{merchant}，收到了。"}),)), noon)
    case = a_case(cast, noon)
    hear(noon)
    word = case.messages.get()
    assert (word.author_id, word.notice["values"]["text"]) == (None, "云栖女装，收到了。")
    assert case.clocks.get(kind="first_answer").stopped_at is None


def test_a_merchants_word_and_ours_are_told_apart(cast, noon):
    switch_on(cast, trigger("merchant_spoke"), noon)
    case, other = a_case(cast, noon), a_case(cast, noon)
    say(actor=cast.mira, number=case.number, body="还在吗？", now=noon)
    say(actor=cast.lin, number=other.number, body="在。", now=noon)
    say(actor=cast.lin, number=other.number, body="内部", internal=True, now=noon)
    hear(noon)
    assert (priority(case), priority(other)) == (1, 3)


def test_what_a_rule_does_never_triggers_it_again(cast, noon):
    note = Step("note", {"text": "又一条"})
    routine = switch_on(cast, trigger("noted", "opened", steps=(note,)), noon)
    case = a_case(cast, noon)
    hear(noon)
    assert case.messages.count() == 1
    results = list(Outcome.objects.order_by("pk").values_list("result", "why", "chain"))
    assert results == [("changed", "", [routine.pk]), ("skipped", "own_chain", [routine.pk, routine.pk])]


def test_two_rules_that_wake_each_other_stop(cast, noon):
    switch_on(cast, trigger("opened", "noted", steps=(Step("note", {"text": "甲"}),)), noon, "甲")
    switch_on(cast, trigger("opened", "noted", steps=(Step("note", {"text": "乙"}),)), noon, "乙")
    case = a_case(cast, noon)
    hear(noon)
    # each answers the opening and the other's note
    assert sorted(case.messages.values_list("body", flat=True)) == ["乙", "乙", "甲", "甲"]


def test_a_chain_has_an_end(cast, noon):
    for n in range(CHAIN_MOST + 2):
        rule = trigger("noted" if n else "opened", steps=(Step("note", {"text": str(n)}),))
        switch_on(cast, rule, noon, str(n))
    a_case(cast, noon)
    with pytest.raises(AssertionError, match="for ever"):
        hear(noon, rounds=2)
    hear(noon, rounds=CHAIN_MOST)
    assert max(len(chain) for chain in Outcome.objects.values_list("chain", flat=True)) == CHAIN_MOST + 1
    assert {o.why for o in Outcome.objects.exclude(result="changed")} == {"own_chain", "too_deep"}


def test_a_change_that_is_so_already_is_passed_over(cast, noon):
    switch_on(cast, trigger("merchant_spoke"), noon)
    case = a_case(cast, noon)
    for body in ("一", "二"):
        say(actor=cast.mira, number=case.number, body=body, now=noon)
    hear(noon)
    assert list(Outcome.objects.order_by("pk").values_list("result", "why")) == [
        (Result.CHANGED, ""),
        (Result.SKIPPED, "nothing"),
    ]


@pytest.mark.parametrize(("again", "later", "count"), [(None, 100, 1), (24, 23, 1), (24, 25, 2), (0, 0, 2)])
def test_not_again_on_the_same_case(cast, noon, again, later, count):
    switch_on(cast, trigger("merchant_spoke", steps=(NOTE,), again_hours=again), noon)
    case = a_case(cast, noon)
    say(actor=cast.mira, number=case.number, body="一", now=noon)
    hear(noon)
    then = noon + timedelta(hours=later)
    say(actor=cast.mira, number=case.number, body="二", now=then)
    hear(then)
    assert case.messages.filter(internal=True).count() == count


@pytest.mark.parametrize(
    ("office", "hours", "acts"), [("within", 0, 1), ("outside", 0, 0), ("outside", 12, 1)]
)
def test_the_business_hours_condition(cast, noon, office, hours, acts):
    now = noon + timedelta(hours=hours)
    switch_on(cast, trigger("opened", office=Office(office)), now)
    a_case(cast, now)
    hear(now)
    assert Outcome.objects.count() == acts


def test_all_of_a_rules_deeds_or_none(cast, noon, monkeypatch):
    switch_on(cast, trigger("opened", steps=(URGENT, NOTE)), noon)
    case = a_case(cast, noon)
    monkeypatch.setattr("guanjia.routines.deeds.say", None)
    hear(noon)
    outcome = Outcome.objects.get()
    assert (outcome.result, outcome.why, priority(case)) == (Result.FAILED, "fault", 3)
    assert not Event.objects.filter(kind__in=["routines.acted", "cases.priority_set"]).exists()
    assert rows("SELECT current_setting('guanjia.cause', true)") in ([("",)], [(None,)])


def test_a_rule_that_keeps_failing_turns_itself_off(cast, noon, monkeypatch):
    routine = switch_on(cast, trigger("opened", steps=(NOTE,)), noon)
    for _ in range(FAILURES_MOST + 1):
        a_case(cast, noon)
    monkeypatch.setattr("guanjia.routines.deeds.say", None)
    hear(noon)
    routine.refresh_from_db()
    assert (routine.live, routine.off_reason, routine.listening.count()) == (None, "failing", 0)
    tell_all(noon)
    [told] = [one for one in notices(cast.wei).entries if "规则" in one.piece.phrase]
    assert (told.piece.phrase, told.piece.link) == ("一条规则自己停用了，请看原因", "/lead/routines/")
    assert Event.objects.get(kind="routines.turned_off").payload["reason"] == "failing"
    assert Outcome.objects.count() == FAILURES_MOST


def test_a_rule_that_would_touch_too_many_turns_itself_off(cast, noon):
    routine = switch_on(cast, trigger("opened", per_hour=2), noon)
    for _ in range(4):
        a_case(cast, noon)
    hear(noon)
    routine.refresh_from_db()
    assert (routine.live, routine.off_reason, Outcome.objects.count()) == (None, "too_many", 2)


def test_a_rule_that_is_off_hears_no_more(cast, noon):
    routine = switch_on(cast, trigger("opened"), noon)
    case = a_case(cast, noon)
    deactivate_routine(actor=cast.wei, routine=routine.pk, now=noon)
    hear(noon)
    a_case(cast, noon)
    assert (priority(case), Heard.objects.count(), Run.objects.count()) == (3, 0, 0)
    assert Routine.objects.get().live is None


def test_a_case_is_handed_over_and_a_task_is_asked_for(cast, noon):
    give = Step("hand_over", {"to": "pool:home", "reason": "先由共享池看"})
    task = Step("task", {"title": "核对 {number}", "work_days": "2", "doer": ""})
    switch_on(cast, trigger("opened", steps=(give, task)), noon)
    case = a_case(cast, noon)
    hear(noon)
    assert Outcome.objects.get().did == [0, 1]
    case.refresh_from_db()
    asked = case.tasks.get()
    assert (case.pool, asked.title, asked.assignee) == (cast.pool, f"核对 {case.number}", cast.wei)


def test_a_rule_brings_nobody_in_who_does_not_look_after_the_merchant(cast, noon):
    give = Step("hand_over", {"to": "person:otto", "reason": "x"})
    switch_on(cast, trigger("opened", steps=(give,)), noon)
    case = a_case(cast, noon)
    hear(noon)
    outcome = Outcome.objects.get()
    assert (outcome.result, "还不负责这家商家" in outcome.why) == (Result.SKIPPED, True)
    case.refresh_from_db()
    assert case.person == cast.lin


def test_a_case_goes_to_whom_the_rule_names(cast, noon):
    give = Step("hand_over", {"to": "person:lin", "reason": "她熟"})
    rule = trigger("merchant_spoke", steps=(give,))
    switch_on(cast, rule, noon)
    case = open_case(actor=cast.mo, merchant_ref=cast.mo_shop.ref, need="文具上架", now=noon)
    Responsibility.objects.create(
        merchant=cast.mo_shop, role="backup", person=cast.lin, during=(noon, None), reason="x"
    )
    say(actor=cast.mo, number=case.number, body="在吗", now=noon)
    hear(noon)
    case.refresh_from_db()
    assert (case.person, Outcome.objects.get().result) == (cast.lin, "changed")


@pytest.mark.parametrize("to", ["", "lin", "person:nobody", "team:1", "line:display-slots' --"])
def test_whom_nobody_knows_is_refused(cast, noon, unchanged, to):
    rule = trigger("opened", steps=(Step("hand_over", {"to": to, "reason": "x"}),))
    with unchanged(), pytest.raises(BadInput):
        save_routine(actor=cast.wei, name="规则", rule=rule, now=noon)
