"""Decisions on the table, and off it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.lines.actions.hosted import decide_hold
from guanjia.lines.hosted.store import record_of
from guanjia.lines.models import HostedDecision
from guanjia.lines.protocol.messages import Money
from guanjia.packages.tests import stories

BOARD = "/console/group-buying/"


def url(key):
    return f"{BOARD}decisions/{key}/"


def statements(client, path):
    with CaptureQueriesContext(connection) as made:
        assert client.get(path).status_code == 200
    return len(made)


# --- who ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [BOARD, f"{BOARD}services/", f"{BOARD}mandates/", f"{BOARD}inventory/"])
def test_a_stranger_signs_in_and_for_others_the_line_is_not_there(house, client, path):
    asked = client.get(path)
    assert (asked.status_code, asked["location"].endswith(f"?next={path}")) == (302, True)
    for other in (house.cast.lin, house.cast.mira, house.cast.wei):
        client.force_login(other)
        assert client.get(path).status_code == 404


def test_the_way_in_shows_my_lines_by_urgency(house, otto):
    house.ask()
    found = otto.get("/console/").context["lines"]
    assert [(one.slug, one.waiting) for one in found] == [
        ("group-buying", 1),
        ("display-slots", 0),
        ("warehousing", 0),
    ]
    assert found[0].due_at - house.now == timedelta(hours=4)


def test_somebody_with_one_line_is_there_at_once(house, otto):
    house.cast.otto.lines.exclude(line=house.line).delete()
    answer = otto.get("/console/")
    assert (answer.status_code, answer["location"]) == (303, BOARD)


def test_somebody_without_a_line_is_told_so(house, client):
    client.force_login(house.cast.lin)
    assert "您还不是哪条业务线的人" in client.get("/console/").content.decode()


# --- the table ------------------------------------------------------------------------------------


def test_the_first_clock_is_first_and_open_with_what_is_asked_by_its_titles(house, otto):
    house.ask()
    urgent = house.ask(house.cast.mo_shop, ago=timedelta(hours=3))
    answer = otto.get(BOARD)
    assert answer.context["picked"].key == urgent
    assert [one.merchant for one in answer.context["waiting"]] == ["墨白文具", "云栖女装"]
    assert answer.context["picked"].asked == (("日期", "2027-01-01"), ("商品", "羊绒围巾"))
    said = answer.content.decode()
    assert "视为同意" in said
    assert "¥500.00" in said


def test_an_empty_table_says_so(otto):
    assert "桌面是空的" in otto.get(BOARD).content.decode()


def test_the_number_of_statements_does_not_grow_with_the_table(house, otto):
    house.ask()
    first = statements(otto, BOARD)
    house.ask(house.cast.mo_shop)
    house.ask(day="2027-01-02")
    assert statements(otto, BOARD) == first


def test_htmx_gets_the_list_alone(house, otto):
    house.ask()
    part = otto.get(BOARD, headers={"HX-Request": "true"}).content.decode()
    assert "waits" in part
    assert "<html" not in part


# --- yes and no -----------------------------------------------------------------------------------


def test_a_yes_leads_to_the_next_and_leaves_the_table(house, otto):
    first, second = house.ask(ago=timedelta(hours=1)), house.ask(house.cast.mo_shop)
    answer = otto.post(url(first), {"do": "approve", "quote": "500.00"})
    assert (answer.status_code, answer["location"]) == (303, url(second))
    page = otto.get(answer["location"])
    assert "已同意：云栖女装 · 团购场次。" in page.content.decode()
    assert [one.key for one in page.context["waiting"]] == [second]
    decision = HostedDecision.objects.get()
    assert (decision.hold.hold_id, decision.approved, decision.decided_by) == (first, True, house.cast.otto)
    assert otto.post(url(second), {"do": "approve", "quote": ""})["location"] == BOARD


def test_a_yes_at_another_price(house, otto):
    key = house.ask()
    otto.post(url(key), {"do": "approve", "quote": "620.5"})
    assert record_of(HostedDecision.objects.get().hold.record).quote == Money(62_050, "CNY")


def test_a_no_needs_a_reason_and_keeps_what_was_typed(house, otto, unchanged):
    key = house.ask()
    otto.get(url(key))
    with unchanged():
        answer = otto.post(url(key), {"do": "refuse", "zh": "", "en": "That day is full"})
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "请写给商家看得懂的理由。" in said
    assert "That day is full" in said


def test_a_no_goes_to_the_merchant_in_both_languages(house, otto):
    key = house.ask()
    otto.post(url(key), {"do": "refuse", "zh": "这一天留给年货节", "en": ""})
    decision = HostedDecision.objects.get()
    assert decision.approved is False
    assert "这一天留给年货节" in decision.body


@pytest.mark.parametrize("quote", ["abc", "-1", "1.234", "9" * 30])
def test_a_price_that_is_none_stays_in_the_form(house, otto, unchanged, quote):
    key = house.ask()
    otto.get(url(key))
    with unchanged():
        answer = otto.post(url(key), {"do": "approve", "quote": quote})
    assert answer.status_code == 422
    assert quote in answer.content.decode()


def test_what_somebody_else_decided_is_said_calmly(house, otto, unchanged):
    key = house.ask()
    decide_hold(actor=house.cast.otto, hold_id=key, approve=True, reason=None, now=house.now)
    otto.get(url(key))
    with unchanged():
        answer = otto.post(url(key), {"do": "refuse", "zh": "不行"})
    assert answer.status_code == 409
    said = answer.content.decode()
    assert "已同意" in said
    assert "欧拓 Otto" in said
    assert otto.get(url(key)).status_code == 200


def test_what_has_lapsed_is_said_calmly(house, otto):
    key = house.ask(ago=timedelta(hours=25))
    assert "已过期，不用再答复" in otto.get(url(key)).content.decode()


def test_a_hold_of_another_line_and_an_unknown_one_are_not_there(house, otto, client):
    key = house.ask()
    assert otto.get(f"/console/display-slots/decisions/{uuid4()}/").status_code == 200  # the remote table
    assert otto.get(url(uuid4())).status_code == 404
    assert otto.post(url(uuid4()), {"do": "approve"}).status_code == 404
    client.force_login(house.cast.lin)
    assert client.post(url(key), {"do": "approve"}).status_code == 404
    assert not HostedDecision.objects.exists()


# --- a line with a system of its own --------------------------------------------------------------


def test_a_remote_line_reads_what_waits_and_decides_in_its_own_system(house, otto, unchanged):
    package = stories.pending(house.cast, house.now)
    item = package.items.get(position=1)
    path = "/console/display-slots/"
    answer = otto.get(path)
    [waiting] = answer.context["waiting"]
    assert (waiting.key, waiting.package, waiting.item) == (item.uid, package.number, 1)
    assert waiting.asked == (("日期", "2026-11-11"), ("店铺名", "云栖女装"))
    assert waiting.consents_at == waiting.due_at + timedelta(hours=1)
    said = answer.content.decode()
    assert "请在业务线自己的系统里决定" in said
    assert 'name="do"' not in said
    with unchanged():
        otto.post(f"{path}decisions/{item.uid}/", {"do": "approve"})
    assert "分仓" not in said, "another line's part of the package is not its business"


def test_a_remote_table_has_a_constant_number_of_statements(house, otto):
    stories.pending(house.cast, house.now)
    first = statements(otto, "/console/display-slots/")
    for _more in range(2):
        stories.pending(house.cast, house.now)
    assert statements(otto, "/console/display-slots/") == first
