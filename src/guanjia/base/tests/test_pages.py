"""The first pages: what they say, to whom, and how they look in a real browser."""

import logging
import re
from urllib.parse import urlsplit

import pytest
from django.db import DatabaseError
from django.test import override_settings
from django.utils import timezone

from guanjia.base import views
from guanjia.base.middleware import CONTENT_SECURITY_POLICY
from guanjia.cases.models import Task, TaskKind, TaskState
from guanjia.demo.cast import make_cast
from guanjia.packages.links import link_key, package_link
from guanjia.packages.tests import stories

STAGES = (stories.ask, stories.pending, stories.dearer, stories.done, stories.refused, stories.needs_hand)
ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


def path_of(package):
    parts = urlsplit(package_link(package))
    return f"{parts.path}?{parts.query}"


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


# --- health ---------------------------------------------------------------------------------------


def test_alive_asks_nobody(client):
    answer = client.get("/healthz")  # without the db fixture, a query would fail
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_ready_with_every_table(db, client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_not_ready_while_tables_are_missing(db, client, monkeypatch):
    monkeypatch.setattr(views, "_expected", lambda: frozenset({("packages", "0099_of_tomorrow")}))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "migrations"})


def test_not_ready_without_a_database(client, monkeypatch):
    class Gone:
        def __init__(self, _connection):
            raise DatabaseError("connection to 10.0.0.1 refused")

    monkeypatch.setattr(views, "MigrationRecorder", Gone)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "database"})


# --- the front page -------------------------------------------------------------------------------


def test_the_front_page_says_what_this_house_is_in_both_languages(market, client):
    chinese, english = client.get("/"), client.get("/", headers=ENGLISH)
    assert '<html lang="zh-Hans">' in chinese.content.decode()
    assert '<html lang="en">' in english.content.decode()
    assert "一扇门，办所有业务线的事" in text_of(chinese)
    assert "One door to every business line" in text_of(english)


def test_the_front_page_lists_open_lines_with_their_health(market, client, django_assert_num_queries):
    with django_assert_num_queries(3):
        said = text_of(client.get("/", headers=ENGLISH))
    assert "Display slots 1 service Working" in said
    assert "Warehousing 1 service Working" in said
    market.warehousing.active = False
    market.warehousing.save(update_fields=["active"])
    assert "Warehousing" not in text_of(client.get("/", headers=ENGLISH))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (TaskKind.OVERDUE_DECISION, "Display slots 1 service An answer is overdue"),
        (TaskKind.STUCK_CONFIRM, "Display slots 1 service Something is stuck; a person is on it"),
    ],
)
def test_the_health_of_a_line_follows_its_open_tasks(market, client, kind, words):
    now = timezone.now()
    item = stories.ask(market, now).items.get(position=1)
    case = item.package.case
    about = {"case": case, "assignee": market.otto, "item": item.uid, "detail": "x", "created_at": now}
    Task.objects.create(kind=kind, due_at=now, **about)
    assert words in text_of(client.get("/", headers=ENGLISH))
    Task.objects.update(state=TaskState.DONE, done_at=now)
    assert "Display slots 1 service Working" in text_of(client.get("/", headers=ENGLISH))


def test_a_line_that_does_not_answer_is_seen(market, client):
    stories.ask(market, timezone.now()).items.filter(position=2).update(attempts=3)
    assert "Warehousing 1 service Answers fail; we keep trying" in text_of(client.get("/", headers=ENGLISH))


def test_packages_are_listed_while_debugging_only(market, client):
    number = stories.ask(market, timezone.now()).number
    assert number not in text_of(client.get("/"))
    with override_settings(DEBUG=True):
        assert number in text_of(client.get("/"))


def test_an_empty_house_has_a_front_page(db, client):
    assert "No business line has joined yet." in text_of(client.get("/", headers=ENGLISH))


def test_the_language_can_be_chosen(market, client):
    client.post("/language", {"language": "en", "next": "/"})
    assert "One door to every business line" in text_of(client.get("/", headers={"Accept-Language": "zh"}))


# --- a package's page -----------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "?key=", "?key=wrong", "?key=%00", "?still"])
def test_without_its_key_a_package_has_no_page(market, client, key):
    number = stories.ask(market, timezone.now()).number
    answer = client.get(f"/packages/{number}/{key}", headers=ENGLISH)
    assert answer.status_code == 404
    assert "There is no such page" in text_of(answer)
    assert market.mira_shop.name not in answer.content.decode()


def test_a_key_opens_its_own_package_only(market, client):
    now = timezone.now()
    mine, other = stories.ask(market, now), stories.ask(market, now)
    assert client.get(f"/packages/{other.number}/?key={link_key(mine.number)}").status_code == 404
    assert client.get(f"/packages/PK-2026-999999/?key={link_key('PK-2026-999999')}").status_code == 404
    assert client.get(path_of(mine)).status_code == 200


@override_settings(BASE_URL="https://guanjia.example")
def test_the_link_names_the_installation(market):
    package = stories.ask(market, timezone.now())
    assert package_link(package).startswith(f"https://guanjia.example/packages/{package.number}/?key=")


def test_a_waiting_package_shows_its_tracks_clock_price_and_history(market, client):
    said = text_of(client.get(path_of(stories.pending(market, timezone.now())), headers=ENGLISH))
    assert "Waiting for answers" in said
    assert "Display slots Waiting for the line Home page banner ¥1,200.00" in said
    assert "Reserve done Decide waiting Take effect not started" in said
    assert "3 hours 59 minutes left" in said
    assert "All or nothing" in said
    assert "Merchant Submitted at a list price of ¥1,200.00; items for a line to decide: 1." in said
    assert "Guanjia “Home page banner”: Waiting for the line; “Storage space”: Reserved" in said


def test_a_refusal_shows_its_reason(market, client):
    page = client.get(path_of(stories.refused(market, timezone.now())))
    assert "原因：这一天已经排满" in text_of(page)


def test_it_refreshes_until_it_has_ended_unless_stopped(market, client):
    now = timezone.now()
    going, ended = path_of(stories.pending(market, now)), path_of(stories.done(market, now))
    assert client.get(going).headers["Refresh"] == "5"
    assert "Refresh" not in client.get(f"{going}&still").headers
    assert "Refresh" not in client.get(ended).headers


def test_nobody_keeps_or_indexes_it(market, client):
    answer = client.get(path_of(stories.ask(market, timezone.now())))
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert answer.headers["X-Robots-Tag"] == "noindex"


def test_it_costs_the_same_however_many_items(market, client, django_assert_num_queries):
    for count in (1, 3):
        package = stories.ask(market, timezone.now(), items=[stories.BOXES] * count, accept_total=0)
        with django_assert_num_queries(6):
            client.get(path_of(package))


def test_no_person_is_named(market, client):
    page = client.get(path_of(stories.needs_hand(market, timezone.now()))).content.decode()
    for person in (market.mira, market.lin, market.otto):
        assert person.name not in page


# --- every page -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", [None, *STAGES])
def test_pages_carry_no_inline_style_or_script_and_a_strict_policy(market, client, stage):
    answer = client.get("/" if stage is None else path_of(stage(market, timezone.now())))
    assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", answer.content.decode())


def test_an_unknown_address_and_a_fault_have_calm_pages(db, client, monkeypatch, caplog):
    client.raise_request_exception = False
    assert "There is no such page" in text_of(client.get("/nowhere", headers=ENGLISH))
    monkeypatch.setattr("guanjia.doors.front.views.open_lines", lambda: 1 / 0)
    with caplog.at_level(logging.CRITICAL, "django.request"):
        answer = client.get("/", headers=ENGLISH)
    assert answer.status_code == 500
    assert "Something went wrong on our side" in text_of(answer)
    assert "ZeroDivisionError" not in answer.content.decode()
