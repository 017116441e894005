"""`guanjia export cases`, as an operator meets it."""

import json

import pytest
from django.utils import translation

from guanjia.cases.actions import open_case, say
from guanjia.cli.exits import Exit
from guanjia.cli.main import run


@pytest.fixture
def case(cast, noon):
    found = open_case(actor=cast.mira, merchant_ref="M-1042", need="想上团购", now=noon)
    say(actor=cast.lin, number=found.number, body="暗语鸬鹚", internal=True, now=noon)
    return found


def export(*options):
    with translation.override(None):
        return run(["export", "cases", *map(str, options)])


def test_all_cases_go_to_a_file(case, tmp_path):
    path = tmp_path / "cases.json"
    assert export("--format", "json", "-o", path) == Exit.OK
    [row] = json.loads(path.read_text("utf-8"))
    assert row["number"] == case.number
    assert "鸬鹚" not in path.read_text("utf-8")


def test_notes_only_where_they_are_asked_for(case, tmp_path):
    path = tmp_path / "cases.csv"
    assert export("--notes", "-o", path) == Exit.OK
    assert "暗语鸬鹚" in path.read_text("utf-8")
