"""What a condition may ask of a case: each fact is declared once, with its type, its words and its SQL.

The SQL speaks of a case `c` and its merchant `m`, and may use `%(now)s`; a value never becomes part of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_noop as n_

from guanjia.cases.models import CaseKind, CaseState, Priority


class FactType(StrEnum):
    CHOICE = "choice"  # one of a few values
    CODE = "code"  # one of many: a person, a merchant
    SET = "set"  # several at once: tags, lines
    NUMBER = "number"  # hours, or a count
    WORDS = "words"  # a text that is looked into
    MERCHANT = "merchant"  # a fact about the merchant, named by its key


class Comparison(StrEnum):
    ANY_OF = "any_of"
    NONE_OF = "none_of"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    CONTAINS = "contains"
    LACKS = "lacks"


_C = Comparison
COMPARISONS: Mapping[FactType, tuple[Comparison, ...]] = {
    FactType.CHOICE: (_C.ANY_OF, _C.NONE_OF),
    FactType.CODE: (_C.ANY_OF, _C.NONE_OF),
    FactType.SET: (_C.ANY_OF, _C.NONE_OF),
    FactType.NUMBER: (_C.AT_LEAST, _C.AT_MOST),
    FactType.WORDS: (_C.CONTAINS, _C.LACKS),
    FactType.MERCHANT: (_C.ANY_OF, _C.NONE_OF, _C.AT_LEAST, _C.AT_MOST),
}
OPPOSITE: Mapping[Comparison, Comparison] = {_C.NONE_OF: _C.ANY_OF, _C.LACKS: _C.CONTAINS}
"""A comparison that is true exactly where another is not: also where nothing is known."""


@dataclass(frozen=True, slots=True)
class Fact:
    """`sql` is the value; `choices` are those of a CHOICE, value and words."""

    key: str
    words: str
    type: FactType
    sql: str
    choices: Sequence[tuple[str, str]] = ()
    unit: str = ""


def _hours(since: str) -> str:
    return f"extract(epoch FROM {since}) / 3600"


_MEMBER = "EXISTS (SELECT FROM merchants_member b WHERE b.merchant_id = c.merchant_id AND b.user_id = {who})"
_LAST_WORD = (
    "coalesce((SELECT max(q.at) FROM cases_message q WHERE q.case_id = c.id AND NOT q.internal"  # noqa: S608
    " AND q.author_id IS NOT NULL AND {side} " + _MEMBER.format(who="q.author_id") + "), c.opened_at)"
)
_T = FactType
_ALL = (
    Fact("state", n_("状态"), _T.CHOICE, "c.state", CaseState.choices),
    Fact(
        "priority",
        n_("优先级"),
        _T.CHOICE,
        "c.priority::text",
        [(str(value), words) for value, words in Priority.choices],
    ),
    Fact("kind", n_("类型"), _T.CHOICE, "c.kind", CaseKind.choices),
    Fact(
        "tag",
        n_("标签"),
        _T.SET,
        "ARRAY(SELECT t.name FROM cases_tagging g JOIN cases_tag t ON t.id = g.tag_id"
        " WHERE g.case_id = c.id)",
    ),
    Fact(
        "line",
        n_("涉及的业务线"),
        _T.SET,
        "ARRAY(SELECT l.slug FROM packages_package p JOIN packages_item i ON i.package_id = p.id"
        " JOIN lines_service s ON s.id = i.service_id JOIN lines_line l ON l.id = s.line_id"
        " WHERE p.case_id = c.id)",
    ),
    Fact(
        "owner_kind",
        n_("负责人是"),
        _T.CHOICE,
        "CASE WHEN c.person_id IS NOT NULL THEN 'person' WHEN c.team_id IS NOT NULL THEN 'team'"
        " ELSE 'pool' END",
        [("person", n_("个人")), ("team", n_("专班")), ("pool", n_("共享池"))],
    ),
    Fact(
        "owner",
        n_("由谁负责"),
        _T.CODE,
        "CASE WHEN c.person_id IS NOT NULL"
        " THEN 'person:' || (SELECT u.username FROM people_user u WHERE u.id = c.person_id)"
        " WHEN c.team_id IS NOT NULL"
        " THEN 'team:' || (SELECT t.code FROM people_team t WHERE t.id = c.team_id)"
        " ELSE 'pool:' || (SELECT o.code FROM people_pool o WHERE o.id = c.pool_id) END",
    ),
    Fact("age", n_("提出至今"), _T.NUMBER, _hours("%(now)s::timestamptz - c.opened_at"), unit=n_("小时")),
    Fact("due", n_("离到期"), _T.NUMBER, _hours("c.due_at - %(now)s::timestamptz"), unit=n_("小时")),
    Fact(
        "merchant_quiet",
        n_("商家上次说话至今"),
        _T.NUMBER,
        _hours("%(now)s::timestamptz - " + _LAST_WORD.format(side="")),
        unit=n_("小时"),
    ),
    Fact(
        "house_quiet",
        n_("我们上次说话至今"),
        _T.NUMBER,
        _hours("%(now)s::timestamptz - " + _LAST_WORD.format(side="NOT")),
        unit=n_("小时"),
    ),
    Fact(
        "solved_for", n_("办结至今"), _T.NUMBER, _hours("%(now)s::timestamptz - c.solved_at"), unit=n_("小时")
    ),
    Fact("subject", n_("标题"), _T.WORDS, "c.title"),
    Fact(
        "opened_by",
        n_("由谁提出"),
        _T.CHOICE,
        f"CASE WHEN {_MEMBER.format(who='c.opened_by_id')} THEN 'merchant' ELSE 'house' END",
        [("merchant", n_("商家自己")), ("house", n_("我们的人"))],
    ),
    Fact("merchant", n_("商家编号"), _T.CODE, "m.ref"),
    Fact("fact", n_("商家信息"), _T.MERCHANT, "m.facts"),
)
FACTS: Mapping[str, Fact] = {fact.key: fact for fact in _ALL}
