from dataclasses import replace

import pytest

from guanjia.demo.cast import DISPLAY_SLOTS, make_line
from guanjia.packages.models import Package
from guanjia.packages.tests import stories
from guanjia.packages.tests.stories import PRICE, a_case, ask

BANNER = {"line": "display-slots", "service": "home-banner", "params": {"day": "2026-11-11"}}
BOXES = {"line": "warehousing", "service": "storage-space", "params": {"boxes": 30}}
WANTED = {"mode": "all_or_nothing", "items": [BANNER, BOXES], "accept_total": PRICE}


@pytest.fixture
def door(market, now):
    return f"/api/cases/{a_case(market, now).number}/packages"


# --- asking ---------------------------------------------------------------------------------------


def test_a_package_is_asked_for(market, call, door):
    answer = call(market.mira, "POST", door, WANTED)
    assert answer.status_code == 201
    seen = answer.json()
    assert (seen["state"], seen["state_text"], seen["total"], seen["currency"]) == (
        "holding",
        "Reserving",
        PRICE,
        "CNY",
    )
    assert [(i["line"], i["title"], i["state"], i["quote"], i["accepted"]) for i in seen["items"]] == [
        ("display-slots", "Home page banner", "holding", PRICE, PRICE),
        ("warehousing", "Storage space", "holding", None, 0),
    ]
    assert [(t["line"], t["title"], t["state"], t["items"]) for t in seen["tracks"]] == [
        ("display-slots", "Display slots", "holding", [1]),
        ("warehousing", "Warehousing", "holding", [2]),
    ]


def test_a_repeat_is_answered_the_same_and_says_so(market, call, door):
    first, second = (call(market.mira, "POST", door, WANTED, Idempotency_Key="one") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert Package.objects.count() == 1


def without(name):
    return {member: value for member, value in WANTED.items() if member != name}


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (without("mode"), 422, "bad_input", "/mode"),
        (WANTED | {"mode": "some"}, 422, "bad_input", "/mode"),
        (without("items"), 422, "bad_input", "/items"),
        (WANTED | {"items": {}}, 422, "bad_input", "/items"),
        (WANTED | {"items": [BANNER] * 51}, 422, "bad_input", "/items"),
        (WANTED | {"items": ["banner"]}, 422, "bad_input", "/items/0"),
        (WANTED | {"items": [BANNER | {"params": []}]}, 422, "bad_input", "/items/0/params"),
        (WANTED | {"items": [BANNER | {"line": None}]}, 422, "bad_input", "/items/0/line"),
        (WANTED | {"items": [BANNER | {"core": 1}]}, 422, "bad_input", "/items/0/core"),
        (WANTED | {"accept_total": True}, 422, "bad_input", "/accept_total"),
        (WANTED | {"accept_total": 1200.5}, 422, "bad_input", "/accept_total"),
        (WANTED | {"accept_total": 2**63}, 422, "bad_input", "/accept_total"),
        (WANTED | {"accept_total": 1}, 409, "price_changed", None),
        (WANTED | {"items": [BANNER | {"service": "moon"}]}, 422, "unknown_service", None),
        (WANTED | {"items": [BOXES | {"params": {"boxes": "many"}}]}, 422, "schema_violation", "/boxes"),
    ],
)
def test_what_cannot_be_asked_for_is_named_and_changes_nothing(
    market, call, door, unchanged, body, status, code, field
):
    call(market.mira, "GET", "/api/services")  # issues the token
    texts = []
    for language in ("zh-Hans", "en"):
        with unchanged():
            answer = call(market.mira, "POST", door, body, Accept_Language=language)
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
        assert [error["field"] for error in problem.get("errors", [])] == ([field] if field else [])
        texts.append(problem["detail"])
    assert texts[0] != texts[1]


# --- looking --------------------------------------------------------------------------------------


def test_a_waiting_package_says_for_whom_until_when_and_what_then(market, call, now):
    package = stories.pending(market, now)
    seen = call(market.mira, "GET", f"/api/packages/{package.number}").json()
    banner, boxes = seen["items"]
    assert (seen["state"], seen["next"][:41]) == ("deciding", "Waiting for lines to decide (items: 1), b")
    assert (banner["state"], banner["state_text"], banner["tone"]) == (
        "pending_decision",
        "Waiting for the line",
        "warn",
    )
    assert [(step["name"], step["status"]) for step in banner["track"]] == [
        ("hold", "done"),
        ("decide", "wait"),
        ("confirm", "todo"),
    ]
    assert [(step["name"], step["status"]) for step in boxes["track"]] == [
        ("hold", "done"),
        ("confirm", "todo"),
    ]
    assert "if it is still silent 1 hour later, that counts as consent" in banner["next"]
    assert (banner["silence"], banner["decision_due_at"] is not None) == ("consent", True)
    assert (boxes["reference"], boxes["hold_expires_at"] is not None) == ("CN-2210", True)


def test_reasons_are_in_the_readers_language(market, call, now):
    path = f"/api/packages/{stories.refused(market, now).number}"
    english = call(market.mira, "GET", path).json()
    chinese = call(market.mira, "GET", path, Accept_Language="zh-Hans").json()
    assert [item["reason"] for item in english["items"]] == [
        "That day is full",
        "another item of the package could not be done, so this one was given back too",
    ]
    assert [item["reason"] for item in chinese["items"]] == [
        "这一天已经排满",
        "同一揽子里有别的条目没办成，一起撤回",
    ]
    assert english["next"] == "Nothing stays reserved. Reason: That day is full."
    assert (english["ended"], english["total"], english["tone"]) == (True, 0, "bad")


def test_a_risen_price_is_asked_again(market, call, now):
    seen = call(market.mira, "GET", f"/api/packages/{stories.dearer(market, now).number}").json()
    assert (seen["state_text"], seen["to_accept"], seen["accepted_total"]) == (
        "Waiting for the merchant's yes",
        150_000,
        PRICE,
    )


def test_an_item_that_needs_a_hand_says_so(market, call, now):
    seen = call(market.lin, "GET", f"/api/packages/{stories.needs_hand(market, now).number}").json()
    assert [(t["state"], t["tone"]) for t in seen["tracks"]] == [
        ("failed_needs_hand", "warn"),
        ("confirmed", "ok"),
    ]
    assert seen["next"].startswith("A person is dealing with some of it (items: 1)")


@pytest.mark.parametrize(
    "stage", [stories.ask, stories.pending, stories.dearer, stories.done, stories.needs_hand]
)
def test_every_stage_can_be_looked_at_in_both_languages(market, call, now, stage):
    path = f"/api/packages/{stage(market, now).number}"
    for language in ("zh-Hans", "en"):
        answer = call(market.mira, "GET", path, Accept_Language=language)
        assert answer.status_code == 200
        assert answer.headers["Content-Language"] == language.lower()
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("who", ["mo", "otto", "yan"])
def test_somebody_elses_package_does_not_exist(market, call, now, unchanged, who):
    number, user = ask(market, now, accept_total=None).number, getattr(market, who)
    call(user, "GET", "/api/services")
    doors = [
        ("GET", "", None),
        ("POST", "/accept", {"total": PRICE}),
        ("POST", "/cancel", {}),
        ("POST", "/items/1/by-hand", {"outcome": "waived"}),
    ]
    for method, path, body in doors:
        with unchanged():
            answer = call(user, method, f"/api/packages/{number}{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_looking_costs_the_same_however_many_items(market, call, now, django_assert_num_queries):
    one, three = (ask(market, now, items=[stories.BOXES] * n, accept_total=0).number for n in (1, 3))
    call(market.mira, "GET", f"/api/packages/{one}")
    for number in (one, three):
        with django_assert_num_queries(5):
            call(market.mira, "GET", f"/api/packages/{number}")


# --- acting ---------------------------------------------------------------------------------------


def test_yes_and_no(market, call, now):
    number = ask(market, now, accept_total=None).number
    yes = call(market.mira, "POST", f"/api/packages/{number}/accept", {"total": PRICE})
    assert (yes.status_code, yes.json()["state"]) == (200, "holding")
    no = call(market.mira, "POST", f"/api/packages/{number}/cancel")
    assert (no.status_code, no.json()["state"]) == (200, "releasing")


def test_no_to_an_item_and_yes_to_the_rest(market, call, now):
    number = ask(market, now, accept_total=None).number
    seen = call(market.mira, "GET", f"/api/packages/{number}").json()
    assert (seen["to_accept"], [item["declinable"] for item in seen["items"]]) == (PRICE, [True, True])
    path = f"/api/packages/{number}/answer"
    answer = call(market.mira, "POST", path, {"declined": [2], "total": PRICE}).json()
    assert [item["state"] for item in answer["items"]] == ["holding", "released"]
    assert answer["items"][1]["reason"] == "The merchant does not want this item"
    assert [item["declinable"] for item in answer["items"]] == [False, False]


def test_by_hand(market, call, now):
    number = stories.needs_hand(market, now).number
    path = f"/api/packages/{number}/items/1/by-hand"
    answer = call(market.lin, "POST", path, {"outcome": "confirmed"})
    assert (answer.status_code, answer.json()["state"]) == (200, "done")


@pytest.mark.parametrize(
    ("stage", "path", "body", "status", "code"),
    [
        (stories.dearer, "accept", {"total": PRICE}, 409, "price_changed"),
        (stories.pending, "accept", {"total": PRICE}, 409, "nothing_to_accept"),
        (stories.dearer, "accept", {"total": "much"}, 422, "bad_input"),
        (stories.dearer, "answer", {"total": PRICE}, 409, "price_changed"),
        (stories.pending, "answer", {"declined": [1], "total": 0}, 409, "nothing_to_accept"),
        (stories.dearer, "answer", {"declined": [9], "total": 150_000}, 422, "bad_input"),
        (stories.dearer, "answer", {"declined": ["1"], "total": 0}, 422, "bad_input"),
        (stories.dearer, "answer", {"declined": 1, "total": 0}, 422, "bad_input"),
        (stories.done, "cancel", {}, 409, "too_late"),
        (stories.done, "items/1/by-hand", {"outcome": "waived"}, 403, "forbidden"),
    ],
)
def test_what_cannot_be_done_says_why_and_changes_nothing(
    market, call, now, unchanged, stage, path, body, status, code
):
    number = stage(market, now).number
    call(market.mira, "GET", "/api/services")
    with unchanged():
        answer = call(market.mira, "POST", f"/api/packages/{number}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["detail"]


# --- the catalogue --------------------------------------------------------------------------------


def test_the_catalogue_goes_over_all_lines_page_by_page(market, call):
    first = call(market.mo, "GET", "/api/services?limit=1").json()
    second = call(market.mo, "GET", f"/api/services?limit=1&after={first['next']}").json()
    assert [(s["line"], s["service"]) for s in first["services"] + second["services"]] == [
        ("display-slots", "home-banner"),
        ("warehousing", "storage-space"),
    ]
    assert (first["next"], second["next"]) == ("display-slots/home-banner", None)
    banner = first["services"][0]
    assert (banner["title"], banner["price"], banner["decision"]["rule"]) == (
        "Home page banner",
        PRICE,
        "beyond_mandate",
    )
    assert banner["schema"] == DISPLAY_SLOTS.services[0].schema


def test_what_is_not_offered_any_more_is_not_in_it(market, call, now):
    market.warehousing.active = False
    market.warehousing.save(update_fields=["active"])
    make_line(replace(DISPLAY_SLOTS, services=()), lead=market.otto, now=now)
    assert call(market.mo, "GET", "/api/services").json() == {"services": [], "next": None}


@pytest.mark.parametrize(
    "query",
    ["after=x", "after=a/b/c", "after=%00/a", "limit=0", "limit=101", "limit=-1", "limit=ten", "limit=١"],
)
def test_a_wrong_page_is_refused(market, call, query):
    answer = call(market.mo, "GET", f"/api/services?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_input")


def test_the_catalogue_costs_the_same_however_many_services(market, call, django_assert_num_queries):
    call(market.mo, "GET", "/api/services")
    for limit in (1, 2):
        with django_assert_num_queries(2):
            call(market.mo, "GET", f"/api/services?limit={limit}")
