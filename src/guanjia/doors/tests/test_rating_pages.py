"""Rating by a link, at the merchant's door, and where it is read."""

import pytest
from django.test import Client
from django.utils import timezone

from guanjia.cases.actions import open_case, rate_case, solve_case
from guanjia.cases.models import Rating
from guanjia.cases.rating import rating_link
from guanjia.demo.cast import make_cast
from guanjia.merchants.models import Member


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def case(market):
    found = open_case(actor=market.mira, merchant_ref="M-1042", need="想上团购", now=timezone.now())
    solve_case(actor=market.lin, number=found.number, now=timezone.now())
    return found


@pytest.fixture
def link(market, case):
    return "/rate/" + rating_link(case, market.mira).split("/rate/")[1]


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_looking_rates_nothing_and_a_press_rates(client, market, case, link, unchanged):
    with unchanged():
        page = client.get(f"{link}?score=4")
        client.head(f"{link}?score=4")
    assert page.status_code == 200
    assert 'value="4" class="primary"' in page.content.decode()
    answer = client.post(link, {"score": "4", "words": "很快"})
    assert (answer.status_code, answer.headers["Location"]) == (303, link)
    rating = Rating.objects.get()
    assert (rating.score, rating.words, rating.by) == (4, "很快", market.mira)
    thanks = client.get(link).content.decode()
    assert "谢谢，评价记下了" in thanks
    assert "很快" in thanks


def test_a_press_needs_the_pages_own_token(link):
    assert Client(enforce_csrf_checks=True).post(link, {"score": "4"}).status_code == 403
    assert not Rating.objects.exists()


def test_a_link_that_is_not_ours_opens_nothing(client, market, case, link):
    assert client.get("/rate/none/").status_code == 410
    assert client.post(link[:-4] + "/", {"score": "1"}).status_code == 410
    assert not Rating.objects.exists()


def test_who_has_left_the_merchant_is_asked_no_more(client, market, link):
    Member.objects.filter(user=market.mira).delete()
    assert client.get(link).status_code == 410
    assert client.post(link, {"score": "1"}).status_code == 410


def test_what_was_typed_stays_when_nothing_was_chosen(client, market, link, unchanged):
    with unchanged():
        answer = client.post(link, {"words": "办得<b>慢</b>"})
    assert answer.status_code == 422
    assert "办得&lt;b&gt;慢&lt;/b&gt;" in answer.content.decode()


def test_the_link_shows_nothing_else_of_the_case(client, market, case, link):
    page = client.get(link).content.decode()
    assert case.number in page
    assert "云栖" not in page
    assert client.get(f"/door/M-1042/cases/{case.number}/").status_code == 302


def test_at_the_door_a_solved_case_is_rated(market, case):
    mira, page = signed_in(market.mira), f"/door/M-1042/cases/{case.number}/"
    assert "办得怎么样？" in mira.get(page).content.decode()
    answer = mira.post(f"{page}rate", {"score": "5"})
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert "★★★★★" in mira.get(page).content.decode()


def test_an_open_case_does_not_ask(market):
    case = open_case(actor=market.mira, merchant_ref="M-1042", need="想上团购", now=timezone.now())
    page = signed_in(market.mira).get(f"/door/M-1042/cases/{case.number}/").content.decode()
    assert "办得怎么样？" not in page


def test_the_manager_reads_it_and_the_lead_sees_averages(market, case):
    rate_case(actor=market.mira, number=case.number, score=3, words="还行", now=timezone.now())
    page = signed_in(market.lin).get(f"/desk/cases/{case.number}/").content.decode()
    assert "★★★☆☆" in page
    assert "还行" in page
    board = signed_in(market.wei).get("/lead/").content.decode()
    assert "商家的评价 · 近三个月" in board
    assert '<td class="number">3.0</td><td class="number">1</td>' in board
