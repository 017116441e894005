"""Major cases: looked at, told, stopped and gone on with, updated, solved; the leads' alone."""

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases.actions import fanout
from guanjia.cases.models import Case, MajorCase, MajorState, Recipient
from guanjia.demo.cast import make_cast
from guanjia.merchants.models import Merchant

ABOUT = {"title": "华东仓停电", "said": "发货会晚一天。", "days": "3", "refs": "M-1042 M-2077"}


@pytest.fixture
def market(db):
    return make_cast(timezone.now() - timedelta(days=1))


@pytest.fixture
def wei(market, client):
    client.force_login(market.wei)
    return client


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def opened(wei, **more):
    wei.post("/lead/majors/new", {**ABOUT, **more})
    return MajorCase.objects.get()


def go_on(found):
    while fanout.advance_major(major=found.pk, now=timezone.now()):
        pass


def test_who_it_is_about_is_looked_at_first(wei, unchanged):
    with unchanged():
        look = wei.post("/lead/majors/new", {**ABOUT, "refs": "M-1042, S-9", "look": "1"})
    shown = text_of(look)
    assert "1 家商家会收到" in shown
    assert "云栖女装" in shown
    assert "没有找到：S-9" in shown
    assert "发货会晚一天。" in look.content.decode()


def test_a_list_may_come_in_a_file(wei, unchanged):
    file = SimpleUploadedFile("who.csv", "\ufeffM-1042\nM-2077\n".encode())
    look = wei.post("/lead/majors/new", {**ABOUT, "refs": "", "file": file, "look": "1"})
    assert "2 家商家会收到" in text_of(look)
    bad = SimpleUploadedFile("who.csv", "云栖".encode("gb18030"))
    with unchanged():
        answer = wei.post("/lead/majors/new", {**ABOUT, "file": bad})
    assert answer.status_code == 422
    assert "UTF-8" in text_of(answer)


@pytest.mark.parametrize(
    "wrong", [{"title": ""}, {"days": "0"}, {"days": "x"}, {"refs": ""}, {"refs": "nobody"}]
)
def test_what_is_wrong_is_kept(wei, unchanged, wrong):
    with unchanged():
        answer = wei.post("/lead/majors/new", {**ABOUT, **wrong})
    assert answer.status_code == 422
    assert "发货会晚一天。" in answer.content.decode()


def test_it_is_told_stopped_gone_on_with_updated_and_solved(wei):
    found = opened(wei)
    page = f"/lead/majors/{found.number}/"
    assert "0 / 2 家有了自己的一件" in text_of(wei.get(page))
    assert "hx-get" in wei.get(page).content.decode()
    wei.post(f"{page}do/stop")
    go_on(found)
    assert not Recipient.objects.filter(case__isnull=False).exists()
    wei.post(f"{page}do/resume")
    go_on(found)
    assert "2 / 2 家有了自己的一件" in text_of(wei.get(page, headers={"HX-Request": "true"}))
    look = wei.post(page, {"body": "已恢复", "look": "1"})
    assert "会以您的名义出现在 2 家" in text_of(look)
    assert wei.post(page, {"body": "已恢复"}).status_code == 303
    assert wei.post(page, {"body": " "}).status_code == 422
    go_on(found)
    assert "收到最新更新 2" in text_of(wei.get(page))
    wei.post(f"{page}do/solve")
    go_on(found)
    found.refresh_from_db()
    assert found.state == MajorState.SOLVED
    assert wei.post(f"{page}do/solve").status_code == 409
    assert found.title in text_of(wei.get("/lead/majors/"))
    assert wei.post(f"{page}do/dance").status_code == 404
    assert wei.get("/lead/majors/ZD-2026-999999/").status_code == 404


def test_a_merchant_reads_its_own_word_and_nothing_of_the_others(wei, market, client):
    found = opened(wei)
    go_on(found)
    shops = (market.mira_shop, market.mo_shop)
    hers, his = (Case.objects.get(recipient__merchant=shop) for shop in shops)
    client.force_login(market.mira)
    page = text_of(client.get(f"/door/M-1042/cases/{hers.number}/"))
    assert "发货会晚一天。" in page
    assert "同一个原因影响了多家商家" in page
    assert his.number not in page
    assert found.number not in page
    assert client.get(f"/door/M-2077/cases/{his.number}/").status_code == 404
    assert client.get(f"/door/M-1042/cases/{his.number}/").status_code == 404


def test_majors_are_the_leads(market, client, wei, unchanged):
    found = opened(wei)
    for user in (market.lin, market.mira, market.otto, market.yan):
        client.force_login(user)
        with unchanged():
            for path in ("", "new", f"{found.number}/"):
                assert client.get(f"/lead/majors/{path}").status_code == 403
            assert client.post("/lead/majors/new", ABOUT).status_code == 403
            assert client.post(f"/lead/majors/{found.number}/do/stop").status_code == 403


def statements(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_pages_cost_the_same_for_one_and_for_three(wei, market):
    found = opened(wei, refs="M-1042")
    go_on(found)
    pages = ["/lead/majors/", f"/lead/majors/{found.number}/"]
    costs = [statements(wei, url) for url in pages]
    now = timezone.now()
    Merchant.objects.bulk_create(
        Merchant(ref=f"S-{n}", name=f"店{n}", home_pool=market.pool, created_at=now) for n in range(3)
    )
    for merchant in Merchant.objects.filter(ref__startswith="S-"):
        Recipient.objects.create(major=found, merchant=merchant)
    for _ in range(2):
        wei.post("/lead/majors/new", ABOUT)
    wei.post(pages[1], {"body": "一"})
    wei.post(pages[1], {"body": "二"})
    assert [statements(wei, url) for url in pages] == costs
