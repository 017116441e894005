"""Mira at her door, and another of her people, who may look and nothing else. By the real clock."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import make_cast, make_user
from guanjia.merchants.actions import add_member
from guanjia.merchants.models import MemberRole


@pytest.fixture
def now(every_hour_counts):
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - timedelta(days=1))


@pytest.fixture
def mira(market):
    return signed_in(market.mira)


@pytest.fixture
def member(market, now):
    """`member(role)` is the browser of another of Mira's people, and who that is."""

    def join(role):
        user = make_user("vera", "薇拉 Vera")
        kept = add_member(actor=SYSTEM, merchant=market.mira_shop, user=user, role=role, now=now)
        return signed_in(user), kept

    return join


@pytest.fixture
def still(monkeypatch, now):
    """The clock stands: what moves by the minute does not move within a test."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def viewer(member):
    client, _kept = member(MemberRole.VIEWER)
    return client


@pytest.fixture
def said():
    """The text of an answer, its blanks as one."""
    return lambda answer: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client
