"""Who is told of what: read as they would read it."""

from __future__ import annotations

from datetime import time, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils.translation import override

from guanjia.base.actors import SYSTEM
from guanjia.base.sql import rows
from guanjia.cases.actions import open_case, say, solve_case, wait_for_merchant
from guanjia.cases.clock_events import ClockBreached, ClockWarned
from guanjia.cases.events import Mentioned
from guanjia.cases.models.marks import Mention
from guanjia.demo.cast import make_user
from guanjia.ledger.actions import Entry, record
from guanjia.ledger.models import Event
from guanjia.merchants.actions import remove_member
from guanjia.merchants.models import Member, MemberRole
from guanjia.people.actions import grant_role, set_absence
from guanjia.people.actors import actor_of
from guanjia.people.models import Preference, Role, User
from guanjia.people.news import KINDS
from guanjia.post import queries
from guanjia.post.models import Delivery, DeliveryState, News, Notice, Side
from guanjia.post.queries import notices, unread_count
from guanjia.post.telling import tell
from guanjia.post.tellings import BY_CODE, TELLINGS, WAKING
from guanjia.post.tests.rounds import MAIL, tell_all

pytestmark = pytest.mark.django_db

MARK = "只有自己人能看的话 7f3a"


def phrases(user, now):
    return [entry.piece.phrase for entry in notices(user).entries]


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.MAIL = MAIL


@pytest.fixture
def case(cast, noon):
    return open_case(actor=cast.mira, merchant_ref="M-1042", need="双十一首页展示位", now=noon)


def with_mail(*people):
    for one in people:
        User.objects.filter(pk=one.pk).update(email=f"{one.username}@example.com")


def test_every_kind_that_wakes_the_post_is_in_the_trigger():
    [(body,)] = rows("SELECT prosrc FROM pg_proc WHERE proname = 'post_tell'")
    listed = body[body.index("ARRAY[") :].partition("]")[0]
    assert set(listed.removeprefix("ARRAY[").replace("'", "").split(", ")) == set(WAKING)


def test_codes_are_told_apart_and_kinds_have_names():
    told = [telling for tellings in TELLINGS.values() for telling in tellings]
    assert len(told) == len(BY_CODE)
    assert {telling.news for telling in told} <= set(KINDS)


def test_only_what_is_told_wakes_the_post(cast, noon, case):
    kinds = dict(Event.objects.values_list("pk", "kind"))
    woken = {kinds[key] for key in tell_all(noon)}
    assert woken == {"cases.opened"}
    assert "merchants.registered" not in woken


def test_a_new_case_is_told_to_its_owner_and_not_to_its_author(cast, noon, case):
    tell_all(noon)
    assert phrases(cast.lin, noon) == ["云栖女装有一件新的事"]
    assert phrases(cast.mira, noon) == []
    assert phrases(cast.wei, noon) == []


def test_an_answer_is_told_to_the_merchant_with_its_words(cast, noon, case):
    say(actor=cast.lin, number=case.number, body="展示位还有三个。", now=noon)
    tell_all(noon)
    [entry] = notices(cast.mira).entries
    assert entry.unread
    assert (entry.piece.phrase, entry.piece.excerpt) == ("林晓 Lin 回复了您", "展示位还有三个。")
    assert (entry.piece.number, entry.piece.title) == (case.number, "双十一首页展示位")
    assert entry.piece.link == f"/door/M-1042/cases/{case.number}/"


def test_words_are_in_the_language_of_the_reader(cast, noon, case):
    say(actor=cast.lin, number=case.number, body="Three left.", now=noon)
    tell_all(noon)
    with override("en"):
        [entry] = notices(cast.mira).entries
        assert entry.piece.phrase == "林晓 Lin replied to you"


def test_who_only_reads_is_not_written_to(cast, noon, case):
    vera = make_user("vera", "Vera")
    Member.objects.create(merchant=cast.mira_shop, user=vera, role=MemberRole.VIEWER)
    say(actor=cast.lin, number=case.number, body="好的。", now=noon)
    tell_all(noon)
    assert phrases(vera, noon) == []


def test_telling_twice_changes_nothing(cast, noon, case, unchanged):
    with_mail(cast.lin)
    keys = tell_all(noon)
    assert (Notice.objects.count(), Delivery.objects.count(), News.objects.count()) == (1, 1, 1)
    with unchanged():
        tell(keys, noon)


def test_an_internal_note_reaches_nobody_of_the_merchant(cast, noon, case):
    """Its words, its existence, its author: nothing of it in what is theirs."""
    with_mail(cast.mira, cast.lin, cast.wei)
    say(actor=cast.wei, number=case.number, body="先看看。", now=noon, internal=True)
    tell_all(noon)
    before = Notice.objects.filter(user=cast.mira).count(), Delivery.objects.filter(user=cast.mira).count()
    say(actor=cast.lin, number=case.number, body=MARK, now=noon, internal=True)
    tell_all(noon)
    after = Notice.objects.filter(user=cast.mira).count(), Delivery.objects.filter(user=cast.mira).count()
    assert after == before
    assert all(MARK not in entry.piece.body for entry in notices(cast.mira).entries)
    assert phrases(cast.wei, noon)[0] == "林晓 Lin 留下内部备注"


def test_whoever_belongs_to_the_merchant_hears_no_note_even_when_they_also_work_here(cast, noon, case):
    Member.objects.create(merchant=cast.mira_shop, user=cast.wei, role=MemberRole.STAFF)
    say(actor=cast.wei, number=case.number, body="我两边都是。", now=noon, internal=True)
    say(actor=cast.lin, number=case.number, body=MARK, now=noon, internal=True)
    tell_all(noon)
    assert "林晓 Lin 留下内部备注" not in phrases(cast.wei, noon)


def test_the_database_refuses_a_note_as_news_for_a_merchant(cast, noon, case, unchanged):
    note = say(actor=cast.lin, number=case.number, body=MARK, now=noon, internal=True)
    with unchanged(), pytest.raises(IntegrityError, match="never news for a merchant"), transaction.atomic():
        News.objects.create(event=1, code="said.merchant", side=Side.MERCHANT, at=noon, message=note)


def test_the_words_of_a_message_that_became_internal_are_not_read_out(cast, noon, case):
    word = say(actor=cast.lin, number=case.number, body="公开的话", now=noon)
    tell_all(noon)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_message SET internal = true WHERE id = %s", [word.pk])
    assert notices(cast.mira).entries[0].piece.body == ""


def test_a_wait_tells_the_merchant_until_when(cast, noon, case):
    wait_for_merchant(actor=cast.lin, number=case.number, days=2, now=noon)
    tell_all(noon)
    assert phrases(cast.mira, noon)[0].startswith("我们在等您答复，最迟 11月")


def test_the_end_is_told_to_the_other_side(cast, noon, case):
    solve_case(actor=cast.mira, number=case.number, now=noon)
    tell_all(noon)
    assert phrases(cast.lin, noon)[0] == "米拉 Mira 办结了这件事"
    assert phrases(cast.mira, noon) == []


def test_unread_is_counted_up_to_a_hundred(cast, noon, case):
    tell_all(noon)
    assert unread_count(cast.lin) == 1
    news = News.objects.get()
    Notice.objects.bulk_create(Notice(news=news, user=cast.lin, event=1_000_000 + n) for n in range(120))
    assert unread_count(cast.lin) == 100


def test_the_list_is_paged_without_gap_or_repeat(cast, noon, case):
    tell_all(noon)
    news = News.objects.get()
    Notice.objects.bulk_create(
        Notice(
            news=news,
            user=cast.lin,
            event=1_000_000 + n,
            unread=n % 2 == 0,
            read_at=None if n % 2 == 0 else noon,
        )
        for n in range(80)
    )
    seen: list[queries.Entry] = []
    after = ""
    while True:
        part = notices(cast.lin, after=after)
        seen += part.entries
        if not part.after:
            break
        after = part.after
    assert [entry.unread for entry in seen] == [True] * 41 + [False] * 40
    assert len({entry.pk for entry in seen}) == 81


# --- preferences ----------------------------------------------------------------------------------


def only_delivery():
    return Delivery.objects.get()


def test_a_muted_kind_is_on_the_page_and_not_in_the_mail(cast, noon, case):
    with_mail(cast.lin)
    Preference.objects.create(user=cast.lin, muted=["case"])
    tell_all(noon)
    assert unread_count(cast.lin) == 1
    assert not Delivery.objects.exists()


def test_quiet_hours_over_midnight_hold_the_letter_until_they_end(cast, noon, case):
    with_mail(cast.lin)
    Preference.objects.create(user=cast.lin, quiet_from=time(22), quiet_until=time(7, 30))
    late = noon + timedelta(hours=11)  # 23:00 in Shanghai
    tell_all(late)
    delivery = only_delivery()
    assert delivery.due_at == noon + timedelta(hours=19, minutes=30)
    assert delivery.bundled


def test_gathered_news_wait_for_the_letter_of_the_day(cast, noon, case):
    with_mail(cast.lin)
    Preference.objects.create(user=cast.lin, gathered=["case"], gathered_at=time(9))
    tell_all(noon)
    assert only_delivery().due_at == noon + timedelta(hours=21)


def test_who_leaves_the_merchant_leaves_its_news(cast, noon, case):
    sam = make_user("sam", "Sam")
    with_mail(sam)
    member = Member.objects.create(merchant=cast.mira_shop, user=sam, role=MemberRole.STAFF)
    say(actor=cast.lin, number=case.number, body="好的。", now=noon)
    tell_all(noon)
    assert unread_count(sam) == 1
    remove_member(actor=SYSTEM, merchant=cast.mira_shop, member_id=member.pk, now=noon)
    tell_all(noon)
    assert unread_count(sam) == 0
    assert Delivery.objects.get(user=sam).state == DeliveryState.DROPPED


def test_a_person_who_is_deleted_takes_their_notices_along(cast, noon, case):
    sam = make_user("sam", "Sam")
    Member.objects.create(merchant=cast.mira_shop, user=sam, role=MemberRole.STAFF)
    say(actor=cast.lin, number=case.number, body="好的。", now=noon)
    tell_all(noon)
    sam.delete()
    assert not Notice.objects.filter(user=sam.pk).exists()


def test_a_batch_costs_the_same_statements_whatever_its_size(cast, noon, case, django_assert_max_num_queries):
    with_mail(cast.lin, cast.mira)
    for n in range(12):
        say(actor=cast.mira, number=case.number, body=f"第 {n} 句", now=noon)
    with django_assert_max_num_queries(40):
        tell_all(noon)
    assert unread_count(cast.lin) == 13


def test_a_breach_is_told_to_who_answers_and_to_the_lead(cast, noon, case):
    payload = ClockBreached(case.number, 1, "first_answer", cast.lin.pk, None, noon.isoformat())
    record([Entry(noon, SYSTEM, f"case:{case.number}", payload, cast.mira_shop.pk)])
    tell_all(noon)
    assert phrases(cast.lin, noon)[0] == "超过了时限：首次答复"
    assert phrases(cast.wei, noon) == ["超过了时限：首次答复"]
    assert phrases(cast.mira, noon) == []


def test_a_line_is_told_of_its_clock_and_nothing_of_the_case(cast, noon, case):
    payload = ClockWarned(case.number, 1, "line_decision", cast.otto.pk, "display-slots", noon.isoformat())
    record([Entry(noon, SYSTEM, f"case:{case.number}", payload, cast.mira_shop.pk)])
    tell_all(noon)
    [entry] = notices(cast.otto).entries
    assert entry.piece.phrase == "快到时限了：业务线答复，最迟 11月10日 12:00"
    assert (entry.piece.number, entry.piece.title, entry.piece.link) == ("", "", "/console/display-slots/")


def test_a_mention_is_told_once_and_as_a_mention(cast, noon, case):
    tell_all(noon)
    Notice.objects.all().delete()
    note = say(actor=cast.wei, number=case.number, body="@lin 看一下", now=noon, internal=True)
    Mention.objects.get_or_create(message=note, case=case, user=cast.lin)
    payload = Mentioned(case.number, note.pk, [cast.lin.pk], internal=True)
    if not Event.objects.filter(kind=Mentioned.kind).exists():
        record([Entry(noon, actor_of(cast.wei), f"case:{case.number}", payload, cast.mira_shop.pk)])
    tell_all(noon)
    assert phrases(cast.lin, noon) == ["魏岚 Wei 提到了您"]


def test_who_stands_in_hears_what_the_absent_one_hears(cast, noon, case):
    lea = make_user("lea", "Lea")
    grant_role(actor=SYSTEM, user=lea, role=Role.ACCOUNT_MANAGER, now=noon)
    until = noon + timedelta(hours=1)
    set_absence(actor=cast.lin, user=cast.lin, substitute=lea, since=noon, until=until, now=noon)
    say(actor=cast.mira, number=case.number, body="在吗", now=noon)
    tell_all(noon)
    assert phrases(lea, noon) == phrases(cast.lin, noon) != []
    say(actor=cast.mira, number=case.number, body="还在吗", now=until)
    before = phrases(lea, until)
    tell_all(until)
    assert phrases(lea, until) == before
