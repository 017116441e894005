"""What submitting would bring, before the click; and a sheet that is kept until then."""

from datetime import timedelta

import pytest

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.core.package import Mode
from guanjia.lines.actions.mandates import grant_mandate
from guanjia.lines.models import MandatePeriod, MandateUse
from guanjia.lines.models.line import Silence
from guanjia.packages.actions import drop_composition, save_composition, submit_composition
from guanjia.packages.composing import ItemDraft
from guanjia.packages.composition import KEPT, Sheet, composition_of
from guanjia.packages.models import Composition, Package
from guanjia.packages.preview import preview
from guanjia.packages.queries import find_services
from guanjia.packages.tests.stories import BANNER, BOXES, PRICE, a_case, ask


def granted(cast, noon, *, once=200_000, most=300_000, uses=2, silence=Silence.CONSENT):
    limits = {"amount_per_use": once, "amount_per_period": most, "uses_per_period": uses}
    about = {"actor": cast.otto, "line": cast.display, "service": None, "holder": cast.lin}
    return grant_mandate(**about, **limits, period=MandatePeriod.WEEK, silence=silence, now=noon)


def texts(cast, noon, *drafts):
    seen = preview(actor=cast.lin, drafts=drafts, now=noon)
    return [(item.decides, item.text) for item in seen.items if item]


def test_a_merchant_hears_how_long_each_line_takes_and_what_silence_counts_as(cast, noon, unchanged):
    with unchanged():
        seen = preview(actor=cast.mira, drafts=[BANNER, BOXES], now=noon)
    banner, boxes = seen.items
    assert banner is not None
    assert boxes is not None
    assert banner.text == "业务线 4 小时内答复；再过 1 小时 没有答复，视为同意"
    assert (banner.decides, boxes.decides, boxes.text) == ("line", "nobody", "无需审批，提交后直接预留")
    assert (seen.total, seen.currency, seen.unpriced) == (PRICE, "CNY", 1)


def test_items_of_one_sheet_draw_on_the_mandate_one_after_the_other(cast, noon, unchanged):
    granted(cast, noon)
    with unchanged():
        seen = texts(cast, noon, BANNER, BANNER, BANNER)
    assert seen[0] == ("mandate", "授权内，提交后直接预留；这一项之后本周还剩 ¥1,800.00、1 次")
    assert seen[1] == ("mandate", "授权内，提交后直接预留；这一项之后本周还剩 ¥600.00、0 次")
    assert seen[2][0] == "line"
    assert seen[2][1].startswith("授权额度不够（本周还剩 ¥600.00、0 次）；业务线 4 小时内答复")


def test_what_is_used_already_counts_and_the_last_period_does_not(cast, noon):
    granted(cast, noon)
    ask(cast, noon, actor=cast.lin, accept_total=None, items=[BANNER])
    assert MandateUse.objects.count() == 1
    assert "¥600.00、0 次" in texts(cast, noon, BANNER)[0][1]
    assert "¥1,800.00、1 次" in texts(cast, noon + timedelta(days=7), BANNER)[0][1]


def test_beyond_a_single_use_the_mandates_word_on_silence_counts(cast, noon):
    granted(cast, noon, once=100_000, silence=Silence.REFUSAL)
    assert texts(cast, noon, BANNER) == [
        ("line", "超出授权（单次最多 ¥1,000.00）；业务线 4 小时内答复；再过 1 小时 没有答复，视为拒绝")
    ]


@pytest.mark.parametrize("uses", [1, 2])
def test_the_preview_says_what_submitting_does(cast, noon, uses):
    granted(cast, noon, uses=uses)
    drafts = [BANNER, BANNER, BOXES]
    said = [decides == "mandate" for decides, _ in texts(cast, noon, *drafts)]
    package = ask(cast, noon, actor=cast.lin, accept_total=None, items=drafts)
    assert [item.within_mandate for item in package.items.order_by("position")] == said


def test_a_service_that_is_not_offered_any_more_is_none(cast, noon):
    seen = preview(actor=cast.lin, drafts=[BANNER, ItemDraft("moon", "x", {})], now=noon)
    assert seen.items[1] is None
    assert seen.total == PRICE


def test_previewing_costs_the_same_however_many_items(cast, noon, django_assert_num_queries):
    granted(cast, noon)
    for drafts in ([BANNER], [BANNER, BOXES, BANNER]):
        with django_assert_num_queries(5):
            preview(actor=cast.lin, drafts=drafts, now=noon)


# --- finding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("", ["home-banner", "storage-space"]),
        ("首页", ["home-banner"]),
        ("BANNER", ["home-banner"]),
        ("仓配", ["storage-space"]),
        ("storage 分仓", ["storage-space"]),
        ("warehousing", ["storage-space"]),
        ("home space", []),
        ("100%", []),
        ("zh-Hans", []),
    ],
)
def test_services_are_found_by_title_line_or_code_in_either_language(cast, words, found):
    assert [service.service for service in find_services(words, limit=9)] == found


# --- a kept sheet -----------------------------------------------------------------------------------


def kept(cast, noon, actor=None):
    case = a_case(cast, noon)
    sheet = Sheet.empty().with_service("warehousing", "storage-space")
    save_composition(actor=actor or cast.mira, case_number=case.number, sheet=sheet, now=noon)
    return case, sheet


def test_a_sheet_is_kept_for_its_author_alone(cast, noon):
    case, sheet = kept(cast, noon)
    assert composition_of(cast.mira, case, noon) == sheet
    assert composition_of(cast.lin, case, noon).items == ()
    assert composition_of(cast.mira, case, noon + KEPT).items == ()


def test_it_is_kept_once_and_dropped_when_asked(cast, noon):
    case, sheet = kept(cast, noon)
    more = sheet.with_service("display-slots", "home-banner")
    assert [item.id for item in more.items] == ["i1", "i2"]
    save_composition(actor=cast.mira, case_number=case.number, sheet=more, now=noon)
    assert Composition.objects.get().items == more.stored()
    drop_composition(actor=cast.mira, case_number=case.number, now=noon)
    assert not Composition.objects.exists()


def test_a_submitted_sheet_has_served_and_an_echo_of_it_is_not_shown(cast, noon):
    case, sheet = kept(cast, noon)
    about = {"actor": cast.mira, "case_number": case.number, "sheet": sheet, "now": noon}
    first = submit_composition(items=[BOXES], **about)
    save_composition(**about)
    assert composition_of(cast.mira, case, noon).items == ()
    assert submit_composition(items=[BOXES], **about) == first
    assert Package.objects.count() == 1
    assert not Composition.objects.exists()


@pytest.mark.parametrize(("who", "error"), [("mo", Missing), ("wei", Forbidden)])
def test_only_who_may_compose_keeps_a_sheet(cast, noon, unchanged, who, error):
    case = a_case(cast, noon)
    about = {"actor": getattr(cast, who), "case_number": case.number, "now": noon}
    with unchanged(), pytest.raises(error):
        save_composition(sheet=Sheet.empty(), **about)
    with unchanged(), pytest.raises(error):
        drop_composition(**about)


def test_a_sheet_has_an_end(cast, noon, unchanged):
    case, sheet = a_case(cast, noon), Sheet.empty()
    for _ in range(51):
        sheet = sheet.with_service("warehousing", "storage-space")
    with unchanged(), pytest.raises(BadInput):
        save_composition(actor=cast.mira, case_number=case.number, sheet=sheet, now=noon)
    assert sheet.mode is Mode.ALL_OR_NOTHING
