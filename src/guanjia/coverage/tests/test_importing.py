from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import translation

from guanjia.base.actors import SYSTEM, Actor
from guanjia.base.errors import BadInput
from guanjia.base.sql import run
from guanjia.coverage.actions import assign, end_responsibility
from guanjia.coverage.exporting import responsibilities_export
from guanjia.coverage.importing.load import Wish, import_responsibilities
from guanjia.coverage.importing.reading import DateReader, columns_of
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.queries import accountable_for
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.merchants.exporting import Format
from guanjia.merchants.importing.files import look_at
from guanjia.merchants.importing.load import Wish as MerchantWish
from guanjia.merchants.importing.load import import_merchants
from guanjia.merchants.importing.mapping import MERCHANTS, BadMapping, read_mapping
from guanjia.merchants.models import Merchant
from guanjia.people.models import Pool, Role, RoleGrant, Team, User

DATA = Path(__file__).parents[4].parent / "shared" / "data"
DEALS, SELLERS = DATA / "olist_closed_deals_dataset.csv", DATA / "olist_sellers_dataset.csv"
AM = ResponsibilityRole.ACCOUNT_MANAGER
HEADER = "merchant,person,since\n"
FULL = "merchant,role,person,team,pool,since,until\n"
HOUR = timedelta(hours=1)


@pytest.fixture
def bring(tmp_path, db, noon):
    """`bring(content)` imports a file with that content."""

    def run(content, *, maps=(), date_format=None, time_zone=None, apply=True, skip_bad=False):
        path = tmp_path / "responsibilities.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = look_at(path)
        columns, guessed = columns_of(table.header, maps)
        with translation.override("zh-hans"):
            return import_responsibilities(
                actor=SYSTEM,
                table=table,
                columns=columns,
                dates=DateReader.of(date_format or guessed, time_zone),
                wish=Wish(apply=apply, skip_bad=skip_bad),
                now=noon,
            )

    return run


def counts(outcome):
    return (outcome.rows, outcome.new, outcome.changed, outcome.unchanged, outcome.bad.total)


def named(outcome):
    return [(row.line, row.reason) for row in outcome.bad.first]


def history(ref):
    """(holder, from, to) of a merchant's account managers, in order."""
    held = Responsibility.objects.filter(merchant__ref=ref, role=AM).order_by("during")
    return [(str(one.holder), one.during.lower, one.during.upper) for one in held]


# --- what is written ------------------------------------------------------------------------------


def test_a_person_looks_after_a_merchant_from_the_day_on(bring, cast, noon):
    outcome = bring(HEADER + "M-2077,lin,2026-11-01T09:30\n")
    assert counts(outcome) == (1, 1, 0, 0, 0)
    since = datetime(2026, 11, 1, 1, 30, tzinfo=UTC)  # half past nine in Shanghai
    assert history("M-2077") == [("林晓 Lin", since, None)]
    assert accountable_for(cast.mo_shop, at=noon).person == cast.lin
    made = Responsibility.objects.get(merchant=cast.mo_shop)
    assert (made.granted_by, made.reason[:5]) == (None, "由文件导入")


def test_people_and_merchants_that_are_not_known_are_registered(bring, cast, noon):
    content = "merchant,person,name,since\nNEW-1,am7,陈七,2026-01-01\nM-2077,am7,陈七,2026-01-01\n"
    outcome = bring(content, maps=["person=person", "person_name=name"])
    assert (counts(outcome), outcome.new_people, outcome.new_merchants) == ((2, 2, 0, 0, 0), 1, 1)
    person = User.objects.get(username="am7")
    assert (person.name, person.has_usable_password(), person.is_active) == ("陈七", False, True)
    assert RoleGrant.objects.get(user=person).role == Role.ACCOUNT_MANAGER
    merchant = Merchant.objects.get(ref="NEW-1")
    assert (merchant.name, merchant.home_pool.code, merchant.facts) == ("商家 NEW-1", "commons", {})


def test_one_event_tells_of_the_whole_import(bring, cast):
    bring(HEADER + "A,x,2026-01-01\nB,x,2026-01-01\n")
    [event] = Event.objects.filter(kind="coverage.imported")
    assert event.payload | {"digest": ""} == {
        "digest": "",
        "mapping": ["merchant=merchant", "person=person", "since=since"],
        "rows": 2,
        "new": 2,
        "changed": 0,
        "unchanged": 0,
        "bad": 0,
        "new_people": 1,
        "new_merchants": 2,
    }


def test_a_dry_run_says_the_same_and_changes_nothing(bring, cast, unchanged):
    content = HEADER + "A,x,2026-01-01\nM-2077,lin,2026-01-01\n"
    with unchanged():
        dry = bring(content, apply=False)
    done = bring(content)
    assert (counts(dry), dry.new_people, dry.new_merchants) == (counts(done), 1, 1)
    assert (dry.applied, done.applied) == (False, True)


def test_the_same_file_again_changes_nothing(bring, cast, unchanged):
    content = HEADER + "A,x,2026-01-01\nM-2077,lin,2026-01-01\n"
    bring(content)
    with unchanged():
        assert counts(bring(content)) == (2, 0, 0, 2, 0)


def test_a_merchant_without_a_row_stays_with_its_home_pool(bring, cast, noon):
    bring(HEADER + "A,x,2026-01-01\n")
    assert accountable_for(cast.mo_shop, at=noon).pool == cast.pool


def test_a_later_beginning_is_a_handover(bring, cast, noon):
    outcome = bring(HEADER + "M-1042,nan,2026-11-11T00:00Z\n")
    assert counts(outcome) == (1, 0, 1, 0, 0)
    at = datetime(2026, 11, 11, tzinfo=UTC)
    assert history("M-1042") == [("林晓 Lin", noon, at), ("客户经理 nan", at, None)]


def test_a_file_does_not_undo_a_handover_made_here(bring, cast, noon, unchanged):
    content = HEADER + f"M-1042,lin,{noon.isoformat()}\n"
    nan = make_user("nan", "Nan")
    given = {"actor": Actor("cli", "x"), "merchant": cast.mira_shop, "role": AM, "reason": "x"}
    assign(**given, holder=nan, now=noon + HOUR)
    with unchanged():
        assert counts(bring(content)) == (1, 0, 0, 1, 0)


def test_who_has_it_already_for_longer_keeps_it(bring, cast, unchanged):
    with unchanged():
        assert counts(bring(HEADER + "M-1042,lin,2026-11-12\n")) == (1, 0, 0, 1, 0)


def test_the_whole_history_comes_back_as_it_was_exported(bring, cast, noon, unchanged):
    team = Team.objects.create(code="giants", name="专班", lead=cast.yan)
    act = {"actor": Actor("cli", "x"), "merchant": cast.mira_shop, "reason": "x"}
    assign(**act, role=AM, holder=team, now=noon + HOUR + timedelta(microseconds=1))
    planned = assign(**act, role=AM, holder=cast.pool, now=noon + 2 * HOUR)
    end_responsibility(actor=act["actor"], responsibility=planned.pk, now=noon + 3 * HOUR)
    assign(**act, role=ResponsibilityRole.SPONSOR, holder=cast.wei, now=noon)
    before = history("M-1042")
    exported = "".join(responsibilities_export().lines(Format.CSV))
    with unchanged():
        assert counts(bring(exported)) == (4, 0, 0, 4, 0)
    Responsibility.objects.all().delete()
    assert counts(bring(exported)) == (4, 4, 0, 0, 0)
    assert (history("M-1042"), len(before)) == (before, 3)


def test_an_end_we_did_not_know_of_is_taken_over(bring, cast, noon):
    content = FULL + f"M-1042,account_manager,lin,,,{noon.isoformat()},2026-11-11T00:00Z\n"
    later = "M-1042,account_manager,yan,,,2026-11-11T00:00Z,\n"
    assert counts(bring(content + later)) == (2, 1, 1, 0, 0)
    at = datetime(2026, 11, 11, tzinfo=UTC)
    assert history("M-1042") == [("林晓 Lin", noon, at), ("严明 Yan", at, None)]


# --- what is refused ------------------------------------------------------------------------------

BAD = {
    "no merchant": (HEADER + ",x,2026-01-01\n", [(2, "“商家编号”不能为空。")]),
    "no person": (HEADER + "A,,2026-01-01\n", [(2, "负责人应是一个人、一个专班或一个共享池，这里有 0 个")]),
    "no date": (HEADER + "A,x,\n", [(2, "“since”的“”不是 ISO 8601 格式的日期")]),
    "another date": (HEADER + "A,x,11/30/2026\n", [(2, "“since”的“11/30/2026”不是 ISO 8601 格式的日期")]),
    "no such day": (HEADER + "A,x,2026-02-30\n", [(2, "“since”的“2026-02-30”不是 ISO 8601 格式的日期")]),
    "before all time": (HEADER + "A,x,0001-01-01\n", [(2, "“since”的“0001-01-01”不是 ISO 8601 格式的日期")]),
    "too long a name": (HEADER + f"A,{'x' * 81},2026-01-01\n", [(2, "“person”有 81 个字，最多 80 个字。")]),
    "NUL": (HEADER + "A,x\x00,2026-01-01\n", [(2, "有空字符 (NUL)")]),
    "cells missing": (HEADER + "A,x\n", [(2, "有 2 列，表头有 3 列")]),
    "twice": (
        HEADER + "A,x,2026-03-01\nB,x,2026-01-01\nA,y,2026-01-01\n",
        [(4, "商家 A 在第 2 行已经有了同一时间的“客户经理”")],
    ),
    "earlier than known": (
        HEADER + "M-1042,yan,2026-11-01\n",
        [(2, "与商家 M-1042 从 11月10日 12:00 起的“客户经理”时间重叠")],
    ),
    "unknown team": (FULL + "A,,,giants,,2026-01-01,\n", [(2, "没有代码为“giants”的专班")]),
    "unknown role": (FULL + "A,king,x,,,2026-01-01,\n", [(2, "没有“king”这种职责")]),
    "two holders": (
        FULL + "A,,x,,home,2026-01-01,\n",
        [(2, "负责人应是一个人、一个专班或一个共享池，这里有 2 个")],
    ),
    "ends before it begins": (FULL + "A,,x,,,2026-01-02,2026-01-02\n", [(2, "结束时间不在开始时间之后")]),
}


@pytest.mark.parametrize(("content", "reasons"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_and_nothing_is_changed(bring, cast, unchanged, content, reasons):
    with unchanged():
        outcome = bring(content)
    assert (named(outcome), outcome.applied) == (reasons, False)


def test_good_rows_are_imported_alone_only_when_asked(bring, cast):
    outcome = bring(HEADER + "A,x,2026-01-01\nB,y,someday\nA,z,2026-01-02\n", skip_bad=True)
    assert (counts(outcome), outcome.new_people, outcome.new_merchants) == ((3, 1, 0, 0, 2), 1, 1)
    assert [name for name, *_ in history("A")] == ["客户经理 x"]
    assert not Merchant.objects.filter(ref="B").exists()


def test_a_file_that_names_nobody_is_refused(db):
    with pytest.raises(BadMapping, match="负责人"):
        columns_of(("merchant", "since"), [])


@pytest.mark.parametrize("name", ["Mars/Olympus", "../etc/passwd", "America"])
def test_a_time_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(BadInput, match=name):
        DateReader.of(None, name)


@pytest.mark.parametrize(
    ("text", "format_", "utc"),
    [
        ("5/8/2018 20:17", "%m/%d/%Y %H:%M", datetime(2018, 5, 8, 23, 17, tzinfo=UTC)),
        ("2018-05-08", None, datetime(2018, 5, 8, 3, tzinfo=UTC)),
        ("2018-05-08T20:17+08:00", None, datetime(2018, 5, 8, 12, 17, tzinfo=UTC)),
    ],
)
def test_dates_are_read_in_their_zone(text, format_, utc):
    assert DateReader.of(format_, "America/Sao_Paulo").read(text, "since") == utc


# --- real data ------------------------------------------------------------------------------------


@pytest.mark.skipif(not DEALS.exists(), reason=f"real data are not there: {DEALS}")
@pytest.mark.parametrize("sellers_first", [True, False])
def test_842_real_sellers_end_up_with_their_person(bring, noon, unchanged, sellers_first):
    """Also the 462 that the sellers file does not have: they signed, and had not sold anything yet."""

    def bring_sellers():
        table = look_at(SELLERS)
        home = Pool.objects.first() or Pool.objects.create(code="x", name="x", lead=make_user("l", "l"))
        return import_merchants(
            actor=SYSTEM,
            table=table,
            columns=read_mapping(table.header, [], MERCHANTS),
            wish=MerchantWish(apply=True, home_pool=lambda: home),
            now=noon,
            progress=lambda *_: None,
        )

    if sellers_first:
        bring_sellers()
    content = DEALS.read_bytes()
    outcome = bring(content, time_zone="America/Sao_Paulo")
    assert counts(outcome) == (842, 842, 0, 0, 0)
    assert (outcome.new_people, outcome.new_merchants) == (22, 462 if sellers_first else 842)
    if not sellers_first:
        assert (bring_sellers().new, bring_sellers().unchanged) == (3095 - 380, 3095)
    assert Merchant.objects.count() == 3095 + 462
    run("ANALYZE merchants_merchant, coverage_responsibility")  # autovacuum does not see a test's rows
    for line in content.decode().splitlines()[1:]:
        _mql, seller, _sdr, person, won = line.split(",")[:5]
        since = DateReader.of("%m/%d/%Y %H:%M", "America/Sao_Paulo").read(won, "won_date")
        assert [one[1:] for one in history(seller)] == [(since, None)]
        merchant = Merchant.objects.get(ref=seller)
        assert accountable_for(merchant, at=noon).answerable.username == person
    with unchanged():
        assert counts(bring(content, time_zone="America/Sao_Paulo")) == (842, 0, 0, 842, 0)
