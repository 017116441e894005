"""Marks, the full history, macros, approvals and bulk changes at the desk."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.changing import Change
from guanjia.cases.models import BulkChange, Case, HeldReply, Macro, Message, SavedView, SharedDraft, Tag
from guanjia.coverage.models import Responsibility
from guanjia.demo.cast import make_cast, make_user
from guanjia.packages.tests import stories
from guanjia.people.models import Team


@pytest.fixture
def now():
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


@pytest.fixture
def page(case):
    return f"/desk/cases/{case.number}/"


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def numbers_in(answer):
    return re.findall(r'id="c-(GJ-[\d-]+)"', answer.content.decode())


def cost(client, path):
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


# --- marks ----------------------------------------------------------------------------------------


def test_marks_are_changed_in_place(lin, case, page, market):
    for what, form in (
        ("priority", {"priority": "1"}),
        ("kind", {"kind": "complaint"}),
        ("tags", {"tags": "大促，Spring"}),
        ("tags", {"untag": "大促"}),
        ("watch", {}),
        ("watcher", {"who": "wei"}),
    ):
        answer = lin.post(f"{page}marks/{what}", form)
        assert (answer.status_code, answer.headers["Location"]) == (303, f"{page}#marks")
    case.refresh_from_db()
    assert (case.priority, case.kind) == (1, "complaint")
    assert case.taggings.get().tag.name == "spring"
    assert set(case.watches.values_list("user", flat=True)) == {market.lin.pk, market.wei.pk}
    said = text_of(lin.get(page))
    assert "spring ×" in said and "不再关注" in said  # noqa: PT018
    lin.post(f"{page}marks/unwatch")
    assert "我也关注" in text_of(lin.get(page))


@pytest.mark.parametrize(
    ("what", "form", "status"),
    [
        ("priority", {"priority": "7"}, 422),
        ("priority", {"priority": "³"}, 422),
        ("kind", {"kind": "major"}, 422),
        ("tags", {"tags": ""}, 422),
        ("tags", {"tags": "长" * 31}, 422),
        ("watcher", {"who": "mira"}, 422),
        ("watcher", {"who": ""}, 422),
        ("nothing", {}, 404),
    ],
)
def test_a_mark_that_cannot_be_is_refused_on_the_page(lin, page, unchanged, what, form, status):
    lin.get(page)
    with unchanged():
        assert lin.post(f"{page}marks/{what}", form).status_code == status


def test_tags_and_colleagues_are_completed(market, lin, case, page, now):
    by = {"actor": market.lin, "number": case.number, "now": now}
    actions.set_tags(add=["大促", "大件", "春装"], **by)
    found = re.findall(r'value="([^"]*)"', lin.get("/desk/tags?tags=春装,大").content.decode())
    assert found == ["春装,大件", "春装,大促"]
    Tag.objects.bulk_create(Tag(name=f"t{n:02}") for n in range(30))
    assert lin.get("/desk/tags").content.decode().count("<option") == 10
    assert lin.get("/desk/tags?tags=%00" + "长" * 99).content.decode().count("<option") == 0
    assert re.findall(r'value="([^"]*)"', lin.get(f"{page}people?who=魏").content.decode()) == ["wei"]


def test_a_row_says_what_is_unusual_and_no_more(market, lin, now):
    shown = []
    for mark in (
        lambda by: None,
        lambda by: actions.set_priority(priority=1, **by),
        lambda by: actions.set_kind(kind="complaint", **by),
        lambda by: actions.set_priority(priority=2, **by),
    ):
        mark({"actor": market.lin, "number": stories.a_case(market, now).number, "now": now})
        shown = re.findall(r'class="marked (\w*)">([^<]*)<', lin.get("/desk/").content.decode())
    assert shown == [("bad", "紧急"), ("warn", "投诉"), ("warn", "优先")]


# --- lists ----------------------------------------------------------------------------------------


def test_late_and_soon_are_two_lists(market, lin, now):
    late, soon = stories.a_case(market, now), stories.a_case(market, now)
    Case.objects.filter(pk=late.pk).update(due_at=now - timedelta(minutes=1))
    Case.objects.filter(pk=soon.pk).update(due_at=now + timedelta(minutes=30))
    assert numbers_in(lin.get("/desk/?view=late")) == [late.number]
    assert numbers_in(lin.get("/desk/?view=soon")) == [soon.number]


def test_a_list_goes_on_through_cases_whose_clocks_stand_still(market, lin, now):
    made = [stories.a_case(market, now + timedelta(minutes=n)).number for n in range(54)]
    Case.objects.filter(number__in=made[24:]).update(due_at=None)
    seen, path = [], "/desk/"
    while path:
        answer = lin.get(path)
        seen += numbers_in(answer)
        following = re.findall(r'href="([^"]*after=[^"]*)"', answer.content.decode())
        path = following[0].replace("&amp;", "&") if following else ""
    assert seen == made


def test_what_one_follows_is_a_list_until_the_merchant_is_lost(market, client, case, now):
    other = stories.a_case(market, now)
    client.force_login(market.lin)
    actions.watch_case(actor=market.lin, number=case.number, now=now)
    actions.say(actor=market.lin, number=other.number, body="@lin @wei 看", internal=True, now=now)
    assert numbers_in(client.get("/desk/?view=watched")) == [case.number]
    client.force_login(market.wei)
    assert numbers_in(client.get("/desk/?view=watched")) == [other.number]
    Responsibility.objects.update(during=(now - timedelta(days=9), now - timedelta(hours=1)))
    Case.objects.update(person=None, pool=market.pool)
    client.force_login(market.lin)
    assert numbers_in(client.get("/desk/?view=watched")) == []
    assert "我关注的 0" in text_of(client.get("/desk/"))


def test_a_saved_view_is_narrowed_by_marks(market, lin, case, now):
    by = {"actor": market.lin, "number": case.number, "now": now}
    stories.a_case(market, now)
    actions.set_priority(priority=1, **by)
    actions.set_tags(add=["大促"], **by)
    form = {"name": "急", "base": "mine", "priority": "1", "kind": "need", "tag": "大促"}
    answer = lin.post("/desk/views/", form)
    assert numbers_in(lin.get(answer.headers["Location"])) == [case.number]
    assert "急 1" in text_of(lin.get("/desk/"))
    view = SavedView.objects.get()
    assert (view.priority, view.kind, str(view.tag)) == (1, "need", "大促")


@pytest.mark.parametrize("more", [{"priority": "9"}, {"kind": "x"}, {"tag": "没有过"}])
def test_a_view_of_no_such_mark_is_refused(lin, unchanged, more):
    lin.get("/desk/views/")
    with unchanged():
        assert lin.post("/desk/views/", {"name": "急", "base": "mine", **more}).status_code == 422


# --- history --------------------------------------------------------------------------------------


def test_the_whole_past_is_told_with_names(market, lin, case, page, now):
    by = {"actor": market.lin, "number": case.number, "now": now}
    actions.set_priority(priority=1, **by)
    actions.set_tags(add=["大促"], **by)
    actions.set_tags(remove=["大促"], **by)
    actions.watch_case(who=market.wei.pk, **by)
    actions.say(body="@wei", internal=True, **by)
    said = text_of(lin.get(f"{page}history"))
    for words in (
        "优先级从“一般”改为“紧急”。",
        "加标签 大促。",
        "去掉标签 大促。",
        "魏岚 Wei 关注了这件事。",
        "提到了 魏岚 Wei。",
        "米拉 Mira 提出事项",
    ):
        assert words in said
    assert "cases." not in said


def test_the_past_goes_on_page_by_page_and_leaves_nothing_out(market, lin, case, page, now):
    for n in range(60):
        actions.set_priority(actor=market.lin, number=case.number, priority=1 + n % 2, now=now)
    seen, path = [], f"{page}history"
    while path:
        answer = lin.get(path)
        seen += re.findall(r"<span>(.*?)</span>", answer.content.decode().split("past-rows")[1])
        following = re.findall(r'href="([^"]*before=\d+)"', answer.content.decode())
        path = following[0] if following else ""
    assert len(seen) >= 61
    assert seen[-1].startswith("提出事项")
    assert sum("优先级从" in one for one in seen) == 60
    assert lin.get(f"{page}history?before=x").status_code == 200


def test_the_past_costs_the_same_however_long(market, lin, case, page, now):
    first = cost(lin, f"{page}history")
    for n in range(3):
        actions.watch_case(actor=market.lin, number=case.number, who=market.wei.pk, now=now)
        actions.set_tags(actor=market.lin, number=case.number, add=[f"t{n}"], now=now)
    assert cost(lin, f"{page}history") == first


# --- macros and drafts ----------------------------------------------------------------------------

MACRO = {
    "name": "缺执照",
    "body": "{merchant} 您好",
    "box": "reply",
    "circle": "",
    "wait": "3",
    "tags": "缺材料",
}


def test_a_macro_is_kept_changed_and_deleted(market, lin, client):
    assert lin.post("/desk/macros/", MACRO).status_code == 303
    macro = Macro.objects.get()
    assert "等商家 3 天" in text_of(lin.get("/desk/macros/"))
    assert 'value="缺执照"' in lin.get(f"/desk/macros/{macro.pk}").content.decode()
    assert lin.post(f"/desk/macros/{macro.pk}", {**MACRO, "name": "执照"}).status_code == 303
    assert Macro.objects.get().name == "执照"
    client.force_login(market.wei)
    assert client.get(f"/desk/macros/{macro.pk}").status_code == 404
    client.force_login(market.lin)
    assert lin.post(f"/desk/macros/{macro.pk}", {"delete": "1"}).status_code == 303
    assert not Macro.objects.exists()


@pytest.mark.parametrize(
    ("more", "status"), [({"body": "{x}"}, 422), ({"wait": "99"}, 422), ({"circle": "everyone"}, 403)]
)
def test_a_bad_macro_stays_in_its_form(lin, unchanged, more, status):
    lin.get("/desk/macros/")
    with unchanged():
        answer = lin.post("/desk/macros/", {**MACRO, **more})
    assert answer.status_code == status
    assert 'value="缺执照"' in answer.content.decode()


def test_a_macro_comes_into_the_box_and_happens_when_it_is_sent(market, lin, case, page, unchanged):
    lin.post("/desk/macros/", MACRO)
    lin.get(page)
    with unchanged():
        answer = lin.post(
            f"{page}bring/reply", {"body": "早。", "macro": Macro.objects.get().pk, "seen": "0"}
        )
    shown = answer.content.decode()
    assert "早。\n云栖女装 您好</textarea>" in shown
    assert re.findall(r'name="then" value="([^"]*)"', shown) == ["tags:缺材料", "wait:3"]
    lin.post(f"{page}say/reply", {"body": "您好", "then": ["wait:3"]})
    case.refresh_from_db()
    assert (case.state, Message.objects.get(author=market.lin).body) == ("waiting_merchant", "您好")
    assert not case.taggings.exists()


def test_what_was_ticked_stays_with_a_refused_word(lin, case, page, unchanged):
    lin.get(page)
    with unchanged():
        answer = lin.post(f"{page}say/reply", {"body": " ", "then": ["wait:3", "priority:1"]})
    shown = re.findall(r'name="then" value="([^"]*)"', answer.content.decode())
    assert (answer.status_code, shown) == (422, ["priority:1", "wait:3"])
    assert lin.post(f"{page}say/reply", {"body": "x", "then": ["wait:99"]}).status_code == 422
    assert not Message.objects.exists()


def test_a_shared_draft_is_gone_on_with(market, lin, case, page):
    assert lin.post(f"{page}share/reply", {"body": "您好\r\n"}).status_code == 303
    assert "共享草稿 · 林晓 Lin" in text_of(lin.get(page))
    shown = lin.post(f"{page}go-on/reply", {"body": "我的"}).content.decode()
    assert "您好\n\n我的</textarea>" in shown
    assert '<input type="hidden" name="shared" value="1">' in shown
    assert lin.post(f"{page}share/reply", {"body": "别的"}).status_code == 409
    assert lin.post(f"{page}say/reply", {"body": "您好，我的", "shared": "1"}).status_code == 303
    assert not SharedDraft.objects.exists()
    assert lin.post(f"{page}go-on/reply").status_code == 404


# --- approval -------------------------------------------------------------------------------------


@pytest.fixture
def held(market, lin, page, now):
    actions.set_apprentice(actor=market.wei, user=market.lin, approver=market.wei, now=now)
    answer = lin.post(f"{page}say/reply", {"body": "三个仓", "then": ["priority:1"]})
    assert answer.status_code == 303
    return HeldReply.objects.get()


def test_a_juniors_reply_is_handed_in_and_sent_by_the_approver(market, client, case, page, held):
    assert "交去审" in text_of(client.get(page))
    client.force_login(market.mira)
    assert "三个仓" not in client.get(f"/door/M-1042/cases/{case.number}/").content.decode()
    client.force_login(market.wei)
    assert "三个仓" in text_of(client.get("/desk/approvals/"))
    assert "三个仓" in client.get(page).content.decode()
    assert client.post(f"/desk/approvals/{held.pk}", {"verdict": "send", "body": " "}).status_code == 422
    assert client.post(f"/desk/approvals/{held.pk}", {"verdict": "send", "body": "两个仓"}).status_code == 303
    assert Message.objects.get(author=market.lin).body == "两个仓"
    assert client.post(f"/desk/approvals/{held.pk}", {"body": "x"}).status_code == 409
    client.force_login(market.mira)
    assert "两个仓" in client.get(f"/door/M-1042/cases/{case.number}/").content.decode()


def test_it_comes_back_with_its_reason(market, client, page, held):
    client.force_login(market.wei)
    answer = client.post(f"/desk/approvals/{held.pk}", {"verdict": "return", "reason": "先核对库存"})
    assert answer.status_code == 303
    client.force_login(market.lin)
    shown = client.get(page)
    assert "魏岚 Wei 退回了您的答复 先核对库存" in text_of(shown)
    assert "三个仓</textarea>" in shown.content.decode()


# --- bulk -----------------------------------------------------------------------------------------


def test_many_are_chosen_looked_at_changed_and_taken_back(market, lin, now):
    cases = [stories.a_case(market, now) for _ in range(3)]
    actions.solve_case(actor=market.lin, number=cases[2].number, now=now)
    numbers = {"number": [case.number for case in cases]}
    assert "3 件" in text_of(lin.post("/desk/bulk", numbers))
    asked = {**numbers, "priority": "1", "wait": "2"}
    tried = lin.post("/desk/bulk", {**asked, "step": "try"})
    assert "会改 2 件" in text_of(tried)
    assert "不能：这件事已经办结。" in text_of(tried)
    assert not BulkChange.objects.exists()
    form = {**numbers, "priority": "1", "step": "do", "key": "k"}
    done, again = lin.post("/desk/bulk", form), lin.post("/desk/bulk", form)
    assert again.headers["Location"] == done.headers["Location"]
    result = lin.get(done.headers["Location"])
    assert "共 3 件：改了 3 件，不能改的 0 件。" in text_of(result)
    assert lin.post(f"{done.headers['Location']}/undo").status_code == 303
    assert set(Case.objects.values_list("priority", flat=True)) == {3}
    assert text_of(lin.get(done.headers["Location"])).count("已撤回") == 4


@pytest.mark.parametrize(
    "form",
    [
        {"step": "try"},
        {"step": "try", "number": "GJ-2026-000001"},
        {"step": "do", "number": "GJ-2026-000001", "priority": "x"},
        {"step": "try", "number": [f"GJ-{n}" for n in range(201)], "priority": "1"},
    ],
)
def test_what_makes_no_change_is_refused(lin, unchanged, form):
    lin.get("/desk/")
    with unchanged():
        assert lin.post("/desk/bulk", form).status_code == 422


def test_another_colleague_sees_held_texts_and_nothing_to_decide(market, client, page, held, now):
    team = Team.objects.create(code="t", name="专班", lead=market.lin)
    team.members.add(make_user("kim", "Kim"))
    Responsibility.objects.filter(person=market.lin).update(person=None, team=team)
    client.force_login(team.members.get())
    shown = client.get(page).content.decode()
    assert "三个仓" in shown
    assert f"/desk/approvals/{held.pk}" not in shown


def test_a_case_page_costs_the_same_with_all_of_it(market, lin, case, page, now):
    first = cost(lin, page)
    by = {"actor": market.lin, "number": case.number, "now": now}
    actions.set_tags(add=["a", "b", "c"], **by)
    actions.watch_case(**by)
    actions.share_draft(internal=True, body="x", read=0, **by)
    for n in range(3):
        actions.save_macro(
            actor=market.lin, wording=actions.Wording(f"m{n}", "x", then=Change(solve=True)), now=now
        )
    assert cost(lin, page) == first
