"""Fixtures of all rooms: the cast, and "nothing has changed"."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import pytest
from django.utils import translation

from guanjia.base.ports import Reserved
from guanjia.base.sql import rows
from guanjia.cases.promises import ALWAYS, EPOCH, HOUR, Book, Counting, Rule, begin_with, house_book
from guanjia.demo.cast import Cast, make_cast

NOON = datetime(2026, 11, 10, 4, tzinfo=UTC)
"""Tuesday, noon in Shanghai."""

Unchanged = Callable[[], AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    """Every test begins in Chinese: a request or a command leaves its own language behind."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture(autouse=True)
def _promises() -> None:
    """Every test begins with the promises and the calendar of the house, and reads no other before one is
    made: what a test asks the database does not depend on which test was before."""
    begin_with(house_book(), seconds=3600)


@pytest.fixture
def every_hour_counts(_promises: None) -> None:
    """For pages, which count from the true time of the day: no hour is closed."""
    rules = (Rule({"first_answer": 4 * HOUR, "next_answer": 4 * HOUR, "resolution": 72 * HOUR}),)
    begin_with(Book({"cn": Counting(ALWAYS)}, ((EPOCH, rules),)), seconds=3600)


@pytest.fixture
def ports() -> Iterator[Reserved]:
    """Ports that no other test of this machine gets, and on which nobody answers yet."""
    with Reserved() as held:
        yield held


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast(NOON)


@pytest.fixture
def unchanged(db: None) -> Unchanged:
    """`with unchanged(): …` fails if any row of any table is another afterwards."""
    return _unchanged


@contextmanager
def _unchanged() -> Iterator[None]:
    before = _every_row()
    yield
    assert _every_row() == before


def _every_row() -> dict[str, tuple[int, str]]:
    """For each table, the number of its rows and a digest of what is in them."""
    tables = [name for (name,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {name: _content(name) for name in tables}


def _content(table: str) -> tuple[int, str]:
    [found] = rows(
        f"SELECT count(*), coalesce(md5(string_agg(t::text, E'\\n' ORDER BY t::text)), '') FROM {table} t"  # noqa: S608
    )
    return found[0], found[1]
