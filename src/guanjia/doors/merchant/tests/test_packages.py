"""A price at the merchant's door: seen, answered item by item, and never otherwise than it was seen."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.core.package import Held
from guanjia.merchants.models import MemberRole
from guanjia.packages.models import Item, Package
from guanjia.packages.tests import stories

DOOR = "/door/M-1042/"


def path_of(package):
    return f"{DOOR}packages/{package.number}/"


@pytest.fixture
def dearer(market, now):
    return stories.dearer(market, now)


def states(package):
    return list(package.items.order_by("position").values_list("state", flat=True))


YES = {"shown": ["1:150000", "2:0"], "take": ["1", "2"]}


def test_a_proposal_says_what_exactly_and_what_if(mira, dearer, said):
    page = said(mira.get(path_of(dearer)))
    assert "请您答复" in page
    assert "首页展示位 展位 日期 2026-11-11 店铺名 云栖女装" in page
    assert "您先前确认的是 ¥1,200.00，业务线改了价。" in page
    assert "合计 ¥1,500.00" in page
    assert "如果有一条业务线不同意" in page


def test_a_yes_is_to_what_was_shown(mira, dearer, said):
    answer = mira.post(path_of(dearer), YES)
    assert (answer.status_code, answer.url) == (303, path_of(dearer))
    assert states(dearer) == ["confirming", "confirming"]
    assert Item.objects.get(package=dearer, position=1).accepted_amount == 150_000
    assert "已确认，接下来由管家在各业务线上办。" in said(mira.get(path_of(dearer)))


def test_one_item_is_declined_and_the_rest_goes_on(mira, dearer):
    mira.post(path_of(dearer), {**YES, "take": ["2"]})
    banner, boxes = dearer.items.order_by("position")
    assert (banner.declined, boxes.declined) == (True, False)
    assert boxes.accepted_amount == 0


def test_none_of_it(mira, dearer, said):
    answer = mira.post(path_of(dearer), {**YES, "none": "1"}, follow=True)
    assert "已谢绝，没有留下任何占用。" in said(answer)
    assert Package.objects.get(pk=dearer.pk).state == "releasing"


def test_a_price_that_changed_is_shown_calmly_and_nothing_is_agreed(mira, dearer, unchanged, said):
    mira.get(path_of(dearer))
    with unchanged():
        answer = mira.post(path_of(dearer), {"shown": ["1:120000", "2:0"], "take": ["1"]})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert 'class="told warning" role="status"' in page
    assert "价格已变为 ¥1,500.00，与您看到的不同。 请看过新价格再确认。" in said(answer)
    assert 'value="2" id="take-2" data-amount="0">' in page  # still unticked


@pytest.mark.parametrize("shown", [[], ["x"], ["1:1", "2"], ["1:-5"], ["1:" + "9" * 30]])
def test_an_answer_without_prices_is_refused(mira, dearer, unchanged, shown):
    mira.get(path_of(dearer))
    with unchanged():
        assert mira.post(path_of(dearer), {"shown": shown, "take": ["1"]}).status_code == 422


def test_an_answer_that_comes_too_late_shows_how_it_is_now(mira, dearer, said):
    mira.post(path_of(dearer), YES)
    again = mira.post(path_of(dearer), YES)
    assert again.status_code == 409
    assert "这个一揽子现在没有等您确认的价格。" in said(again)
    assert "走到哪里" in said(again)


def test_staff_look_but_the_price_is_for_owner_and_finance(member, dearer, unchanged):
    staff, kept = member(MemberRole.STAFF)
    assert "data-adds-up" not in staff.get(path_of(dearer)).content.decode()
    with unchanged():
        assert staff.post(path_of(dearer), YES).status_code == 403
    kept.role = MemberRole.FINANCE
    kept.save(update_fields=["role"])
    assert staff.post(path_of(dearer), YES).status_code == 303


def test_a_package_is_given_up(mira, market, now, said):
    package = stories.pending(market, now)
    assert f"{path_of(package)}cancel" in mira.get(path_of(package)).content.decode()
    answer = mira.post(f"{path_of(package)}cancel", follow=True)
    assert "正在撤回；撤完不留任何占用。" in said(answer)
    assert Package.objects.get(pk=package.pk).state == "releasing"


def test_what_has_taken_effect_is_not_given_up(mira, market, now, unchanged, said):
    package = stories.done(market, now)
    assert "/cancel" not in mira.get(path_of(package)).content.decode()
    with unchanged():
        answer = mira.post(f"{path_of(package)}cancel")
    assert answer.status_code == 409
    assert "已经在生效或已结束，不能撤回" in said(answer)


def test_a_viewer_is_offered_nothing(viewer, market, now, unchanged):
    package = stories.pending(market, now)
    assert "/cancel" not in viewer.get(path_of(package)).content.decode()
    with unchanged():
        assert viewer.post(f"{path_of(package)}cancel").status_code == 403


def test_another_merchants_package_is_not_here(client, market, dearer):
    client.force_login(market.mo)
    assert client.get(f"/door/M-2077/packages/{dearer.number}/").status_code == 404
    assert client.get(path_of(dearer)).status_code == 404
    client.force_login(market.wei)
    assert client.get(f"/door/M-2077/packages/{dearer.number}/").status_code == 404


def test_the_lines_move_while_somebody_looks(mira, market, now, said):
    package = stories.pending(market, now)
    assert mira.get(f"{path_of(package)}live").status_code == 200
    hold = stories.holds(package)[0]
    stories.lines_say(package, Held(hold, now + stories.LATER, stories.PRICE), now=now)
    assert "正在生效" in said(mira.get(f"{path_of(package)}live"))


def test_a_package_costs_the_same_however_many_items(mira, market, now):
    counts = []
    for items in (1, 3):
        package = stories.ask(market, now, items=[stories.BOXES] * items, accept_total=0)
        with CaptureQueriesContext(connection) as asked:
            mira.get(path_of(package))
        counts.append(len(asked))
    assert counts[0] == counts[1]
