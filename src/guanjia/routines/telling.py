"""A rule in one plain sentence, in the reader's language: when what, and if what, then what."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_
from django.utils.translation import ngettext

from guanjia.routines.conditions import Condition
from guanjia.routines.deeds import DEEDS
from guanjia.routines.facts import Comparison, FactType
from guanjia.routines.models import RoutineKind
from guanjia.routines.occasions import OCCASIONS
from guanjia.routines.rhythm import Days, Rhythm
from guanjia.routines.rule import Office, Rule, Scope, Step

WEEKDAYS = (n_("周一"), n_("周二"), n_("周三"), n_("周四"), n_("周五"), n_("周六"), n_("周日"))
COMPARED = {
    Comparison.ANY_OF: n_("“%(fact)s”是 %(value)s"),
    Comparison.NONE_OF: n_("“%(fact)s”不是 %(value)s"),
    Comparison.AT_LEAST: n_("“%(fact)s”至少 %(value)s"),
    Comparison.AT_MOST: n_("“%(fact)s”至多 %(value)s"),
    Comparison.CONTAINS: n_("“%(fact)s”里有 %(value)s"),
    Comparison.LACKS: n_("“%(fact)s”里没有 %(value)s"),
}
OFFICE = {
    Office.WITHIN: n_("现在是上班时间"),
    Office.OUTSIDE: n_("现在是下班时间"),
}


def sentence(rule: Rule) -> str:
    """The whole rule, to be read aloud."""
    parts = [condition_words(one) for one in rule.every]
    if rule.some:
        either = _(" 或 ").join(condition_words(one) for one in rule.some)
        parts.append(_("（%(either)s）") % {"either": either} if len(rule.some) > 1 else either)
    if rule.office is not Office.ANY:
        parts.append(_(OFFICE[rule.office]))
    whole = {
        "when": when(rule),
        "whether": "".join(_("，且%(part)s") % {"part": part} for part in parts),
        "do": _("，").join(step_words(step) for step in rule.steps) or "…",
        "again": _again(rule.again_hours),
    }
    return _("%(when)s%(whether)s时，%(do)s%(again)s。") % whole


def when(rule: Rule) -> str:
    """What sets the rule going."""
    if rule.kind == RoutineKind.TRIGGER:
        happens = [_(OCCASIONS[key].words) for key in rule.occasions if key in OCCASIONS]
        return _("当%(when)s") % {"when": _(" 或 ").join(happens) or "…"}
    solved = rule.scope is Scope.SOLVED
    about = _("逐件查看已办结的事") if solved else _("逐件查看未办结的事")
    return _("当%(rhythm)s%(about)s") % {"rhythm": rhythm_words(rule.rhythm), "about": about}


def rhythm_words(rhythm: Rhythm) -> str:
    if rhythm.minutes:
        hours, minutes = divmod(rhythm.minutes, 60)
        if minutes:
            return ngettext("每 %(n)d 分钟", "每 %(n)d 分钟", rhythm.minutes) % {"n": rhythm.minutes}
        return ngettext("每 %(n)d 小时", "每 %(n)d 小时", hours) % {"n": hours}
    at = f"{rhythm.hour:02}:{rhythm.minute:02}"
    if rhythm.days is Days.BUSINESS:
        return _("每个工作日 %(at)s ") % {"at": at}
    if rhythm.days is Days.SOME:
        days = _("、").join(_(WEEKDAYS[day]) for day in rhythm.weekdays)
        return _("每%(days)s %(at)s ") % {"days": days, "at": at}
    return _("每天 %(at)s ") % {"at": at}


def _again(hours: int | None) -> str:
    if hours is None:
        return _("；每件事只办一次")
    if not hours:
        return ""
    return ngettext("；同一件事 %(n)d 小时内不再办", "；同一件事 %(n)d 小时内不再办", hours) % {"n": hours}


def condition_words(condition: Condition) -> str:
    fact = condition.about
    name = condition.key if fact.type is FactType.MERCHANT and condition.key else _(fact.words)
    return _(COMPARED[condition.comparison]) % {"fact": name, "value": value_words(condition)}


def value_words(condition: Condition) -> str:
    fact = condition.about
    if condition.comparison in (Comparison.AT_LEAST, Comparison.AT_MOST):
        amount = "".join(condition.value[:1]) or "…"
        return f"{amount} {_(fact.unit)}" if fact.unit else amount
    texts = {value: _(words) for value, words in fact.choices}
    return _(" 或 ").join(texts.get(value, value) for value in condition.value) or "…"


def found_words(condition: Condition, found: object) -> str:
    """What a case has there, as people read it."""
    fact = condition.about
    if found is None or found in ([], ""):
        return _("没有")
    if fact.type is FactType.NUMBER:
        return f"{float(str(found)):.1f} {_(fact.unit)}"
    if isinstance(found, list):
        return _("、").join(map(str, found))
    return {value: _(words) for value, words in fact.choices}.get(str(found), str(found))


def step_words(step: Step) -> str:
    deed = DEEDS[step.deed]
    if not deed.fields:
        return _(deed.told)
    field = deed.fields[0]
    given = step.params.get(field.name, "")
    texts = {value: _(words) for value, words in field.choices}
    return _(deed.told) % {"value": texts.get(given, given) or "…"}
