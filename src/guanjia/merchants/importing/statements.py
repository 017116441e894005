"""The SQL of an import: what a staged row says, what is wrong with it, and what to write.

Per shard there are two temporary tables. `import_rows` holds the file's cells as text, `import_plan`
one cleaned row per record, in the order of `ref`: sorted, the indexes grow at their right edge and the
pages they need stay in memory; unsorted, a million rows take three times as long.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

from guanjia.merchants.importing.files import GB18030, TableFile
from guanjia.merchants.importing.mapping import Columns
from guanjia.merchants.rules import FACT_MOST, NAME_MOST, READABLE, REF_MOST

WHITE = " \t\r\n\u00a0\u3000"
GUARD = r"^'('*[=+@\t\r＝＋－＠-])"  # `rules.unguard`
CONTROL_IN_LINE = r"[\u0001-\u001f\u007f]"
CONTROL = r"[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f]"
LIMITS = {"ref": REF_MOST, "name": NAME_MOST, "pool": 40}

DROP = SQL("DROP TABLE IF EXISTS pg_temp.import_rows, pg_temp.import_plan")
GOOD = SQL("p.problem IS NULL AND p.twin IS NULL")
SLICE = SQL("p.ctid >= %(first)s::tid AND p.ctid < %(past)s::tid")
COUNTS = SQL(
    "SELECT count(*), count(*) FILTER (WHERE NOT ({good})),"
    " count(*) FILTER (WHERE {good} AND p.id IS NULL), count(*) FILTER (WHERE {good} AND p.changed)"
    " FROM import_plan p"
).format(good=GOOD)
BAD = SQL(
    "SELECT p.line, p.problem, p.twin, left(p.ref, 64) FROM import_plan p WHERE NOT ({good})"
    " ORDER BY p.line LIMIT %(shown)s"
).format(good=GOOD)


@dataclass(frozen=True, slots=True)
class Shard:
    """One of `of` equal parts of the rows, told apart by a hash of the reference; `of` is a power of 2."""

    number: int
    of: int


def stage_table(table: TableFile) -> Composed:
    cells = SQL(", ").join(SQL("{} text").format(cell) for cell in _cells(table))
    return SQL(
        "CREATE TEMPORARY TABLE import_rows"
        " (line bigint GENERATED ALWAYS AS IDENTITY (START 2 CACHE 1000), {}) ON COMMIT DROP"
    ).format(cells)


def copy_file(table: TableFile, columns: Columns, shard: Shard) -> Composed:
    """The bytes of the file as they are: the line is counted by the identity column."""
    encoding = Literal("GB18030" if table.encoding == GB18030 else "UTF8")
    options = SQL("FORMAT csv, HEADER, ENCODING {}").format(encoding)
    return _copy(list(_cells(table)), options, table, columns, shard)


def copy_records(table: TableFile, columns: Columns, shard: Shard) -> Composed:
    """Records that Python has read, with their line."""
    options = SQL("FORMAT csv, ENCODING 'UTF8'")
    return _copy([*_cells(table), Identifier("line")], options, table, columns, shard)


def _copy(
    into: list[Identifier], options: Composable, table: TableFile, columns: Columns, shard: Shard
) -> Composed:
    ref = _cleaned(table, columns.indexes["ref"])
    mine = SQL("WHERE hashtextextended(coalesce({}, ''), 0) & {} = {}").format(
        ref, Literal(shard.of - 1), Literal(shard.number)
    )
    return SQL("COPY import_rows ({}) FROM STDIN ({}) {}").format(
        SQL(", ").join(into), options, mine if shard.of > 1 else SQL("")
    )


def _cells(table: TableFile) -> list[Identifier]:
    return [Identifier(f"c{index}") for index in range(len(table.header))]


def _cleaned(table: TableFile, index: int) -> Composable:
    """A cell without the white space around it and the guard before it; NULL when nothing is left."""
    trimmed = SQL("nullif(btrim({}, {}), '')").format(Identifier(f"c{index}"), Literal(WHITE))
    if not table.guarded:
        return trimmed
    guard = SQL("CASE WHEN {0} LIKE '''%%' THEN regexp_replace({0}, {1}, '\\1') ELSE {0} END")
    return guard.format(trimmed, Literal(GUARD))


def plan(table: TableFile, columns: Columns) -> Composed:
    """Every staged row cleaned and compared with what we have, duplicates next to each other.

    OFFSET 0 keeps the planner from working out the cleaned cells once per use.
    """
    targets = {_name(columns, target): index for target, index in columns.indexes.items()}
    cleaned: list[Composable] = [
        SQL("{} AS {}").format(_cleaned(table, index), Identifier(name)) for name, index in targets.items()
    ]
    if "name" not in targets:
        cleaned.append(SQL("NULL::text AS name"))
    has_pool = "pool" in targets
    return SQL(
        "CREATE TEMPORARY TABLE import_plan ON COMMIT DROP AS"
        " SELECT x.*, lag(x.line) OVER (PARTITION BY x.ref ORDER BY x.line) AS twin FROM ("
        "SELECT r.*, m.id, {pool_id} AS pool_id, m.id IS NOT NULL AND ({changed}) AS changed,"
        " {problem} AS problem"
        " FROM (SELECT line, {cleaned} FROM import_rows OFFSET 0) r"
        " LEFT JOIN merchants_merchant m ON m.ref = r.ref {pools}"
        ") x ORDER BY x.ref, x.line"
    ).format(
        pool_id=SQL("h.id" if has_pool else "NULL::bigint"),
        changed=_changed(columns),
        problem=_problem(table, columns),
        cleaned=SQL(", ").join(cleaned),
        pools=SQL("LEFT JOIN people_pool h ON h.code = r.pool" if has_pool else ""),
    )


def _name(columns: Columns, target: str) -> str:
    """The plan's column for a target. Facts are numbered: their keys could meet a column of ours."""
    return f"f{columns.indexes[target]}" if target not in LIMITS else target


def _changed(columns: Columns) -> Composed:
    """An empty cell says nothing, so it changes nothing. Facts compare as text, as a file holds them."""
    tests: list[Composable] = [SQL("coalesce(r.name <> m.name, false)")]
    if "pool" in columns.indexes:
        tests.append(SQL("coalesce(h.id <> m.home_pool_id, false)"))
    for key, index in columns.facts().items():
        fact = Identifier(f"f{index}")
        tests.append(SQL("coalesce(r.{0} <> m.facts ->> {1}, r.{0} IS NOT NULL)").format(fact, Literal(key)))
    return SQL(" OR ").join(tests)


def _problem(table: TableFile, columns: Columns) -> Composed:
    """What is wrong with a row, as `kind:column`, or NULL."""
    tests = [_when(SQL("r.ref IS NULL"), "empty", columns.indexes["ref"])]
    if table.controls or not table.plain:
        control = SQL("r.ref ~ {}").format(Literal(CONTROL_IN_LINE))
        tests.append(_when(control, "control", columns.indexes["ref"]))
    for target, index in columns.indexes.items():
        cell, most = Identifier(_name(columns, target)), Literal(LIMITS.get(target, FACT_MOST))
        # Bytes first: they are stored, characters have to be counted.
        long = SQL("octet_length(r.{0}) > {1} AND length(r.{0}) > {1}").format(cell, most)
        tests.append(_when(long, "long", index))
        if table.controls:
            tests.append(_when(SQL("r.{} ~ {}").format(cell, Literal(CONTROL)), "control", index))
    if "pool" in columns.indexes:
        unknown = SQL("r.pool IS NOT NULL AND h.id IS NULL")
        tests.append(_when(unknown, "pool", columns.indexes["pool"]))
    return SQL("CASE {} END").format(SQL(" ").join(tests))


def _when(test: Composable, kind: str, index: int) -> Composed:
    return SQL("WHEN {} THEN {}").format(test, Literal(f"{kind}:{index}"))


def insert(columns: Columns) -> Composed:
    """New merchants. Not an upsert: that would take half as long again. Should somebody register one of
    them at the same moment, the unique constraint refuses and the import begins anew.
    """
    return SQL(
        "INSERT INTO merchants_merchant (ref, name, facts, created_at, home_pool_id)"
        " SELECT p.ref, coalesce(p.name, {readable}), {facts}, %(now)s, coalesce(p.pool_id, %(pool)s)"
        " FROM import_plan p WHERE {part} AND {good} AND p.id IS NULL"
    ).format(readable=_readable(), facts=_facts(columns), part=SLICE, good=GOOD)


def update(columns: Columns) -> Composed:
    """Changed merchants: only the facts that differ are written, and facts we are not told stay."""
    differing = {
        key: SQL("CASE WHEN p.{0} <> coalesce(m.facts ->> {1}, '') THEN p.{0} END").format(
            Identifier(f"f{index}"), Literal(key)
        )
        for key, index in columns.facts().items()
    }
    return SQL(
        "UPDATE merchants_merchant m SET name = coalesce(p.name, m.name), facts = m.facts || {facts},"
        " home_pool_id = coalesce(p.pool_id, m.home_pool_id)"
        " FROM import_plan p WHERE {part} AND {good} AND p.changed AND m.id = p.id"
    ).format(facts=_json(differing), part=SLICE, good=GOOD)


def _readable() -> Composed:
    """`rules.readable_name` in SQL."""
    return SQL("'商家 ' || CASE WHEN length(p.ref) <= {} THEN p.ref ELSE left(p.ref, 8) END").format(
        Literal(READABLE)
    )


def _facts(columns: Columns) -> Composed:
    return _json({key: SQL("p.{}").format(Identifier(f"f{i}")) for key, i in columns.facts().items()})


def _json(values: dict[str, Composed]) -> Composed:
    """An object without nulls, in pieces: a function takes at most 100 arguments."""
    pairs = [SQL("{}, {}").format(Literal(key), value) for key, value in values.items()]
    pieces = [pairs[start : start + 40] for start in range(0, len(pairs), 40)] or [[]]
    built = [SQL("jsonb_strip_nulls(jsonb_build_object({}))").format(SQL(", ").join(some)) for some in pieces]
    return SQL("({})").format(SQL(" || ").join(built))
