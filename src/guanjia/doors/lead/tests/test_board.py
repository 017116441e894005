"""The lead's board: what it counts, how old its figures are, who may see it."""

from datetime import date, timedelta
from unittest import mock
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.base.errors import Forbidden, Missing
from guanjia.base.figures import figures
from guanjia.base.sql import rows
from guanjia.cases.actions import AboutItem, open_case, start_clock
from guanjia.cases.models import Clock, ClockKind, ClockStatus
from guanjia.doors.lead import plots, queries
from guanjia.doors.lead.rules import require_lead
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import a_case, pending

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def at_five(noon):
    """Pages count as of five hours after the cast's noon."""
    with mock.patch("guanjia.people.pages.timezone.now", return_value=noon + 5 * HOUR):
        yield noon


def promised(cast, case, line, *, asked, within=4 * HOUR, took=None):
    """A line was asked `asked`, promised an answer `within`, and took so long; None: still silent."""
    clock = start_clock(
        case=case,
        kind=ClockKind.LINE_DECISION,
        owner=cast.otto,
        now=asked,
        due_at=asked + within,
        about=AboutItem(line, uuid4()),
    )
    if took is not None:
        Clock.objects.filter(pk=clock.pk).update(status=ClockStatus.STOPPED, stopped_at=asked + took)
    return clock


def board_at(now):
    board = queries.board(now)
    assert board is not None
    return board


def record_at(now):
    record = queries.record(now)
    assert record is not None
    return record


def kept_figures(*about, **more):
    kept = figures(*about, **more)
    assert kept is not None
    return kept


# --- figures ------------------------------------------------------------------------------------


def test_figures_are_computed_once_while_fresh(db, noon):
    computed = []

    def compute():
        computed.append(1)
        return len(computed)

    for at in (0, 30, 59, 60, 119):
        now = noon + timedelta(seconds=at)
        kept = kept_figures("x", compute, now=now, fresh=timedelta(minutes=1))
        assert kept.computed_at == noon + timedelta(seconds=at // 60 * 60)
        assert kept.content == at // 60 + 1
    assert len(computed) == 2


def test_figures_that_take_too_long_leave_what_was_kept_and_are_not_tried_at_once(db, noon, caplog):
    minute, tried = timedelta(minutes=1), []

    def slow():
        tried.append(1)
        rows("SELECT pg_sleep(5)")

    brief = {"fresh": minute, "most": timedelta(milliseconds=50)}
    assert figures("x", slow, now=noon, **brief) is None
    assert figures("x", slow, now=noon + minute / 2, **brief) is None
    first = kept_figures("x", lambda: 7, now=noon + minute, **brief)
    assert kept_figures("x", slow, now=noon + 2 * minute, **brief) == first
    assert (first.content, first.computed_at, len(tried)) == (7, noon + minute, 2)
    assert "not computed" in caplog.text
    assert rows("SELECT current_setting('statement_timeout')") == [("0",)]


@pytest.mark.django_db(transaction=True)
def test_one_session_computes_while_the_others_get_what_was_kept(noon):
    minute = timedelta(minutes=1)
    kept = kept_figures("x", lambda: 1, now=noon, fresh=minute)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            other.set_autocommit(False)
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('x', 731))")
            assert kept_figures("x", lambda: 2, now=noon + 2 * minute, fresh=minute) == kept
            other.rollback()
    finally:
        other.close()
    assert kept_figures("x", lambda: 2, now=noon + 2 * minute, fresh=minute).content == 2


# --- what is counted ----------------------------------------------------------------------------


def test_open_and_overdue_are_counted_by_line_pool_and_person(cast, noon):
    later = noon + 5 * HOUR
    pending(cast, noon)  # the banner's line owed its answer an hour ago
    a_case(cast, later)
    open_case(actor=cast.mo, merchant_ref=cast.mo_shop.ref, need="毛毯进仓", now=later)
    board = board_at(later)
    assert [(line.slug, line.open, line.overdue) for line in board.lines] == [
        ("display-slots", 1, 1),
        ("warehousing", 0, 0),
    ]
    assert [(load.name, load.open, load.overdue) for load in board.people] == [(cast.lin.name, 2, 1)]
    assert [(load.name, load.open, load.overdue) for load in board.groups] == [(cast.pool.name, 1, 0)]
    assert (board.open, board.overdue, board.owed, board.owed_too_long) == (3, 1, 1, 1)
    assert board.as_of == later


def test_an_empty_house_has_an_empty_board(db, noon):
    board = board_at(noon)
    assert (board.open, board.overdue, board.escalations, board.lines) == (0, 0, 0, ())
    assert record_at(noon).league() == []
    assert {share for _day, share in record_at(noon).by_day()} == {None}


def test_the_league_counts_promises_kept_in_thirty_days(cast, noon):
    case = a_case(cast, noon)
    promised(cast, case, cast.display, asked=noon - 2 * DAY, took=HOUR)
    promised(cast, case, cast.display, asked=noon - 2 * DAY, took=3 * HOUR)
    promised(cast, case, cast.display, asked=noon - DAY, took=5 * HOUR)
    promised(cast, case, cast.display, asked=noon - 5 * HOUR)  # silent, an hour over
    promised(cast, case, cast.display, asked=noon - HOUR)  # silent, in time: counts as neither
    promised(cast, case, cast.display, asked=noon - 31 * DAY, took=9 * HOUR)  # before the league
    promised(cast, case, cast.display, asked=noon - 92 * DAY, took=9 * HOUR)  # before the record
    promised(cast, case, cast.warehousing, asked=noon - DAY, took=HOUR)
    record = record_at(noon)
    best, worst = record.league()
    assert (best.slug, best.kept, best.broken, best.share, best.answer) == ("warehousing", 1, 0, 1.0, HOUR)
    assert (worst.slug, worst.kept, worst.broken, worst.share) == ("display-slots", 2, 2, 0.5)
    assert worst.answer == 3 * HOUR
    days = dict(record.by_day())
    assert len(days) == 91
    assert [days[date(2026, 11, day)] for day in (7, 8, 9, 10)] == [None, 1.0, 0.75, 0.6]
    weeks = record.by_week("display-slots")
    assert (len(weeks), weeks[0], weeks[1]) == (13, (date(2026, 11, 9), 0, 2), (date(2026, 11, 2), 2, 0))
    assert sum(broken for _week, _kept, broken in weeks) == 3


def test_the_oldest_waits_come_first_with_what_is_waited_for(cast, noon):
    case = pending(cast, noon).case
    said = [(wait.kind, wait.line, wait.service, wait.owner) for wait in queries.oldest_waits()]
    decision = ("业务线答复", "展位", "首页展示位", cast.otto.name)
    assert said == [("首次答复", "", "", cast.lin.name), decision, ("办结", "", "", cast.lin.name)]
    assert [wait.kind for wait in queries.oldest_waits(1)] == ["首次答复"]
    [owed] = queries.waits_of_line("display-slots")
    assert (owed.number, owed.merchant, owed.due_at) == (case.number, "云栖女装", noon + 4 * HOUR)
    assert queries.waits_of_line("warehousing") == []


def test_what_is_stuck_is_an_escalation(cast, noon):
    package = stories.needs_hand(cast, noon)
    [stuck] = queries.escalations()
    assert (stuck.number, stuck.line, stuck.service) == (package.case.number, "展位", "首页展示位")
    assert board_at(noon).escalations == 1


# --- pages --------------------------------------------------------------------------------------


def test_the_board_shows_where_the_house_stands(cast, at_five, client):
    pending(cast, at_five)
    client.force_login(cast.wei)
    said = client.get("/lead/", headers=ENGLISH).content.decode()
    for words in ("Display slots", "林晓 Lin", "1 open · 1 overdue", "As of", "-1:00"):
        assert words in said, words
    assert 'href="/lead/lines/display-slots/"' in said


def test_figures_that_are_not_there_yet_are_said_to_be_coming(cast, at_five, client):
    client.force_login(cast.wei)
    with mock.patch("guanjia.doors.lead.queries.figures", return_value=None):
        answer = client.get("/lead/", headers=ENGLISH)
        assert client.get("/lead/lines/display-slots/").status_code == 200
    assert answer.status_code == 200
    assert "being computed" in answer.content.decode()


def test_htmx_gets_what_needs_somebody_now_alone(cast, at_five, client):
    client.force_login(cast.wei)
    part = client.get("/lead/", headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div id="now"')
    assert "<html" not in part


def test_a_line_has_its_own_page(cast, at_five, client):
    case = a_case(cast, at_five)
    promised(cast, case, cast.display, asked=at_five - DAY, took=HOUR)
    client.force_login(cast.wei)
    said = client.get("/lead/lines/display-slots/", headers=ENGLISH).content.decode()
    assert "Display slots" in said
    assert "1 kept · 0 broken" in said
    assert client.get("/lead/lines/moon/").status_code == 404


@pytest.mark.parametrize(
    "path", ["/lead/", "/lead/waits/", "/lead/lines/display-slots/", "/lead/lines/moon/"]
)
def test_only_a_lead_looks_at_it(cast, client, path):
    assert client.get(path).status_code == 302
    for user in (cast.mira, cast.lin, cast.otto, cast.yan):
        client.force_login(user)
        assert client.get(path).status_code == 403
    with pytest.raises(Forbidden):
        require_lead(cast.lin)


@pytest.mark.parametrize("path", ["/lead/", "/lead/waits/", "/lead/lines/display-slots/"])
def test_a_page_costs_the_same_however_much_there_is(cast, at_five, client, path):
    client.force_login(cast.wei)
    counts = []
    for _ in range(3):
        pending(cast, at_five)
        client.get(path)  # keeps the figures
        with CaptureQueriesContext(connection) as asked:
            client.get(path)
        counts.append(len(asked))
    assert len(set(counts)) == 1


def test_a_line_that_does_not_exist_is_missing(db):
    with pytest.raises(Missing):
        queries.line_named("moon")


def test_plots_come_with_their_tables(cast, noon):
    pending(cast, noon)
    noon += 5 * HOUR
    charts = plots.of_board(board_at(noon))
    assert charts["lines_chart"].rows == (("展位", "1", "0"), ("仓配", "0", "0"))
    assert plots.of_record(record_at(noon)).rows == (("2026-11-10", "0%"),)
