"""A real Chromium before a running house: who is signed in, what went wrong, how it looks.

A test asks for `people` and `sign_in`, drives the page it gets, and calls `axe`, `shoot` and `weigh` where
they say something. Whatever a page wrote to the console as an error, asked from elsewhere or was refused
by the content security policy fails the test at its end.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client
from django.utils import timezone

from guanjia.cases.actions import open_case
from guanjia.demo.cast import Cast, make_cast
from guanjia.packages.tests import stories
from guanjia.people.models import User

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SCREENS = Path(__file__).resolve().parents[2] / "artefacts" / "screens"
FIRST_VISIT_MOST = 100_000  # bytes, before compression, without images


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs committed rows, for the server's own threads, and takes seconds."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.django_db(transaction=True))


@dataclass
class Watch:
    """What the pages of one test did that no page may do, and what they loaded, by page."""

    home: str
    faults: list[str] = field(default_factory=list)
    loaded: dict[Any, list[Any]] = field(default_factory=dict)

    def follow(self, page: Any) -> None:
        self.loaded[page] = []
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("console", self._console)
        page.on("request", self._request)
        page.on("response", self._response)

    def _console(self, message: Any) -> None:
        # A page may be a refusal; what failed to load besides is seen by `_response`.
        if message.type == "error" and not message.text.startswith("Failed to load resource"):
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.home, "data:", "blob:", "about:")):
            self.faults.append(f"asked elsewhere: {request.url}")

    def _response(self, response: Any) -> None:
        request = response.request
        if response.status >= 500 or (response.status >= 400 and request.resource_type != "document"):
            self.faults.append(f"{response.status}: {request.method} {response.url}")
        if request.is_navigation_request() and 200 <= response.status < 300:
            self.loaded[request.frame.page] = []
        self.loaded[request.frame.page].append(response)


@pytest.fixture
def people(transactional_db: None) -> Cast:
    """The named cast. Mira's merchant has four cases: one waits for Otto's line, one for Mira's yes to a
    dearer price, one is done, one is with Lin; Mo's has one, with the pool."""
    now = timezone.now()
    market = make_cast(now)
    for tell in (stories.pending, stories.dearer, stories.done):
        tell(market, now)
    open_case(actor=market.mira, merchant_ref=market.mira_shop.ref, need="想知道团购场次怎么排", now=now)
    open_case(actor=market.mo, merchant_ref=market.mo_shop.ref, need="想把毛毯放进分仓", now=now)
    return market


@pytest.fixture
def watch(live_server: Any) -> Iterator[Watch]:
    watch = Watch(live_server.url)
    yield watch
    assert watch.faults == []


@pytest.fixture
def browser(live_server: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A browser for each test: half a second, and no event loop is left behind for the tests after it.

    While it runs, the loop is in this very thread, so Django opens connections of their own for what the
    test asks the database; they are closed before the loop ends.
    """
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: apt-get install chromium fonts-noto-cjk")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
        connections.close_all()


SignIn = Callable[..., Any]


@pytest.fixture
def sign_in(browser: Any, live_server: Any, watch: Watch) -> SignIn:
    """`sign_in(user)` is a new page of a browser in which that person, or nobody, is signed in."""

    def open_page(
        user: User | None,
        *,
        language: str = "zh-hans",
        width: int = 1440,
        dark: bool = False,
        scripts: bool = True,
    ) -> Any:
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 844 if width < 500 else 900},
            locale="en" if language == "en" else "zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            java_script_enabled=scripts,
        )
        context.add_cookies(_cookies(live_server.url, user, language))
        page = context.new_page()
        watch.follow(page)
        return page

    return open_page


def _cookies(home: str, user: User | None, language: str) -> list[dict[str, str]]:
    found = {settings.LANGUAGE_COOKIE_NAME: language}
    if user is not None:
        client = Client()
        client.force_login(user)
        found[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return [{"name": name, "value": value, "url": home} for name, value in found.items()]


@pytest.fixture
def axe() -> Callable[[Any], None]:
    """`axe(page)` fails unless axe finds nothing wrong with the page as it is shown now."""
    runner = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def check(page: Any) -> None:
        found = runner.run(page).response["violations"]
        told = [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
        assert told == [], page.url

    return check


@pytest.fixture
def shoot() -> Callable[..., None]:
    """`shoot(page, name)` keeps a picture under artefacts/screens/, of the whole page or of what is on the
    screen; the page must not be wider than its window, and has one headline."""
    SCREENS.mkdir(parents=True, exist_ok=True)

    def picture(page: Any, name: str, *, whole: bool = True) -> None:
        page.screenshot(path=SCREENS / f"{name}.png", full_page=whole)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        assert page.locator("h1").count() == 1, name

    return picture


@pytest.fixture
def weigh(watch: Watch) -> Callable[[Any], int]:
    """`weigh(page)`: the bytes of all that its latest navigation loaded, without images. A page at its
    first visit must not weigh more than FIRST_VISIT_MOST."""

    def bytes_of(page: Any) -> int:
        kept = [one for one in watch.loaded[page] if one.request.resource_type != "image" and one.ok]
        total = sum(one.request.sizes()["responseBodySize"] for one in kept)
        assert total <= FIRST_VISIT_MOST, f"{page.url} weighs {total} bytes"
        return total

    return bytes_of
