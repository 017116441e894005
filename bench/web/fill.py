"""Fill an empty database with N cases as a marketplace would have them, by statements over whole sets.

22% are live, most of them recent; an account manager has some 500 cases, 110 of them live; one merchant in
nine is the shared pool's; one giant merchant, the dedicated team's, has every twentieth case. The people
whose pages are measured work in both, which is the worst desk there is. Prints, as JSON, what to ask for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from urllib.parse import urlencode

import django

django.setup()

import entries  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.backends.utils import CursorWrapper  # noqa: E402
from django.utils import timezone  # noqa: E402

from guanjia.base.actors import SYSTEM  # noqa: E402
from guanjia.base.sql import rows  # noqa: E402
from guanjia.demo.cast import make_cast, make_pool  # noqa: E402
from guanjia.lines.models import Service  # noqa: E402
from guanjia.people.actions import issue_token  # noqa: E402
from guanjia.people.models import Team, User  # noqa: E402

CASES_PER_MANAGER, CASES_PER_MERCHANT = 500, 10
MEASURED = 8
"""Account managers, and members of merchants, whose pages are asked for."""
MANAGER, MEMBER, SHOP = 1_000, 10_000_000, 1_000
"""Ids begin after these."""

STEPS = """
INSERT INTO people_user (id, password, username, name, email, language, is_active, created_at)
SELECT {MANAGER} + g, '!', 'manager-' || g, '经理 ' || g, '', 'zh-hans', true, now()
FROM generate_series(1, {managers}) g;

INSERT INTO people_rolegrant (user_id, role)
SELECT {MANAGER} + g, 'account_manager' FROM generate_series(1, {managers}) g;

INSERT INTO people_user (id, password, username, name, email, language, is_active, created_at)
SELECT {MEMBER} + m, '!', 'member-' || m, '店主 ' || m, '', 'zh-hans', true, now()
FROM generate_series(1, {merchants}) m;

INSERT INTO merchants_merchant (id, ref, name, home_pool_id, facts, created_at)
SELECT {SHOP} + m, 'B-' || m, '商家 ' || m, {pool}, jsonb_build_object('shop_name', '商家 ' || m),
  now() - interval '2 years'
FROM generate_series(1, {merchants}) m;

INSERT INTO merchants_member (merchant_id, user_id, role)
SELECT {SHOP} + m, {MEMBER} + m, 'owner' FROM generate_series(1, {merchants}) m;

INSERT INTO coverage_responsibility (merchant_id, person_id, team_id, role, during, reason)
SELECT {SHOP} + m, CASE WHEN m > 1 THEN {MANAGER} + 1 + m % {managers} END, CASE WHEN m = 1 THEN {team} END,
  'account_manager', tstzrange(now() - interval '2 years', NULL), 'bench'
FROM generate_series(1, {merchants}) m WHERE m % 9 <> 0;

INSERT INTO people_team_members (team_id, user_id)
SELECT {team}, {MANAGER} + g FROM generate_series(1, {measured}) g;
INSERT INTO people_pool_members (pool_id, user_id)
SELECT {pool}, {MANAGER} + g FROM generate_series(1, {measured}) g;

SELECT setseed(0.5);

CREATE TEMP TABLE plan AS
SELECT i, m, i > {cases} * 0.6 AND (i * 31) % 100 < 55 AS live,
  CASE WHEN m > 1 AND m % 9 <> 0 THEN {MANAGER} + 1 + m % {managers} END AS person,
  CASE WHEN m = 1 THEN {team} END AS team, CASE WHEN m % 9 = 0 THEN {pool} END AS pool,
  CASE WHEN m = 1 THEN {lead} WHEN m % 9 = 0 THEN {lead} ELSE {MANAGER} + 1 + m % {managers} END AS owner,
  CASE WHEN i % 4 = 0 THEN 'waiting_line' WHEN i % 8 = 1 THEN 'waiting_merchant' ELSE 'open' END AS state,
  now() - ({cases} - i) * interval '2 years' / {cases} AS opened_at,
  now() + ((i * 7919) % 5760 - 1440) * interval '1 minute' AS due_at
FROM (SELECT i, CASE WHEN i % 20 = 0 THEN 1 ELSE 2 + (i * 7919) % ({merchants} - 1) END AS m
      FROM generate_series(1, {cases}::bigint) i) each;

INSERT INTO cases_case (id, number, merchant_id, title, need, state, opened_by_id, first_contact_id,
  person_id, team_id, pool_id, opened_at, solved_at, closed_at, due_at)
SELECT i, 'GJ-2026-' || lpad(i::text, greatest(6, length(i::text)), '0'), {SHOP} + m,
  '事项 ' || i || '：' || CASE WHEN i % 3 = 0 THEN '申请退款' ELSE '想上团购，要一个展位' END,
  '想上下周三的团购，同时要一个首页展示位，再备三个仓的货。' || coalesce((SELECT string_agg(
     substr({letters}, 1 + floor(power(random() + 0 * i, 2) * 156)::int, 2),
     CASE WHEN k % 4 = 0 THEN '，' ELSE '' END) FROM generate_series(1, 24) k), '')
  || '。货号 SKU-' || lpad(to_hex(i * 2654435761 % 4294967296), 8, '0')
  || CASE WHEN i % 20000 = 7 THEN '，鸬鹚' ELSE '' END, CASE WHEN live THEN state ELSE 'closed' END,
  {MEMBER} + m, owner, person, team, pool, opened_at,
  CASE WHEN NOT live THEN opened_at + interval '1 day' END,
  CASE WHEN NOT live THEN opened_at + interval '8 days' END, CASE WHEN live THEN due_at END
FROM plan;

INSERT INTO cases_message (case_id, author_id, internal, body, at)
SELECT i, CASE WHEN k = 1 THEN {MEMBER} + m ELSE owner END, k = 3, '第 ' || k || ' 句：请看一下档期。',
  opened_at + k * interval '1 minute'
FROM plan CROSS JOIN generate_series(1, 3) k WHERE live;

INSERT INTO packages_package (id, number, merchant_id, case_id, mode, state, composed_by_id, currency,
  created_at, submitted_at, cancel_requested)
SELECT i, 'PK-2026-' || lpad(i::text, 8, '0'), {SHOP} + m, i, 'best_effort', 'deciding', owner, 'CNY',
  opened_at, opened_at, false
FROM plan WHERE live AND i % 4 = 0;

INSERT INTO packages_item (uid, package_id, position, service_id, params, core, state, within_mandate,
  generation, hold_id, ttl_seconds, grace_seconds, silence_consents, attempts, escalated, by_silence,
  stuck, declined, decision_due_at, reference, reason_code, reason)
SELECT gen_random_uuid(), i, k, CASE WHEN k = 1 THEN {service} ELSE {other} END,
  CASE WHEN k = 1 THEN '{{"day": "2026-12-01", "shop": "x"}}'::jsonb ELSE '{{"boxes": 3}}'::jsonb END, true,
  CASE WHEN k = 1 THEN 'pending_decision' ELSE 'held' END, false, 0, gen_random_uuid(), 900, 3600, true, 1,
  false, false, false, false, CASE WHEN k = 1 THEN due_at END, '', '', '{{}}'::jsonb
FROM plan CROSS JOIN generate_series(1, 2) k WHERE live AND i % 4 = 0;

INSERT INTO cases_clock (case_id, kind, owner_id, line_id, item, started_at, due_at)
SELECT i, CASE state WHEN 'waiting_line' THEN 'line_decision' WHEN 'waiting_merchant' THEN 'merchant_answer'
                     ELSE 'first_answer' END, owner, CASE WHEN state = 'waiting_line' THEN {line} END,
  (SELECT uid FROM packages_item t WHERE t.package_id = i AND t.position = 1), opened_at, due_at
FROM plan WHERE live;

INSERT INTO cases_clock (case_id, kind, owner_id, started_at, due_at)
SELECT i, 'resolution', owner, opened_at, due_at + interval '1 day' FROM plan WHERE live;

INSERT INTO ledger_event (at, kind, actor, merchant_id, subject, payload)
SELECT opened_at, 'cases.opened', 'user:' || ({MEMBER} + m), {SHOP} + m,
  'case:GJ-2026-' || lpad(i::text, greatest(6, length(i::text)), '0'),
  jsonb_build_object('case', 'GJ-2026-' || lpad(i::text, greatest(6, length(i::text)), '0'),
                     'owner', 'person:' || owner, 'first_contact', owner, 'due_at', due_at)
FROM plan WHERE live
"""
LARGE = (
    "cases_case",
    "cases_clock",
    "cases_message",
    "packages_package",
    "packages_item",
    "ledger_event",
)
SEARCHED = ("search_casewords", "search_merchantwords")
PLAIN_INDEXES = """
SELECT c.relname, pg_get_indexdef(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY(%s::regclass[]) AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid)
"""
"""Those that no constraint needs."""
LETTERS = (
    "一不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家"
    "十用发天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从活业品店货仓价"
    "单退换修改查询物流快递广告流量优惠券满减活动报名审核资质证照品牌授权投诉质检抽样报告包装尺寸重量库存补货"
)
"""Of which the made-up words of the cases consist."""
SEQUENCES = ("people_user", "merchants_merchant", "cases_case", "packages_package")


def fill(cases: int) -> None:
    """The lines and leads are the cast's; all else is written with triggers off, as they would leave it."""
    now = timezone.now()
    cast = make_cast(now)
    pool = make_pool(cast.wei, code="bench", name="共享池")
    team = Team.objects.create(code="giants", name="大客户专班", lead=cast.wei)
    values = {
        "cases": cases,
        "managers": max(20, cases // CASES_PER_MANAGER),
        "merchants": cases // CASES_PER_MERCHANT,
        "measured": MEASURED,
        "pool": pool.pk,
        "team": team.pk,
        "lead": cast.wei.pk,
        "line": cast.display.pk,
        "service": Service.objects.get(line=cast.display).pk,
        "other": Service.objects.get(line=cast.warehousing).pk,
        "letters": f"'{LETTERS}'",
        "MANAGER": MANAGER,
        "MEMBER": MEMBER,
        "SHOP": SHOP,
    }
    with connection.cursor() as cursor, in_bulk(cursor, LARGE):
        for step in STEPS.format(**values).split(";\n"):
            cursor.execute(step)
        for table in SEQUENCES:
            top = f"greatest((SELECT max(id) FROM {table}), 100000000)"
            cursor.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {top})")
        cursor.execute("SELECT setval('cases_number', 100000000)")
        cursor.execute("DROP TABLE plan")
    with connection.cursor() as cursor, in_bulk(cursor, SEARCHED):
        index(cases, cases // CASES_PER_MERCHANT)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


@contextmanager
def in_bulk(cursor: CursorWrapper, tables: Sequence[str]) -> Iterator[None]:
    """Triggers off, few checkpoints, and the indexes of the large tables built at the end: row by row, at
    random places, they would take most of an hour for 10 million cases."""
    cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
    cursor.execute("SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'")
    cursor.execute("ALTER SYSTEM SET max_wal_size = '16GB'")
    cursor.execute("SELECT pg_reload_conf()")
    indexes = rows(PLAIN_INDEXES, [list(tables)])
    for name, _definition in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _name, definition in indexes:
        cursor.execute(definition)
    cursor.execute("RESET session_replication_role; RESET maintenance_work_mem; RESET work_mem")
    cursor.execute("ALTER SYSTEM RESET max_wal_size")
    cursor.execute("SELECT pg_reload_conf()")


def index(cases: int, merchants: int) -> None:
    """What search looks through, on all CPUs: the terms are made by our own code, and copied in."""
    chunks = [("case", low) for low in range(1, cases + 1, entries.CHUNK)]
    chunks += [("merchant", low) for low in range(SHOP + 1, SHOP + merchants + 1, entries.CHUNK)]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as others:
        list(others.map(entries.copy, chunks, chunksize=4))


def cookie(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


def page(path: str, user: User, holds: str) -> dict[str, object]:
    return {"method": "GET", "path": path, "headers": {"Cookie": cookie(user)}, "status": 200, "holds": holds}


def intake(user: User, ref: str) -> dict[str, object]:
    token = issue_token(actor=SYSTEM, user=user, label="bench", now=timezone.now())
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": "{n}",
    }
    need = "想上下周三的团购，同时要一个首页展示位，再备三个仓的货。"
    body = json.dumps({"merchant": ref, "need": need}, ensure_ascii=False)
    about = {"method": "POST", "path": "/api/cases", "headers": headers, "body": body}
    return {**about, "status": 201, "holds": '"state": "open"'}


def targets() -> dict[str, list[dict[str, object]]]:
    """Everything that is asked for, for each kind of page. The giant merchant is one of the doors."""
    managers = list(User.objects.filter(pk__gt=MANAGER, pk__lte=MANAGER + MEASURED).order_by("pk"))
    desk, case, door, taken = [], [], [], []
    for number, manager in enumerate(managers, 1):
        found = rows(
            "SELECT c.number, m.ref FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id"
            " WHERE c.person_id = %s AND c.state IN ('open', 'waiting_line', 'waiting_merchant')"
            " ORDER BY c.due_at, c.id LIMIT 3",
            [manager.pk],
        )
        desk.append(page("/desk/", manager, found[0][0]))
        case += [page(f"/desk/cases/{each}/", manager, each) for each, _ref in found]
        for ref in ["B-1"] if number == 1 else [found[0][1]]:
            owner = User.objects.get(memberships__merchant__ref=ref)
            door.append(page(f"/door/{ref}/", owner, "GJ-2026-"))
            taken.append(intake(owner, ref))
    found = {"desk list": desk, "case page": case, "merchant door": door, "intake": taken}
    return found | searches(managers[0])


def searches(worker: User) -> dict[str, list[dict[str, object]]]:
    """By the lead, by somebody of the pool and the giants' team, by a manager of 50 merchants, and at the
    giant's door: a word in every third case, one in twenty thousand, a phrase, the beginning of an order
    number, two frequent words that never meet, and a word that is nowhere."""
    lead = User.objects.get(username="wei")
    manager = User.objects.get(pk=MANAGER + MEASURED + 4)
    owner = User.objects.get(memberships__merchant__ref="B-1")
    words = {
        "退款": "<mark>",
        "鸬鹚": "",
        "“首页展示位”": "<mark>",
        "SKU-9e37": "",
        "退款 展位": "",
        "zzzz": "",
    }
    doors = {
        "search, lead": ("/lead/search", lead),
        "search, pool and team": ("/desk/search", worker),
        "search, manager": ("/desk/search", manager),
        "search, giant door": ("/door/B-1/search", owner),
    }
    return {
        kind: [
            page(f"{path}?{urlencode({'q': one})}", user, holds or 'id="q"') for one, holds in words.items()
        ]
        for kind, (path, user) in doors.items()
    }


if __name__ == "__main__":
    call_command("migrate", verbosity=0, interactive=False)
    fill(int(sys.argv[1]))
    print(json.dumps(targets()))
