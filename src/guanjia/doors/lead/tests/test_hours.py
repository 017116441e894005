"""A lead edits calendars and promises in forms: sees what it would mean, then publishes the next version."""

import re
from datetime import datetime, timedelta
from unittest import mock

import pytest

from guanjia.cases.models import CalendarVersion, PromiseVersion
from guanjia.cases.promises import HOUR, book
from guanjia.ledger.models import Event

ENGLISH = {"Accept-Language": "en"}
PAGES = ("calendars/", "calendars/new", "calendars/cn/", "promises/")


@pytest.fixture
def wei(client, cast, noon):
    client.force_login(cast.wei)
    with mock.patch("guanjia.people.pages.timezone.now", return_value=noon):
        yield client


def typed(answer):
    """What a browser would send back of a form that nobody has touched."""
    form, found = answer.context["form"], {}
    for bound in [*form, *(field for row in answer.context["rows"] for field in row)]:
        value = bound.value()
        if isinstance(value, datetime) or hasattr(value, "isoformat"):
            value = bound.field.widget.format_value(value)
        found[bound.html_name] = "" if value is None else value
    management = answer.context["rows"].management_form
    return found | {bound.html_name: bound.value() for bound in management}


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_a_form_that_nobody_touches_says_what_is_in_force(wei):
    page = wei.get("/lead/calendars/cn/")
    given = typed(page)
    assert (given["day0"], given["day6"], given["zone"]) == ("09:00-18:00", "", "Asia/Shanghai")
    assert ("2026-10-01", "2026-10-07", "") in {
        (given[f"days-{n}-first"], given[f"days-{n}-last"], given[f"days-{n}-hours"]) for n in range(13)
    }
    assert wei.post("/lead/calendars/cn/", {**given, "do": "publish"}).status_code == 303
    version = CalendarVersion.objects.get()
    assert (version.version, version.week[0], version.days["2026-10-10"]) == (1, [[540, 1080]], [[540, 1080]])
    assert version.days["2026-10-03"] == []


def test_a_lunch_and_a_day_off_are_tried_before_they_are_published(wei, noon, unchanged):
    given = typed(wei.get("/lead/calendars/cn/"))
    given |= {f"day{n}": "09:00-12:00 13:30–18:00" for n in range(5)}
    given |= {"days-13-first": "2026-11-12", "since": "2026-11-11T00:00"}
    given |= {"try_hours": "4", "try_at": "2026-11-11T16:00"}
    with unchanged():
        page = wei.post("/lead/calendars/cn/", {**given, "do": "try"})
    assert page.status_code == 200
    assert "承诺 4 小时 ， 11月11日 16:00 提出" in text_of(page)
    assert "现在的日历 11月12日 11:00 新的一版 11月13日 11:00" in text_of(page)
    assert wei.post("/lead/calendars/cn/", {**given, "do": "publish"}).status_code == 303
    assert Event.objects.get(kind="cases.calendar_changed").payload["version"] == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("day0", "18:00-09:00", "请写成 09:00-12:00 13:00-18:00"),
        ("day1", "九点到六点", "请写成 09:00-12:00 13:00-18:00"),
        ("day2", "09:00-12:00 11:00-18:00", "不能重叠"),
        ("zone", "Mars/Phobos", "没有这个时区"),
        ("days-13-hours", "09:00-12:00", "请填第一天"),
    ],
)
def test_what_is_wrong_is_said_beside_what_was_typed(wei, unchanged, name, value, words):
    given = typed(wei.get("/lead/calendars/cn/")) | {name: value, "do": "publish"}
    with unchanged():
        page = wei.post("/lead/calendars/cn/", given)
    assert page.status_code == 422
    assert words in text_of(page)
    assert value in page.content.decode()


def test_the_past_is_not_rewritten(wei, unchanged):
    given = typed(wei.get("/lead/calendars/cn/")) | {"since": "2026-11-01T00:00", "do": "publish"}
    with unchanged():
        page = wei.post("/lead/calendars/cn/", given)
    assert "过去的不再改" in text_of(page)


def test_a_new_calendar_has_a_code_of_its_own(wei, noon):
    given = typed(wei.get("/lead/calendars/new")) | {
        "code": "berlin",
        "name": "柏林",
        "zone": "Europe/Berlin",
    }
    given |= {"day0": "08:00-16:00", "do": "publish"}
    assert wei.post("/lead/calendars/new", {**given, "code": "cn"}).status_code == 422
    assert wei.post("/lead/calendars/new", given).status_code == 303
    assert "柏林" in text_of(wei.get("/lead/calendars/"))


def test_a_row_of_promises_is_tried_and_published(wei, noon):
    given = typed(wei.get("/lead/promises/"))
    assert (given["rows-0-first_answer"], given["rows-0-resolution"]) == ("4", "27")
    given |= {"rows-0-priority": "1", "rows-0-first_answer": "0.5", "rows-0-resolution": ""}
    given |= {"since": "2026-11-11T09:00"}
    page = wei.post("/lead/promises/", {**given, "do": "try"})
    assert "首次答复：30 分钟 11月11日 13:00 → 11月11日 09:30" in text_of(page)
    assert wei.post("/lead/promises/", {**given, "do": "publish"}).status_code == 303
    assert PromiseVersion.objects.get().rules[0]["priority"] == 1
    [rule] = book().rules(noon + timedelta(days=1))
    assert (rule.seconds["first_answer"], rule.priority) == (HOUR // 2, 1)


def test_these_pages_are_a_leads_and_speak_english(wei, client, cast):
    for page in PAGES:
        answer = wei.get(f"/lead/{page}", headers=ENGLISH)
        assert answer.status_code == 200
        main = re.sub(r".*<main|</main>.*", "", answer.content.decode(), flags=re.S)
        assert not re.search(r"[\u4e00-\u9fff]{3,}", re.sub(r"中国大陆工作日|共享池", "", main))
    assert wei.get("/lead/calendars/nowhere/").status_code == 404
    client.force_login(cast.lin)
    assert {client.get(f"/lead/{page}").status_code for page in PAGES} == {403}
