"""Importing merchants: look, check every row, and only then write."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psycopg
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import Refusal
from guanjia.base.sql import run
from guanjia.ledger.actions import Entry, record
from guanjia.merchants.actions import define_fact
from guanjia.merchants.events import MerchantsImported
from guanjia.merchants.importing import statements
from guanjia.merchants.importing.files import TableFile
from guanjia.merchants.importing.findings import SHOWN, BadRow, BadRows
from guanjia.merchants.importing.mapping import TITLES, Columns
from guanjia.merchants.importing.staging import Phase, Progress, Session, Sessions, sessions, stage
from guanjia.merchants.queries import undefined
from guanjia.merchants.rules import FACT_MOST
from guanjia.people.models import Pool

LARGE = 4 << 20  # bytes; a smaller file is not worth a second session
PAGES = 1024  # of the plan, 8 MiB: how much is written between two words about progress


class MerchantsMoved(Refusal):
    code = "merchants_moved"


@dataclass(frozen=True, slots=True)
class Wish:
    """How to import. `home_pool` finds or makes the pool of new merchants, and may be called twice."""

    apply: bool
    home_pool: Callable[[], Pool]
    skip_bad: bool = False
    sessions: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, or, when it is not `applied`, what it would do. In rows of the file."""

    rows: int
    new: int
    changed: int
    unchanged: int
    bad: BadRows
    new_facts: tuple[str, ...]
    applied: bool

    @property
    def alters(self) -> bool:
        return bool(self.new or self.changed)


def import_merchants(
    *, actor: Actor, table: TableFile, columns: Columns, wish: Wish, now: datetime, progress: Progress
) -> Outcome:
    """Bring the merchants of a file in: by `ref`, new ones registered, others brought up to date.

    Nothing is written when a row is bad, unless the wish is to skip bad rows. All or nothing: one event
    for the whole import, and none when nothing changes. Raises UnusableFile, ImportRunning,
    MerchantsMoved.
    """
    outcome: Outcome | None = None
    count = wish.sessions or _worthwhile(table)
    if wish.apply and count > 1:
        wish.home_pool()  # committed first: the other sessions must see it

    def keep() -> bool:
        return outcome is not None and outcome.applied and outcome.alters

    with sessions(count, keep=keep) as opened:
        unread = stage(table, columns, opened, progress)
        outcome = _check(table, columns, opened, unread, wish, progress)
        if keep():
            _write(columns, opened, outcome, wish, now, progress)
            _record(actor, table, columns, outcome, now)
    if keep():
        run("ANALYZE merchants_merchant")  # queries planned before autovacuum comes would scan it all
    return outcome


def _worthwhile(table: TableFile) -> int:
    return 2 if table.size >= LARGE and (os.cpu_count() or 1) > 1 else 1


def _check(
    table: TableFile, columns: Columns, opened: Sessions, bad: BadRows, wish: Wish, progress: Progress
) -> Outcome:
    progress(Phase.CHECK, 0, 0)
    unread = bad.total
    found = opened.each(lambda session: _check_shard(table, columns, session))
    for counts, rows in found:
        bad.add(rows, total=counts[1])
    staged, refused, new, changed = (
        sum(one) for one in zip(*(counts for counts, _rows in found), strict=True)
    )
    return Outcome(
        rows=staged + unread,
        new=new,
        changed=changed,
        unchanged=staged - refused - new - changed,
        bad=bad,
        new_facts=tuple(undefined(columns.facts())),
        applied=wish.apply and (wish.skip_bad or not bad.total),
    )


def _check_shard(
    table: TableFile, columns: Columns, session: Session
) -> tuple[tuple[int, ...], list[BadRow]]:
    session.run(statements.plan(table, columns))
    [counts] = session.rows(statements.COUNTS)
    found = session.rows(statements.BAD, shown=SHOWN) if counts[1] else []
    return counts, [BadRow(line, _reason(columns, *rest)) for line, *rest in found]


def _reason(columns: Columns, problem: str | None, twin: int | None, ref: str | None) -> str:
    if problem is None:
        return _("商家 %(ref)s 在第 %(line)d 行已经有了") % {"ref": ref, "line": twin}
    kind, _colon, index = problem.partition(":")
    column = columns.header[int(index)][:60]
    if kind == "long":
        return _("“%(column)s”超过 %(most)d 个字") % {"column": column, "most": _most(columns, int(index))}
    texts = {
        "empty": _("“%(column)s”是空的"),
        "control": _("“%(column)s”里有控制字符"),
        "pool": _("“%(column)s”里的共享池不存在"),
    }
    return texts[kind] % {"column": column}


def _most(columns: Columns, index: int) -> int:
    found = [statements.LIMITS.get(t, FACT_MOST) for t, i in columns.indexes.items() if i == index]
    return min(found)


def _write(
    columns: Columns, opened: Sessions, outcome: Outcome, wish: Wish, now: datetime, progress: Progress
) -> None:
    pool = wish.home_pool().pk if outcome.new else None
    parts = [(s, *part) for s in opened.all for part in _parts(s)]
    words, done = threading.Lock(), 0

    def write(session: Session) -> None:
        nonlocal done
        # Foreign keys are checked part by part, while their rows are still in memory.
        session.run("SET CONSTRAINTS ALL IMMEDIATE")
        for _session, first, past in (part for part in parts if part[0] is session):
            part = {"first": f"({first},0)", "past": f"({past},0)"}
            if outcome.new:
                session.run(statements.insert(columns), now=now, pool=pool, **part)
            if outcome.changed:
                session.run(statements.update(columns), **part)
            with words:
                done += 1
                progress(Phase.WRITE, done, len(parts))

    try:
        opened.each(write)
    except psycopg.errors.UniqueViolation as error:
        raise MerchantsMoved(
            _("导入期间有人登记了同一批商家，这次导入没有改动任何内容。"), hint=_("请再运行一次。")
        ) from error


def _parts(session: Session) -> list[tuple[int, int]]:
    """Ranges of pages of the plan, in its order."""
    [(pages,)] = session.rows("SELECT pg_relation_size('import_plan') / current_setting('block_size')::int")
    return [(first, min(first + PAGES, pages)) for first in range(0, pages, PAGES)]


def _record(actor: Actor, table: TableFile, columns: Columns, outcome: Outcome, now: datetime) -> None:
    for key in outcome.new_facts:
        titles = TITLES.get(key, {"zh-Hans": key, "en": key})
        define_fact(actor=actor, key=key, titles=titles, source=f"import {table.digest[:12]}", now=now)
    imported = MerchantsImported(
        digest=table.digest,
        mapping=columns.texts(),
        rows=outcome.rows,
        new=outcome.new,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        bad=outcome.bad.total,
    )
    record([Entry(now, actor, f"import:{table.digest[:16]}", imported)])
