"""The line console in a real browser: ten decisions before lunch, by keyboard."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.lines.actions.conformance import ask_conformance, finish_conformance
from guanjia.lines.actions.hosted import open_hosted_line, publish_services, set_capacities
from guanjia.lines.actions.mandates import grant_mandate
from guanjia.lines.conformance.report import Failure, Report, Result, Verdict
from guanjia.lines.conformance.rules import both
from guanjia.lines.health import write_vitals
from guanjia.lines.hosted.business import holds_of
from guanjia.lines.models import HostedDecision, MandatePeriod, Service
from guanjia.lines.models.line import Silence as SilenceChoice
from guanjia.lines.protocol.messages import (
    Authority,
    DecisionRule,
    HoldRequest,
    Money,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.vitals import Reading

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))
SESSION = ServiceSpec(
    code="session",
    titles={"zh-Hans": "团购场次", "en": "Group-buying session"},
    schema={
        "type": "object",
        "properties": {
            "day": {
                "type": "string",
                "format": "date",
                "x-slot": True,
                "x-titles": {"zh-Hans": "日期", "en": "Day"},
            },
            "product": {
                "type": "string",
                "minLength": 2,
                "maxLength": 80,
                "x-titles": {"zh-Hans": "商品", "en": "Product"},
            },
            "shop": {
                "type": "string",
                "x-fact": "shop_name",
                "x-titles": {"zh-Hans": "店铺名", "en": "Shop name"},
            },
        },
        "required": ["day", "product", "shop"],
        "additionalProperties": False,
    },
    hold_ttl_seconds=6 * 3600,
    price=Money(50_000, "CNY"),
    decision=DecisionRule(Rule.ALWAYS, 4 * 3600, 3600, Silence.CONSENT),
)
SHOPS = (
    ("M-1042", "云栖女装", "羊绒围巾"),
    ("M-2077", "墨白文具", "手账礼盒"),
    ("M-3310", "老陈瓷器", "盖碗一套"),
)


@pytest.fixture
def line(people):
    """Otto's hosted line: three merchants wait for him, each asked an hour after the one before."""
    now = timezone.now()
    about = {"slug": "group-buying", "titles": {"zh-Hans": "团购", "en": "Group buying"}, "lead": people.otto}
    line = open_hosted_line(actor=SYSTEM, **about, now=now)
    publish_services(actor=people.otto, line=line, services=[SESSION], now=now)
    service = Service.objects.get(line=line, code="session")
    days = {(now + timedelta(days=number)).date().isoformat(): 3 for number in range(14)}
    set_capacities(actor=people.otto, service=service, capacities=days, now=now)
    for number, (ref, name, product) in enumerate(SHOPS):
        asked = now - timedelta(hours=3 - number) + timedelta(minutes=3)
        params = {"day": list(days)[number], "product": product, "shop": name}
        ids = {"hold_id": uuid4(), "merchant_ref": ref, "merchant_name": name}
        package = {"package_number": f"PK-2026-00001{number}", "item": 1, "ttl_seconds": 6 * 3600}
        by = {"authority_kind": Authority.NONE, "mandate": None}
        request = HoldRequest(service="session", params=params, **ids, **package, **by)
        holds_of(line, lambda at=asked: at).hold(request)
    return line


@pytest.fixture
def told(people, line):
    """What there is to see besides: a mandate, and a line with a system of its own that had a check."""
    now = timezone.now()
    mandate = grant_mandate(
        actor=people.otto,
        line=line,
        service=None,
        holder=people.lin,
        amount_per_use=20_000,
        amount_per_period=40_000,
        uses_per_period=5,
        period=MandatePeriod.MONTH,
        silence=SilenceChoice.CONSENT,
        now=now,
    )
    reading = {"circuit": "open", "retry_at": now, "ok_at": now, "fault_at": now, "fault": "status_503"}
    write_vitals([Reading("display-slots", **reading, calls=256, p50_ms=41, p95_ms=390)], now)
    run = ask_conformance(actor=people.otto, line=people.display, may_confirm=False, now=now)
    report = Report("https://display-slots.invalid", "display-slots", (_failed(), Result("2.1", Verdict.OK)))
    finish_conformance(asked=run, passed=False, report=report.to_json(), now=now)
    return mandate.pk, run.pk


def _failed():
    expected = both("200 released", "200 released")
    failure = Failure(
        "POST", "/holds/1/release", '{"reason":"check"}', expected, 404, '{"code":"unknown_hold"}'
    )
    return Result("4.5.1", Verdict.FAILED, "home-banner", failure=failure)


def paths(mandate, run):
    here, there = "/console/group-buying/", "/console/display-slots/"
    return {
        "lines": "/console/",
        "decisions": here,
        "services": f"{here}services/",
        "service": f"{here}services/session/",
        "edit": f"{here}services/session/edit/",
        "new": f"{here}new-service/",
        "slots": f"{here}inventory/session/",
        "mandates": f"{here}mandates/",
        "mandate": f"{here}mandates/{mandate}/",
        "grant": f"{here}mandates/new/",
        "remote": there,
        "remote-services": f"{there}services/",
        "health": f"{there}health/",
        "run": f"{there}health/{run}/",
    }


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_console_fits_and_reads_well(people, told, sign_in, axe, shoot, weigh, language, dark, width):
    page = sign_in(people.otto, language=language, dark=dark, width=width)
    for name, path in paths(*told).items():
        assert page.goto(path).status == 200, path
        weigh(page)
        axe(page)
        shoot(page, f"console-{name}-{language[:2]}-{'dark' if dark else 'light'}-{width}")


def test_decisions_are_made_by_keyboard_one_after_the_other(people, line, sign_in):
    page = sign_in(people.otto, language="en")
    page.goto("/console/group-buying/")
    heading = page.locator("#pane")
    assert heading.inner_text() == "云栖女装 · Group-buying session"
    page.keyboard.press("a")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Approved: 云栖女装")
    assert heading.inner_text() == "墨白文具 · Group-buying session"
    page.keyboard.press("x")
    page.keyboard.type("这一天留给年货节")
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("text=Refused: 墨白文具")
    assert heading.inner_text() == "老陈瓷器 · Group-buying session"
    assert page.locator(".waits li").count() == 1
    assert list(HostedDecision.objects.order_by("decided_at").values_list("approved", flat=True)) == [
        True,
        False,
    ]


def test_without_scripts_a_refusal_needs_its_reason(people, line, sign_in):
    page = sign_in(people.otto, scripts=False)
    page.goto("/console/group-buying/")
    page.get_by_label("理由（给商家看）").fill(" ")
    page.get_by_role("button", name="拒绝并告诉商家").click()
    assert "请写给商家看得懂的理由" in page.content()
    assert HostedDecision.objects.count() == 0


def test_a_form_is_written_as_a_table(people, line, sign_in):
    page = sign_in(people.otto, language="en")
    page.goto("/console/group-buying/new-service/")
    for label, text in (("Code", "tasting"), ("Name (Chinese)", "试吃"), ("Name (English)", "Tasting")):
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_label("Field 1", exact=True).fill("day")
    page.get_by_label("English title 1").fill("Day")
    page.get_by_label("Kind 1").select_option("date")
    page.get_by_label("Required 1").check()
    page.get_by_label("Inventory 1").select_option("slot")
    page.get_by_role("button", name="Preview").click()
    assert page.locator("#p-day").get_attribute("type") == "date"
    page.get_by_role("button", name="Publish").click()
    page.wait_for_selector("text=Published: Tasting.")
    assert Service.objects.get(code="tasting").schema["properties"]["day"]["x-slot"] is True
