"""What the pages of routines show, put together from the form or from what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from guanjia.doors.lead.routines.forms import Choice, Draft, condition_rows, step_rows
from guanjia.routines.deeds import DEEDS
from guanjia.routines.facts import FACTS
from guanjia.routines.models import Result
from guanjia.routines.occasions import OCCASIONS
from guanjia.routines.preview import Trial
from guanjia.routines.queries import Listed, OnCase
from guanjia.routines.rhythm import Rhythm
from guanjia.routines.rule import Rule
from guanjia.routines.rules import MINUTES
from guanjia.routines.running import REASONS
from guanjia.routines.telling import (
    WEEKDAYS,
    condition_words,
    found_words,
    rhythm_words,
    sentence,
    step_words,
)

TONES = {Result.CHANGED: "ok", Result.SKIPPED: "", Result.FAILED: "bad"}


def form(draft: Draft) -> Mapping[str, Any]:
    """Everything that the editing page needs besides who reads it."""
    rule, rhythm = draft.rule, draft.rule.rhythm
    return {
        "draft": draft,
        "kind": str(rule.kind),
        "sentence": sentence(rule),
        "occasions": [Choice(o.key, _(o.words), o.key in rule.occasions) for o in OCCASIONS.values()],
        "daily": not rhythm.minutes,
        "minutes": [Choice(str(n), rhythm_words(Rhythm(minutes=n)), n == rhythm.minutes) for n in MINUTES],
        "weekdays": [Choice(str(n), _(day), n in rhythm.weekdays) for n, day in enumerate(WEEKDAYS)],
        "conditions": condition_rows(rule),
        "facts": [Choice(fact.key, _(fact.words)) for fact in FACTS.values()],
        "steps": step_rows(rule),
        "deeds": [Choice(deed.key, _(deed.words)) for deed in DEEDS.values()],
    }


def state(on: bool, off_reason: str) -> tuple[str, str]:
    """Whether it is on, in words, and the tone."""
    if on:
        return _("启用中"), "ok"
    reasons = {"failing": _("连续失败，已自动停用"), "too_many": _("一小时内动得太多，已自动停用")}
    return (reasons[off_reason], "bad") if off_reason in reasons else (_("未启用"), "")


def listing(found: list[Listed]) -> list[Mapping[str, Any]]:
    return [
        {"routine": one, "sentence": sentence(one.rule), "state": state(one.on, one.off_reason)}
        for one in found
    ]


def trial(found: Trial) -> Mapping[str, Any]:
    """Each condition's verdict in words."""
    groups = ((_("必须"), found.every), (_("任一即可"), found.some))
    return {
        "case": found.case,
        "verdicts": [
            {
                "group": group,
                "words": condition_words(one.condition),
                "found": found_words(one.condition, one.found),
                "holds": one.holds,
            }
            for group, verdicts in groups
            for one in verdicts
        ],
        "fits": found.fits,
        "open": found.open,
        "rests": found.rests,
        "changes": found.changes,
    }


def outcome(one: OnCase, rule: Rule) -> Mapping[str, Any]:
    """What came of a case in a run, in the reader's language."""
    return {
        "number": one.number,
        "title": one.title,
        "result": _(one.result.label),
        "tone": TONES[one.result],
        "did": [step_words(rule.steps[n]) for n in one.did if n < len(rule.steps)],
        "why": _(REASONS[one.why]) if one.why in REASONS else one.why,
        "at": one.at,
    }
