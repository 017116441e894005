"""Who finds what, by which words."""

from datetime import timedelta

import pytest

from guanjia.base.sql import rows, run
from guanjia.cases.actions import open_case, say, solve_case
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.demo.cast import make_merchant, make_pool, make_user, put_in_charge
from guanjia.people.models import Team
from guanjia.search import asking
from guanjia.search.queries import case_numbered, search_cases, search_merchants, search_services
from guanjia.search.scope import of_merchant, of_staff
from guanjia.search.testing import catch_up

NEED = (
    "想上下周三的团购\n首页展示位一个，备 30 箱，单号 SF-1380013，电话 138-0013-8000，Refund policy 也问一下"
)


@pytest.fixture
def case(cast, noon):
    found = open_case(actor=cast.mira, merchant_ref="M-1042", need=NEED, now=noon)
    catch_up()
    return found


@pytest.fixture
def find(noon):
    """Numbers that somebody of the staff finds by these words."""

    def numbers(user, words, **more):
        catch_up()
        hits = search_cases(asking.read(words), of_staff(user, noon), **more).hits
        return [hit.number for hit in hits]

    return numbers


@pytest.fixture
def at_door():
    """Numbers that a merchant's own people find."""

    def numbers(shop, words):
        catch_up()
        return [hit.number for hit in search_cases(asking.read(words), of_merchant(shop.pk)).hits]

    return numbers


@pytest.mark.parametrize(
    "words",
    [
        "团购",
        "团",
        "首页展示位",
        "下周三的团购",
        "展示位 团购",
        "refund",
        "REFU",
        "ｒｅｆｕｎｄ　policy",
        "13800138000",
        "138-0013-8000",
        "SF-1380013",
        "sf1380013",
        "云栖",
        "M-1042",
        "M-10",
        "“首页展示位一个”",
        '"refund policy" 团购',
        "from:M-1042 团购",
        "from:M-1042",
        "is:open 团购",
    ],
)
def test_found_by(cast, case, find, words):
    assert find(cast.lin, words) == [case.number]


@pytest.mark.parametrize(
    "words",
    [
        "秒杀",
        "展团",
        "首页展示团",
        "团购 秒杀",
        "“展示位首页”",
        "fund",
        "from:M-2077 团购",
        "from:M-9 团购",
        "is:solved 团购",
        "",
        "，。!",
        "'; DROP",
        "%",
    ],
)
def test_not_found_by(cast, case, find, words):
    assert find(cast.lin, words) == []


def test_found_by_its_number_and_the_end_of_it(cast, case, find, noon):
    year, serial = case.number.split("-")[1:]
    for words in (case.number, case.number.lower(), serial, serial.lstrip("0"), f"{year} {serial}"):
        assert find(cast.lin, words) == [case.number], words
    asked = asking.read(f"gj {year} {serial}")
    assert asked.number == case.number
    assert case_numbered(asked.number, of_staff(cast.lin, noon))
    assert not case_numbered(asked.number, of_merchant(cast.mo_shop.pk))
    assert not case_numbered("", of_staff(cast.lin, noon))


def test_what_is_said_later_is_found(cast, case, find, noon):
    assert find(cast.lin, "改成双十一") == []
    say(actor=cast.mira, number=case.number, body="改成双十一那天", now=noon)
    assert find(cast.lin, "改成双十一") == [case.number]


def test_an_internal_note_is_found_by_staff_and_never_by_the_merchant(cast, case, find, at_door, noon):
    marker = "暗语鸬鹚Zephyr"
    say(actor=cast.lin, number=case.number, body=f"{marker} 138-7777-0000", internal=True, now=noon)
    for words in (marker, "鸬鹚", "鸬", "zephyr", "zeph", "13877770000", "“暗语鸬鹚”"):
        assert find(cast.lin, words) == [case.number], words
        assert at_door(cast.mira_shop, words) == [], words
    [hit] = search_cases(asking.read("鸬鹚"), of_staff(cast.lin, noon)).hits
    assert hit.internal
    assert hit.said == "暗语<mark>鸬鹚</mark>Zephyr 138-7777-0000"
    [seen] = search_cases(asking.read("团购"), of_merchant(cast.mira_shop.pk)).hits
    assert "鸬鹚" not in repr(seen)


def test_words_of_a_note_do_not_help_a_merchant_find_the_case(cast, case, at_door, noon):
    say(actor=cast.lin, number=case.number, body="利润很薄", internal=True, now=noon)
    assert at_door(cast.mira_shop, "团购") == [case.number]
    assert at_door(cast.mira_shop, "团购 利润") == []


def test_a_merchant_finds_its_own_cases_alone(cast, case, at_door, noon):
    other = open_case(actor=cast.mo, merchant_ref="M-2077", need="团购", now=noon)
    assert at_door(cast.mira_shop, "团购") == [case.number]
    assert at_door(cast.mo_shop, "团购") == [other.number]
    assert at_door(cast.mo_shop, "from:M-1042 团购") == []


def test_staff_find_what_they_have_a_relation_to(cast, case, find, noon):
    lea = make_user("lea", "Lea")
    other = open_case(actor=cast.mo, merchant_ref="M-2077", need="团购", now=noon)
    assert find(cast.lin, "团购") == [case.number]
    assert find(cast.wei, "团购") == [other.number, case.number]  # leads the service
    for stranger in (lea, cast.otto, cast.yan):
        assert find(stranger, "团购") == []
        assert not case_numbered(case.number, of_staff(stranger, noon))
    Responsibility.objects.create(
        merchant=cast.mira_shop, person=lea, role=ResponsibilityRole.BACKUP, during=(noon, None), reason="x"
    )
    assert find(lea, "团购") == [case.number]


def test_a_team_and_its_lead_find_what_the_team_answers_for(cast, case, find, noon):
    lea, tom = make_user("lea", "Lea"), make_user("tom", "Tom")
    team = Team.objects.create(code="giants", name="大客户", lead=lea)
    team.members.add(tom)
    Responsibility.objects.create(
        merchant=cast.mira_shop, team=team, role=ResponsibilityRole.BACKUP, during=(noon, None), reason="x"
    )
    assert find(lea, "团购") == find(tom, "团购") == [case.number]


def test_a_pool_finds_whom_nobody_else_answers_for(cast, case, find, noon):
    tom = make_user("tom", "Tom")
    cast.pool.members.add(tom)
    other = open_case(actor=cast.mo, merchant_ref="M-2077", need="团购", now=noon)
    assert find(tom, "团购") == [other.number]  # Mira's has a manager
    put_in_charge(cast.lin, cast.mo_shop, noon)
    assert find(tom, "团购") == []
    cast.lin.is_active = False
    cast.lin.save(update_fields=["is_active"])
    assert find(tom, "团购") == [other.number, case.number]  # whoever answers has left
    assert find(cast.lin, "团购") == []


def test_a_large_portfolio_is_asked_case_by_case(cast, case, find, noon, monkeypatch):
    monkeypatch.setattr("guanjia.search.scope.NAMED_MOST", 0)
    open_case(actor=cast.mo, merchant_ref="M-2077", need="团购", now=noon)
    assert of_staff(cast.lin, noon).query == ""
    assert find(cast.lin, "团购") == [case.number]


def test_past_responsibility_finds_nothing(cast, case, find, noon):
    lea = make_user("lea", "Lea")
    Responsibility.objects.create(
        merchant=cast.mira_shop,
        person=lea,
        role=ResponsibilityRole.BACKUP,
        during=(noon - timedelta(days=9), noon - timedelta(days=1)),
        reason="x",
    )
    assert find(lea, "团购") == []


def test_the_newest_come_first_but_a_title_with_all_words_before_them(cast, case, find, noon):
    titled = open_case(actor=cast.mira, merchant_ref="M-1042", need="退款", now=noon)
    newer = open_case(actor=cast.mira, merchant_ref="M-1042", need="问一下\n退款怎么走", now=noon)
    newest = open_case(actor=cast.mira, merchant_ref="M-1042", need="再问一下\n退款到哪了", now=noon)
    assert find(cast.lin, "退款") == [titled.number, newest.number, newer.number]


def test_pages_go_on_where_they_ended(cast, find, noon):
    every = [
        open_case(actor=cast.mira, merchant_ref="M-1042", need="退款", now=noon).number for _ in range(5)
    ]
    catch_up()
    asked, scope = asking.read("退款"), of_staff(cast.lin, noon)
    first = search_cases(asked, scope, most=2)
    second = search_cases(asked, scope, most=2, before=first.before or 0)
    third = search_cases(asked, scope, most=2, before=second.before or 0)
    assert [hit.number for page in (first, second, third) for hit in page.hits] == every[::-1]
    assert third.before is None
    assert first.looked_until is None


def test_when_patience_ends_it_says_how_far_it_looked(cast, find, noon):
    open_case(actor=cast.mira, merchant_ref="M-1042", need="退款", now=noon)
    old = open_case(actor=cast.mira, merchant_ref="M-1042", need="鸬鹚", now=noon - timedelta(days=300))
    run("SELECT setval(pg_get_serial_sequence('cases_case', 'id'), %s)", [old.pk + 50_000_000])
    new = open_case(actor=cast.mira, merchant_ref="M-1042", need="别的", now=noon)
    run("SELECT setval(pg_get_serial_sequence('cases_case', 'id'), %s)", [old.pk])  # not undone with the test
    assert new.pk > old.pk + 50_000_000
    catch_up()
    asked, scope = asking.read("鸬鹚"), of_staff(cast.lin, noon)
    hasty = search_cases(asked, scope, patience=0)
    assert (hasty.hits, hasty.looked_until) == ([], noon - timedelta(days=300))
    later = search_cases(asked, scope, before=hasty.before or 0, patience=60)
    assert [hit.number for hit in later.hits] == [old.number]
    patient = search_cases(asked, scope, patience=60)
    assert [hit.number for hit in patient.hits] == [old.number]


def test_what_is_shown_is_escaped_and_marked(cast, find, noon):
    need = "<b>粗</b> 想退款 <script>alert(1)</script>"
    open_case(actor=cast.mira, merchant_ref="M-1042", need=need, now=noon)
    catch_up()
    [hit] = search_cases(asking.read("退款"), of_staff(cast.lin, noon)).hits
    shown = "&lt;b&gt;粗&lt;/b&gt; 想<mark>退款</mark> &lt;script&gt;alert(1)&lt;/script&gt;"
    assert hit.title == shown


def test_state_narrows(cast, case, find, noon):
    solve_case(actor=cast.lin, number=case.number, now=noon)
    assert find(cast.lin, "is:open 团购") == []
    assert find(cast.lin, "is:solved 团购") == [case.number]


def test_merchants_are_found_by_name_and_reference(cast, noon):
    catch_up()
    for words in ("云栖", "M-1042", "m-10", "女装"):
        [hit] = search_merchants(asking.read(words), of_staff(cast.lin, noon))
        assert hit.ref == "M-1042"
    assert search_merchants(asking.read("墨白"), of_staff(cast.lin, noon)) == []
    assert [hit.ref for hit in search_merchants(asking.read("墨白"), of_staff(cast.wei, noon))] == ["M-2077"]


def test_a_new_name_finds_the_merchant_and_its_cases(cast, case, find, noon):
    cast.mira_shop.name = "星野女装"
    cast.mira_shop.save(update_fields=["name"])
    catch_up()
    assert [hit.ref for hit in search_merchants(asking.read("星野"), of_staff(cast.lin, noon))] == ["M-1042"]
    assert search_merchants(asking.read("云栖"), of_staff(cast.lin, noon)) == []
    assert find(cast.lin, "星野") == [case.number]


def test_the_exact_reference_comes_first(cast, noon):
    for ref in ("M-1", "M-10", "M-100"):
        make_merchant(ref, "店", owner=cast.mo, pool=cast.pool, now=noon)
    catch_up()
    found = search_merchants(asking.read("m-1"), of_staff(cast.wei, noon))
    assert found[0].ref == "M-1"


def test_services_are_found_by_either_language(cast):
    for words in ("展示位", "home banner", "banner", "display"):
        [hit] = search_services(asking.read(words))
        assert hit.code == "home-banner"
    assert search_services(asking.read("zh")) == []
    assert search_services(asking.read("秒杀")) == []


def test_intake_leaves_a_flow_and_nothing_else(cast, noon):
    catch_up()
    case = open_case(actor=cast.mira, merchant_ref="M-1042", need=NEED, now=noon)
    assert rows("SELECT key FROM base_flow WHERE name = 'search'") == [(case.pk,)]
    assert rows("SELECT count(*) FROM search_casewords") == [(0,)]
    catch_up()
    assert rows("SELECT case_id, merchant_id FROM search_casewords") == [(case.pk, cast.mira_shop.pk)]


def test_a_crowd_of_merchants_is_told_in_blocks(cast, noon):
    catch_up()
    pool = make_pool(cast.wei)
    run(
        "INSERT INTO merchants_merchant (ref, name, home_pool_id, facts, created_at)"
        " SELECT 'X-' || n, '批量 ' || n, %s, '{}', now() FROM generate_series(1, 3000) n",
        [pool.pk],
    )
    [(flows,)] = rows("SELECT count(*) FROM base_flow WHERE name = 'search_merchants'")
    assert flows <= 4
    catch_up()
    assert [hit.ref for hit in search_merchants(asking.read("X-2999"), of_staff(cast.wei, noon))] == [
        "X-2999"
    ]
