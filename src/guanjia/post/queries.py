"""What the notification centre, the settings and the delivery log show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.sql import rows
from guanjia.lines.models import Line, LineStaff
from guanjia.merchants.models import Member, MemberRole, Merchant
from guanjia.people.models import Role, RoleGrant, Team, User
from guanjia.people.news import KINDS
from guanjia.people.queries import groups_of
from guanjia.post.models import Channel, Delivery, DeliveryState, Endpoint, Side
from guanjia.post.tellings import BY_CODE
from guanjia.post.words import COLUMNS, COUNT, NEWS, Piece, piece

PAGE = 30
COUNT_MOST = 100
LOG_PAGE = 50
OWNED_MOST = 20
STATES = DeliveryState.choices

UNREAD = "SELECT FROM post_notice WHERE user_id = %(user)s AND unread LIMIT 100"
"""SQL: a row for each unread notice of `user`, at most COUNT_MOST; an index alone answers it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One notice of somebody: `pk` is its own key."""

    pk: int
    unread: bool
    piece: Piece


@dataclass(frozen=True, slots=True)
class Listed:
    """A part of a list; `after` is where the next begins, empty at the end."""

    entries: Sequence[Any]
    after: str


def unread_count(user: User) -> int:
    """How many notices they have not read, at most COUNT_MOST."""
    [(count,)] = rows(f"SELECT count(*) FROM ({UNREAD}) unread", {"user": user.pk})  # noqa: S608
    return int(count)


def notices(user: User, *, after: str = "", unread_only: bool = False) -> Listed:
    """Their notices, what is unread first, the newest first of each; PAGE at a time. One statement."""
    unread, key = _place(after)
    found = rows(
        f"SELECT {COLUMNS}, n.id, n.unread FROM post_notice n JOIN ({NEWS}) ON w.id = n.news_id"  # noqa: S608
        " WHERE n.user_id = %(user)s AND (n.unread, n.id) < (%(unread)s, %(key)s)"
        " AND (n.unread OR NOT %(only)s)"
        " ORDER BY n.unread DESC, n.id DESC LIMIT %(most)s",
        {"user": user.pk, "unread": unread, "key": key, "only": unread_only, "most": PAGE + 1},
    )
    entries = [Entry(row[COUNT], row[COUNT + 1], piece(row[:COUNT])) for row in found[:PAGE]]
    more = len(found) > PAGE
    return Listed(entries, f"{int(entries[-1].unread)}-{entries[-1].pk}" if more else "")


def link_of(user: User, notice: int) -> str | None:
    """Where one of their notices leads; None if it is not theirs."""
    found = rows(
        f"SELECT {COLUMNS} FROM post_notice n JOIN ({NEWS}) ON w.id = n.news_id"  # noqa: S608
        " WHERE n.id = %(notice)s AND n.user_id = %(user)s",
        {"notice": notice, "user": user.pk},
    )
    return piece(found[0]).link if found else None


def _place(after: str) -> tuple[bool, int]:
    unread, _dash, key = after.partition("-")
    if unread in ("0", "1") and key.isdecimal() and len(key) < 19:
        return unread == "1", int(key)
    return True, 2**63 - 1


def sides_of(user: User) -> set[Side]:
    """For whose eyes somebody gets news at all."""
    found = {Side.MERCHANT} if Member.objects.filter(user=user).exists() else set()
    teams, pools = groups_of(user)
    if (
        teams
        or pools
        or RoleGrant.objects.filter(user=user, role__in=(Role.ACCOUNT_MANAGER, Role.SERVICE_LEAD)).exists()
    ):
        found.add(Side.HOUSE)
    if LineStaff.objects.filter(user=user).exists() or Line.objects.filter(lead=user).exists():
        found.add(Side.LINE)
    return found


# --- endpoints ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """An endpoint as its owners see it: when it last took something, and what it last refused."""

    endpoint: Endpoint
    last_at: datetime | None
    last_state: str
    last_detail: str


_LAST = """
SELECT e.id, d.created_at, d.state, d.detail FROM unnest(%(keys)s::bigint[]) AS e(id)
CROSS JOIN LATERAL (SELECT created_at, state, detail FROM post_delivery
  WHERE endpoint_id = e.id ORDER BY id DESC LIMIT 1) d
"""


def addresses(
    *, merchant: int | None = None, teams: Sequence[int] = (), house: bool = False
) -> list[Address]:
    """The endpoints of one merchant; or of these teams, and with `house` the house's own. Two statements."""
    of = Endpoint.objects.select_related("team").order_by("pk")
    if merchant is not None:
        found = list(of.filter(merchant=merchant))
    else:
        mine = of.filter(team__in=teams)
        found = list(mine | of.filter(merchant=None, team=None) if house else mine)
    last = {key: rest for key, *rest in rows(_LAST, {"keys": [one.pk for one in found]})} if found else {}
    return [Address(one, *last.get(one.pk, (None, "", ""))) for one in found]


def owned_by(user: User) -> list[Merchant]:
    """The merchants whose addresses this person sets up."""
    owned = Merchant.objects.filter(members__user=user, members__role=MemberRole.OWNER)
    return list(owned.order_by("pk")[:OWNED_MOST])


def teams_led(user: User) -> list[Team]:
    return list(Team.objects.filter(lead=user).order_by("name"))


# --- the log --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Logged:
    """One delivery in the log. `to` is a name or an endpoint's label; addresses stay sealed."""

    pk: int
    state: str
    channel: str
    to: str
    code: str
    number: str
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None
    attempts: int
    detail: str

    @property
    def dead(self) -> bool:
        return self.state == DeliveryState.DEAD

    @property
    def state_title(self) -> str:
        return _(DeliveryState(self.state).label)

    @property
    def channel_title(self) -> str:
        return _(Channel(self.channel).label)

    @property
    def phrase(self) -> str:
        """What kind of news it was; a trial is none."""
        telling = BY_CODE.get(self.code)
        return str(KINDS[telling.news]) if telling else "" if self.code else _("试发")

    @property
    def tone(self) -> str:
        return {"sent": "ok", "dead": "bad", "waiting": "warn" if self.attempts else ""}.get(self.state, "")


_LOG = """
SELECT d.id, d.state, d.channel, coalesce(u.name, e.label), coalesce(w.code, ''), coalesce(c.number, ''),
  d.created_at, d.due_at, d.ended_at, d.attempts, d.detail
FROM post_delivery d
  LEFT JOIN people_user u ON u.id = d.user_id
  LEFT JOIN post_endpoint e ON e.id = d.endpoint_id
  LEFT JOIN post_news w ON w.id = d.news_id
  LEFT JOIN cases_case c ON c.id = w.case_id
WHERE {which} AND d.id < %(key)s ORDER BY d.id DESC LIMIT %(most)s
"""


def log(state: str = "", *, endpoint: int | None = None, after: str = "") -> Listed:
    """Deliveries, the newest first: in one state, or of one endpoint. One statement."""
    key = int(after) if after.isdecimal() and len(after) < 19 else 2**63 - 1
    which = "d.state = %(state)s" if state in DeliveryState else "true"
    which = "d.endpoint_id = %(endpoint)s" if endpoint is not None else which
    wanted = {"state": state, "endpoint": endpoint, "key": key, "most": LOG_PAGE + 1}
    found = rows(_LOG.format(which=which), wanted)
    entries = [Logged(*row) for row in found[:LOG_PAGE]]
    return Listed(entries, str(entries[-1].pk) if len(found) > LOG_PAGE else "")


def dead_count() -> int:
    """How many deliveries were given up and not tried again, at most COUNT_MOST."""
    dead = Delivery.objects.filter(state=DeliveryState.DEAD).order_by("-pk")
    return len(dead.values_list("pk")[:COUNT_MOST])
