"""One change for many cases."""

import threading

import pytest
from django.db import connection

from guanjia.base.errors import BadInput, Missing
from guanjia.base.idempotency import KeyReused
from guanjia.cases.actions import (
    BulkPlan,
    ask_bulk,
    open_case,
    run_bulk,
    set_apprentice,
    set_priority,
    set_tags,
    solve_case,
    try_bulk,
    undo_bulk,
)
from guanjia.cases.changing import Change
from guanjia.cases.models import BulkChange, BulkRow, Case, CaseState, HeldReply, Message
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories

PLAN = BulkPlan(Change(priority=1, add_tags=("大促",)))


@pytest.fixture
def three(cast, noon):
    return [stories.a_case(cast, noon) for _ in range(3)]


def numbers(cases):
    return [case.number for case in cases]


def asked(cast, cases, noon, plan=PLAN, key="k"):
    about = {"numbers": numbers(cases), "plan": plan, "idempotency_key": key, "now": noon}
    return ask_bulk(actor=cast.lin, **about)


def done(cast, cases, noon, plan=PLAN, key="k"):
    bulk = asked(cast, cases, noon, plan, key)
    return run_bulk(actor=cast.lin, bulk=bulk.pk, now=noon)


def test_what_would_happen_is_told_and_nothing_is_changed(cast, three, noon, unchanged):
    set_priority(actor=cast.lin, number=three[0].number, priority=1, now=noon)
    set_tags(actor=cast.lin, number=three[0].number, add=["大促"], now=noon)
    other = open_case(actor=cast.mo, merchant_ref="M-2077", need="?", now=noon)
    wanted = [*numbers(three[:2]), other.number, "GJ-2026-999999"]
    with unchanged():
        tried = try_bulk(actor=cast.lin, numbers=wanted, plan=PLAN, now=noon)
    assert [(one.number, one.changed, one.refusal) for one in tried] == [
        (three[0].number, False, ""),
        (three[1].number, True, ""),
        (other.number, False, f"没有找到事项 {other.number}。"),
        ("GJ-2026-999999", False, "没有找到事项 GJ-2026-999999。"),
    ]


def test_each_case_is_changed_by_itself_and_told(cast, three, noon):
    solve_case(actor=cast.lin, number=three[1].number, now=noon)
    bulk = done(cast, three, noon, BulkPlan(Change(priority=2, solve=True)))
    assert list(bulk.rows.order_by("case").values_list("changed", "refusal")) == [
        (True, ""),
        (False, "这件事已经办结。"),
        (True, ""),
    ]
    assert list(Case.objects.order_by("pk").values_list("priority", "state")) == [
        (2, CaseState.SOLVED),
        (3, CaseState.SOLVED),
        (2, CaseState.SOLVED),
    ]
    assert Event.objects.filter(kind="cases.priority_set").count() == 2
    assert Event.objects.get(kind="cases.bulk_asked").payload == {"bulk": bulk.pk, "cases": 3}


def test_the_same_again_changes_nothing(cast, three, noon, unchanged):
    first = done(cast, three, noon)
    with unchanged():
        assert done(cast, three, noon).pk == first.pk
    with unchanged(), pytest.raises(KeyReused):
        asked(cast, three[:1], noon)


def test_what_was_left_is_done_later(cast, three, noon):
    bulk = done(cast, three, noon)
    BulkRow.objects.filter(case=three[2]).update(done_at=None, changed=False, before=None)
    set_priority(actor=cast.lin, number=three[0].number, priority=4, now=noon)
    Case.objects.filter(pk=three[2].pk).update(priority=3)
    run_bulk(actor=cast.lin, bulk=bulk.pk, now=noon)
    assert list(Case.objects.order_by("pk").values_list("priority", flat=True)) == [4, 1, 1]


def test_it_is_taken_back_where_nobody_has_changed_it_since(cast, three, noon, unchanged):
    set_tags(actor=cast.lin, number=three[0].number, add=["大促", "旧"], now=noon)
    bulk = done(cast, three, noon)
    set_priority(actor=cast.lin, number=three[1].number, priority=2, now=noon)
    undo_bulk(actor=cast.lin, bulk=bulk.pk, now=noon)
    found = [
        (case.priority, sorted(case.taggings.values_list("tag__name", flat=True)))
        for case in Case.objects.order_by("pk")
    ]
    assert found == [(3, ["大促", "旧"]), (2, []), (3, [])]
    with unchanged(), pytest.raises(BadInput):
        undo_bulk(actor=cast.lin, bulk=bulk.pk, now=noon)


def test_words_and_ends_cannot_be_taken_back(cast, three, noon, unchanged):
    bulk = done(cast, three, noon, BulkPlan(Change(solve=True)))
    with unchanged(), pytest.raises(BadInput):
        undo_bulk(actor=cast.lin, bulk=bulk.pk, now=noon)


def test_a_macro_says_to_each_its_own_words(cast, three, noon):
    plan = BulkPlan(Change(wait_days=2), "{merchant} 的 {number} 还差执照")
    done(cast, three, noon, plan)
    said = Message.objects.filter(author=cast.lin).order_by("pk").values_list("body", flat=True)
    assert list(said) == [f"云栖女装 的 {case.number} 还差执照" for case in three]
    assert set(Case.objects.values_list("state", flat=True)) == {CaseState.WAITING_MERCHANT}


def test_a_juniors_words_are_held(cast, three, noon):
    set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.wei, now=noon)
    done(cast, three, noon, BulkPlan(Change(wait_days=2), "还差执照"))
    assert not Message.objects.exists()
    assert HeldReply.objects.count() == 3


def test_somebody_elses_change_is_not_there(cast, three, noon, unchanged):
    bulk = asked(cast, three, noon)
    for act in (run_bulk, undo_bulk):
        with unchanged(), pytest.raises(Missing):
            act(actor=cast.wei, bulk=bulk.pk, now=noon)


def test_cases_of_others_are_left_out(cast, three, noon):
    other = open_case(actor=cast.mo, merchant_ref="M-2077", need="?", now=noon)
    bulk = done(cast, [*three, other], noon)
    assert bulk.rows.count() == 3
    other.refresh_from_db()
    assert other.priority == 3


@pytest.mark.parametrize(
    ("wanted", "plan"),
    [([], PLAN), ([f"GJ-2026-{n:06d}" for n in range(201)], PLAN), (["GJ-2026-000001"], BulkPlan())],
)
def test_nothing_too_much_and_nothing_to_do_are_refused(cast, noon, unchanged, wanted, plan):
    about = {"actor": cast.lin, "numbers": wanted, "plan": plan, "now": noon}
    with unchanged(), pytest.raises(BadInput):
        try_bulk(**about)
    with unchanged(), pytest.raises(BadInput):
        ask_bulk(idempotency_key="k", **about)


@pytest.mark.django_db(transaction=True)
def test_two_who_submit_the_same_at_once_do_it_once(cast, three, noon):
    together, faults = threading.Barrier(3), []

    def submit():
        try:
            together.wait(timeout=30)
            done(cast, three, noon, BulkPlan(Change(priority=1), "请看"))
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert BulkChange.objects.count() == 1
    assert Message.objects.filter(author=cast.lin).count() == 3
