"""Cases as files."""

import csv
import io
import json
from datetime import timedelta

import pytest

from guanjia.cases.actions import open_case, rate_case, say, solve_case
from guanjia.cases.exporting import COLUMNS, NOTES, all_cases, listed_cases, own_cases
from guanjia.merchants.exporting import Format

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, noon):
    found = open_case(actor=cast.mira, merchant_ref="M-1042", need="=1+1\n退款", now=noon)
    say(actor=cast.lin, number=found.number, body="看到了", now=noon + timedelta(minutes=1))
    say(actor=cast.lin, number=found.number, body="暗语鸬鹚", internal=True, now=noon)
    return found


def read(export):
    return json.loads("".join(export.lines(Format.JSON)))


def test_a_case_with_all_that_was_said(cast, case, noon):
    solve_case(actor=cast.lin, number=case.number, now=noon + timedelta(hours=1))
    rate_case(actor=cast.mira, number=case.number, score=4, now=noon)
    [row] = read(all_cases(notes=False))
    assert {name: row[name] for name in ("number", "merchant", "state", "owner", "rating")} == {
        "number": case.number,
        "merchant": "M-1042",
        "state": "solved",
        "owner": "林晓 Lin",
        "rating": 4,
    }
    assert row["opened_at"] == "2026-11-10T12:00:00+08:00"
    assert row["conversation"] == "2026-11-10 12:01 林晓 Lin\n看到了"
    assert "鸬鹚" not in json.dumps(row, ensure_ascii=False)


def test_notes_are_a_column_for_whoever_asks(cast, case):
    export = listed_cases([case.pk], notes=True)
    assert export.columns == (*COLUMNS, NOTES)
    [row] = read(export)
    assert "暗语鸬鹚" in row[NOTES]
    assert "鸬鹚" not in row["conversation"]


def test_a_merchants_own_has_no_notes_and_nobody_elses(cast, case, noon):
    open_case(actor=cast.mo, merchant_ref="M-2077", need="别家的", now=noon)
    text = "".join(own_cases(cast.mira_shop.pk).lines(Format.CSV))
    [row] = list(csv.DictReader(io.StringIO(text)))
    assert row["number"] == case.number
    assert "鸬鹚" not in text
    assert "别家的" not in text


def test_a_formula_is_kept_from_running(cast, case):
    [row] = list(csv.DictReader(io.StringIO("".join(all_cases(notes=False).lines(Format.CSV)))))
    assert row["title"] == "'=1+1"
    assert row["need"].startswith("'=1+1")


def test_only_what_is_listed(cast, case, noon):
    other = open_case(actor=cast.mira, merchant_ref="M-1042", need="另一件", now=noon)
    assert [row["number"] for row in read(listed_cases([other.pk], notes=False))] == [other.number]
    assert read(listed_cases([], notes=False)) == []
