import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import translation

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.idempotency import KeyReused
from guanjia.base.sql import rows
from guanjia.cases.actions import open_case, say, start_clock, stop_clocks
from guanjia.cases.models import Case, CaseState, ClockKind
from guanjia.cases.rules import NEED_MOST
from guanjia.coverage.models import Responsibility

AT_ONCE = 32
NEED = "下周三想上团购，同时要一个首页展示位\n再备三个仓的货"


def opened(cast, now, **more):
    return open_case(**{"actor": cast.mira, "merchant_ref": "M-1042", "need": NEED, "now": now, **more})


def test_a_need_becomes_a_numbered_case_with_owner_clock_and_first_contact(cast, noon):
    case = opened(cast, noon)
    assert case.number.startswith("GJ-2026-")
    assert (case.title, case.need) == ("下周三想上团购，同时要一个首页展示位", NEED)
    assert (case.person, case.team, case.pool) == (cast.lin, None, None)
    assert case.first_contact == cast.lin
    clocks = case.clocks.order_by("due_at")
    assert [(clock.kind, clock.owner, clock.due_at) for clock in clocks] == [
        (ClockKind.FIRST_ANSWER, cast.lin, noon + timedelta(hours=4)),
        (ClockKind.RESOLUTION, cast.lin, noon + timedelta(days=3)),
    ]


def test_a_case_follows_its_clocks(cast, noon):
    case, hour = opened(cast, noon), timedelta(hours=1)

    def seen():
        case.refresh_from_db()
        return case.state, case.due_at

    assert seen() == (CaseState.OPEN, noon + 4 * hour)
    start_clock(case=case, kind=ClockKind.MERCHANT_ANSWER, owner=cast.lin, now=noon, due_at=noon + 2 * hour)
    assert seen() == (CaseState.WAITING_MERCHANT, noon + 2 * hour)
    stop_clocks(case, now=noon, kinds=[ClockKind.MERCHANT_ANSWER, ClockKind.FIRST_ANSWER])
    assert seen() == (CaseState.OPEN, noon + 72 * hour)
    Case.objects.filter(pk=case.pk).update(state=CaseState.SOLVED)
    stop_clocks(case, now=noon, kinds=[ClockKind.RESOLUTION])
    assert seen() == (CaseState.SOLVED, None)


def test_without_a_manager_the_home_pool_owns_it_and_its_lead_answers(cast, noon):
    case = opened(cast, noon, actor=cast.mo, merchant_ref="M-2077")
    assert (case.person, case.pool, case.first_contact) == (None, cast.pool, cast.wei)


def test_who_files_for_a_merchant_is_its_first_contact(cast, noon):
    assert opened(cast, noon, actor=cast.lin).first_contact == cast.lin


def test_a_first_contact_is_never_changed_nor_erased(cast, noon):
    case = opened(cast, noon)
    for value in (cast.wei.pk, None):
        with pytest.raises(IntegrityError, match="is never changed"), transaction.atomic():
            Case.objects.filter(pk=case.pk).update(first_contact_id=value)
    case.refresh_from_db()
    assert case.first_contact == cast.lin


def test_after_a_handover_the_first_contact_stays(cast, noon):
    case = opened(cast, noon)
    Case.objects.filter(pk=case.pk).update(person=None, pool=cast.pool)
    case.refresh_from_db()
    assert (case.pool, case.first_contact) == (cast.pool, cast.lin)


# --- one effect -----------------------------------------------------------------------------------


def test_a_repeat_with_the_same_key_is_the_same_case(cast, noon):
    first = opened(cast, noon, idempotency_key="one")
    assert opened(cast, noon + timedelta(hours=1), idempotency_key="one").pk == first.pk
    assert Case.objects.count() == 1


def test_a_key_used_for_another_need_is_refused(cast, noon, unchanged):
    opened(cast, noon, idempotency_key="one")
    with unchanged(), pytest.raises(KeyReused):
        opened(cast, noon, idempotency_key="one", need="别的事")


@pytest.mark.django_db(transaction=True)
def test_one_key_32_times_at_once_is_one_case(cast, noon):
    numbers, faults, together = [], [], threading.Barrier(AT_ONCE)

    def file():
        try:
            together.wait(timeout=30)
            numbers.append(opened(cast, noon, idempotency_key="one").number)
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=file) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert faults == []
    assert (len(numbers), len(set(numbers)), Case.objects.count()) == (AT_ONCE, 1, 1)


# --- what cannot be said --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "chinese", "english"),
    [
        ("", "“{zh}”不能为空。", "“{en}” must not be empty."),
        (" \n\t ", "“{zh}”不能为空。", "“{en}” must not be empty."),
        ("a\x00b", "“{zh}”里有不可见的空字符 (NUL)。", "“{en}” contains an invisible NUL character."),
        (
            "长" * 1_000_000,
            "“{zh}”有 1000000 个字，最多 20000 个字。",
            "“{en}” has 1000000 characters; at most 20000 are allowed.",
        ),
    ],
    ids=["empty", "blank", "NUL", "a million characters"],
)
def test_texts_that_cannot_be_kept_are_refused_in_both_languages(
    cast, noon, unchanged, text, chinese, english
):
    number = opened(cast, noon).number
    acts = [
        (lambda: opened(cast, noon, need=text), "要办的事", "what you need"),
        (lambda: say(actor=cast.mira, number=number, body=text, now=noon), "沟通内容", "message"),
    ]
    for act, zh, en in acts:
        for language, words in (("zh-hans", chinese), ("en", english)):
            with translation.override(language), unchanged(), pytest.raises(BadInput) as refusal:
                act()
            assert refusal.value.message == words.format(zh=zh, en=en)
            assert refusal.value.hint


def test_the_longest_need_is_kept_whole(cast, noon):
    assert len(opened(cast, noon, need="长" * NEED_MOST).need) == NEED_MOST


def test_an_unknown_merchant_and_a_strangers_are_not_told_apart(cast, noon, unchanged):
    for language, words in (("zh-hans", "没有找到商家“%s”。"), ("en", "There is no merchant “%s”.")):
        for actor, ref in ((cast.mira, "M-9999"), (cast.mo, "M-1042"), (cast.otto, "M-1042")):
            with translation.override(language), unchanged(), pytest.raises(Missing) as refusal:
                opened(cast, noon, actor=actor, merchant_ref=ref)
            assert refusal.value.message == words % ref


def test_a_service_lead_sees_all_and_files_nothing(cast, noon, unchanged):
    with unchanged(), pytest.raises(Forbidden):
        opened(cast, noon, actor=cast.wei)


def test_access_ends_with_the_responsibility(cast, noon, unchanged):
    Responsibility.objects.filter(person=cast.lin).update(during=(noon - timedelta(days=9), noon))
    with unchanged(), pytest.raises(Missing):
        opened(cast, noon, actor=cast.lin)


# --- messages -------------------------------------------------------------------------------------


def test_the_owners_first_word_stops_the_clock_and_the_merchants_does_not(cast, noon):
    case = opened(cast, noon)
    say(actor=cast.mira, number=case.number, body="在吗？", now=noon)
    assert case.clocks.get(kind=ClockKind.FIRST_ANSWER).stopped_at is None
    say(actor=cast.lin, number=case.number, body="内部核对", now=noon, internal=True)
    assert case.clocks.get(kind=ClockKind.FIRST_ANSWER).stopped_at is None
    later = noon + timedelta(minutes=12)
    say(actor=cast.lin, number=case.number, body="在，马上办。", now=later)
    assert case.clocks.get(kind=ClockKind.FIRST_ANSWER).stopped_at == later


def test_a_merchant_writes_no_internal_notes(cast, noon, unchanged):
    number = opened(cast, noon).number
    with unchanged(), pytest.raises(Forbidden):
        say(actor=cast.mira, number=number, body="记一笔", now=noon, internal=True)


@pytest.mark.parametrize("who", ["mo", "otto", "yan"])
def test_a_strangers_case_does_not_exist(cast, noon, unchanged, who):
    number = opened(cast, noon).number
    with unchanged(), pytest.raises(Missing):
        say(actor=getattr(cast, who), number=number, body="让我看看", now=noon)


def test_the_log_holds_no_words_of_the_merchant(cast, noon):
    number = opened(cast, noon, need="电话 13900001234").number
    say(actor=cast.mira, number=number, body="身份证 310101", now=noon)
    [(log,)] = rows("SELECT string_agg(payload::text, '') FROM ledger_event")
    assert "13900001234" not in log
    assert "310101" not in log
