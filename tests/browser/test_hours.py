"""Calendars, promises and the life of a clock, as a lead, a manager and a merchant see them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.models import Case

LOOKS = (("zh-hans", False, 1440), ("en", True, 390))


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_forms_of_working_time_fit_and_read_well(people, sign_in, axe, shoot, language, dark, width):
    page = sign_in(people.wei, language=language, dark=dark, width=width)
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    for name, path in (("calendars", "calendars/"), ("promises", "promises/"), ("calendar", "calendars/cn/")):
        page.goto(f"/lead/{path}")
        axe(page)
        shoot(page, f"hours-{name}-{look}")
    page.locator("button[value=try]").click()
    axe(page)
    shoot(page, f"hours-tried-{look}")


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_a_clock_tells_its_life_to_both_sides(people, sign_in, axe, shoot, language, dark, width):
    case = Case.objects.get(title="想知道团购场次怎么排")
    now = timezone.now()
    actions.say(actor=people.lin, number=case.number, body="请您定一个场次。", now=now)
    actions.wait_for_merchant(actor=people.lin, number=case.number, days=2, now=now + timedelta(seconds=1))
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    desk = sign_in(people.lin, language=language, dark=dark, width=width)
    desk.goto(f"/desk/cases/{case.number}/")
    desk.locator("#clocks > summary").click()
    for life in desk.locator(".life > summary").all():
        life.click()
    axe(desk)
    shoot(desk, f"hours-desk-{look}")
    door = sign_in(people.mira, language=language, dark=dark, width=width)
    door.goto(f"/door/M-1042/cases/{case.number}/")
    for life in door.locator(".life > summary").all():
        life.click()
    axe(door)
    shoot(door, f"hours-door-{look}")
