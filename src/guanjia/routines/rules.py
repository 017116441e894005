"""Who may lay down rules of work, and what a rule must be to be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden, Missing, Refusal
from guanjia.base.texts import clean
from guanjia.people.models import Role, RoleGrant, User
from guanjia.routines.conditions import Condition
from guanjia.routines.deeds import DEEDS
from guanjia.routines.facts import COMPARISONS, FACTS, Comparison, FactType
from guanjia.routines.models import Routine, RoutineKind
from guanjia.routines.occasions import OCCASIONS
from guanjia.routines.rhythm import Days, Rhythm
from guanjia.routines.rule import Rule, Step

NAME_MOST, VALUE_MOST, KEY_MOST = 60, 200, 60
CONDITIONS_MOST, STEPS_MOST, VALUES_MOST, ROUTINES_MOST = 20, 10, 50, 200
MINUTES = (5, 10, 15, 30, 60, 120, 240, 720)
PER_HOUR_MOST = 10_000
AGAIN_MOST = 24 * 365
NUMBER_MOST = 1e9


class AlreadyOn(Refusal):
    code = "already_on"


class NotOn(Refusal):
    code = "not_on"


def require_lead(actor: User) -> None:
    """Raises Forbidden for anyone who does not lead the service."""
    if not actor.is_active or not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(_("规则只由服务体系负责人来定。"), hint=_("请找您的负责人。"))


def access_routine(*, actor: User, routine: int) -> Routine:
    """The routine, locked, for a lead. Raises Forbidden, Missing."""
    require_lead(actor)
    found = (
        Routine.objects.select_for_update(no_key=True, of=("self",))
        .select_related("live")
        .filter(pk=routine)
        .first()
    )
    if found is None:
        raise Missing(_("没有这条规则。"), hint=_("请从列表里重新选。"))
    return found


def checked(rule: Rule) -> Rule:
    """The rule in its one form. Raises BadInput, saying which part is wrong."""
    if rule.kind == RoutineKind.TRIGGER:
        _check_occasions(rule)
    else:
        _check_rhythm(rule.rhythm)
    if len(rule.every) + len(rule.some) > CONDITIONS_MOST:
        raise BadInput(_("最多 %(most)d 个条件。") % {"most": CONDITIONS_MOST})
    if not 1 <= len(rule.steps) <= STEPS_MOST:
        raise BadInput(
            _("一条规则要做 1 到 %(most)d 件事。") % {"most": STEPS_MOST},
            hint=_("请在“就”下面加上要做的事。"),
        )
    _check_bounds(rule)
    return replace(
        rule,
        every=tuple(map(_condition, rule.every)),
        some=tuple(map(_condition, rule.some)),
        steps=tuple(map(_step, rule.steps)),
    )


def _check_occasions(rule: Rule) -> None:
    if not rule.occasions or not set(rule.occasions) <= OCCASIONS.keys():
        raise BadInput(_("请选至少一件会发生的事。"), hint=_("规则在它发生时查看条件。"))


def _check_rhythm(rhythm: Rhythm) -> None:
    if rhythm.minutes and rhythm.minutes not in MINUTES:
        raise BadInput(_("没有这种间隔。"), hint=_("请从列出的里面选。"))
    if not (0 <= rhythm.hour < 24 and 0 <= rhythm.minute < 60):
        raise BadInput(_("钟点不对。"), hint=_("请写成 09:30 这样。"))
    if rhythm.days is Days.SOME and not (rhythm.weekdays and set(rhythm.weekdays) <= set(range(7))):
        raise BadInput(_("请选星期几。"))


def _check_bounds(rule: Rule) -> None:
    if not 1 <= rule.per_hour <= PER_HOUR_MOST:
        raise BadInput(_("每小时最多改几件，要在 1 到 %(most)d 之间。") % {"most": PER_HOUR_MOST})
    if rule.again_hours is not None and not 0 <= rule.again_hours <= AGAIN_MOST:
        raise BadInput(_("隔多少小时才再办，要在 0 到 %(most)d 之间。") % {"most": AGAIN_MOST})


def _condition(condition: Condition) -> Condition:
    fact = FACTS.get(condition.fact)
    if fact is None or condition.comparison not in COMPARISONS[fact.type]:
        raise BadInput(_("有一个条件不认得。"), hint=_("请删掉它，重新添加。"))
    key = ""
    if fact.type is FactType.MERCHANT:
        key = clean(condition.key, field=_("信息项的代码"), most=KEY_MOST)
    values = _values(condition, _(fact.words))
    if fact.type is FactType.CHOICE and not set(values) <= {value for value, _text in fact.choices}:
        raise BadInput(_("“%(fact)s”没有这个选项。") % {"fact": _(fact.words)})
    return replace(condition, key=key, value=values)


def _values(condition: Condition, words: str) -> tuple[str, ...]:
    if condition.comparison in (Comparison.AT_LEAST, Comparison.AT_MOST):
        return (_number("".join(condition.value[:1]), words),)
    given = (clean(value, field=words, most=VALUE_MOST, least=0) for value in condition.value)
    values = tuple(dict.fromkeys(value for value in given if value))
    if not 1 <= len(values) <= VALUES_MOST:
        raise BadInput(
            _("“%(fact)s”要写 1 到 %(most)d 个值。") % {"fact": words, "most": VALUES_MOST},
            hint=_("几个值用逗号分开。"),
        )
    return values


def _number(text: str, words: str) -> str:
    try:
        number = float(text)
    except ValueError:
        number = NUMBER_MOST + 1
    if not abs(number) <= NUMBER_MOST:  # also what is no number at all
        raise BadInput(_("“%(fact)s”要写一个数。") % {"fact": words}, hint=_("例如 4 或 0.5。"))
    return f"{number:g}"


def _step(step: Step) -> Step:
    deed = DEEDS.get(step.deed)
    if deed is None:
        raise BadInput(_("有一件要做的事不认得。"), hint=_("请删掉它，重新添加。"))
    params: Mapping[str, str] = deed.check(step.params)
    return Step(step.deed, dict(params))
