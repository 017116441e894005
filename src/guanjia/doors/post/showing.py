"""What the post's forms show: choices with their names, and what was typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Forbidden
from guanjia.merchants.models import Merchant
from guanjia.people.models import Team, User
from guanjia.people.news import KINDS
from guanjia.people.queries import preference_of
from guanjia.post.models import Endpoint, EndpointKind, Side
from guanjia.post.queries import Address, addresses, owned_by, sides_of, teams_led
from guanjia.post.rules import leads_service
from guanjia.post.tellings import kinds_for

USUAL = {Side.MERCHANT: ("answer", "turn", "proposal", "outcome"), Side.HOUSE: ("case", "answer", "overdue")}
"""Ticked for a new address."""
ROBOTS = (EndpointKind.DINGTALK, EndpointKind.FEISHU, EndpointKind.WECOM)


@dataclass(frozen=True, slots=True)
class Wish:
    """One kind of news, and how it comes by mail: now, daily or none."""

    kind: str
    title: str
    mail: str


def wishes_content(user: User, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What this person's settings are, or what they have just typed."""
    kept = preference_of(user)
    kinds = kinds_for(sides_of(user))
    mails = {kind: _mail(kind, kept.muted, kept.gathered) for kind in kinds}
    if given is None:
        hours = {
            name: f"{at:%H:%M}" if (at := getattr(kept, name)) else ""
            for name in ("gathered_at", "quiet_from", "quiet_until")
        }
    else:
        mails = {kind: given.get(f"mail_{kind}", "now") for kind in kinds}
        hours = {name: given.get(name, "") for name in ("gathered_at", "quiet_from", "quiet_until")}
    channels = [(shop.name, reverse("news_endpoints", args=[shop.ref])) for shop in owned_by(user)]
    if teams_led(user) or leads_service(user):
        channels.append((_("专班与全局"), reverse("team_endpoints")))
    return {
        "channels": channels,
        "wishes": [Wish(kind, str(KINDS[kind]), mails[kind]) for kind in kinds],
        **hours,
    }


def _mail(kind: str, muted: Sequence[str], gathered: Sequence[str]) -> str:
    return "none" if kind in muted else "daily" if kind in gathered else "now"


@dataclass(frozen=True, slots=True)
class Board:
    """A list of addresses with the form for one more; `form` is what its fields hold."""

    url: str
    title: str
    back: str
    side: Side
    addresses: Sequence[Address] = ()
    teams: Sequence[Team] = ()
    house: bool = False
    form: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return list(EndpointKind.choices)

    @property
    def news(self) -> list[tuple[str, str, bool]]:
        """The kinds that may be chosen: code, name, ticked."""
        ticked = self.form.get("news", USUAL[self.side])
        return [(kind, str(KINDS[kind]), kind in ticked) for kind in kinds_for({self.side}, personal=False)]

    def typed(self, given: object) -> Board:
        """With what somebody has typed; secrets are not shown again."""
        if not isinstance(given, QueryDict):
            return self
        kept = {name: given.get(name, "") for name in ("kind", "label", "url", "team")}
        return replace(self, form={**kept, "news": given.getlist("news"), "active": "active" in given})

    @classmethod
    def of_endpoint(cls, endpoint: Endpoint) -> Board:
        side = Side.HOUSE if endpoint.merchant_id is None else Side.MERCHANT
        form = {
            "label": endpoint.label,
            "news": endpoint.news,
            "active": endpoint.active,
            "kind": endpoint.kind,
        }
        if endpoint.merchant is None:
            url = reverse("team_endpoints")
        else:
            url = reverse("news_endpoints", args=[endpoint.merchant.ref])
        return cls(url, _("通知地址"), url, side, form=form)


def board_of_merchant(shop: Merchant) -> Board:
    url = reverse("news_endpoints", args=[shop.ref])
    return Board(url, shop.name, reverse("door", args=[shop.ref]), Side.MERCHANT, addresses(merchant=shop.pk))


def board_of_groups(user: User) -> Board:
    """Raises Forbidden for who leads neither a team nor the service."""
    teams, house = teams_led(user), leads_service(user)
    if not teams and not house:
        raise Forbidden(_("专班的通知地址由它的负责人设置。"), hint=_("需要时请联系您专班的负责人。"))
    found = addresses(teams=[team.pk for team in teams], house=house)
    return Board(reverse("team_endpoints"), _("专班与全局"), reverse("news"), Side.HOUSE, found, teams, house)
