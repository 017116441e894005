"""Downloads from the desk, the board and the merchant's door."""

import csv
import io
import json

import pytest
from django.test import Client
from django.utils import timezone

from guanjia.cases.actions import open_case, say
from guanjia.demo.cast import make_cast
from guanjia.ledger.models import Event


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def cases(market):
    now = timezone.now()
    ours = open_case(actor=market.mira, merchant_ref="M-1042", need="@SUM(1) 团购", now=now)
    theirs = open_case(actor=market.mo, merchant_ref="M-2077", need="别家的", now=now)
    say(actor=market.lin, number=ours.number, body="暗语鸬鹚", internal=True, now=now)
    return ours, theirs


def post(user, path, **form):
    client = Client()
    client.force_login(user)
    answer = client.post(path, form)
    return answer, b"".join(answer).decode()


def test_the_desk_takes_out_the_open_list(market, cases):
    answer, text = post(market.lin, "/desk/export?view=mine")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="guanjia-mine.csv"'
    assert text.startswith("\ufeff编号,")
    [row] = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    assert (row["编号"], row["状态"], row["标题"]) == (cases[0].number, "办理中", "'@SUM(1) 团购")
    assert "鸬鹚" not in text
    event = Event.objects.get(kind="cases.exported")
    assert event.payload == {"what": "desk-mine", "notes": False}


def test_notes_go_out_where_staff_ask_for_them(market, cases):
    _answer, text = post(market.lin, "/desk/export?view=mine", format="json", notes="1")
    [row] = json.loads(text)
    assert "暗语鸬鹚" in row["internal_notes"]
    assert Event.objects.get(kind="cases.exported").payload["notes"] is True


def test_an_empty_list_is_an_empty_file(market, cases):
    _answer, text = post(market.lin, "/desk/export?view=solved")
    assert text.count("\n") == 1


def test_the_lead_takes_out_the_newest_of_all(market, cases):
    _answer, text = post(market.wei, "/lead/export", what="newest", format="json")
    assert [row["number"] for row in json.loads(text)] == [cases[1].number, cases[0].number]


def test_a_merchant_takes_its_own_home_and_never_a_note(market, cases):
    for form in ({}, {"format": "json"}, {"format": "json", "notes": "1"}):
        answer, text = post(market.mira, "/door/M-1042/export", **form)
        assert answer.status_code == 200
        assert cases[0].number in text
        assert "鸬鹚" not in text
        assert "别家的" not in text
    _answer, text = post(market.lin, "/door/M-1042/export", notes="1")  # staff at the merchant's door
    assert "鸬鹚" not in text
    assert post(market.mo, "/door/M-1042/export")[0].status_code == 404


def test_titles_follow_the_reader(market, cases):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(market.mira)
    text = b"".join(client.post("/door/M-1042/export")).decode()
    assert "编号" not in text.splitlines()[0]
