"""Conditions as data, and as one parameterised condition of SQL.

What is not known counts as "no": a condition that looks for something is then false, and one that wants it
absent (`none_of`, `lacks`) is true. No value is ever part of the SQL's text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from guanjia.routines.facts import FACTS, OPPOSITE, Comparison, Fact, FactType


@dataclass(frozen=True, slots=True)
class Condition:
    """One fact of a case, compared. `key` names the fact of a merchant; numbers are written as texts."""

    fact: str
    comparison: Comparison
    value: tuple[str, ...]
    key: str = ""

    @property
    def about(self) -> Fact:
        return FACTS[self.fact]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition in SQL with its values. `asked.sql` is true or false, never null."""

    sql: str
    params: Mapping[str, object] = field(default_factory=dict)


def compiled(every: Sequence[Condition], some: Sequence[Condition]) -> Asked:
    """All of `every` hold, and, unless it is empty, one of `some`."""
    alls = [ask(condition, f"a{n}") for n, condition in enumerate(every)]
    anys = [ask(condition, f"o{n}") for n, condition in enumerate(some)]
    parts = [asked.sql for asked in alls]
    if anys:
        parts.append(f"({' OR '.join(asked.sql for asked in anys)})")
    params = {name: value for asked in (*alls, *anys) for name, value in asked.params.items()}
    return Asked(" AND ".join(parts) or "true", params)


def ask(condition: Condition, name: str) -> Asked:
    """One condition; its values are the parameters `name` and `name_key`."""
    positive = OPPOSITE.get(condition.comparison, condition.comparison)
    params: dict[str, object] = {name: _values(condition, positive)}
    if condition.about.type is FactType.MERCHANT:
        params[f"{name}_key"] = condition.key
    sql = f"coalesce({_sql(condition.about, positive, name)}, false)"
    return Asked(f"NOT {sql}" if positive is not condition.comparison else sql, params)


def value_sql(condition: Condition, name: str) -> str:
    """What the case has there now, for an explanation; uses `name_key` as `ask` does."""
    if condition.about.type is FactType.MERCHANT:
        return f"{condition.about.sql} ->> %({name}_key)s::text"
    return condition.about.sql


def _sql(fact: Fact, comparison: Comparison, name: str) -> str:
    texts = f"%({name})s::text[]"
    number = f"%({name})s::float8"
    if fact.type is FactType.MERCHANT:
        return _merchant_sql(fact, comparison, name)
    if fact.type is FactType.SET:
        return f"{fact.sql}::text[] && {texts}"
    if comparison is Comparison.CONTAINS:
        return f"{fact.sql} ILIKE ANY({texts})"
    if comparison is Comparison.AT_LEAST:
        return f"({fact.sql}) >= {number}"
    if comparison is Comparison.AT_MOST:
        return f"({fact.sql}) <= {number}"
    return f"({fact.sql}) = ANY({texts})"


def _merchant_sql(fact: Fact, comparison: Comparison, name: str) -> str:
    """A fact that is no number is neither large nor small; CASE keeps the cast from being tried."""
    key = f"%({name}_key)s::text"
    if comparison is Comparison.ANY_OF:
        return f"({fact.sql} ->> {key}) = ANY(%({name})s::text[])"
    sign = ">=" if comparison is Comparison.AT_LEAST else "<="
    return (
        f"CASE WHEN jsonb_typeof({fact.sql} -> {key}) = 'number'"
        f" THEN ({fact.sql} ->> {key})::numeric {sign} %({name})s::float8::numeric END"
    )


def _values(condition: Condition, positive: Comparison) -> object:
    if positive in (Comparison.AT_LEAST, Comparison.AT_MOST):
        return float(condition.value[0])
    if positive is Comparison.CONTAINS:
        return [f"%{_plain(word)}%" for word in condition.value]
    return list(condition.value)


def _plain(word: str) -> str:
    """A word in which the signs of LIKE stand for themselves."""
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
