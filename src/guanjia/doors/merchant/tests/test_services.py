"""What can be asked for: price, who decides, how soon; found by its own words or its line's."""

import pytest

from guanjia.lines.models import Service

SERVICES = "/door/M-1042/services/"


def test_a_service_says_its_price_who_decides_and_how_soon(mira, said):
    page = said(mira.get(SERVICES))
    assert (
        "首页展示位 ¥1,200.00 授权范围内当场占住；超出的由业务线答复，最迟 4 小时。逾期不答，视为同意。"
        in page
    )
    assert "分仓备货 按报价 无需审批，有空位就当场占住。" in page


@pytest.mark.parametrize("words", ["首页", "展位", "banner", "HOME", "slots 首页"])
def test_services_are_found_in_either_language(mira, said, words):
    page = said(mira.get(SERVICES, {"q": words}))
    assert "首页展示位" in page
    assert "分仓备货" not in page


@pytest.mark.parametrize("words", ["没有这个", "%", "_", "\x00", "a" * 500, "'; --"])
def test_what_is_not_found_is_said_calmly(mira, words):
    answer = mira.get(SERVICES, {"q": words})
    assert answer.status_code == 200


def test_the_list_goes_on_page_by_page(mira, market, said):
    some = Service.objects.get(code="home-banner")
    for n in range(60):
        some.pk, some.code, some.titles = None, f"more-{n:02}", {"zh-Hans": f"服务{n:02}号"}
        some.save()
    first = mira.get(SERVICES)
    onward = first.content.decode().partition('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = said(mira.get(SERVICES + onward.replace("&amp;", "&")))
    assert "服务38号" in said(first)
    assert "服务39号" not in said(first)
    assert "服务39号" in second
    assert "分仓备货" in second
    assert mira.get(f"{SERVICES}?after=nonsense").status_code == 422
