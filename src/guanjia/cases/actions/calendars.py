"""Versions of calendars and promises. One verb, one transaction, one event; what was in force stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Forbidden
from guanjia.base.flows import wake
from guanjia.base.sql import run
from guanjia.base.texts import clean
from guanjia.cases.clock_events import CalendarChanged, PromisesChanged
from guanjia.cases.models import CalendarVersion, ClockKind, PromiseVersion
from guanjia.cases.promises import (
    FRESH_SECONDS,
    NOTICE,
    OURS,
    Rule,
    book,
    calendar_of,
    forget,
    narrowest_first,
)
from guanjia.core.clock import Schedule
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import Role, RoleGrant, User

RECOUNT_FLOW = "cases.recount"
"""Its one key is 1: deadlines follow the newest versions of their calendars."""
NAME_MOST = 80
RULES_MOST = 40
SECONDS_MOST = 400 * 3600
_PROMISED = (*OURS, ClockKind.LINE_DECISION)


def require_lead(actor: User) -> None:
    """Raises Forbidden for anyone who does not lead the service."""
    if not RoleGrant.objects.filter(user=actor, role=Role.SERVICE_LEAD).exists():
        raise Forbidden(
            _("日历和承诺由服务体系负责人来改。"), hint=_("如果您负责服务体系，请运维为您登记这个角色。")
        )


@transaction.atomic
def publish_calendar(
    *,
    actor: User,
    code: str,
    name: str,
    zone: str,
    week: Sequence[Sequence[Sequence[int]]],
    days: Mapping[str, Sequence[Sequence[int]]],
    since: datetime,
    now: datetime,
) -> CalendarVersion:
    """A calendar's next version, in force from `since` on: minutes after midnight, see CalendarVersion.

    What was counted before `since` stays; what runs follows it by itself. Raises Forbidden, BadInput.
    """
    require_lead(actor)
    name = clean(name, field=_("名称"), most=NAME_MOST)
    _refuse_unsound(zone, week, days, since)
    _one_at_a_time()
    versions = CalendarVersion.objects.filter(code=code)
    _refuse_past(since, now, versions.aggregate(last=Max("since"))["last"])
    version = CalendarVersion.objects.create(
        code=code,
        version=(versions.aggregate(last=Max("version"))["last"] or 0) + 1,
        since=since,
        name=name,
        zone=zone,
        week=week,
        days=days,
        made_by=actor,
        made_at=now,
    )
    changed = CalendarChanged(code, version.version, since.isoformat())
    record([Entry(now, actor_of(actor), f"calendar:{code}", changed)])
    # After every process has read it, so that no deadline is counted with the old one any more.
    wake(RECOUNT_FLOW, [1], now + timedelta(seconds=FRESH_SECONDS + 5), now)
    forget()
    return version


@transaction.atomic
def publish_promises(*, actor: User, rules: Sequence[Rule], since: datetime, now: datetime) -> PromiseVersion:
    """The next table of promises, in force for what begins from `since` on; what runs keeps what it was
    promised. Raises Forbidden, BadInput."""
    require_lead(actor)
    for number, rule in enumerate(rules, start=1):
        _refuse_rule(number, rule)
    if not 1 <= len(rules) <= RULES_MOST:
        raise BadInput(_("承诺表要有 1 到 %(most)d 行。") % {"most": RULES_MOST})
    _one_at_a_time()
    _refuse_past(since, now, PromiseVersion.objects.aggregate(last=Max("since"))["last"])
    version = PromiseVersion.objects.create(
        version=(PromiseVersion.objects.aggregate(last=Max("version"))["last"] or 0) + 1,
        since=since,
        rules=[_columns(rule) for rule in narrowest_first(rules)],
        made_by=actor,
        made_at=now,
    )
    changed = PromisesChanged(version.version, since.isoformat())
    record([Entry(now, actor_of(actor), f"promises:{version.version}", changed)])
    forget()
    return version


def _columns(rule: Rule) -> dict[str, Any]:
    return {**asdict(rule), "seconds": {str(kind): seconds for kind, seconds in rule.seconds.items()}}


def _one_at_a_time() -> None:
    """Two leads who publish at once get two versions, one after the other."""
    run("SELECT pg_advisory_xact_lock(%s, 0)", [0x6A72])


def _refuse_past(since: datetime, now: datetime, last: datetime | None) -> None:
    if since < now + NOTICE:
        raise BadInput(
            _("生效时间至少要在 %(n)d 秒以后：过去的不再改。") % {"n": int(NOTICE.total_seconds())},
            hint=_("请选晚一点的时间。"),
        )
    if last is not None and since <= last:
        raise BadInput(_("已经有一版在这之后生效。"), hint=_("请选比它更晚的时间。"))


def _refuse_unsound(zone: str, week: Sequence[Any], days: Mapping[str, Any], since: datetime) -> None:
    try:
        calendar = calendar_of(zone, week, days)
        Schedule.of(calendar).due(since, 8 * 3600)
    except OverflowError:
        raise BadInput(_("这个日历几乎没有工作时间。"), hint=_("请至少留出一些工作时段。")) from None
    except (ValueError, TypeError) as fault:
        raise BadInput(
            _("日历不对：时段重叠、次序颠倒，或没有这个时区。"), hint=_("请按 09:00-12:00 13:00-18:00 填。")
        ) from fault


def _refuse_rule(number: int, rule: Rule) -> None:
    at = {"n": number}
    if rule.calendar not in book().calendars:
        raise BadInput(_("第 %(n)d 行：没有这个日历。") % at, hint=_("请从列出的里面选。"))
    if not rule.seconds or not set(rule.seconds) <= set(_PROMISED):
        raise BadInput(_("第 %(n)d 行：至少要有一个时限。") % at)
    if not all(60 <= seconds <= SECONDS_MOST for seconds in rule.seconds.values()):
        raise BadInput(_("第 %(n)d 行：时限要在 1 分钟到 400 小时之间。") % at)
    if not 0 <= rule.warn_share < 100:
        raise BadInput(_("第 %(n)d 行：提醒要在 0 到 99 之间。") % at)
