"""Capacity by slot: changed in place, opened many at once, never below what is taken."""

import pytest

from guanjia.lines.actions.hosted import publish_service, set_capacity
from guanjia.lines.models import HostedSlot, Service
from guanjia.lines.protocol.messages import ServiceSpec

SLOTS = "/console/group-buying/inventory/session/"
WEEK = {"day_from": "2027-01-01", "day_to": "2027-01-10", "day_on": ["0", "4"], "capacity": "3"}


def capacities(service):
    return dict(HostedSlot.objects.filter(service=service).values_list("key", "capacity"))


def test_one_service_opens_at_once(otto):
    answer = otto.get("/console/group-buying/inventory/")
    assert (answer.status_code, answer["location"]) == (303, SLOTS)


def test_slots_show_what_is_taken_held_and_free(house, otto):
    house.ask()
    [first, second] = [slot for slot, _value, _wrong in otto.get(SLOTS).context["slots"]]
    assert (first.key, first.capacity, first.confirmed, first.held, first.free) == ("2027-01-01", 5, 0, 1, 4)
    assert (second.held, second.free) == (0, 5)


def test_only_what_changed_is_written(house, otto):
    answer = otto.post(SLOTS, {"c:2027-01-01": "7", "c:2027-01-02": "5", "c:2030-01-01": "9"})
    assert (answer.status_code, answer["location"]) == (303, SLOTS)
    assert capacities(house.service) == {"2027-01-01": 7, "2027-01-02": 5}
    assert "改了 1 个档位。" in otto.get(SLOTS).content.decode()


def test_never_below_what_is_taken_and_then_nothing_is_written(house, otto, unchanged):
    house.ask(day="2027-01-02")
    otto.get(SLOTS)
    with unchanged():
        answer = otto.post(SLOTS, {"c:2027-01-01": "9", "c:2027-01-02": "0"})
    assert answer.status_code == 409
    said = answer.content.decode()
    assert "已有 1 个名额被占用，不能降到 0。" in said
    assert 'value="9"' in said


@pytest.mark.parametrize("text", ["-1", "x", "", "1.5", "99999999999"])
def test_what_is_no_number_is_said_beside_it(house, otto, unchanged, text):
    otto.get(SLOTS)
    with unchanged():
        answer = otto.post(SLOTS, {"c:2027-01-01": text})
    assert answer.status_code == 422
    assert "请填 0 或以上的整数。" in answer.content.decode()


def test_many_days_are_opened_at_once_and_those_there_are_left_alone(house, otto):
    answer = otto.post(f"{SLOTS}open/", WEEK)
    assert answer.status_code == 303
    wanted = {"2027-01-01": 5, "2027-01-02": 5, "2027-01-04": 3, "2027-01-08": 3}
    assert capacities(house.service) == wanted
    assert "新开了 2 个档位。 1 个已经有了，没有动。" in otto.get(SLOTS).content.decode()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"day_to": "2026-12-31"}, "结束日期在开始日期之前"),
        ({"day_to": "2027-01-02", "day_on": ["2"]}, "没有这样的日子"),
        ({"day_to": "2099-01-01", "day_on": ["0", "1", "2", "3", "4", "5", "6"]}, "一次最多开"),
        ({"capacity": "-1"}, "0"),
        ({"day_on": []}, "必填"),
    ],
)
def test_a_span_that_makes_no_sense_stays_in_the_form(house, otto, unchanged, changes, says):
    otto.get(SLOTS)
    with unchanged():
        answer = otto.post(f"{SLOTS}open/", WEEK | changes)
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_composite_keys_are_made_of_all_their_parts(house, otto):
    schema = {
        "type": "object",
        "properties": {
            "hall": {"type": "string", "enum": ["A", "B"], "x-slot": True},
            "row": {"type": "integer", "x-slot": True},
        },
        "required": ["hall", "row"],
    }
    about = {"actor": house.cast.otto, "line": house.line, "now": house.now}
    titles = {"zh-Hans": "展位", "en": "Booth"}
    service = publish_service(service=ServiceSpec("booth", titles, schema, 900), **about)
    path = "/console/group-buying/inventory/booth/open/"
    assert otto.post(path, {"hall": ["A", "B"], "row": "1\n2\n", "capacity": "1"}).status_code == 303
    assert sorted(capacities(service)) == ["A/1", "A/2", "B/1", "B/2"]


def test_the_table_has_an_end(house, otto, monkeypatch):
    for name in ("guanjia.doors.console.views.inventory.PAGE",):
        monkeypatch.setattr(name, 1)
    first = otto.get(SLOTS)
    assert first.context["next"] == "2027-01-01"
    assert [slot.key for slot, *_ in otto.get(f"{SLOTS}?after=2027-01-01").context["slots"]] == ["2027-01-02"]
    answer = otto.post(SLOTS, {"after": "2027-01-01", "c:2027-01-02": "6", "c:2027-01-01": "6"})
    assert answer["location"] == f"{SLOTS}?after=2027-01-01"
    assert capacities(house.service) == {"2027-01-01": 5, "2027-01-02": 6}


def test_statements_do_not_grow_with_slots(house, otto, django_assert_num_queries):
    otto.get(SLOTS)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as made:
        otto.get(SLOTS)
    set_capacity(actor=house.cast.otto, service=house.service, key="2027-02-02", capacity=1, now=house.now)
    with django_assert_num_queries(len(made)):
        otto.get(SLOTS)


def test_others_and_remote_lines_have_no_inventory_here(house, otto, client, unchanged):
    assert otto.get("/console/display-slots/inventory/").status_code == 404
    assert otto.get("/console/group-buying/inventory/none/").status_code == 404
    client.force_login(house.cast.lin)
    with unchanged():
        assert client.post(SLOTS, {"c:2027-01-01": "7"}).status_code == 404
        assert client.post(f"{SLOTS}open/", WEEK).status_code == 404
    assert Service.objects.get(code="session").active
