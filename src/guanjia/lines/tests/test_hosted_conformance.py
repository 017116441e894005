"""The conformance kit finds nothing wrong with a hosted line, over real HTTP."""

import asyncio

import pytest
from django.urls import include, path

from guanjia.lines.actions.hosted import publish_services
from guanjia.lines.conformance import Verdict, check
from guanjia.lines.queries import endpoint_of
from guanjia.lines.ssrf import LOOPBACK, guarded_session
from guanjia.lines.tests.doors import NOON
from guanjia.lines.tests.hosted_line import BANNER, BOXES, BRAND_DAY, HostedLine, assert_books_balance

URLS = (path("lines/", include("guanjia.lines.urls")),)
PARAMS = {
    "banner": {"day": "2026-11-12"},  # a day that nobody opened: every hold is refused
    "boxes": {"day": "2026-11-11", "place": "杭州"},
    "brand-day": {"day": "2026-11-11"},
}
BY_A_PERSON = {"3.1", "5.1", "5.2", "5.4"}
NOT_FROM_OUTSIDE = {"5.3", "6.1", "6.2"}


async def checked(endpoint):
    async with guarded_session(allowed=LOOPBACK) as session:
        return await check(endpoint, session, params=PARAMS)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_hosted_line_keeps_every_rule(live_server, settings):
    settings.ROOT_URLCONF = URLS
    settings.BASE_URL = live_server.url
    hosted = HostedLine()
    publish_services(actor=hosted.otto, line=hosted.line, services=[BANNER, BOXES, BRAND_DAY], now=NOON)
    hosted.open("boxes", "2026-11-11/杭州", 50)
    hosted.open("brand-day", "2026-11-11", 50)
    report = asyncio.run(checked(endpoint_of(hosted.line)))
    assert [result for result in report.results if result.verdict is Verdict.FAILED] == []
    kept = {result.rule for result in report.results if result.verdict is Verdict.OK}
    assert {result.rule for result in report.results} - kept == BY_A_PERSON | NOT_FROM_OUTSIDE
    assert_books_balance()
