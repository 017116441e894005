"""The search pages of the desk, a merchant's door and the lead: what stands on them, and for whom."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases.actions import open_case, say
from guanjia.demo.cast import make_cast
from guanjia.search.testing import catch_up


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def browser(market):
    """`browser("lin")` is hers."""

    def signed_in(name):
        client = Client()
        client.force_login(getattr(market, name))
        return client

    return signed_in


def need(market, text, who="mira", ref="M-1042"):
    case = open_case(actor=getattr(market, who), merchant_ref=ref, need=text, now=timezone.now())
    catch_up()
    return case


def numbers_in(answer):
    assert answer.status_code == 200
    return re.findall(r'id="c-(GJ-[\d-]+)"', answer.content.decode())


def test_a_number_opens_its_case_and_words_are_found(market, browser):
    case, lin = need(market, "想上展示位"), browser("lin")
    assert (
        lin.get(f"/desk/search?q={case.number.lower()}").headers["Location"] == f"/desk/cases/{case.number}/"
    )
    for words in ("展示位", "云栖", "M-10", case.number[-3:], f"from:M-1042 {case.number[-6:]}"):
        assert numbers_in(lin.get("/desk/search", {"q": words})) == [case.number], words
    assert numbers_in(lin.get("/desk/search", {"q": "%"})) == []


def test_merchants_and_services_stand_beside_cases(market, browser):
    case, lin = need(market, "首页展示位，云栖要"), browser("lin")
    page = lin.get("/desk/search", {"q": "云栖"}).content.decode()
    assert 'href="/desk/merchants/M-1042/"' in page
    assert "<mark>云栖</mark>女装" in page
    page = lin.get("/desk/search", {"q": "展示位"}).content.decode()
    assert "home-banner" in page
    assert numbers_in(lin.get("/desk/search", {"q": "展示位", "show": "services"})) == []
    only = lin.get("/desk/search", {"q": "展示位", "show": "cases"})
    assert numbers_in(only) == [case.number]
    assert "home-banner" not in only.content.decode()


def test_nothing_found_says_what_to_try(market, browser):
    lin = browser("lin")
    page = lin.get("/desk/search", {"q": "is:odd is:open 鸬鹚"}).content.decode()
    assert "没有找到“is:odd is:open 鸬鹚”。" in page
    assert "<code>is:odd</code> 不认得" in page
    assert 'href="?q=%E9%B8%AC%E9%B9%9A">去掉筛选再找一次' in page


def test_without_words_it_says_how_to_search(market, browser):
    page = browser("lin").get("/desk/search").content.decode()
    assert "想找什么，直接写" in page
    assert "autofocus" in page


def test_other_peoples_numbers_do_not_open(market, browser):
    case = need(market, "秘密的事", who="mo", ref="M-2077")
    answer = browser("lin").get("/desk/search", {"q": case.number})
    assert numbers_in(answer) == []
    assert "秘密" not in answer.content.decode()


def test_the_lead_finds_everything(market, browser):
    ours, theirs = need(market, "退款"), need(market, "退款", who="mo", ref="M-2077")
    wei = browser("wei")
    assert numbers_in(wei.get("/lead/search", {"q": "退款"})) == [theirs.number, ours.number]
    assert numbers_in(wei.get("/desk/search", {"q": "退款"})) == [theirs.number, ours.number]
    assert wei.get("/lead/search", {"q": ours.number}).headers["Location"] == f"/desk/cases/{ours.number}/"


def test_a_merchant_finds_its_own_and_never_a_note(market, browser):
    ours, theirs = need(market, "退款"), need(market, "退款", who="mo", ref="M-2077")
    say(actor=market.lin, number=ours.number, body="暗语鸬鹚", internal=True, now=timezone.now())
    catch_up()
    mira = browser("mira")
    assert numbers_in(mira.get("/door/M-1042/search", {"q": "退款"})) == [ours.number]
    assert numbers_in(mira.get("/door/M-1042/search", {"q": "鸬鹚"})) == []
    assert "暗语" not in mira.get("/door/M-1042/search", {"q": "退款"}).content.decode()
    assert mira.get("/door/M-1042/search", {"q": ours.number}).headers["Location"] == (
        f"/door/M-1042/cases/{ours.number}/"
    )
    assert numbers_in(mira.get("/door/M-1042/search", {"q": theirs.number})) == []
    assert numbers_in(browser("lin").get("/desk/search", {"q": "鸬鹚"})) == [ours.number]
    assert "内部" in browser("lin").get("/desk/search", {"q": "鸬鹚"}).content.decode()


def test_what_is_found_is_escaped(market, browser):
    need(market, "<img src=x> 退款")
    page = browser("lin").get("/desk/search", {"q": '退款 "<img'}).content.decode()
    assert "<img" not in page


def test_a_long_list_goes_on(market, browser):
    every = [need(market, "退款").number for _ in range(23)]
    first = browser("lin").get("/desk/search", {"q": "退款"})
    [following] = re.findall(r'href="(\?[^"]+)" rel="next"', first.content.decode())
    second = browser("lin").get(f"/desk/search{unescape(following)}")
    assert numbers_in(first) + numbers_in(second) == every[::-1]
    assert "没有更早的了。" in second.content.decode()


@pytest.mark.parametrize(
    ("who", "path"), [("lin", "/desk/search"), ("wei", "/lead/search"), ("mira", "/door/M-1042/search")]
)
def test_it_takes_the_same_statements_for_one_and_for_three(market, browser, who, path):
    client, counts = browser(who), []
    client.get(path, {"q": "退款"})
    for times in (1, 2):
        for _ in range(times):
            need(market, "退款")
        with CaptureQueriesContext(connection) as seen:
            assert numbers_in(client.get(path, {"q": "退款"}))
        counts.append(len(seen))
    assert counts[0] == counts[1]
    assert counts[0] <= 16
