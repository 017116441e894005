"""The desk in a real browser: lists by keyboard, words that cannot go to the wrong reader, nothing lost."""

import pytest
from django.utils import timezone

from guanjia.cases.actions import be_present, open_case, say
from guanjia.cases.models import Case, Draft, Message
from guanjia.lines.actions.mandates import grant_mandate
from guanjia.lines.models import MandatePeriod
from guanjia.lines.models.line import Silence

LOOKS = (
    ("zh-hans", False, 1440),
    ("en", True, 1440),
    ("zh-hans", True, 390),
    ("en", False, 390),
    ("en", False, 1024),
)


@pytest.fixture
def case(people):
    """The case that waits for Otto's line, with words on it."""
    found = Case.objects.filter(merchant=people.mira_shop, state="waiting_line").get()
    now = timezone.now()
    say(actor=people.lin, number=found.number, body="已为您占住前一项，展位正在人工答复。", now=now)
    say(actor=people.lin, number=found.number, body="先问欧拓哪天有空档", internal=True, now=now)
    say(actor=people.mira, number=found.number, body="好的，还想加一个仓", now=now)
    about = {"amount_per_use": 150_000, "amount_per_period": 600_000, "uses_per_period": 10}
    grant_mandate(
        actor=people.otto, line=people.display, service=None, holder=people.lin, period=MandatePeriod.MONTH,
        silence=Silence.CONSENT, now=now, **about,
    )  # fmt: skip
    return found


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_every_page_of_the_desk_reads_well(people, case, sign_in, axe, shoot, language, dark, width):
    page = sign_in(people.lin, language=language, dark=dark, width=width)
    paths = {
        "list": "/desk/",
        "case": f"/desk/cases/{case.number}/",
        "merchants": "/desk/merchants/",
        "merchant": "/desk/merchants/M-1042/",
        "mandates": "/desk/mandates/",
        "views": "/desk/views/",
        "new": "/desk/new",
    }
    for name, path in paths.items():
        page.goto(path)
        axe(page)
        shoot(page, f"desk-{name}-{language[:2]}-{'dark' if dark else 'light'}-{width}")


def test_a_case_page_is_light(people, case, sign_in, weigh):
    page = sign_in(people.lin)
    page.goto(f"/desk/cases/{case.number}/")
    assert weigh(page) > 1000


def test_a_day_by_keyboard(people, case, sign_in, axe):
    page = sign_in(people.lin)
    page.goto("/desk/")
    for key in ("j", "j", "k"):
        page.keyboard.press(key)
    first = page.locator("a[data-row]").first
    assert first.evaluate("one => one === document.activeElement")
    page.keyboard.press("?")
    assert page.locator("#keys[open] dt").count() >= 6
    axe(page)
    page.keyboard.press("Escape")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/cases/**")
    page.keyboard.press("x")
    assert page.locator("#note").is_visible()
    assert not page.locator("#reply").is_visible()
    page.keyboard.type("先核对")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".word.note >> text=先核对")
    page.keyboard.press("r")
    assert page.locator("#reply").is_visible()
    assert not page.locator("#note").is_visible()
    page.keyboard.type("马上答复您")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".word.staff >> text=马上答复您")
    said = list(Message.objects.filter(author=people.lin).order_by("-pk").values_list("body", "internal")[:2])
    assert said == [("马上答复您", False), ("先核对", True)]


def test_what_is_typed_is_kept_on_every_device(people, case, sign_in):
    page, phone = sign_in(people.lin), sign_in(people.lin, width=390)
    page.goto(f"/desk/cases/{case.number}/")
    page.locator("#reply").type("写到一半")
    page.wait_for_selector("#reply-kept:has-text('草稿已保存')")
    assert Draft.objects.get().body == "写到一半"
    phone.goto(f"/desk/cases/{case.number}/")
    assert phone.locator("#reply").input_value() == "写到一半"


def test_news_arrives_without_touching_what_is_typed(people, case, sign_in):
    page = sign_in(people.lin)
    page.goto(f"/desk/cases/{case.number}/")
    page.locator("#reply").type("写到一半")
    now = timezone.now()
    say(actor=people.mira, number=case.number, body="再加两百箱", now=now)
    be_present(actor=people.wei, number=case.number, writing=True, now=now)
    page.wait_for_selector(".word.merchant >> text=再加两百箱", timeout=15_000)
    assert page.locator("#here").inner_text() == "魏岚 Wei 正在写回复"
    assert page.locator("#reply").input_value() == "写到一半"
    assert page.evaluate("document.activeElement.id") == "reply"
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".refusal")
    assert page.locator("#reply").input_value() == "写到一半"
    page.get_by_role("button", name="看过了，仍然发送").click()
    page.wait_for_selector(".word.staff >> text=写到一半")


def test_without_script_the_main_path_works(people, case, sign_in):
    page = sign_in(people.lin, language="en", scripts=False)
    page.goto("/desk/")
    page.locator(f"#c-{case.number}").click()
    page.locator("#reply").fill("Thank you")
    page.get_by_role("button", name="Send to the merchant").click()
    assert page.locator(".word.staff >> text=Thank you").count() == 1
    page.locator("label[for=box-note]").click()
    page.locator("#note").fill("between us")
    page.get_by_role("button", name="Write the note").click()
    assert page.locator(".word.note >> text=between us").count() == 1


def test_a_list_open_in_the_morning_shows_new_cases(people, case, sign_in):
    page = sign_in(people.lin)
    page.goto("/desk/")
    assert page.locator("a[data-row]").count() == 3
    open_case(actor=people.mira, merchant_ref="M-1042", need="新的一件", now=timezone.now())
    page.wait_for_selector("a[data-row] >> text=新的一件", timeout=25_000)
