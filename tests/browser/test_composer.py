"""The package composer in a browser: add, fill in, see the mandate, submit; with a script and without."""

import re

import pytest
from django.utils import timezone

from guanjia.cases.actions import open_case
from guanjia.cases.models import Case
from guanjia.lines.actions.mandates import grant_mandate
from guanjia.lines.models import MandatePeriod
from guanjia.lines.models.line import Silence
from guanjia.packages.models import Composition, Package

WORDS = {
    "zh-hans": {
        "find": "首页",
        "accept": "提交并确认",
        "known": "已知",
        "wrong": "必填",
        "saved": "草稿已存",
    },
    "en": {
        "find": "banner",
        "accept": "Submit and accept",
        "known": "known",
        "wrong": "required",
        "saved": "saved",
    },
}


@pytest.fixture
def case(people):
    about = {
        "actor": people.mira,
        "merchant_ref": people.mira_shop.ref,
        "need": "双十一要首页展示位，再备 30 箱",
    }
    return open_case(**about, now=timezone.now())


def mandate(people):
    limits = {"amount_per_use": 200_000, "amount_per_period": 300_000, "uses_per_period": 2}
    about = {"actor": people.otto, "line": people.display, "service": None, "holder": people.lin}
    word = {"period": MandatePeriod.WEEK, "silence": Silence.CONSENT, "now": timezone.now()}
    grant_mandate(**about, **limits, **word)


def add(page, words, service):
    page.fill("#q", words)
    page.wait_for_selector(f"button[value='add:{service}']")
    page.press("#q", "Tab")
    page.click(f"button[value='add:{service}']")


@pytest.mark.parametrize(("language", "dark", "width"), [("zh-hans", False, 1440), ("en", True, 390)])
def test_a_merchant_composes_and_accepts(people, case, sign_in, axe, shoot, weigh, language, dark, width):
    words, name = WORDS[language], f"composer-merchant-{language}-{'dark' if dark else 'light'}-{width}"
    page = sign_in(people.mira, language=language, dark=dark, width=width)
    page.goto(f"/compose/{case.number}/")
    weigh(page)
    axe(page)
    shoot(page, f"{name}-empty")
    add(page, words["find"], "display-slots/home-banner")
    assert page.evaluate("document.activeElement.name") == "i1:/day"
    assert words["known"] in page.locator(".chosen").inner_text().lower()
    add(page, "storage", "warehousing/storage-space")
    page.fill("[name='i2:/boxes']", "9000")
    page.click("button[value=accept]")
    assert page.locator("[name='i2:/boxes']").input_value() == "9000"
    assert page.locator(".wrong").count() == 2
    axe(page)
    shoot(page, f"{name}-wrong")
    page.fill("[name='i1:/day']", "2026-12-01")
    with page.expect_response(lambda answer: "草稿" in answer.text() or "Draft" in answer.text()):
        page.fill("[name='i2:/boxes']", "30")
    page.wait_for_selector(f"#saved:has-text('{words['saved']}')")
    page.goto(f"/compose/{case.number}/")
    assert page.locator("[name='i2:/boxes']").input_value() == "30"
    axe(page)
    shoot(page, name)
    assert words["accept"] in page.locator("button[value=accept]").inner_text()
    page.click("button[value=accept]")
    page.wait_for_url(re.compile(f"/door/{people.mira_shop.ref}/cases/{case.number}/"))
    package = Package.objects.get(case=case)
    assert (package.state, package.composed_by) == ("holding", people.mira)
    assert not Composition.objects.exists()


@pytest.mark.parametrize(("dark", "width"), [(True, 1440), (False, 390)])
def test_a_manager_sees_the_mandate_and_proposes(people, case, sign_in, axe, shoot, dark, width):
    mandate(people)
    page = sign_in(people.lin, dark=dark, width=width)
    page.goto(f"/compose/{case.number}/")
    for number in (1, 2, 3):
        add(page, "首页", "display-slots/home-banner")
        page.fill(f"[name='i{number}:/day']", f"2026-12-0{number}")
    page.check("[value=core_and_optional]")
    outlooks = page.locator(".outlook").all_inner_texts()
    assert "本周还剩 ¥1,800.00、1 次" in outlooks[0]
    assert "本周还剩 ¥600.00、0 次" in outlooks[1]
    assert outlooks[2].startswith("授权额度不够（本周还剩 ¥600.00、0 次）；业务线 4 小时内答复")
    axe(page)
    shoot(page, f"composer-manager-{'dark' if dark else 'light'}-{width}")
    page.click("button[value=submit]")
    page.wait_for_url(re.compile(f"/desk/cases/{case.number}/"))
    assert Package.objects.get(case=case).state == "submitted"


def test_without_a_script_nothing_is_lost(people, case, sign_in):
    page = sign_in(people.mira, scripts=False)
    page.goto(f"/compose/{case.number}/")
    page.fill("#q", "分仓")
    page.press("#q", "Enter")
    page.click("button[value='add:warehousing/storage-space']")
    page.fill("[name='i1:/boxes']", "12")
    page.fill("#q", "展示")
    page.press("#q", "Enter")
    assert page.locator("[name='i1:/boxes']").input_value() == "12"
    page.click("button[value='add:display-slots/home-banner']")
    page.goto("/")
    page.goto(f"/compose/{case.number}/")
    assert page.locator("[name='i1:/boxes']").input_value() == "12"
    page.fill("[name='i2:/day']", "2026-12-01")
    page.click("button[value=accept]")
    assert Package.objects.filter(case=case).count() == 1
    assert Case.objects.get(pk=case.pk).number in page.url


def test_a_double_click_is_one_package(people, case, sign_in):
    page = sign_in(people.mira)
    page.goto(f"/compose/{case.number}/")
    add(page, "storage", "warehousing/storage-space")
    page.fill("[name='i1:/boxes']", "5")
    page.dblclick("button[value=submit]")
    page.wait_for_url(re.compile("/cases/"))
    assert Package.objects.filter(case=case).count() == 1
    page.go_back()
    assert page.locator(".chosen").count() == 0
