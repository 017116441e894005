"""Merging, splitting and major cases in a real browser: they fit, read well, and are looked at first."""

import pytest
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.actions import fanout, major
from guanjia.cases.models import Case, LinkKind
from guanjia.cases.recipients import Criteria
from guanjia.packages.tests import stories

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))


@pytest.fixture
def story(people):
    """Of Mira's: one that another went into, linked to a third; a child of a major case; and a fourth."""
    now = timezone.now()
    whole, gone, third, fourth = (stories.a_case(people, now) for _ in range(4))
    actions.say(actor=people.mira, number=gone.number, body="尺寸要 1200 × 400，周五前定。", now=now)
    actions.say(actor=people.lin, number=gone.number, body="仓库说周五可以。", internal=True, now=now)
    actions.merge_cases(actor=people.lin, number=gone.number, into=whole.number, now=now)
    actions.say(actor=people.mira, number=whole.number, body="另外，上个月的发票还没开。", now=now)
    about = {"actor": people.lin, "number": whole.number, "now": now}
    actions.link_cases(other=third.number, kind=LinkKind.RELATED, **about)
    found = major.open_major(
        actor=people.wei,
        title="华东仓停电",
        said="华东仓今早停电，发货会晚一天，我们会在这里告诉您进展。",
        criteria=Criteria(refs=("M-1042", "M-2077")),
        days=3,
        now=now,
    )
    fanout.advance_major(major=found.pk, now=now)
    major.update_major(actor=people.wei, number=found.number, body="电已恢复，正在补发。", now=now)
    while fanout.advance_major(major=found.pk, now=now):
        pass
    child = Case.objects.get(recipient__major=found, merchant=people.mira_shop)
    return {"whole": whole.number, "fourth": fourth.number, "child": child.number, "major": found.number}


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_pages_fit_read_well_and_run_clean(people, story, sign_in, axe, shoot, language, dark, width):
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    case = f"/desk/cases/{story['whole']}/"
    desk = sign_in(people.lin, language=language, dark=dark, width=width)
    for name, path in (
        ("case", case),
        ("links", f"{case}links"),
        ("merge", f"/desk/cases/{story['fourth']}/merge?into={story['whole']}"),
        ("split", f"{case}split"),
        ("child", f"/desk/cases/{story['child']}/"),
    ):
        desk.goto(path)
        axe(desk)
        shoot(desk, f"belonging-{name}-{look}")
    lead = sign_in(people.wei, language=language, dark=dark, width=width)
    for name, path in (
        ("majors", "/lead/majors/"),
        ("new", "/lead/majors/new"),
        ("major", f"/lead/majors/{story['major']}/"),
    ):
        lead.goto(path)
        axe(lead)
        shoot(lead, f"belonging-{name}-{look}")
    door = sign_in(people.mira, language=language, dark=dark, width=width)
    door.goto(f"/door/M-1042/cases/{story['whole']}/")
    axe(door)
    shoot(door, f"belonging-door-{look}")


def test_a_lead_looks_before_anybody_is_told(people, sign_in, shoot, axe):
    page = sign_in(people.wei, language="zh-hans")
    page.goto("/lead/majors/new")
    page.get_by_label("标题").fill("华东仓停电")
    page.get_by_label("告诉商家的话").fill("发货会晚一天。")
    page.get_by_label("商家编号").fill("M-1042，M-2077，S-9")
    page.get_by_role("button", name="先看是哪些商家").click()
    page.get_by_text("2 家商家会收到").wait_for()
    axe(page)
    shoot(page, "belonging-found")
    page.get_by_role("button", name="通知这 2 家").click()
    page.get_by_text("0 / 2 家有了自己的一件").wait_for()


def test_words_are_split_off_after_a_look(people, story, sign_in, shoot, axe):
    page = sign_in(people.lin, language="zh-hans")
    page.goto(f"/desk/cases/{story['whole']}/split")
    page.get_by_label("新的一件要办什么").fill("补开上个月的发票")
    page.get_by_role("checkbox", name="发票").check()
    page.get_by_role("button", name="先看会怎样").click()
    page.get_by_text("新的一件带着 1 条话").wait_for()
    axe(page)
    shoot(page, "belonging-split-look")
    page.get_by_role("button", name="拆出", exact=True).click()
    page.get_by_role("heading", name="补开上个月的发票").wait_for()
