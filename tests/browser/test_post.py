"""The notification centre, its settings, addresses and the log of deliveries, as people see them."""

from __future__ import annotations

import pytest
from django.utils import timezone

from guanjia.base.seal import seal
from guanjia.cases.actions import say
from guanjia.cases.models import Case
from guanjia.people.models import User
from guanjia.post.models import Delivery, Endpoint, News, Notice
from guanjia.post.tests.rounds import tell_all

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))
HOUR_OF_NEWS = ("展位还有三个，您看哪一天合适？", "仓库那边今天下午四点前给价格。")


@pytest.fixture
def told(people):
    """Lin and Mira have talked; both were told. The house has two endpoints, one of them in trouble."""
    now = timezone.now()
    User.objects.filter(pk=people.mira.pk).update(email="mira@example.com")
    number = Case.objects.filter(merchant=people.mira_shop).latest("pk").number
    for words in HOUR_OF_NEWS:
        say(actor=people.lin, number=number, body=words, now=now)
    say(actor=people.mira, number=number, body="周四最好，上午也行。", now=now)
    say(actor=people.lin, number=number, body="先别答应周四。", now=now, internal=True)
    tell_all(now)
    Notice.objects.filter(pk=Notice.objects.earliest("pk").pk).update(unread=False, read_at=now)
    for kind, label, failures in (("dingtalk", "值班群", 0), ("webhook", "数据中台", 3)):
        Endpoint.objects.create(
            kind=kind,
            label=label,
            host="oapi.example.com",
            sealed_url=seal("https://oapi.example.com/"),
            news=["case", "overdue"],
            failures=failures,
            created_at=now,
        )
    _log(people, now)
    return people


def _log(people, now):
    news = News.objects.filter(side="house").latest("pk")
    hook = Endpoint.objects.latest("pk")
    ways = (("sent", ""), ("waiting", ""), ("dead", "HTTP 500"))
    for n, (state, detail) in enumerate(ways):
        ended = None if state == "waiting" else now
        about = {"state": state, "detail": detail, "ended_at": ended, "due_at": now, "created_at": now}
        Delivery.objects.create(news=news, event=news.event + n, endpoint=hook, channel="webhook", **about)
        Delivery.objects.create(news=news, event=news.event + n, user=people.lin, channel="mail", **about)


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_pages_fit_read_well_and_run_clean(told, sign_in, axe, shoot, weigh, language, dark, width):
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    hook = Endpoint.objects.latest("pk")
    pages = (
        (told.mira, "centre", "/news/"),
        (told.mira, "settings", "/news/settings"),
        (told.mira, "channels", "/news/channels/of/M-1042/"),
        (told.lin, "desk-centre", "/news/"),
        (told.wei, "house-channels", "/news/channels/"),
        (told.wei, "channel", f"/news/channels/{hook.pk}/"),
        (told.wei, "deliveries", "/lead/deliveries/"),
    )
    for user, name, path in pages:
        page = sign_in(user, language=language, dark=dark, width=width)
        page.goto(path)
        weigh(page)
        axe(page)
        shoot(page, f"post-{name}-{look}")


@pytest.mark.parametrize("scripts", [True, False])
def test_a_merchant_reads_its_news_and_the_bell_falls_silent(told, sign_in, scripts):
    page = sign_in(told.mira, scripts=scripts)
    page.goto("/news/")
    assert page.locator(".bell b").inner_text() != ""
    page.get_by_text("仓库那边今天下午四点前给价格。").click()
    assert page.locator("h1").count() == 1
    assert "/door/M-1042/cases/" in page.url
    page.goto("/news/")
    page.get_by_role("button", name="全部标为已读").click()
    assert page.locator(".bell b").count() == 0


def test_the_bell_hears_what_comes_while_the_page_is_open(told, sign_in):
    page = sign_in(told.mira)
    page.goto("/door/M-1042/")
    before = int(page.locator(".bell b").inner_text())
    number = Case.objects.filter(merchant=told.mira_shop).latest("pk").number
    say(actor=told.lin, number=number, body="定好了。", now=timezone.now())
    tell_all(timezone.now())
    page.evaluate("htmx.ajax('GET', '/news/count?seen=0', {target: '.bell', swap: 'innerHTML'})")
    page.locator(".bell b", has_text=str(before + 1)).wait_for()
