"""Rules as a file: what goes out comes in again, as a draft, and nothing hostile with it."""

import json

import pytest

from guanjia.base.errors import Forbidden, Refusal
from guanjia.demo.routines import AFTER_HOURS, MONEY_FIRST, QUIET_MERCHANTS, lay_down_routines
from guanjia.routines.exchange import exported, take_in
from guanjia.routines.models import Routine
from guanjia.routines.rule import dump, load
from guanjia.routines.rules import checked
from guanjia.routines.tests.rulebook import schedule


@pytest.mark.parametrize("rule", [MONEY_FIRST, AFTER_HOURS, QUIET_MERCHANTS, schedule()])
def test_a_rule_written_down_is_the_same_rule(db, rule):
    assert load(json.loads(json.dumps(dump(checked(rule))))) == checked(rule) == rule


def fates(actor, body, noon, apply=False):
    found = take_in(actor=actor, body=json.dumps(body).encode(), apply=apply, now=noon)
    return {one.name: one.fate for one in found}


def test_a_file_comes_in_as_drafts(cast, noon, unchanged):
    lay_down_routines(cast.wei, noon)
    body = exported()
    assert [(one["name"], one["on"]) for one in body["routines"]] == [
        ("下班时间先回一句", True),
        ("两天没有回音，提醒商家", False),
        ("提到钱款，先办", True),
    ]
    with unchanged():
        assert set(fates(cast.wei, body, noon, apply=True).values()) == {"same"}
    body["routines"][0]["per_hour"] = 7
    body["routines"][1]["name"] = "另一条"
    with unchanged():
        told = fates(cast.wei, body, noon)
    assert told == {"下班时间先回一句": "changed", "另一条": "new", "提到钱款，先办": "same"}
    assert fates(cast.wei, body, noon, apply=True) == told
    changed = Routine.objects.get(name="下班时间先回一句")
    assert changed.live is not None
    assert (changed.live.number, changed.versions.count()) == (1, 2)
    assert Routine.objects.get(name="另一条").live is None


BROKEN = [
    {"format": "x", "routines": []},
    {"format": "guanjia.routines/1", "routines": 3},
    {"format": "guanjia.routines/1", "routines": [{"name": "a"}]},
    {"format": "guanjia.routines/1", "routines": [{"name": "a", "kind": "trigger", "when": 3, "do": []}]},
    {
        "format": "guanjia.routines/1",
        "routines": [{"name": "a", "kind": "trigger", "when": ["opened"], "do": []}],
    },
    {
        "format": "guanjia.routines/1",
        "routines": [{"name": "a", "kind": "schedule", "every": 7, "do": [{"do": "solve"}]}],
    },
    {
        "format": "guanjia.routines/1",
        "routines": [
            {
                "name": "a",
                "kind": "trigger",
                "when": ["opened"],
                "all": [{"fact": "1=1); DROP TABLE x; --", "is": "any_of", "value": ["1"]}],
                "do": [{"do": "solve"}],
            }
        ],
    },
    {
        "format": "guanjia.routines/1",
        "routines": [{"name": "a", "kind": "trigger", "when": ["opened' OR true"], "do": [{"do": "solve"}]}],
    },
]


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_wrong_changes_nothing(cast, noon, unchanged, body):
    with unchanged(), pytest.raises(Refusal):
        fates(cast.wei, body, noon, apply=True)


def test_only_a_lead_takes_rules_in(cast, noon, unchanged):
    with unchanged(), pytest.raises(Forbidden):
        fates(cast.lin, {"format": "guanjia.routines/1", "routines": []}, noon, apply=True)
