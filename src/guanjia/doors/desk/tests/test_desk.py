"""The desk: its lists, its case page, and what is done there."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.models import CaseState, ClockKind, Draft, Message, Presence, SavedView
from guanjia.coverage.queries import accountable_for
from guanjia.demo.cast import make_cast, make_user
from guanjia.doors.desk.queries.merchants import merchant_look
from guanjia.lines.actions.mandates import grant_mandate, use_mandate
from guanjia.lines.models import MandatePeriod
from guanjia.lines.models.line import Silence
from guanjia.packages.tests import stories
from guanjia.people.models import Team

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def now(every_hour_counts):
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - timedelta(days=1))


@pytest.fixture
def case(market, now):
    return stories.a_case(market, now)


@pytest.fixture
def lin(market, client):
    client.force_login(market.lin)
    return client


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def found_in(pattern, text):
    [found] = re.findall(pattern, text)[:1]
    return found


def page_of(case):
    return f"/desk/cases/{case.number}/"


# --- who comes in ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["", "list", "search?q=x", "views/", "mandates/", "merchants/", "merchants/M-1042/", "new"]
)
def test_a_stranger_signs_in_and_a_merchant_has_no_desk(market, client, path):
    answer = client.get(f"/desk/{path}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in?next=/desk/")
    client.force_login(market.mira)
    assert client.get(f"/desk/{path}").status_code == 403
    client.force_login(market.lin)
    assert client.get(f"/desk/{path}").status_code == 200


def test_a_case_of_somebody_else_is_not_there(market, client, lin, now):
    other = actions.open_case(actor=market.mo, merchant_ref="M-2077", need="?", now=now)
    assert lin.get(page_of(other)).status_code == 404
    assert lin.get("/desk/merchants/M-2077/").status_code == 404
    for path in ("here", "say/reply", "say/note", "draft/note", "do/solve"):
        assert lin.post(f"{page_of(other)}{path}", {"body": "x"}).status_code == 404


def test_the_merchants_people_do_not_read_the_desks_page_of_their_case(market, client, case, unchanged):
    client.force_login(market.mira)
    with unchanged():
        assert client.get(page_of(case)).status_code == 403
        assert client.post(f"{page_of(case)}say/note", {"body": "x"}).status_code == 403
        assert client.post(f"{page_of(case)}do/wait", {"days": "3"}).status_code == 403


# --- lists ----------------------------------------------------------------------------------------


def numbers_in(answer):
    return re.findall(r'id="c-(GJ-[\d-]+)"', answer.content.decode())


def test_the_list_is_sorted_by_the_clock_and_says_what_it_waits_for(market, lin, now):
    late = stories.a_case(market, now - timedelta(hours=5))
    calm = stories.a_case(market, now)
    waiting = stories.pending(market, now).case
    actions.say(actor=market.lin, number=waiting.number, body="好", now=now)
    answer = lin.get("/desk/")
    assert numbers_in(answer) == [late.number, calm.number, waiting.number]
    said = text_of(answer)
    assert "云栖女装 · 等您首次答复" in said
    assert "云栖女装 · 等展位答复 2 线" in said
    assert "我负责的 3" in said
    assert "已超时 1" in said
    assert "等业务线的 1" in said


HELD = [("mine", 1), ("soon", 0), ("team", 0), ("pool", 0), ("solved", 1)]


@pytest.mark.parametrize(("view", "found"), HELD)
def test_each_view_holds_what_it_says(market, lin, now, view, found):
    stories.a_case(market, now)
    actions.solve_case(actor=market.lin, number=stories.a_case(market, now).number, now=now)
    assert len(numbers_in(lin.get(f"/desk/?view={view}"))) == found


def test_the_pool_and_the_team_see_theirs(market, client, now):
    team = Team.objects.create(code="t", name="万达专班", lead=market.wei)
    team.members.add(market.yan)
    pooled = actions.open_case(actor=market.mo, merchant_ref="M-2077", need="毛毯", now=now)
    dedicated = stories.a_case(market, now)
    type(dedicated).objects.filter(pk=dedicated.pk).update(person=None, team=team)
    client.force_login(market.wei)
    assert numbers_in(client.get("/desk/?view=pool")) == [pooled.number]
    assert numbers_in(client.get("/desk/?view=team")) == [dedicated.number]
    client.force_login(market.yan)
    assert numbers_in(client.get("/desk/?view=team")) == [dedicated.number]
    assert numbers_in(client.get("/desk/?view=pool")) == []


def test_a_long_list_goes_on_behind_its_last_row(market, lin, now):
    made = [stories.a_case(market, now + timedelta(minutes=n)).number for n in range(27)]
    first = lin.get("/desk/")
    following = found_in(r'href="([^"]*after=[^"]*)"', first.content.decode()).replace("&amp;", "&")
    assert numbers_in(first) == made[:25]
    assert numbers_in(lin.get(following)) == made[25:]
    assert numbers_in(lin.get("/desk/?after=nonsense~x")) == made[:25]


def test_lists_cost_the_same_however_many_cases(market, lin, now):
    assert statements(lin, "/desk/", lambda: stories.pending(market, now)) == 8


def statements(client, path, more):
    """The same number with one and with three of them."""
    counts = []
    for times in (1, 2):
        for _ in range(times):
            more()
        with CaptureQueriesContext(connection) as seen:
            assert client.get(path).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]
    return counts[0]


def test_an_open_list_is_told_only_what_is_new(market, lin, case):
    mark = found_in(r"mark=(\w+)", lin.get("/desk/").content.decode())
    assert lin.get(f"/desk/list?view=mine&mark={mark}").status_code == 204
    stories.a_case(market, timezone.now())
    assert len(numbers_in(lin.get(f"/desk/list?view=mine&mark={mark}"))) == 2


# --- saved views ----------------------------------------------------------------------------------


def test_a_saved_view_narrows_by_line_and_words_and_is_counted(market, lin, now):
    with_line = stories.pending(market, now).case
    stories.a_case(market, now)
    form = {"name": "双11展位", "base": "mine", "line": "display-slots", "words": "双十一"}
    answer = lin.post("/desk/views/", form)
    assert answer.status_code == 303
    page = lin.get(answer.headers["Location"])
    assert numbers_in(page) == [with_line.number]
    assert "双11展位 1" in text_of(page)


def test_a_saved_view_is_renamed_and_deleted_by_its_owner_only(market, client, lin, now):
    view = actions.save_view(actor=market.lin, name="a", base="mine", now=now)
    client.force_login(market.wei)
    assert client.post(f"/desk/views/{view.pk}", {"name": "b"}).status_code == 404
    client.force_login(market.lin)
    assert client.post(f"/desk/views/{view.pk}", {"name": "b"}).status_code == 303
    assert SavedView.objects.get().name == "b"
    assert client.post(f"/desk/views/{view.pk}", {"delete": "1"}).status_code == 303
    assert not SavedView.objects.exists()


def test_a_bad_saved_view_stays_in_its_form(market, lin, unchanged):
    with unchanged():
        answer = lin.post("/desk/views/", {"name": " ", "base": "mine", "words": "双十一"})
    assert answer.status_code == 422
    assert 'value="双十一"' in answer.content.decode()


def test_a_team_sees_its_views(market, client, now):
    team = Team.objects.create(code="t", name="万达专班", lead=market.wei)
    team.members.add(market.lin)
    actions.save_view(actor=market.wei, name="专班待办", base="team", team=team.pk, now=now)
    client.force_login(market.lin)
    assert "专班待办" in text_of(client.get("/desk/"))


# --- the case page --------------------------------------------------------------------------------


def test_a_case_page_shows_all_that_is_known(market, lin, now):
    case = stories.pending(market, now).case
    said = text_of(lin.get(page_of(case)))
    for words in (case.number, "双十一要一个首页展示位", "“展位”正在人工答复", "店铺名 云栖女装"):
        assert words in said
    assert "首次接待 林晓 Lin" in said
    assert "展位答复" in said  # its clock
    assert "第 1 项等业务线答复" in said  # its history
    english = text_of(lin.get(page_of(case), headers=ENGLISH))
    spoken = re.sub(r"双十一\S*|云栖女装|林晓|米拉|欧拓|中文|管家", "", english)
    assert not re.search(r"[\u4e00-\u9fff]{2,}", spoken)


def test_a_case_page_costs_the_same_however_much_is_on_it(market, lin, now):
    case = stories.pending(market, now).case

    def more():
        stories.ask(market, now, case=case.number)
        actions.say(actor=market.mira, number=case.number, body="?", now=now)

    assert statements(lin, page_of(case), more) == 20


def test_beside_a_case_stands_who_answers_for_the_merchant_now(market, client, case, now):
    assert merchant_look(market.mira_shop.pk, now).manager == market.lin.name
    type(market.lin).objects.filter(pk=market.lin.pk).update(is_active=False)
    found, accountable = merchant_look(market.mira_shop.pk, now), accountable_for(market.mira_shop, at=now)
    assert found.manager == str(accountable.pool)
    assert found.answerable == accountable.answerable.name
    assert found.since is None
    assert [one.number for one in found.live] == [case.number]


def test_a_reply_is_public_and_a_note_is_not(market, lin, case):
    assert lin.post(f"{page_of(case)}say/reply", {"body": "已经在办"}).status_code == 303
    assert lin.post(f"{page_of(case)}say/note", {"body": "先问欧拓"}).status_code == 303
    said = [(word.body, word.internal) for word in Message.objects.order_by("pk")]
    assert said == [("已经在办", False), ("先问欧拓", True)]
    assert "内部备注 · 商家看不到 先问欧拓" in text_of(lin.get(page_of(case)))


def test_a_word_sent_twice_is_said_once(lin, case):
    for _ in range(2):
        assert lin.post(f"{page_of(case)}say/reply", {"body": "好", "key": "k1"}).status_code == 303
    assert Message.objects.count() == 1


def test_an_empty_reply_is_refused_beside_its_form(lin, case, unchanged):
    with unchanged():
        answer = lin.post(f"{page_of(case)}say/reply", {"body": " "})
    assert answer.status_code == 422
    assert "不能为空" in text_of(answer)


def test_who_answers_after_somebody_else_is_asked_to_read_first(market, lin, case, now):
    actions.say(actor=market.mira, number=case.number, body="还要加一个仓", now=now)
    form = {"body": "已经订好", "key": "k", "seen": "0"}
    answer = lin.post(f"{page_of(case)}say/reply", form)
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "您打开之后说的 还要加一个仓" in text_of(answer)
    assert "看过了，仍然发送" in page
    assert ">已经订好</textarea>" in page
    assert not Message.objects.filter(body="已经订好").exists()
    assert Draft.objects.get().body == "已经订好"
    seen = found_in(r'name="seen" value="(\d+)"', page)
    assert lin.post(f"{page_of(case)}say/reply", form | {"seen": seen}).status_code == 303
    assert Message.objects.filter(body="已经订好").exists()
    assert not Draft.objects.exists()


def test_ones_own_words_are_no_collision(market, lin, case, now):
    actions.say(actor=market.lin, number=case.number, body="稍等", now=now)
    assert lin.post(f"{page_of(case)}say/reply", {"body": "好了", "seen": "0"}).status_code == 303


# --- drafts and presence --------------------------------------------------------------------------


def test_a_draft_is_there_again_until_it_is_sent(lin, case):
    form, htmx = {"body": "先问", "key": "k"}, {"HX-Request": "true"}
    kept = lin.post(f"{page_of(case)}draft/note", form, headers=htmx)
    assert "草稿已保存" in kept.content.decode()
    assert ">先问</textarea>" in lin.get(page_of(case)).content.decode()
    lin.post(f"{page_of(case)}say/note", {"body": "先问欧拓", "key": "k"})
    assert not Draft.objects.exists()
    lin.post(f"{page_of(case)}draft/note", {"body": "先问欧", "key": "k"})  # came too late
    assert not Draft.objects.exists()


def test_without_script_a_draft_is_saved_by_a_button(lin, case):
    assert lin.post(f"{page_of(case)}draft/reply", {"body": "半句"}).status_code == 303
    assert ">半句</textarea>" in lin.get(page_of(case)).content.decode()
    lin.post(f"{page_of(case)}draft/reply", {"body": ""})
    assert not Draft.objects.exists()


def test_two_at_one_case_see_each_other(market, client, lin, case):
    lin.post(f"{page_of(case)}here", {"writing": "1"})
    client.force_login(market.wei)
    answer = client.get(page_of(case))
    assert "林晓 Lin 正在写回复" in text_of(answer)
    Presence.objects.update(seen_at=timezone.now() - timedelta(minutes=1))
    assert "正在写回复" not in text_of(client.get(page_of(case)))


def test_a_heartbeat_brings_what_is_new_and_never_a_form_to_type_in(market, lin, case, now):
    mark = found_in(r'name="mark" value="([^"]*)"', lin.get(page_of(case)).content.decode())
    actions.say(actor=market.mira, number=case.number, body="还要加一个仓", now=now)
    answer = lin.post(f"{page_of(case)}here", {"mark": mark})
    page = answer.content.decode()
    assert "还要加一个仓" in page
    assert "<textarea" not in page
    fresh = found_in(r'name="mark" value="([^"]*)"', page)
    again = lin.post(f"{page_of(case)}here", {"mark": fresh})
    assert again.status_code in (204, 200)  # 200 when a minute has just begun


# --- closing --------------------------------------------------------------------------------------


def test_a_case_is_solved_and_opened_again(lin, case):
    assert lin.post(f"{page_of(case)}do/solve").status_code == 303
    case.refresh_from_db()
    assert (case.state, case.due_at) == (CaseState.SOLVED, None)
    assert case.solved_at is not None
    assert lin.post(f"{page_of(case)}do/solve").status_code == 409
    assert lin.post(f"{page_of(case)}do/reopen").status_code == 303
    case.refresh_from_db()
    assert (case.state, case.solved_at) == (CaseState.OPEN, None)
    assert lin.post(f"{page_of(case)}do/dance").status_code == 404


def test_a_running_package_keeps_its_case_open(market, lin, now, unchanged):
    package = stories.pending(market, now)
    with unchanged():
        answer = lin.post(f"{page_of(package.case)}do/solve")
    assert answer.status_code == 409
    assert f"一揽子 {package.number} 还在办理" in text_of(answer)


def test_waiting_for_the_merchant_and_no_longer(lin, case):
    assert lin.post(f"{page_of(case)}do/wait", {"days": "99"}).status_code == 422
    assert lin.post(f"{page_of(case)}do/wait", {"days": "3"}).status_code == 303
    case.refresh_from_db()
    assert case.state == CaseState.WAITING_MERCHANT
    assert lin.post(f"{page_of(case)}do/wait", {"days": "3"}).status_code == 409
    assert lin.post(f"{page_of(case)}do/resume").status_code == 303
    case.refresh_from_db()
    assert case.state == CaseState.OPEN


def test_an_item_is_settled_by_hand_from_its_task(market, lin, now):
    package = stories.needs_hand(market, now)
    page = lin.get(page_of(package.case)).content.decode()
    assert f'action="/desk/by-hand/{package.number}/1' in page
    answer = lin.post(f"/desk/by-hand/{package.number}/1", {"outcome": "confirmed"})
    assert answer.status_code == 303
    package.refresh_from_db()
    assert package.state == "done"
    assert lin.post(f"/desk/by-hand/{package.number}/1", {"outcome": "confirmed"}).status_code == 409


# --- merchants and mandates -----------------------------------------------------------------------


def test_a_portfolio_lists_merchants_and_finds_them(market, lin, case):
    said = text_of(lin.get("/desk/merchants/"))
    assert "云栖女装" in said
    assert "在办 1 件" in said
    assert "墨白文具" not in said
    assert "M-1042" in text_of(lin.get("/desk/merchants/?q=云栖"))
    assert "没有这样的商家" in text_of(lin.get("/desk/merchants/?q=nobody"))


def test_a_case_is_opened_for_a_merchant_by_its_first_contact(market, lin):
    form = {"merchant": "M-1042", "need": "电话里说要两个仓", "key": "k"}
    answer = lin.post("/desk/new", form)
    assert answer.status_code == 303
    assert lin.post("/desk/new", form).headers["Location"] == answer.headers["Location"]
    assert "首次接待 林晓 Lin" in text_of(lin.get(answer.headers["Location"]))


def test_a_case_for_a_stranger_is_refused_with_what_was_typed(lin, market, unchanged):
    with unchanged():
        answer = lin.post("/desk/new", {"merchant": "M-2077", "need": "两个仓"})
    assert answer.status_code == 404
    assert "两个仓</textarea>" in answer.content.decode()


def test_mandates_say_what_is_left(market, lin, now):
    given = grant_mandate(
        actor=market.otto,
        line=market.display,
        service=None,
        holder=market.lin,
        period=MandatePeriod.MONTH,
        silence=Silence.CONSENT,
        now=now,
        amount_per_use=200_000,
        amount_per_period=400_000,
        uses_per_period=2,
    )
    use = {"mandate": given, "item": uuid4(), "amount": 1, "merchant_id": market.mira_shop.pk}
    assert use_mandate(actor=market.lin, now=now, **use)
    said = text_of(lin.get("/desk/mandates/"))
    assert "展位 全部服务" in said
    assert "¥3,999.99 / ¥4,000.00" in said
    assert "1 / 2" in said
    assert "欧拓 Otto" in said


def test_somebody_new_at_the_desk_sees_calm_empty_pages(market, client):
    team = Team.objects.create(code="t", name="专班", lead=make_user("kim", "Kim"))
    client.force_login(team.lead)
    assert "这里没有事项" in text_of(client.get("/desk/"))
    assert "还没有业务线给您授权" in text_of(client.get("/desk/mandates/"))


def test_a_merchants_clock_ends_with_its_word(market, case, now):
    actions.wait_for_merchant(actor=market.lin, number=case.number, days=3, now=now)
    actions.say(actor=market.mira, number=case.number, body="可以", now=now)
    assert not case.clocks.filter(kind=ClockKind.MERCHANT_ANSWER, stopped_at=None).exists()
