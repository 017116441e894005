"""The composer's page: who may, what it keeps, what it refuses, and that submitting has one effect."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.demo.cast import make_cast
from guanjia.merchants.models import Member
from guanjia.packages.models import Composition, Package
from guanjia.packages.tests import stories

BANNER, BOXES = "display-slots/home-banner", "warehousing/storage-space"
HX = {"HX-Request": "true"}


@pytest.fixture
def cast(db):
    return make_cast(timezone.now())


@pytest.fixture
def case(cast):
    return stories.a_case(cast, timezone.now())


@pytest.fixture
def url(case):
    return f"/compose/{case.number}/"


def form(client, url, do, *items, **more):
    """The form as the page sends it: `items` as ("i1", service, {pointer: typed})."""
    page = client.get(url).content.decode()
    hidden = dict(re.findall(r'name="(key|total)" value="([^"]*)"', page))
    fields = {f"{item}:{path}": text for item, _, typed in items for path, text in typed.items()}
    cores = {f"{item}-core": "1" for item, _, _ in items}
    rows = [f"{item} {service}" for item, service, _ in items]
    return hidden | {"do": do, "mode": "all_or_nothing", "item": rows} | cores | fields | more


def send(client, url, do, *items, **more):
    return client.post(url, form(client, url, do, *items, **more))


GOOD = (("i1", BANNER, {"/day": "2026-12-01"}), ("i2", BOXES, {"/boxes": "30"}))


def test_a_merchant_finds_adds_and_finds_it_again(client, cast, case, url):
    client.force_login(cast.mira)
    assert f"add:{BANNER}" in client.get(url).content.decode()
    assert f"add:{BANNER}" not in client.get(url, {"q": "仓配"}).content.decode()
    added = send(client, url, f"add:{BANNER}")
    assert (added.status_code, added.url) == (303, f"{url}?at=i1")
    page = client.get(added.url).content.decode()
    assert "已知，无需再填" in page
    assert re.search(r'name="i1:/day"[^>]*autofocus', page)
    send(client, url, f"add:{BOXES}", ("i1", BANNER, {"/day": "2026-1"}))
    assert [item["typed"] for item in Composition.objects.get().items] == [{"/day": "2026-1"}, {}]
    send(client, url, "remove:i1", ("i1", BANNER, {"/day": "2026-1"}), ("i2", BOXES, {"/boxes": "4"}))
    assert [item["id"] for item in Composition.objects.get().items] == ["i2"]
    send(client, url, "empty")
    assert not Composition.objects.exists()


def test_searching_keeps_what_was_typed(client, cast, url):
    client.force_login(cast.mira)
    searched = send(client, url, "save", *GOOD, q="仓配")
    assert searched.url == f"{url}?q=%E4%BB%93%E9%85%8D"
    assert 'value="2026-12-01"' in client.get(searched.url).content.decode()


def test_a_script_gets_the_parts_alone(client, cast, url):
    client.force_login(cast.mira)
    found = client.get(url, {"q": "banner"}, headers=HX).content.decode()
    assert "首页展示位" in found
    assert "<html" not in found
    saved = client.post(url, form(client, url, "autosave", *GOOD), headers=HX)
    assert "草稿已存" in saved.content.decode()
    assert len(Composition.objects.get().items) == 2


def test_the_owner_submits_and_accepts_the_price_it_was_shown(client, cast, case, url):
    client.force_login(cast.mira)
    send(client, url, "save", *GOOD)
    assert "提交并确认 ¥1,200.00" in client.get(url).content.decode()
    asked = form(client, url, "accept", *GOOD)
    first, again = client.post(url, asked), client.post(url, asked)
    assert first.status_code == again.status_code == 303
    assert first.url == again.url == f"/door/M-1042/cases/{case.number}/"
    package = Package.objects.get()
    assert (package.state, package.items.get(position=1).accepted_amount) == ("holding", 120_000)
    assert not Composition.objects.exists()


def test_a_manager_submits_a_proposal(client, cast, case, url):
    client.force_login(cast.lin)
    send(client, url, "save", *GOOD)
    page = client.get(url).content.decode()
    assert "提交给商家确认价格" in page
    assert "提交并确认" not in page
    sent = send(client, url, "submit", *GOOD)
    assert sent.url == f"/desk/cases/{case.number}/"
    assert Package.objects.get().state == "submitted"


def test_nobody_accepts_without_the_right_to(client, cast, case, url):
    Member.objects.filter(user=cast.mira).update(role="staff")
    for who in (cast.lin, cast.mira):
        client.force_login(who)
        refused = send(client, url, "accept", *GOOD, total="120000")
        assert refused.status_code == 409
        assert 'value="2026-12-01"' in refused.content.decode()
    assert not Package.objects.exists()


def test_another_price_than_the_one_shown_is_refused_and_the_new_one_shown(client, cast, url):
    client.force_login(cast.mira)
    refused = send(client, url, "accept", *GOOD, total="1")
    assert refused.status_code == 409
    assert "提交并确认 ¥1,200.00" in refused.content.decode()
    assert not Package.objects.exists()


def test_what_is_wrong_is_said_at_its_field_and_stays_typed(client, cast, url):
    client.force_login(cast.mira)
    wrong = (("i1", BANNER, {"/day": ""}), ("i2", BOXES, {"/boxes": "9000"}))
    page = send(client, url, "accept", *wrong)
    text = page.content.decode()
    assert page.status_code == 422
    assert re.findall(r'class="wrong"[^>]*>([^<]+)<', text) == ["必填", "不能大于 500"]
    assert 'value="9000"' in text
    assert text.count('aria-invalid="true"') == 2
    assert not Package.objects.exists()


@pytest.mark.parametrize("do", ["submit", "accept", "add:x", "add:", "remove:i9", "nonsense", ""])
def test_a_hostile_form_is_no_fault(client, cast, url, do):
    client.force_login(cast.mira)
    odd = {
        "item": ["", "i1 a/b", "i1 a/b", "x"],
        "key": "no",
        "mode": "?",
        "total": "9" * 40,
        "i1:/\x00": "\x00",
    }
    assert client.post(url, odd | {"do": do, "q": "\x00" + "长" * 999}).status_code in (200, 303, 409, 422)
    assert client.get(url, {"q": "\x00%", "at": "x"}).status_code == 200
    assert not Package.objects.exists()


def test_an_empty_sheet_is_not_submitted(client, cast, url):
    client.force_login(cast.mira)
    assert send(client, url, "submit").status_code == 422


def test_a_service_that_is_closed_meanwhile_is_named(client, cast, url):
    client.force_login(cast.mira)
    cast.warehousing.services.update(active=False)
    page = send(client, url, "accept", *GOOD)
    assert page.status_code == 422
    assert "业务线已不提供这项服务，请移除。" in page.content.decode()


def test_another_tab_that_comes_late_is_asked_again(client, cast, url):
    client.force_login(cast.mira)
    asked = form(client, url, "submit", *GOOD)
    client.post(url, asked)
    late = client.post(url, asked | {"i2:/boxes": "31"})
    assert late.status_code == 422
    assert "这份一揽子刚才已经提交过。" in late.content.decode()
    assert Package.objects.count() == 1
    send(client, url, "submit", *GOOD)
    assert Package.objects.count() == 2


@pytest.mark.parametrize(("who", "status"), [("mo", 404), ("otto", 404), ("wei", 403)])
def test_who_may_not_is_told_as_little_as_possible(client, cast, url, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(url).status_code == status
    assert client.post(url, {"do": "submit"}).status_code == status
    assert client.get("/compose/GJ-2026-999999/").status_code == 404


def test_a_stranger_signs_in_first(client, cast, url):
    answer = client.get(url)
    assert answer.status_code == 302
    assert url in answer.url.replace("%2F", "/")


def test_it_is_in_the_readers_language(client, cast, url):
    client.force_login(cast.mira)
    send(client, url, "save", *GOOD)
    page = client.get(url, headers={"Accept-Language": "en"}).content.decode()
    body = page.partition("<form id=")[2].replace("云栖女装", "")
    assert "Submit and accept ¥1,200.00" in body
    assert not re.search(r"[\u4e00-\u9fff]", re.sub(r"<script.*?</script>", "", body))


def test_the_page_costs_the_same_however_many_items(client, cast, url):
    client.force_login(cast.lin)
    counts = []
    for items in (GOOD[:1], (*GOOD, ("i3", BANNER, {"/day": "2026-12-02"}))):
        send(client, url, "save", *items)
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            client.get(url)
        counts.append(len(seen))
    assert counts[0] == counts[1]
