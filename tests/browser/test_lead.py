"""The service lead's board, as the lead sees it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from guanjia.cases.models import Case, Clock, ClockKind, ClockStatus

LOOKS = (("zh-hans", False, 1440), ("en", True, 1440), ("zh-hans", True, 390), ("en", False, 390))


@pytest.fixture
def quarter(people):
    """Three months of answers of both lines: the warehouse is better at it and gets worse."""
    now, case = timezone.now(), Case.objects.order_by("pk")[0]
    clocks = []
    for day in range(90):
        for line, misses in ((people.display, day % 4 == 0), (people.warehousing, day % (3 + day // 9) == 1)):
            asked = now - timedelta(days=day, hours=9)
            times = {"started_at": asked, "due_at": asked + timedelta(hours=4)}
            answered = asked + timedelta(hours=6 if misses else 2, minutes=day)
            clocks.append(
                Clock(
                    case=case,
                    kind=ClockKind.LINE_DECISION,
                    owner=people.otto,
                    line=line,
                    item=uuid4(),
                    status=ClockStatus.STOPPED,
                    stopped_at=answered,
                    **times,
                )
            )
    Clock.objects.bulk_create(clocks)
    return people


@pytest.mark.parametrize(("language", "dark", "width"), LOOKS)
def test_the_board_fits_reads_well_and_runs_clean(quarter, sign_in, axe, shoot, weigh, language, dark, width):
    page = sign_in(quarter.wei, language=language, dark=dark, width=width)
    look = f"{language[:2]}-{'dark' if dark else 'light'}-{width}"
    for name, path in (
        ("board", "/lead/"),
        ("waits", "/lead/waits/"),
        ("line", "/lead/lines/display-slots/"),
    ):
        page.goto(path)
        if name == "board":
            weigh(page)
        axe(page)
        shoot(page, f"lead-{name}-{look}")


def test_the_lead_finds_the_line_that_is_late_and_what_waits_on_it(quarter, sign_in, axe):
    page = sign_in(quarter.wei, language="en")
    page.goto("/lead/")
    table = page.locator(".chart", has_text="Answers owed, by line").locator("details")
    table.locator("summary").focus()
    page.keyboard.press("Enter")
    assert table.locator("tbody tr").first.inner_text().split() == ["Display", "slots", "0", "1"]
    axe(page)
    page.get_by_role("link", name="Display slots").first.click()
    page.wait_for_url("**/lead/lines/display-slots/")
    assert page.get_by_role("heading", level=1).inner_text() == "Display slots"
    assert page.locator("tbody tr", has_text="Home page banner").count() == 1
