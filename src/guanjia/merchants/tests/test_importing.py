"""Importing merchants: what is written, what is refused, and that nothing lies between the two."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from django.db import connection
from django.utils import translation

from guanjia.base.actors import SYSTEM
from guanjia.base.sql import rows
from guanjia.ledger.models import Event
from guanjia.merchants.actions import define_fact, set_facts
from guanjia.merchants.exporting import Format, merchants_export
from guanjia.merchants.importing.files import look_at
from guanjia.merchants.importing.load import MerchantsMoved, Wish, import_merchants
from guanjia.merchants.importing.mapping import MERCHANTS, read_mapping
from guanjia.merchants.importing.staging import ALONE, ImportRunning
from guanjia.merchants.importing.statements import GUARD, _readable
from guanjia.merchants.models import FactDefinition, Merchant
from guanjia.merchants.rules import FACT_MOST, readable_name, unguard

OLIST = Path(__file__).parents[4].parent / "shared" / "data" / "olist_sellers_dataset.csv"
HEADER = "ref,name,fact.city\n"


def silent(*_):
    pass


@pytest.fixture
def bring(tmp_path, cast, noon):
    """`bring(content)` imports a file with that content."""

    def run(content, *, maps=(), apply=True, home=None, **wish):
        path = tmp_path / "merchants.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        table = look_at(path)
        with translation.override("zh-hans"):
            return import_merchants(
                actor=SYSTEM,
                table=table,
                columns=read_mapping(table.header, maps, MERCHANTS),
                wish=Wish(apply=apply, home_pool=home or (lambda: cast.pool), **wish),
                now=noon,
                progress=silent,
            )

    return run


def counts(outcome):
    return (outcome.rows, outcome.new, outcome.changed, outcome.unchanged, outcome.bad.total)


def named(outcome):
    return [(row.line, row.reason) for row in outcome.bad.first]


def known(*refs):
    return {
        m.ref: (m.name, m.facts) for m in Merchant.objects.filter(ref__in=refs).select_related("home_pool")
    }


# --- what is written ------------------------------------------------------------------------------


def test_new_merchants_come_home_to_the_pool_with_their_facts(bring, cast, noon):
    outcome = bring(HEADER + "A,青瓷,杭州\nB,,\n")
    assert (counts(outcome), outcome.new_facts, outcome.applied) == ((2, 2, 0, 0, 0), ("city",), True)
    assert known("A", "B") == {"A": ("青瓷", {"city": "杭州"}), "B": ("商家 B", {})}
    made = Merchant.objects.get(ref="A")
    assert (made.home_pool, made.created_at) == (cast.pool, noon)


def test_one_event_tells_of_the_whole_import(bring):
    bring(HEADER + "A,a,x\nB,b,y\nM-1042,云栖女装,z\n")
    [event] = Event.objects.filter(kind="merchants.imported")
    assert event.payload | {"digest": ""} == {
        "digest": "",
        "mapping": ["ref=ref", "name=name", "fact.city=fact.city"],
        "rows": 3,
        "new": 2,
        "changed": 1,
        "unchanged": 0,
        "bad": 0,
    }
    assert event.subject == f"import:{event.payload['digest'][:16]}"


def test_a_dry_run_says_the_same_and_changes_nothing(bring, unchanged):
    content = HEADER + "A,a,x\nM-1042,云栖,\nM-2077,墨白文具,\n"
    with unchanged():
        dry = bring(content, apply=False)
    assert (counts(dry), dry.new_facts, dry.applied) == ((3, 1, 1, 1, 0), ("city",), False)
    assert counts(bring(content)) == counts(dry)


def test_the_same_file_again_changes_nothing(bring, unchanged):
    content = HEADER + "A,a,x\nB,b,\nM-1042,云栖女装旗舰店,杭州\n"
    bring(content)
    with unchanged():
        again = bring(content)
    assert counts(again) == (3, 0, 0, 3, 0)


def test_only_what_differs_is_written_and_other_facts_stay(bring, cast, noon):
    outcome = bring("ref,fact.city\nM-1042,杭州\n")
    assert counts(outcome) == (1, 0, 1, 0, 0)
    assert known("M-1042") == {"M-1042": ("云栖女装", {"shop_name": "云栖女装", "city": "杭州"})}


def test_an_empty_cell_says_nothing(bring, unchanged):
    bring(HEADER + "A,青瓷,杭州\n")
    with unchanged():
        outcome = bring(HEADER + "A,,\n")
    assert counts(outcome) == (1, 0, 0, 1, 0)


def test_a_fact_that_is_a_number_stays_one(bring, cast, noon, unchanged):
    for key in ("staff", "open"):
        define_fact(actor=SYSTEM, key=key, titles={"zh-Hans": "x", "en": "x"}, source="s", now=noon)
    set_facts(actor=SYSTEM, merchant=cast.mira_shop, facts={"staff": 5, "open": True}, now=noon)
    with unchanged():
        assert counts(bring("ref,fact.staff,fact.open\nM-1042,5,true\n")) == (1, 0, 0, 1, 0)
    bring("ref,fact.staff,fact.open\nM-1042,5,false\n")
    assert known("M-1042")["M-1042"][1] == {"shop_name": "云栖女装", "staff": 5, "open": "false"}


def test_a_pool_column_decides_where_merchants_are_at_home(bring, cast, noon):
    other = type(cast.pool).objects.create(code="south", name="南", lead=cast.wei)
    outcome = bring("ref,home_pool\nA,south\nB,\nM-1042,south\nM-2077,\nC,nowhere\n", skip_bad=True)
    assert named(outcome) == [(6, "“home_pool”里的共享池不存在")]
    homes = dict(Merchant.objects.values_list("ref", "home_pool"))
    assert homes == {"A": other.pk, "B": cast.pool.pk, "M-1042": other.pk, "M-2077": cast.pool.pk}


def test_more_facts_than_one_function_call_can_take(bring):
    keys = [f"k{i}" for i in range(120)]
    bring("ref," + ",".join(f"fact.{key}" for key in keys) + "\nA," + ",".join(keys) + "\n")
    assert known("A")["A"][1] == {key: key for key in keys}
    assert FactDefinition.objects.filter(key__in=keys).count() == 120


def test_a_column_may_tell_two_things(bring):
    bring("id,x\nA,杭州\n", maps=["ref=id", "name=x", "fact.city=x", "fact.town=x"])
    assert known("A") == {"A": ("杭州", {"city": "杭州", "town": "杭州"})}


@pytest.mark.parametrize(
    "encoded",
    [lambda t: t.encode("gb18030"), lambda t: b"\xef\xbb\xbf" + t.encode(), str.encode],
    ids=["gb", "bom", "utf"],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_spreadsheets_of_all_kinds(bring, encoded, end):
    bring(encoded(f"ref,name,fact.city{end}A,云栖女装𠮷,杭州{end}B,b, 宁波\u3000{end}"))
    assert known("A", "B") == {"A": ("云栖女装𠮷", {"city": "杭州"}), "B": ("b", {"city": "宁波"})}


def test_quotes_commas_and_line_breaks_inside_cells(bring):
    bring(HEADER + '"A","say ""hi"", ok","1 Road\nTown"\n" B ","5"" pipe",""\nC,5" pipe,6" pipe\n')
    assert known("A", "B", "C") == {
        "A": ('say "hi", ok', {"city": "1 Road\nTown"}),
        "B": ('5" pipe', {}),
        "C": ('5" pipe', {"city": '6" pipe'}),
    }


def test_guards_of_an_export_are_taken_off(bring):
    bring(HEADER + "A,'=1+1,'+86\nB,d'Oeste,''@x\nC,'tis,-\n")
    assert known("A", "B", "C") == {
        "A": ("=1+1", {"city": "+86"}),
        "B": ("d'Oeste", {"city": "'@x"}),
        "C": ("'tis", {"city": "-"}),
    }


@pytest.mark.parametrize("cell", ["=1", "'=1", "''=1", "'", "'tis", "'＝1", "'-", "'\t=", "x'=1"])
def test_sql_takes_guards_off_as_python_does(db, cell):
    [(taken,)] = rows("SELECT regexp_replace(%s, %s, '\\1')", [cell, GUARD])
    assert taken == unguard(cell)


@pytest.mark.parametrize("ref", ["A", "123456789012", "1234567890123", "长" * 13])
def test_sql_calls_a_merchant_as_python_does(db, ref):
    name = _readable().as_string(connection.connection)
    [(called,)] = rows(f"SELECT {name} FROM (VALUES (%s)) p (ref)", [ref])
    assert called == readable_name(ref)


def test_what_was_exported_comes_back_without_a_change(bring, cast, noon, unchanged):
    bring(HEADER + 'A,\'=cmd,"a ""b"", c"\nB,"x\ny",\'-5\nC,\'\'@,云\n')
    content = "".join(merchants_export().lines(Format.CSV))
    assert "\nA,'=cmd," in content
    with unchanged():
        assert counts(bring(content)) == (5, 0, 0, 5, 0)


# --- what is refused ------------------------------------------------------------------------------

BAD = {
    "no reference": ("x,b,c\n ,d,e\n", [(3, "“ref”是空的")]),
    "long reference": ("x" * 65 + ",b,c\n", [(2, "“ref”超过 64 个字")]),
    "long name": ("A," + "长" * 201 + ",c\n", [(2, "“name”超过 200 个字")]),
    "a million characters": ("A,b," + "x" * 1_000_000 + "\n", [(2, f"“fact.city”超过 {FACT_MOST} 个字")]),
    "a million quoted": (
        'A,b,"' + "x" * 1_000_000 + '"\n',
        [(2, "这一行读不成一条记录：field larger than field limit (131072)")],
    ),
    "control characters": (
        "A\x1b[2J,b,c\nB,\x1b[2J,c\n",
        [(2, "“ref”里有控制字符"), (3, "“name”里有控制字符")],
    ),
    "line break in the reference": ('"A\nB",b,c\n', [(2, "“ref”里有控制字符")]),
    "NUL": ("A,b\x00,c\n", [(2, "有空字符 (NUL)")]),
    "cells missing and left over": (
        "A\nB,b,c\nC,b,c,d\n",
        [(2, "有 1 列，表头有 3 列"), (4, "有 4 列，表头有 3 列")],
    ),
    "twice": ("A,b,c\nB,b,c\nA,x,y\n", [(4, "商家 A 在第 2 行已经有了")]),
    "twice, after cells of several lines": (
        'B,"1\n2\n3",c\n A ,b,c\n"A",x,y\n',
        [(6, "商家 A 在第 5 行已经有了")],
    ),
}


@pytest.mark.parametrize(("content", "reasons"), BAD.values(), ids=BAD)
def test_a_bad_row_is_named_and_nothing_is_changed(bring, unchanged, content, reasons):
    with unchanged():
        outcome = bring(HEADER + content)
    assert (named(outcome), outcome.applied) == (reasons, False)


def test_good_rows_are_imported_alone_only_when_asked(bring, unchanged):
    content = HEADER + "A,a,x\n,b,y\nA,again,z\nB,b\nC,c,z\n"
    with unchanged():
        refused = bring(content)
    outcome = bring(content, skip_bad=True)
    assert counts(outcome) == counts(refused) == (5, 2, 0, 0, 3)
    assert outcome.applied
    assert known("A", "B", "C") == {"A": ("a", {"city": "x"}), "C": ("c", {"city": "z"})}
    assert Event.objects.get(kind="merchants.imported").payload["bad"] == 3


def test_of_very_many_bad_rows_the_first_are_named_and_all_counted(bring):
    outcome = bring(HEADER + ",b,c\n" * 5000 + "A,b\n" * 5000)
    assert (outcome.bad.total, len(outcome.bad.first), outcome.bad.first[0].line) == (10_000, 50, 2)


def test_a_file_without_rows_changes_nothing(bring, unchanged):
    with unchanged():
        assert counts(bring(HEADER)) == (0, 0, 0, 0, 0)


def test_a_second_import_at_the_same_time_is_refused(bring, unchanged, other):
    other.execute("SELECT pg_advisory_lock(%s)", [ALONE])
    with unchanged(), pytest.raises(ImportRunning) as refusal:
        bring(HEADER + "A,b,c\n")
    assert refusal.value.hint


# --- several sessions, and what may happen meanwhile ----------------------------------------------


@pytest.fixture
def other(db):
    """A session of somebody else."""
    with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
        yield session


MANY = 3000


def many(change=""):
    return HEADER + "".join(f"R{i},n{i}{change},c{i % 7}\n" for i in range(MANY))


@pytest.mark.django_db(transaction=True)
def test_two_sessions_bring_in_every_row_once(bring, unchanged):
    assert counts(bring(many(), sessions=2)) == (MANY, MANY, 0, 0, 0)
    assert Merchant.objects.filter(ref__startswith="R").count() == MANY
    with unchanged():
        assert counts(bring(many(), sessions=2)) == (MANY, 0, 0, MANY, 0)
    assert counts(bring(many("!"), sessions=2)) == (MANY, 0, MANY, 0, 0)
    assert known("R17") == {"R17": ("n17!", {"city": "c3"})}


@pytest.mark.django_db(transaction=True)
def test_two_sessions_find_every_bad_row(bring, unchanged):
    doubled = many() + '"R0",x,y\nR1,x,y\nR2,x\n,x,y\n'
    with unchanged():
        outcome = bring(doubled, sessions=2)
    assert counts(outcome) == (MANY + 4, MANY, 0, 0, 4)
    assert named(outcome) == [
        (MANY + 2, "商家 R0 在第 2 行已经有了"),
        (MANY + 3, "商家 R1 在第 3 行已经有了"),
        (MANY + 4, "有 2 列，表头有 3 列"),
        (MANY + 5, "“ref”是空的"),
    ]


@pytest.mark.django_db(transaction=True)
def test_who_registers_a_merchant_meanwhile_wins_and_the_import_leaves_nothing(bring, cast, other):
    def slow_pool():
        other.execute(
            "INSERT INTO merchants_merchant (ref, name, facts, created_at, home_pool_id)"
            " VALUES ('R5', 'theirs', '{}', now(), %s)",
            [cast.pool.pk],
        )
        return cast.pool

    with pytest.raises(MerchantsMoved) as refusal:
        bring(many(), home=slow_pool)
    assert refusal.value.hint
    assert known("R5", "R6") == {"R5": ("theirs", {})}
    assert not Event.objects.filter(kind="merchants.imported").exists()
    assert counts(bring(many())) == (MANY, MANY - 1, 1, 0, 0)


SCRIPT = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
import psycopg
from datetime import UTC, datetime
from django.db import connection
from guanjia.base.actors import SYSTEM
from guanjia.merchants.importing.files import look_at
from guanjia.merchants.importing.load import Wish, import_merchants
from guanjia.merchants.importing.mapping import MERCHANTS, read_mapping
from guanjia.people.models import Pool

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def on_progress(phase, done, total):
    if phase == sys.argv[2]:
        die()

def commit(self, real=psycopg.Connection.commit):
    die() if sys.argv[2] == "commit" and self is not connection.connection else real(self)

psycopg.Connection.commit = commit
table = look_at(Path(sys.argv[1]))
wish = Wish(apply=True, home_pool=Pool.objects.get, sessions=2)
columns = read_mapping(table.header, [], MERCHANTS)
import_merchants(
    actor=SYSTEM, table=table, columns=columns, wish=wish, now=datetime.now(UTC), progress=on_progress
)
"""


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["stage", "check", "write", "commit"])
def test_a_killed_import_leaves_whole_rows_and_the_next_one_completes_it(bring, tmp_path, moment):
    path = tmp_path / "killed.csv"
    path.write_text(many())
    at = connection.settings_dict
    url = f"postgresql://{at['USER']}:{quote(at['PASSWORD'])}@{at['HOST']}:{at['PORT']}/{at['NAME']}"
    env = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "guanjia.config.settings"}
    dead = subprocess.run([sys.executable, "-c", SCRIPT, path, moment], env=env, timeout=60, check=False)
    assert dead.returncode == -signal.SIGKILL
    _wait_until_alone()
    written = Merchant.objects.filter(ref__startswith="R")
    left = written.count()
    assert left == 0 if moment != "commit" else 0 < left < MANY
    assert Event.objects.filter(kind="merchants.imported").count() == (moment == "commit")
    assert all((m.name, m.facts) == (f"n{m.ref[1:]}", {"city": f"c{int(m.ref[1:]) % 7}"}) for m in written)
    assert counts(bring(many())) == (MANY, MANY - left, 0, left, 0)
    assert written.all().count() == MANY


def _wait_until_alone():
    """The server rolls back what a dead client began once it notices; so must we wait for that."""
    begun = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND xact_start IS NOT NULL"
    )
    until = time.monotonic() + 30
    while rows(begun) != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.02)


# --- real data ------------------------------------------------------------------------------------


@pytest.mark.skipif(not OLIST.exists(), reason=f"real data are not there: {OLIST}")
def test_the_sellers_of_a_real_marketplace(bring, unchanged):
    content = OLIST.read_bytes()
    assert counts(bring(content)) == (3095, 3095, 0, 0, 0)
    with unchanged():
        assert counts(bring(content)) == (3095, 0, 0, 3095, 0)
    assert known("3442f8959a84dea7ee197c632cb2df15") == {
        "3442f8959a84dea7ee197c632cb2df15": (
            "商家 3442f895",
            {"zip": "13023", "city": "campinas", "state": "SP"},
        )
    }
    with unchanged():
        exported = "".join(merchants_export().lines(Format.CSV))
        assert counts(bring(exported)) == (3097, 0, 0, 3097, 0)
