"""How long notices and the delivery log are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from guanjia.base.sql import run

SWEEP_MOST = 5000
"""Rows in one transaction: clearing away never keeps anybody waiting."""

# A delivery that others travel with goes last: their log leads to it.
_NOTICES = """
DELETE FROM post_notice WHERE id IN (
  SELECT id FROM post_notice WHERE read_at < %(before)s ORDER BY read_at LIMIT %(most)s)
"""
_DELIVERIES = """
WITH old AS (SELECT id FROM post_delivery WHERE ended_at < %(before)s ORDER BY ended_at LIMIT %(most)s),
tries AS (DELETE FROM post_attempt WHERE delivery_id IN (SELECT id FROM old)),
carried AS (UPDATE post_delivery SET together_id = NULL WHERE together_id IN (SELECT id FROM old)
  AND id NOT IN (SELECT id FROM old))
DELETE FROM post_delivery WHERE id IN (SELECT id FROM old)
"""
_NEWS = """
DELETE FROM post_news WHERE id IN (
  SELECT w.id FROM post_news w WHERE w.at < %(before)s
    AND NOT EXISTS (SELECT FROM post_notice n WHERE n.news_id = w.id)
    AND NOT EXISTS (SELECT FROM post_delivery d WHERE d.news_id = w.id)
  ORDER BY w.at LIMIT %(most)s)
"""


def sweep(now: datetime) -> bool:
    """Clear away some of what was read or delivered long ago; whether there may be more."""
    notices, log = settings.NOTICES_KEPT, settings.DELIVERIES_KEPT
    cleared = [
        run(statement, {"before": now - kept, "most": SWEEP_MOST})
        for statement, kept in ((_NOTICES, notices), (_DELIVERIES, log), (_NEWS, _shorter(notices, log)))
        if kept is not None
    ]
    return max(cleared, default=0) >= SWEEP_MOST


def _shorter(*kept: timedelta | None) -> timedelta | None:
    return min((one for one in kept if one is not None), default=None)
