"""The pictures of the guide to the desk (docs/desk.md): a case from the list to its end, as a reader sees it.

`make pictures` runs this and puts them into docs/images/guide.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from guanjia.cases.actions import add_to_checklist, ask_task, say, set_priority, set_tags, wait_for_merchant
from guanjia.cases.models import Case
from guanjia.post.tests.rounds import tell_all
from guanjia.search.testing import catch_up


@pytest.fixture
def case(people):
    """A case in the middle of its life: answered, marked, with work on it, waiting for the merchant."""
    case = Case.objects.get(merchant=people.mira_shop, state="waiting_line")
    lin, number, now = people.lin, case.number, timezone.now()
    say(actor=lin, number=number, body="已为您占住前一项，展位正在人工答复。", now=now)
    say(actor=lin, number=number, body="先问欧拓哪天有空档。", internal=True, now=now)
    say(actor=people.mira, number=number, body="好的，还想加一个仓。", now=now)
    set_priority(actor=lin, number=number, priority=2, now=now)
    set_tags(actor=lin, number=number, add=["双十一"], now=now)
    due = now + timedelta(days=2)
    about = {"title": "量一下仓位", "doer": "line:warehousing", "due_at": due, "visible": True}
    ask_task(actor=lin, number=number, now=now, **about)
    add_to_checklist(actor=lin, number=number, text="营业执照已核对", now=now)
    wait_for_merchant(actor=lin, number=number, days=3, now=now)
    tell_all(now)
    catch_up()
    return case


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_case_from_the_list_to_its_end(people, case, sign_in, shoot, language):
    page = sign_in(people.lin, language=language, width=1280)
    names = Pictures(page, language[:2], shoot)
    page.goto("/desk/")
    names.take("list")
    page.goto(f"/desk/cases/{case.number}/")
    names.take("case")
    page.locator("#live details > summary").first.click()
    names.take("clocks")
    page.keyboard.press("x")
    page.locator("#note").fill("欧拓说周四有空档。")
    names.take("note")
    page.goto(f"/desk/cases/{case.number}/work")
    names.take("work")
    page.goto("/desk/search?q=展位")
    names.take("search")
    page.goto("/news/")
    names.take("news")
    assert len(names.taken) == 7


class Pictures:
    """What is on the screen, under its name and language."""

    def __init__(self, page, language, shoot):
        self.page, self.language, self.shoot, self.taken = page, language, shoot, []

    def take(self, name):
        self.shoot(self.page, f"guide-{name}-{self.language}", whole=False)
        self.taken.append(name)
