"""A merchant's cases: the list, the conversation without internal notes, the clocks, the end."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.cases.actions import open_case, say, solve_case
from guanjia.cases.models import Case, Message
from guanjia.merchants.models import MemberRole
from guanjia.packages.tests import stories

DOOR = "/door/M-1042/"
ENGLISH = {"Accept-Language": "en"}
MARKER = "机密记号 internal-only-7391"


def path_of(case):
    return f"{DOOR}cases/{case.number}/"


@pytest.fixture
def case(market, now):
    return stories.a_case(market, now)


def talk(market, case, now, times=1):
    for n in range(times):
        say(actor=market.lin, number=case.number, body=f"答 {n}", now=now)
        say(actor=market.mira, number=case.number, body=f"问 {n}", now=now)


def test_the_conversation_shows_both_sides_and_the_need_first(mira, market, case, now, said):
    talk(market, case, now)
    page = said(mira.get(path_of(case)))
    assert page.index("米拉 Mira") < page.index("答 0") < page.index("问 0")
    assert "首次答复 用了 0 分钟，在承诺的 4 小时 以内。" in page
    assert "办结 还剩 2 天 23 小时" in page


def test_an_internal_note_is_on_no_page_of_the_door(mira, market, now):
    package = stories.pending(market, now)
    case = package.case
    say(actor=market.lin, number=case.number, body=MARKER, internal=True, now=now)
    pages = [
        "",
        "live",
        "cases/",
        f"cases/{case.number}/",
        f"cases/{case.number}/live",
        "people/",
        "services/",
    ]
    for page in [*pages, f"packages/{package.number}/", f"packages/{package.number}/live"]:
        answer = mira.get(f"{DOOR}{page}")
        assert answer.status_code == 200
        assert "internal-only" not in answer.content.decode()
    assert Message.objects.filter(internal=True).count() == 1


def test_a_word_is_said_once(mira, case):
    key = re.findall(r'name="key" value="(\w+)"', mira.get(path_of(case)).content.decode())[0]
    for _ in range(2):
        answer = mira.post(path_of(case), {"body": "请问几点？", "key": key})
    assert (answer.status_code, answer.url) == (303, path_of(case))
    assert [message.body for message in Message.objects.filter(author__isnull=False)] == ["请问几点？"]


def test_an_empty_word_is_refused_beside_the_box(mira, case, unchanged, said):
    mira.get(path_of(case))
    with unchanged():
        answer = mira.post(path_of(case), {"body": "  "})
    assert answer.status_code == 422
    assert "“沟通内容”不能为空。" in said(answer)


def test_a_long_conversation_is_shown_page_by_page(mira, market, case, now, said):
    talk(market, case, now, times=30)
    first = mira.get(path_of(case))
    assert "答 4" not in said(first)
    assert "问 29" in said(first)
    earlier = re.findall(r'id="earlier" href="([^"]+)"', first.content.decode())[0]
    second = said(mira.get(path_of(case) + earlier))
    assert "答 0" in second
    assert "答 5" not in second


def test_a_case_costs_the_same_however_much_was_said(mira, market, now):
    case = stories.pending(market, now).case
    talk(market, case, now)
    with CaptureQueriesContext(connection) as one:
        mira.get(path_of(case))
    talk(market, case, now, times=3)
    for _ in range(2):
        stories.ask(market, now, case=case.number)
    with CaptureQueriesContext(connection) as more:
        mira.get(path_of(case))
    assert len(more) == len(one)


@pytest.mark.usefixtures("still")
def test_what_moves_is_sent_only_when_there_is_news(mira, market, case, now, said):
    live = f"{path_of(case)}live"
    seen = re.findall(r"live\?seen=([0-9.]+)", mira.get(path_of(case)).content.decode())[0]
    assert mira.get(f"{live}?seen={seen}").status_code == 204
    say(actor=market.lin, number=case.number, body="来了", now=now)
    news = mira.get(f"{live}?seen={seen}")
    assert "来了" in said(news)
    assert 'id="side"' in news.content.decode()


def test_a_case_is_solved_and_brought_back(mira, case, said):
    done = mira.post(f"{path_of(case)}solve", follow=True)
    assert "已办结。还有话要说，直接写下来" in said(done)
    assert Case.objects.get(pk=case.pk).state == "solved"
    assert "没有办好，重新打开" in said(done)
    mira.post(f"{path_of(case)}reopen")
    assert Case.objects.get(pk=case.pk).state == "open"


def test_what_is_still_running_is_not_solved(mira, market, now, unchanged, said):
    package = stories.pending(market, now)
    mira.get(path_of(package.case))
    with unchanged():
        answer = mira.post(f"{path_of(package.case)}solve")
    assert answer.status_code == 409
    assert f"一揽子 {package.number} 还在办理，现在不能办结。" in said(answer)


def test_another_merchants_case_is_not_here(mira, market, now):
    other = open_case(actor=market.mo, merchant_ref="M-2077", need="别家的事", now=now)
    for path in (path_of(other), f"{path_of(other)}live", f"{DOOR}cases/GJ-2026-999999/"):
        assert mira.get(path).status_code == 404
    for path in (path_of(other), f"{path_of(other)}solve", f"{path_of(other)}reopen"):
        assert mira.post(path, {"body": "x"}).status_code == 404


def test_staff_of_both_merchants_keep_them_apart(client, market, case):
    """Wei sees every merchant; still a case is only behind its own merchant's door."""
    client.force_login(market.wei)
    assert client.get(path_of(case)).status_code == 200
    assert client.get(f"/door/M-2077/cases/{case.number}/").status_code == 404


def test_a_viewer_reads_and_may_say_nothing(viewer, case, unchanged):
    page = viewer.get(path_of(case)).content.decode()
    assert "<textarea" not in page
    assert "/solve" not in page
    with unchanged():
        for path, posted in ((path_of(case), {"body": "x"}), (f"{path_of(case)}solve", {})):
            assert viewer.post(path, posted).status_code == 403


def test_finance_speaks_but_does_not_solve(member, case):
    finance, _kept = member(MemberRole.FINANCE)
    page = finance.get(path_of(case)).content.decode()
    assert "<textarea" in page
    assert "/solve" not in page


# --- the list -----------------------------------------------------------------------------------


def test_the_list_is_filtered_by_state(mira, market, now, said):
    asked, quiet = stories.dearer(market, now).case, stories.a_case(market, now)
    solved = stories.a_case(market, now)
    solve_case(actor=market.lin, number=solved.number, now=now)
    shown = {
        show: set(re.findall(r"GJ-\d{4}-\d{6}", said(mira.get(f"{DOOR}cases/?show={show}"))))
        for show in ("all", "live", "yours", "done")
    }
    assert shown == {
        "all": {asked.number, quiet.number, solved.number},
        "live": {asked.number, quiet.number},
        "yours": {asked.number},
        "done": {solved.number},
    }
    assert mira.get(f"{DOOR}cases/?show=none").status_code == 404


@pytest.mark.parametrize("show", ["all", "live", "done"])
def test_every_case_is_on_exactly_one_page(mira, market, now, show):
    numbers = []
    for n in range(45):
        case = stories.a_case(market, now + timedelta(seconds=n // 2))
        if show == "done":
            solve_case(actor=market.lin, number=case.number, now=now)
        numbers.append(case.number)
    found, path = [], f"?show={show}"
    while path:
        page = mira.get(f"{DOOR}cases/{path}").content.decode()
        found += re.findall(r'id="need-(GJ-\d{4}-\d{6})"', page)
        onward = re.search(r'href="([^"]+)" rel="next"', page)
        path = onward[1].replace("&amp;", "&") if onward else ""
    assert sorted(found) == sorted(numbers)
    assert found == (numbers if show == "live" else numbers[::-1])


@pytest.mark.parametrize("after", ["x", "1", "9" * 17 + "-1", "1-" + "9" * 18, "-5", "99999999999999999-1"])
def test_an_invented_page_is_no_fault(mira, after):
    assert mira.get(f"{DOOR}cases/?show=live&after={after}").status_code in (200, 422)
    assert mira.get(f"{DOOR}cases/?show=all&after={after}").status_code in (200, 422)
