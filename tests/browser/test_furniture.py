"""What all pages share, in a real browser: they fit, read well, run clean and need no mouse."""

import pytest
from django.utils import timezone

from guanjia.demo.cast import make_cast
from guanjia.packages.links import package_link
from guanjia.packages.tests import stories

STAGES = (stories.ask, stories.pending, stories.dearer, stories.done, stories.refused, stories.needs_hand)
LOOKS = (("zh-hans", False, 390), ("en", True, 390), ("zh-hans", True, 1280), ("en", False, 1920))


@pytest.fixture
def pages(live_server):
    """Addresses by name, of pages for everybody."""
    market, now = make_cast(timezone.now()), timezone.now()
    links = {stage.__name__: package_link(stage(market, now)) for stage in STAGES}
    return {name: "/packages/" + link.partition("/packages/")[2] for name, link in links.items()} | {
        "front": "/",
        "nowhere": "/no",
    }


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_pages_fit_read_well_and_run_clean(pages, sign_in, axe, shoot, language, dark, width):
    page = sign_in(None, language=language, dark=dark, width=width)
    for name, path in pages.items():
        page.goto(path)
        axe(page)
        shoot(page, f"{name}-{language[:2]}-{'dark' if dark else 'light'}-{width}")


def test_the_keyboard_reaches_everything_in_order(pages, sign_in):
    page = sign_in(None, language="en")
    page.goto(pages["pending"] + "&still")
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert reached == ["Skip to the content", "Guanjia", "中文", "Sign in", "Refresh again"]
    page.keyboard.press("Enter")
    page.wait_for_url("**" + pages["pending"])
    page.get_by_role("button", name="中文").click()
    page.wait_for_selector("html[lang=zh-Hans]")
    assert page.url.endswith(pages["pending"])


def test_every_home_opens_for_its_people_within_its_weight(people, sign_in, weigh):
    """Signing in leads to one's own door; the first visit loads style, script and page."""
    for person, path in ((people.lin, "/desk/"), (people.otto, "/console/"), (people.wei, "/lead/")):
        page = sign_in(person)
        assert page.goto(path).status == 200
        assert weigh(page) > 1000


def test_the_watch_sees_what_no_page_may_do(sign_in, watch):
    """The control: each kind of fault, made on purpose, is seen."""
    page = sign_in(None)
    page.goto("/")
    page.route("https://elsewhere.invalid/**", lambda route: route.abort())
    page.evaluate("fetch('https://elsewhere.invalid/x').catch(() => 0)")
    page.evaluate("fetch('/no').catch(() => 0)")
    page.evaluate("document.body.setAttribute('style', 'color: red')")
    page.evaluate("setTimeout(() => { throw new Error('lost') })")
    page.wait_for_timeout(300)
    seen = sorted({fault.partition(":")[0] for fault in watch.faults})
    watch.faults.clear()
    assert seen == ["404", "console", "script"]
