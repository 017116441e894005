"""Importing who looks after which merchant.

Row by row in memory, unlike merchants: every row is decided against the history of its merchant. The
history is locked first, so what was decided is what is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.moments import moment
from guanjia.base.sql import rows, run
from guanjia.coverage.actions import NO_PASSWORD, ensure_default_pool
from guanjia.coverage.events import ResponsibilitiesImported
from guanjia.coverage.importing.reading import (
    AM,
    KINDS,
    DateReader,
    Wanted,
    in_known_groups,
    read_rows,
    without_clashes,
)
from guanjia.coverage.models import Responsibility
from guanjia.ledger.actions import Entry, record
from guanjia.merchants.importing.files import TableFile
from guanjia.merchants.importing.findings import BadRow, BadRows
from guanjia.merchants.importing.mapping import Columns
from guanjia.merchants.importing.staging import be_alone
from guanjia.merchants.models import Merchant
from guanjia.merchants.rules import readable_name
from guanjia.people.models import Role, RoleGrant, User

BATCH = 2000  # rows per statement


@dataclass(frozen=True, slots=True)
class Wish:
    apply: bool
    skip_bad: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an import did, or, when it is not `applied`, what it would do. In rows of the file."""

    rows: int
    new: int
    changed: int
    unchanged: int
    bad: BadRows
    new_people: int
    new_merchants: int
    applied: bool


@dataclass(slots=True)
class Held:
    """A responsibility as the database has it, or, when `moved`, as it is going to be."""

    pk: int
    role: str
    holder: tuple[str, str]
    since: datetime
    until: datetime | None
    moved: bool = False

    def end(self, at: datetime) -> None:
        self.until, self.moved = at, True


@dataclass(slots=True)
class _Plan:
    """Rows to write (`add`) and history to end; the counts are in rows of the file."""

    add: list[Wanted] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    unchanged: int = 0


@transaction.atomic
def import_responsibilities(
    *, actor: Actor, table: TableFile, columns: Columns, dates: DateReader, wish: Wish, now: datetime
) -> Outcome:
    """Make people, teams and pools responsible for merchants, as the file says.

    A row that says what we know changes nothing; one that begins later than the present account
    manager is a handover at that instant. People and merchants that are not known are registered: a
    contract may be signed before the marketplace has the shop. One transaction, one event; nothing is
    written when a row is bad, unless the wish is to skip bad rows. Raises UnusableFile, ImportRunning.
    """
    be_alone()
    bad = BadRows()
    read = read_rows(table, columns, dates, bad)
    rows = len(read) + bad.total
    wanted = without_clashes(in_known_groups(read, bad), bad)
    history = _history({want.merchant for want in wanted}, lock=wish.apply)
    plan = _decide(wanted, history, bad)
    people = _unknown("people_user", "username", {w.holder for w in plan.add if w.kind == "person"})
    merchants = _unknown("merchants_merchant", "ref", {w.merchant for w in plan.add})
    outcome = Outcome(
        rows=rows,
        new=plan.new,
        changed=plan.changed,
        unchanged=plan.unchanged,
        bad=bad,
        new_people=len(people),
        new_merchants=len(merchants),
        applied=wish.apply and (wish.skip_bad or not bad.total),
    )
    if outcome.applied and (plan.new or plan.changed):
        names = {w.holder: w.name for w in reversed(plan.add) if w.kind == "person"}
        _register(merchants, {username: names[username] for username in people}, now)
        _write(plan, history, table)
        _record(actor, table, columns, outcome, now)
        run("ANALYZE merchants_merchant, coverage_responsibility")  # autovacuum comes too late for a plan
    return outcome


def _history(refs: set[str], *, lock: bool) -> dict[str, list[Held]]:
    """What the database knows of these merchants; with `lock`, nobody hands them over meanwhile."""
    if lock:
        rows("SELECT id FROM merchants_merchant WHERE ref = ANY(%s) ORDER BY id FOR UPDATE", [list(refs)])
    found: dict[str, list[Held]] = defaultdict(list)
    for ref, pk, role, person, team, pool, since, until in rows(
        "SELECT m.ref, r.id, r.role, u.username, t.code, p.code, lower(r.during), upper(r.during)"
        " FROM coverage_responsibility r JOIN merchants_merchant m ON m.id = r.merchant_id"
        " LEFT JOIN people_user u ON u.id = r.person_id LEFT JOIN people_team t ON t.id = r.team_id"
        " LEFT JOIN people_pool p ON p.id = r.pool_id WHERE m.ref = ANY(%s)",
        [list(refs)],
    ):
        holder = next((k, v) for k, v in zip(KINDS, (person, team, pool), strict=True) if v is not None)
        found[ref].append(Held(pk, role, holder, since, until))
    return found


def _decide(wanted: Iterable[Wanted], history: Mapping[str, list[Held]], bad: BadRows) -> _Plan:
    """In the order of time, so that one row may end what the next one needs ended."""
    plan = _Plan()
    for want in sorted(wanted, key=lambda w: (w.since, w.line)):
        _settle(want, history.get(want.merchant, []), plan, bad)
    return plan


def _settle(want: Wanted, history: list[Held], plan: _Plan, bad: BadRows) -> None:
    """1. Known already. 2. Nothing in the way. 3. An end we did not know of. 4. A handover. 5. No."""
    met = [held for held in history if _meets(held, want)]
    same = [h for h in met if h.holder == (want.kind, want.holder) and h.since <= want.since]
    open_ = [h for h in met if h.until is None and h.since < want.since]
    if any(_says_nothing_new(h, want) for h in same):
        plan.unchanged += 1
    elif not met:
        plan.new += 1
        plan.add.append(want)
    elif len(met) == 1 and same and want.until and same[0].since == want.since and not same[0].until:
        plan.changed += 1
        same[0].end(want.until)
    elif len(met) == 1 and open_ and not same and want.until is None:
        plan.changed += 1
        plan.add.append(want)
        open_[0].end(want.since)
    else:
        text = _("与商家 %(ref)s 从 %(since)s 起的“%(role)s”时间重叠")
        values = {"ref": want.merchant, "since": moment(met[0].since), "role": want.role.label}
        bad.add([BadRow(want.line, text % values)])


def _meets(held: Held, want: Wanted) -> bool:
    """Whether both cannot stand: one account manager at a time, in other roles one of each."""
    if held.role != want.role or (want.role != AM and held.holder != (want.kind, want.holder)):
        return False
    begins_before = want.until is None or held.since < want.until
    return begins_before and (held.until is None or want.since < held.until)


def _says_nothing_new(held: Held, want: Wanted) -> bool:
    """The same holder has it from then on; a row without an end does not undo an end we know of."""
    if want.until is None:
        return held.since == want.since or held.until is None
    return held.since == want.since and held.until == want.until


def _unknown(table: str, column: str, names: set[str]) -> list[str]:
    """Those that the table does not have, sorted. `table` and `column` are ours, never a file's."""
    statement = f"SELECT {column} FROM {table} WHERE {column} = ANY(%s)"  # noqa: S608
    known = {name for (name,) in rows(statement, [list(names)])}
    return sorted(names - known)


def _register(merchants: list[str], people: Mapping[str, str], now: datetime) -> None:
    if merchants:
        home = ensure_default_pool(now=now)
        made = [
            Merchant(ref=ref, name=readable_name(ref), home_pool=home, created_at=now) for ref in merchants
        ]
        Merchant.objects.bulk_create(made, BATCH)
    users = User.objects.bulk_create(
        [User(username=username, name=name, password=NO_PASSWORD) for username, name in people.items()], BATCH
    )
    RoleGrant.objects.bulk_create([RoleGrant(user=user, role=Role.ACCOUNT_MANAGER) for user in users], BATCH)


def _write(plan: _Plan, history: Mapping[str, list[Held]], table: TableFile) -> None:
    ended = [held for one in history.values() for held in one if held.moved]
    for held in ended:
        Responsibility.objects.filter(pk=held.pk).update(during=(held.since, held.until))
    holders = _ids(plan.add)
    merchants = _pks("merchants_merchant", "ref", {want.merchant for want in plan.add})
    reason = _("由文件导入 (SHA-256 %(digest)s)") % {"digest": table.digest[:16]}
    Responsibility.objects.bulk_create(
        [
            Responsibility(
                merchant_id=merchants[want.merchant],
                role=want.role,
                during=(want.since, want.until),
                reason=reason,
                **{f"{want.kind}_id": holders[want.kind][want.holder]},
            )
            for want in plan.add
        ],
        BATCH,
    )


def _ids(wanted: list[Wanted]) -> dict[str, dict[str, int]]:
    places = {"person": ("people_user", "username"), "team": ("people_team", "code")}
    places["pool"] = ("people_pool", "code")
    return {
        kind: _pks(table, column, {want.holder for want in wanted if want.kind == kind})
        for kind, (table, column) in places.items()
    }


def _pks(table: str, column: str, names: set[str]) -> dict[str, int]:
    statement = f"SELECT {column}, id FROM {table} WHERE {column} = ANY(%s)"  # noqa: S608 - as above
    return dict(rows(statement, [list(names)]))


def _record(actor: Actor, table: TableFile, columns: Columns, outcome: Outcome, now: datetime) -> None:
    imported = ResponsibilitiesImported(
        digest=table.digest,
        mapping=columns.texts(),
        rows=outcome.rows,
        new=outcome.new,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        bad=outcome.bad.total,
        new_people=outcome.new_people,
        new_merchants=outcome.new_merchants,
    )
    record([Entry(now, actor, f"import:{table.digest[:16]}", imported)])
