"""My door: say it once, see what moves, and who looks after it."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.cases.actions import open_case, say
from guanjia.cases.models import Case
from guanjia.packages.tests import stories

ENGLISH = {"Accept-Language": "en"}
DOOR = "/door/M-1042/"


def seen_in(answer):
    return re.findall(r"live\?seen=([0-9.]+)", answer.content.decode())[0]


def statements(client, path):
    with CaptureQueriesContext(connection) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_a_need_is_said_once_and_becomes_a_case(mira, market, said):
    key = re.findall(r'name="key" value="(\w+)"', mira.get(DOOR).content.decode())[0]
    posted = {"need": " 想要一个首页展示位 ", "key": key}
    first, again = mira.post(DOOR, posted), mira.post(DOOR, posted)
    [case] = Case.objects.all()
    assert (first.status_code, first.url) == (303, f"{DOOR}cases/{case.number}/")
    assert again.url == first.url
    assert (case.need, case.title, case.opened_by) == (
        "想要一个首页展示位",
        "想要一个首页展示位",
        market.mira,
    )
    assert f"收到了，编号 {case.number}。林晓 Lin会在时限内答复您。" in said(mira.get(first.url))
    mira.post(DOOR, {**posted, "need": "另一件事"})
    assert Case.objects.count() == 2


@pytest.mark.parametrize(
    ("need", "words"),
    [
        ("   ", "“要办的事”不能为空。"),
        ("货架" * 10_001, "“要办的事”有 20002 个字，最多 20000 个字。"),
        ("备\x00货", "“要办的事”里有不可见的空字符"),
    ],
    ids=["empty", "long", "nul"],
)
def test_what_cannot_be_kept_is_refused_and_stays_in_the_box(mira, need, words, unchanged, said):
    mira.get(DOOR)
    with unchanged():
        answer = mira.post(DOOR, {"need": need, "key": "f" * 32})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert words in said(answer)
    assert need.replace("\x00", "") in page.replace("\x00", "").replace("\ufffd", "")
    assert 'name="key" value="' + "f" * 32 in page


def test_the_door_shows_tracks_proposals_and_what_is_finished(mira, market, now, said):
    pending, dearer = stories.pending(market, now), stories.dearer(market, now)
    done = stories.done(market, now)
    Case.objects.filter(pk=done.case_id).update(state="solved", solved_at=now)
    page = said(mira.get(DOOR, headers=ENGLISH))
    assert "Waiting for you" in page
    assert "¥1,500.00" in page
    assert dearer.number in mira.get(DOOR).content.decode()
    assert re.search(rf"{pending.case.number} · 林晓 Lin 3:\d\d", page)
    assert re.search(r"Display slots Waiting for the line 3:\d\d Warehousing Reserved", page)
    assert page.index("Recently done") < page.index(done.case.number)


def test_the_most_urgent_comes_first_and_the_list_ends(mira, market, now, said):
    for n in range(10):
        at = now - timedelta(minutes=n)
        open_case(actor=market.mira, merchant_ref="M-1042", need=f"第{n}件", now=at)
    page = said(mira.get(DOOR))
    assert [int(n) for n in re.findall(r"第(\d)件", page)] == [9, 8, 7, 6, 5, 4, 3, 2]
    href = re.findall(r'id="more" href="([^"]+)"', mira.get(DOOR).content.decode())[0]
    rest = said(mira.get(href.replace("&amp;", "&")))
    assert [int(n) for n in re.findall(r"第(\d)件", rest)] == [1, 0]


def test_the_manager_card_counts_the_promises_kept(mira, market, now, said):
    for after in (timedelta(minutes=10), timedelta(minutes=30), timedelta(hours=5)):
        case = stories.a_case(market, now - timedelta(hours=6))
        say(actor=market.lin, number=case.number, body="好的", now=case.opened_at + after)
    stories.a_case(market, now)  # not due yet: counts neither way
    page = said(mira.get(DOOR))
    assert "林晓 Lin 客户经理，所有业务线的事都找他" in page
    assert "承诺首次答复 4 小时内 最近 3 次 守住 2 次 通常多久 30 分钟 替补 魏岚 Wei" in page


def test_a_pool_answers_by_its_lead(client, market, said):
    client.force_login(market.mo)
    assert "共享池 共享池，由魏岚 Wei负责" in said(client.get("/door/M-2077/"))


@pytest.mark.usefixtures("still")
def test_what_moves_is_sent_only_when_there_is_news(mira, market, now, django_assert_max_num_queries):
    seen = seen_in(mira.get(DOOR))
    with django_assert_max_num_queries(6):
        quiet = mira.get(f"{DOOR}live?seen={seen}")
    stories.a_case(market, now)
    news = mira.get(f"{DOOR}live?seen={seen}")
    assert (quiet.status_code, quiet.content) == (204, b"")
    assert "双十一要一个首页展示位" in news.content.decode()
    assert "<html" not in news.content.decode()
    assert mira.get(f"{DOOR}live?seen={seen_in(news)}").status_code == 204


def test_the_door_costs_the_same_however_much_is_on_the_way(mira, market, now):
    stories.pending(market, now)
    stories.dearer(market, now)
    one = statements(mira, DOOR)
    for _ in range(2):
        stories.pending(market, now)
        stories.dearer(market, now)
    assert statements(mira, DOOR) == one == 10


def test_a_stranger_signs_in_and_another_merchant_finds_nothing(client, market):
    away = client.get(DOOR)
    assert (away.status_code, away.url) == (302, "/sign-in?next=/door/M-1042/")
    client.force_login(market.mo)
    for path in (DOOR, f"{DOOR}live", f"{DOOR}cases/", f"{DOOR}people/", f"{DOOR}services/"):
        assert client.get(path).status_code == 404
    assert client.post(DOOR, {"need": "x"}).status_code == 404
    assert Case.objects.count() == 0


def test_a_poll_after_the_session_has_ended_asks_for_the_whole_page(client, market):
    """htmx would put the sign-in page into the middle of the open one."""
    answer = client.get(f"{DOOR}live", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Refresh"], answer.content) == (204, "true", b"")


def test_a_viewer_reads_and_is_offered_nothing_to_say(viewer, market, unchanged):
    page = viewer.get(DOOR).content.decode()
    assert "<textarea" not in page
    with unchanged():
        assert viewer.post(DOOR, {"need": "想办"}).status_code == 403
