"""Marks, macros, approvals and bulk changes in a real browser; two people on one case."""

import pytest
from django.utils import timezone

from guanjia.cases.actions import (
    Wording,
    ask_approval,
    save_macro,
    say,
    set_apprentice,
    set_priority,
    set_tags,
    share_draft,
    watch_case,
)
from guanjia.cases.changing import Change
from guanjia.cases.models import Case, Message, Priority, SharedDraft
from guanjia.coverage.models import Responsibility
from guanjia.demo.cast import make_user
from guanjia.people.actions import grant_role
from guanjia.people.actors import actor_of
from guanjia.people.models import Role, Team

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))


@pytest.fixture
def su(people):
    """A colleague of Lin's: together they are the team of Mira's merchant."""
    found = make_user("su", "苏晴 Su")
    grant_role(actor=actor_of(people.wei), user=found, role=Role.ACCOUNT_MANAGER, now=timezone.now())
    team = Team.objects.create(code="t", name="云栖专班", lead=people.lin)
    team.members.add(found)
    Responsibility.objects.filter(person=people.lin).update(person=None, team=team)
    Case.objects.filter(person=people.lin).update(person=None, team=team)
    return found


@pytest.fixture
def case(people, su):
    """One with marks, a shared draft, a held reply, and macros to choose from."""
    now = timezone.now()
    found = Case.objects.filter(merchant=people.mira_shop, title="想知道团购场次怎么排").get()
    by = {"actor": people.lin, "number": found.number, "now": now}
    set_priority(priority=Priority.URGENT, **by)
    set_tags(add=["双十一", "团购"], **by)
    watch_case(**by)
    watch_case(who=people.wei.pk, **by)
    then = Change(priority=2, add_tags=("缺材料",), wait_days=3)
    body = "{merchant} 您好：{number} 还差营业执照副本，传上来就能往下办。"
    save_macro(actor=people.lin, wording=Wording("缺执照", body, then=then), now=now)
    save_macro(actor=people.wei, wording=Wording("谢谢", "谢谢，{me}。", everyone=True), now=now)
    return found


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_of_it_reads_well(people, su, case, sign_in, axe, shoot, language, dark, width):
    now = timezone.now()
    set_apprentice(actor=people.wei, user=su, approver=people.lin, now=now)
    ask_approval(actor=su, number=case.number, body="场次表明天给您。", then=Change(wait_days=2), now=now)
    share_draft(actor=su, number=case.number, internal=False, body="场次一共三档：", read=0, now=now)
    page = sign_in(people.lin, language=language, dark=dark, width=width)
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    paths = {
        "list": "/desk/?view=team",
        "case": f"/desk/cases/{case.number}/",
        "history": f"/desk/cases/{case.number}/history",
        "macros": "/desk/macros/",
        "approvals": "/desk/approvals/",
    }
    for name, path in paths.items():
        page.goto(path)
        axe(page)
        shoot(page, f"marks-{name}-{look}")
    page.goto("/desk/?view=team")
    for one in page.locator(".choose input").all():
        one.check()
    shoot(page, f"marks-picked-{look}")
    page.locator("#bulk button").click()
    page.locator("#priority").select_option("1")
    page.locator("#tags").fill("年底")
    axe(page)
    shoot(page, f"marks-bulk-{look}")
    page.locator("[name=step][value=try]").click()
    axe(page)
    shoot(page, f"marks-tried-{look}")
    page.locator("[name=step][value=do]").click()
    axe(page)
    shoot(page, f"marks-done-{look}")


def test_two_people_on_one_case_lose_nothing(people, su, case, sign_in):
    """The collision is shown, both texts are kept, and the later write sees the earlier one."""
    first, second = sign_in(people.lin), sign_in(su)
    for page in (first, second):
        page.goto(f"/desk/cases/{case.number}/")
    first.locator("#reply").type("林晓写的答复")
    second.wait_for_selector("#here:has-text('林晓 Lin 正在写回复')", timeout=25_000)
    second.locator("#reply").type("苏晴写的答复")
    first.wait_for_selector("#here:has-text('苏晴 Su 正在写回复')", timeout=25_000)
    first.locator("#reply").press("Control+Enter")
    first.wait_for_selector(".word.staff >> text=林晓写的答复")
    second.locator("#reply").press("Control+Enter")
    second.wait_for_selector(".refusal")
    assert second.locator(".word.unread").inner_text().count("林晓写的答复") == 1
    assert second.locator("#reply").input_value() == "苏晴写的答复"
    assert not Message.objects.filter(author=su).exists()
    second.get_by_role("button", name="看过了，仍然发送").click()
    second.wait_for_selector(".word.staff >> text=苏晴写的答复")
    said = Message.objects.filter(author__in=[people.lin, su]).order_by("pk")
    assert [one.body for one in said] == ["林晓写的答复", "苏晴写的答复"]


def test_a_shared_draft_is_gone_on_with_and_not_overwritten(people, su, case, sign_in):
    first, second = sign_in(people.lin), sign_in(su)
    first.goto(f"/desk/cases/{case.number}/")
    first.locator("#reply").fill("场次一共三档")
    second.goto(f"/desk/cases/{case.number}/")
    second.locator("#reply").fill("苏晴自己的")
    first.locator(".box.reply").get_by_role("button", name="共享草稿").click()
    first.wait_for_selector(".shared-draft >> text=第 1 稿")
    second.locator(".box.reply").get_by_role("button", name="共享草稿").click()
    second.wait_for_selector(".refusal")
    assert second.locator("#reply").input_value() == "苏晴自己的"
    second.locator(".box.reply").get_by_role("button", name="接着写").click()
    assert second.locator("#reply").input_value() == "场次一共三档\n\n苏晴自己的"
    second.locator(".box.reply").get_by_role("button", name="共享草稿").click()
    second.wait_for_selector(".shared-draft >> text=第 2 稿")
    assert SharedDraft.objects.get().body == "场次一共三档\n\n苏晴自己的"


def test_a_macro_by_keyboard(people, case, sign_in):
    page = sign_in(people.lin)
    page.goto(f"/desk/cases/{case.number}/")
    page.keyboard.press("m")
    page.get_by_role("button", name="缺执照").click()
    text = f"云栖女装 您好：{case.number} 还差营业执照副本，传上来就能往下办。"
    assert page.locator("#reply").input_value() == text
    assert [one.strip() for one in page.locator(".then label").all_inner_texts()] == [
        "优先级改为“优先”",
        "加标签 缺材料",
        "等商家 3 天",
    ]
    assert not Message.objects.filter(body=text).exists()
    page.locator(".then label", has_text="优先级").locator("input").uncheck()
    page.locator("#reply").press("Control+Enter")
    page.wait_for_selector(f".word.staff >> text={text}")
    case.refresh_from_db()
    assert (case.priority, case.state) == (Priority.URGENT, "waiting_merchant")


def test_marks_change_in_place_and_by_keyboard(people, case, sign_in):
    page = sign_in(people.lin)
    page.goto(f"/desk/cases/{case.number}/")
    page.keyboard.press("t")
    page.keyboard.type("大促")
    page.keyboard.press("Enter")
    page.wait_for_selector(".chip >> text=大促")
    page.locator(".marks #priority").select_option("4")
    page.wait_for_selector(".marks #priority >> option[value='4'][selected]", state="attached")
    page.keyboard.press("i")
    assert page.locator("#note").is_visible()
    page.keyboard.type("i")
    page.keyboard.press("Escape")
    page.keyboard.press("i")
    assert page.locator("#reply").is_visible()
    case.refresh_from_db()
    assert case.priority == Priority.LOW


def test_many_at_once_without_script(people, case, sign_in):
    page = sign_in(people.lin, scripts=False)
    page.goto("/desk/?view=team")
    page.locator(f"input[value='{case.number}']").check()
    page.locator("#bulk button").click()
    page.locator("#kind").select_option("complaint")
    page.locator("[name=step][value=try]").click()
    page.locator("[name=step][value=do]").click()
    case.refresh_from_db()
    assert case.kind == "complaint"
    page.get_by_role("button", name="撤回这次修改").click()
    case.refresh_from_db()
    assert case.kind == "need"


def test_a_list_with_picked_rows_waits(people, case, sign_in):
    page = sign_in(people.lin)
    page.goto("/desk/?view=team")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.locator(".choose input:checked").count() == 1
    say(actor=people.mira, number=case.number, body="?", now=timezone.now())
    page.evaluate("htmx.trigger('#list', 'every')")
    assert page.locator(".choose input:checked").count() == 1
