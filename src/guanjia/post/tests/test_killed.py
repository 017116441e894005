"""Workers are killed again and again, and everybody is told once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection

from guanjia.base.sql import rows
from guanjia.cases.actions import open_case, say
from guanjia.demo.cast import make_cast
from guanjia.post import actions
from guanjia.post.models import Delivery, Notice
from guanjia.post.tests.receivers import receiving
from guanjia.post.tests.rounds import LOCAL

pytestmark = pytest.mark.django_db(transaction=True)

LIMIT = 60.0  # seconds before the test gives up waiting
WORDS = 40


@pytest.fixture
def dsn():
    at = connection.settings_dict
    return f"postgresql://{at['USER']}:{at['PASSWORD']}@{at['HOST']}:{at['PORT']}/{at['NAME']}"


def worker(dsn):
    command = [sys.executable, "-m", "guanjia.post.tests.worker", dsn]
    started = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": dsn}, stdout=subprocess.PIPE)
    assert started.stdout is not None
    started.stdout.readline()
    return started


def until(dsn, statement, wanted):
    end = time.monotonic() + LIMIT
    with psycopg.connect(dsn, autocommit=True) as session:
        while not wanted(session.execute(statement).fetchall()[0][0]):
            assert time.monotonic() < end
            time.sleep(0.01)


def test_killed_workers_tell_everybody_once(dsn, ports):
    now = datetime.now(UTC)
    cast = make_cast(now)
    with receiving(ports.port()) as receiver:
        wish = actions.Wish("webhook", "ERP", receiver.url(), "", ["case", "answer"])
        actions.add_endpoint(
            actor=cast.wei, merchant_ref=None, team=None, wish=wish,
            language="en", allowed=LOCAL, now=now,
        )  # fmt: skip
        case = open_case(actor=cast.mira, merchant_ref="M-1042", need="首页展示位", now=now)
        for n in range(WORDS):
            say(actor=cast.mira, number=case.number, body=f"第 {n} 句", now=now)
        _work_and_kill(dsn)
        signed = {taken.headers["webhook-id"] for taken in receiver.taken}
    assert Notice.objects.filter(user=cast.lin).count() == WORDS + 1
    assert Notice.objects.exclude(user=cast.lin).count() == 0
    sent = Delivery.objects.filter(state="sent")
    assert {f"msg_{one.uid.hex}" for one in sent} == signed
    assert len(signed) == WORDS + 1
    assert rows("SELECT count(*) FROM base_flow WHERE name IN ('post.tell', 'post.deliver')") == [(0,)]


def _work_and_kill(dsn):
    """Killed as soon as it has told somebody, as soon as something was sent; the third may finish."""
    moments = (
        ("SELECT count(*) FROM post_notice", lambda count: count > 0),
        ("SELECT count(*) FROM post_delivery WHERE state = 'sent'", lambda count: count > 2),
        ("SELECT count(*) FROM base_flow WHERE name IN ('post.tell', 'post.deliver')", lambda c: c == 0),
    )
    for statement, wanted in moments:
        process = worker(dsn)
        try:
            until(dsn, statement, wanted)
        finally:
            process.kill()
            process.communicate()
