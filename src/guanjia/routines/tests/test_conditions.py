"""Conditions in SQL say what a slow and obvious evaluation in Python says; no value becomes SQL."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guanjia.cases.actions import open_case, say
from guanjia.cases.actions.marks import set_tags
from guanjia.cases.models import Case, Message
from guanjia.merchants.models import Merchant
from guanjia.people.models import Team
from guanjia.routines.conditions import Condition
from guanjia.routines.facts import COMPARISONS, FACTS, Comparison, FactType
from guanjia.routines.matching import explained, window
from guanjia.routines.models import RoutineKind
from guanjia.routines.rule import Rule, Scope
from guanjia.routines.tests.rulebook import is_

HOSTILE = [
    "'; DROP TABLE cases_case; --",
    "%(now)s",
    "%s",
    "%",
    "_",
    "\\",
    "退款%",
    "{}",
    '"',
    "') OR true --",
]
WORDS = ["退款", "换图", "50%", "a_b", "X", *HOSTILE]
VALUES = {
    "state": ["open", "waiting_merchant", "solved"],
    "priority": ["1", "2", "3", "4"],
    "kind": ["need", "question", "complaint"],
    "tag": ["急", "回访", *HOSTILE[:2]],
    "line": ["display-slots", "warehousing"],
    "owner_kind": ["person", "team", "pool"],
    "owner": ["person:lin", "team:t1", "pool:home", HOSTILE[0]],
    "opened_by": ["merchant", "house"],
    "merchant": ["M-1042", "M-2077", HOSTILE[0]],
    "fact": ["华东", "3", HOSTILE[0]],
    "subject": WORDS,
}
KEYS = ["region", "level", "shop_name", "nothing", HOSTILE[0]]


@st.composite
def conditions(draw):
    fact = FACTS[draw(st.sampled_from(sorted(FACTS)))]
    how = draw(st.sampled_from(COMPARISONS[fact.type]))
    if how in (Comparison.AT_LEAST, Comparison.AT_MOST):
        value = (f"{draw(st.sampled_from([-4, 0, 1, 3, 12, 30, 100])):g}",)
    else:
        value = tuple(draw(st.lists(st.sampled_from(VALUES[fact.key]), min_size=1, max_size=3, unique=True)))
    key = draw(st.sampled_from(KEYS)) if fact.type is FactType.MERCHANT else ""
    return Condition(fact.key, how, value, key)


# --- the oracle ----------------------------------------------------------------------------------


def known(case, now):
    """What a case has, fact by fact, read row by row."""
    members = set(case.merchant.members.values_list("user_id", flat=True))
    said = [m for m in case.messages.all() if not m.internal and m.author_id]
    ours = [m.at for m in said if m.author_id not in members]
    theirs = [m.at for m in said if m.author_id in members]
    kind = "person" if case.person else "team" if case.team else "pool"
    code = case.person.username if case.person else case.holder.code
    return {
        "state": case.state,
        "priority": str(case.priority),
        "kind": case.kind,
        "tag": {one.tag.name for one in case.taggings.all()},
        "line": {i.service.line.slug for p in case.packages.all() for i in p.items.all()},
        "owner_kind": kind,
        "owner": f"{kind}:{code}",
        "age": hours(now, case.opened_at),
        "due": hours(case.due_at, now),
        "merchant_quiet": hours(now, max(theirs, default=case.opened_at)),
        "house_quiet": hours(now, max(ours, default=case.opened_at)),
        "solved_for": hours(now, case.solved_at),
        "subject": case.title,
        "opened_by": "merchant" if case.opened_by_id in members else "house",
        "merchant": case.merchant.ref,
        "fact": case.merchant.facts,
    }


def hours(later, earlier):
    return (later - earlier) / timedelta(hours=1) if later and earlier else None


def holds(condition, about):
    found, how = about[condition.fact], condition.comparison
    if condition.fact == "fact":
        found = found.get(condition.key)
        if how in (Comparison.AT_LEAST, Comparison.AT_MOST) and isinstance(found, str):
            return False
        if how in (Comparison.ANY_OF, Comparison.NONE_OF) and found is not None:
            found = str(found)
    if how is Comparison.AT_LEAST:
        return found is not None and found >= float(condition.value[0])
    if how is Comparison.AT_MOST:
        return found is not None and found <= float(condition.value[0])
    if how in (Comparison.CONTAINS, Comparison.LACKS):
        there = any(word.lower() in found.lower() for word in condition.value)
        return there == (how is Comparison.CONTAINS)
    wanted = set(condition.value)
    found = found if isinstance(found, set) else {found}
    return bool(found & wanted) == (how is Comparison.ANY_OF)


# --- cases of every sort -------------------------------------------------------------------------


@pytest.fixture
def sorts(cast, noon):
    """Cases that differ in everything that can be asked."""
    Merchant.objects.filter(pk=cast.mira_shop.pk).update(facts={"region": "华东", "level": 3})
    Merchant.objects.filter(pk=cast.mo_shop.pk).update(facts={"region": HOSTILE[0], "level": "3"})
    team = Team.objects.create(code="t1", name="专班", lead=cast.wei)
    for n, title in enumerate(WORDS):
        at = noon + timedelta(hours=n)
        mine = n % 2 == 0
        ref, by = ("M-1042", cast.mira) if mine else ("M-2077", cast.mo)
        case = open_case(actor=cast.lin if n % 4 == 2 else by, merchant_ref=ref, need=title, now=at)
        vary(cast, case, n, at, team)
    return list(Case.objects.order_by("pk"))


def vary(cast, case, n, at, team):
    kinds = ["need", "question", "complaint"]
    state = "solved" if n % 5 == 4 else "open"
    Case.objects.filter(pk=case.pk).update(priority=n % 4 + 1, kind=kinds[n % 3], state=state)
    if state == "solved":
        Case.objects.filter(pk=case.pk).update(solved_at=at + timedelta(hours=1), due_at=None)
    if n % 6 == 0:
        Case.objects.filter(pk=case.pk).update(person=None, team=team)
    if n % 3 == 0:
        set_tags(actor=cast.wei, number=case.number, add=["急", "回访"][: n % 2 + 1], now=at)
    if n % 4 == 1:
        say(actor=cast.mo if n % 2 else cast.mira, number=case.number, body="x", now=at + timedelta(hours=2))
    Message.objects.create(
        case=case, author=cast.wei, internal=n % 2 == 0, body="y", at=at + timedelta(hours=3)
    )


def fitting(rule, now):
    found: list[int] = []
    for scope in Scope:
        wanted = Rule(rule.kind, scope=scope, every=rule.every, some=rule.some, again_hours=0)
        found += window(wanted, 0, after=0, size=1000, most=1000, now=now).hits
    return sorted(found)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_sql_says_what_python_says(sorts, noon, data):
    every = data.draw(st.lists(conditions(), max_size=3))
    some = data.draw(st.lists(conditions(), max_size=3))
    now = noon + timedelta(hours=20)
    rule = Rule(RoutineKind.SCHEDULE, every=tuple(every), some=tuple(some))
    wanted = []
    for case in sorts:
        about = known(case, now)
        alls = [holds(one, about) for one in every]
        anys = [holds(one, about) for one in some]
        if all(alls) and (any(anys) or not anys):
            wanted.append(case.pk)
        told = explained(rule, case.pk, now)
        assert [[v.holds for v in group] for group in told] == [alls, anys]
    assert fitting(rule, now) == wanted


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("fact", ["owner", "subject", "tag", "merchant"])
def test_a_hostile_value_is_a_value(sorts, noon, fact, value):
    how = "contains" if fact == "subject" else "any_of"
    before = Case.objects.count()
    found = fitting(Rule(RoutineKind.SCHEDULE, every=(is_(fact, value, how=how),)), noon)
    about = [(case.pk, known(case, noon)) for case in sorts]
    assert found == [pk for pk, there in about if holds(is_(fact, value, how=how), there)]
    assert Case.objects.count() == before
