"""What is old goes: notices that were read, deliveries that have ended, and news nobody holds any more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from guanjia.cases.actions import open_case, say
from guanjia.post.keeping import sweep
from guanjia.post.models import Delivery, News, Notice
from guanjia.post.tests.rounds import tell_all

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def told(cast, noon):
    """Lin was told of two events and has read the first; its letter was sent."""
    case = open_case(actor=cast.mira, merchant_ref="M-1042", need="首页展示位", now=noon)
    say(actor=cast.mira, number=case.number, body="还有吗？", now=noon)
    tell_all(noon)
    first = Notice.objects.earliest("pk")
    Notice.objects.filter(pk=first.pk).update(unread=False, read_at=noon)
    Delivery.objects.create(
        news=first.news, event=first.event, user=cast.lin, channel="mail", state="sent",
        due_at=noon, created_at=noon, ended_at=noon,
    )  # fmt: skip


def counts():
    return Notice.objects.count(), Delivery.objects.count(), News.objects.count()


def test_each_is_kept_for_its_days_and_what_is_unread_for_ever(told, noon):
    assert counts() == (2, 1, 2)
    assert sweep(noon + 29 * DAY) is False
    assert counts() == (2, 1, 2)
    sweep(noon + 31 * DAY)
    assert counts() == (2, 0, 2)
    sweep(noon + 91 * DAY)
    assert counts() == (1, 0, 1)
    sweep(noon + 5000 * DAY)
    assert counts() == (1, 0, 1)


def test_what_is_kept_always_is_kept(told, noon, settings):
    settings.NOTICES_KEPT = settings.DELIVERIES_KEPT = None
    assert sweep(noon + 5000 * DAY) is False
    assert counts() == (2, 1, 2)


def test_a_long_house_is_swept_in_parts(told, noon, monkeypatch):
    monkeypatch.setattr("guanjia.post.keeping.SWEEP_MOST", 1)
    assert sweep(noon + 91 * DAY) is True
