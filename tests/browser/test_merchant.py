"""My door in a real browser: say a need once, answer a price, see the lines move, on a phone and a desk."""

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.cases.actions import say
from guanjia.cases.models import Case
from guanjia.demo.cast import make_user
from guanjia.merchants.actions import add_member
from guanjia.merchants.models import MemberRole
from guanjia.packages.models import Package
from guanjia.packages.tests import stories

DOOR = "/door/M-1042/"
LOOKS = (("zh-hans", False, 390), ("en", True, 390), ("zh-hans", True, 1440), ("en", False, 1440))


@pytest.fixture
def shown(people):
    """Pages of Mira's door by name, with something on each."""
    dearer = Package.objects.exclude(accept_due_at=None).get()
    pending = Package.objects.filter(ended_at=None).exclude(pk=dearer.pk).get()
    now = timezone.now()
    say(actor=people.lin, number=pending.case.number, body="已经在问展位了，今天给您准信。", now=now)
    say(actor=people.mira, number=pending.case.number, body="好的，辛苦！", now=now)
    staff = make_user("kim", "金店员 Kim")
    add_member(actor=SYSTEM, merchant=people.mira_shop, user=staff, role=MemberRole.STAFF, now=now)
    return {
        "door": DOOR,
        "cases": f"{DOOR}cases/",
        "case": f"{DOOR}cases/{pending.case.number}/",
        "proposal": f"{DOOR}packages/{dearer.number}/",
        "package": f"{DOOR}packages/{pending.number}/",
        "people": f"{DOOR}people/",
        "services": f"{DOOR}services/",
    }


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_door_fits_reads_well_and_runs_clean(people, shown, sign_in, axe, shoot, language, dark, width):
    page = sign_in(people.mira, language=language, dark=dark, width=width)
    for name, path in shown.items():
        page.goto(path)
        shoot(page, f"merchant-{name}-{language[:2]}-{'dark' if dark else 'light'}-{width}")
        axe(page)


def test_the_first_visit_is_light(people, sign_in, weigh):
    page = sign_in(people.mira)
    page.goto(DOOR)
    assert weigh(page) > 1000


@pytest.mark.parametrize(("language", "send"), [("zh-hans", "交给管家"), ("en", "Hand it over")])
def test_a_need_is_said_and_its_text_survives_a_reload(people, sign_in, language, send):
    page = sign_in(people.mira, language=language, width=390)
    page.goto(DOOR)
    page.locator("#need").fill("想备三十箱货")
    page.reload()
    assert page.locator("#need").input_value() == "想备三十箱货"
    page.get_by_role("button", name=send).click()
    page.wait_for_url("**/cases/GJ-*/")
    assert page.locator("h1").inner_text() == "想备三十箱货"
    page.goto(DOOR)
    assert page.locator("#need").input_value() == ""
    assert page.get_by_role("link", name="想备三十箱货").count() == 1


def test_a_quick_start_fills_the_box_and_loses_nothing(people, sign_in):
    page = sign_in(people.mira, language="en")
    page.goto(DOOR)
    page.locator("#need").fill("Before Friday:")
    page.locator(".chip").first.click()
    text = page.locator("#need").input_value()
    assert text.startswith("Before Friday:\n")
    assert "Home page banner" in text


def test_the_track_moves_while_somebody_looks(people, sign_in):
    page = sign_in(people.mira, language="en")
    page.goto(DOOR)
    assert page.locator(".lanes .wait").count() == 1
    pending = Package.objects.get(items__state="pending_decision")
    page.locator("#need").fill("half a sentence")
    banner = stories.holds(pending)[0]
    now = timezone.now()
    stories.lines_say(pending, stories.Held(banner, now + stories.LATER, stories.PRICE), now=now)
    page.locator(".lanes .wait").wait_for(state="detached", timeout=15_000)
    assert page.locator("#need").input_value() == "half a sentence"


def test_a_price_is_answered_item_by_item(people, shown, sign_in):
    page = sign_in(people.mira, language="en")
    page.goto(DOOR)
    page.get_by_role("link", name="双十一要一个首页展示位").first.click()
    page.wait_for_url("**/packages/PK-*/")
    assert page.locator("[data-total]").inner_text() == "¥1,500.00"
    page.get_by_label("Home page banner").uncheck()
    assert page.locator("[data-total]").inner_text() == "¥0.00"
    page.get_by_label("Home page banner").check()
    page.get_by_role("button", name="Go ahead").click()
    page.wait_for_selector(".told.success")
    asked = Package.objects.get(number=shown["proposal"].rstrip("/").rpartition("/")[2])
    assert (asked.state, asked.accept_due_at) == ("confirming", None)


def test_the_door_works_without_scripts(people, shown, sign_in):
    page = sign_in(people.mira, language="en", scripts=False)
    page.goto(shown["proposal"])
    page.get_by_label("Home page banner").uncheck()
    page.get_by_role("button", name="Go ahead").click()
    page.wait_for_selector(".told.success")
    page.goto(DOOR)
    page.locator(".chip").first.click()
    assert "Home page banner" in page.locator("#need").input_value()
    page.get_by_role("button", name="Hand it over").click()
    page.wait_for_url("**/cases/GJ-*/")
    assert Case.objects.filter(opened_by=people.mira, merchant=people.mira_shop).count() == 5
