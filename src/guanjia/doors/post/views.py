"""How people are told: the notification centre, their wishes, the addresses, and the log of deliveries."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from guanjia.base.errors import Missing, Refusal
from guanjia.coverage.rules import Verb, access_merchant
from guanjia.doors.lead.rules import require_lead
from guanjia.doors.post.forms import key_of, keys_of, news_wish_of, wish_of
from guanjia.doors.post.showing import Board, board_of_groups, board_of_merchant, wishes_content
from guanjia.people.actions import change_news
from guanjia.people.actors import actor_of
from guanjia.people.pages import Visit, page
from guanjia.post import actions, queries

CENTRE = "doors/post/centre.html"


@page()
def centre(visit: Visit) -> HttpResponse:
    """What somebody was told, what is unread first."""
    only = visit.request.GET.get("show") == "unread"
    found = queries.notices(visit.user, after=visit.request.GET.get("after", ""), unread_only=only)
    newest = max((entry.pk for entry in found.entries), default=0)
    return visit.render(CENTRE, {"found": found, "only": only, "newest": newest})


@page("POST")
def read(visit: Visit) -> HttpResponse:
    """One, or all that were there when the list was shown."""
    given = visit.request.POST
    if one := key_of(given.get("notice", "")):
        actions.mark_read(user=visit.user, notices=[one], now=visit.now)
        return visit.go(reverse("news"))
    actions.mark_all_read(user=visit.user, upto=key_of(given.get("upto", "")), now=visit.now)
    return visit.go(reverse("news"), told=_("都标为已读了。"))


@page()
def open_one(visit: Visit, pk: int) -> HttpResponse:
    """On to what it is about. Whoever goes there has read it."""
    link = queries.link_of(visit.user, pk)
    if link is None:
        raise Missing(_("没有找到这条消息。"), hint=_("它可能已被清理；事情本身都还在。"))
    actions.mark_read(user=visit.user, notices=[pk], now=visit.now)
    return visit.go(link)


@page()
def count(visit: Visit) -> HttpResponse:
    """The number at the bell; 204 while it is the one that is shown."""
    unread = queries.unread_count(visit.user)
    if visit.request.GET.get("seen") == str(unread):
        return HttpResponse(status=204)
    return visit.render("bell_count.html", {"unread": unread})


@page("GET", "POST")
def wishes(visit: Visit) -> HttpResponse:
    """Kinds by channels, the letter of the day, quiet hours."""
    given = visit.request.POST
    if visit.request.method == "GET":
        return visit.render("doors/post/wishes.html", wishes_content(visit.user))
    try:
        wish = news_wish_of(given)
        change_news(actor=actor_of(visit.user), user=visit.user, wish=wish, now=visit.now)
    except Refusal as refusal:
        content = {**wishes_content(visit.user, given), "refusal": refusal}
        return visit.render("doors/post/wishes.html", content, status=refusal.status)
    return visit.go(reverse("news_settings"), told=_("通知设置已保存。"))


# --- addresses ------------------------------------------------------------------------------------


@page("GET", "POST")
def merchant_endpoints(visit: Visit, ref: str) -> HttpResponse:
    """A merchant's own robots and webhooks, for its owner."""
    shop = access_merchant(actor=visit.user, ref=ref, verb=Verb.PEOPLE, now=visit.now)
    return _endpoints(visit, board_of_merchant(shop), ref=ref, team=None)


@page("GET", "POST")
def group_endpoints(visit: Visit) -> HttpResponse:
    """A team's, for its lead; the house's own, for who leads the service."""
    board = board_of_groups(visit.user)
    chosen = visit.request.POST.get("team", "")
    return _endpoints(visit, board, ref=None, team=key_of(chosen) or None)


def _endpoints(visit: Visit, board: Board, *, ref: str | None, team: int | None) -> HttpResponse:
    if visit.request.method == "GET":
        return visit.render("doors/post/endpoints.html", {"board": board})
    try:
        added, secret = actions.add_endpoint(
            actor=visit.user,
            merchant_ref=ref,
            team=team,
            wish=wish_of(visit.request.POST),
            language=visit.user.language,
            allowed=settings.HOOK_NETWORKS,
            now=visit.now,
        )
    except Refusal as refusal:
        content = {"board": board.typed(visit.request.POST), "refusal": refusal}
        return visit.render("doors/post/endpoints.html", content, status=refusal.status)
    if not secret:
        return visit.go(reverse("news_endpoint", args=[added.pk]), told=_("地址已加上，可以试发一条。"))
    return _endpoint(visit, added.pk, secret=secret)


@page("GET", "POST")
def endpoint(visit: Visit, pk: int) -> HttpResponse:
    """One address: what it wants, whether it works, and the last deliveries."""
    if visit.request.method == "GET":
        return _endpoint(visit, pk)
    given = visit.request.POST
    try:
        actions.change_endpoint(
            actor=visit.user,
            endpoint=pk,
            wish=wish_of(given),
            active="active" in given,
            allowed=settings.HOOK_NETWORKS,
            now=visit.now,
        )
    except Refusal as refusal:
        return _endpoint(visit, pk, status=refusal.status, refusal=refusal, typed=given)
    return visit.go(reverse("news_endpoint", args=[pk]), told=_("已保存。"))


def _endpoint(visit: Visit, pk: int, *, status: int = 200, **more: object) -> HttpResponse:
    found = actions.access_endpoint(actor=visit.user, endpoint=pk, now=visit.now)
    board = Board.of_endpoint(found)
    log = queries.log(endpoint=pk, after=visit.request.GET.get("after", ""))
    content = {"endpoint": found, "board": board.typed(more.get("typed")), "log": log, **more}
    return visit.render("doors/post/endpoint.html", content, status=status)


@page("POST")
def act(visit: Visit, pk: int, verb: str) -> HttpResponse:
    """Try it, renew its secret, send again what failed, or remove it."""
    actor, now = visit.user, visit.now
    here = reverse("news_endpoint", args=[pk])
    if verb == "try":
        actions.try_endpoint(actor=actor, endpoint=pk, now=now)
        return visit.go(here, told=_("正在试发，过几秒刷新就能看到结果。"))
    if verb == "replay":
        again = actions.replay(actor=actor, deliveries=None, endpoint=pk, now=now)
        return visit.go(here, told=_told_again(again))
    if verb == "secret":
        return _endpoint(visit, pk, secret=actions.renew_secret(actor=actor, endpoint=pk, now=now))
    if verb != "remove":
        raise Missing(_("没有这个操作。"))
    found = actions.access_endpoint(actor=actor, endpoint=pk, now=now)
    board = Board.of_endpoint(found)
    actions.remove_endpoint(actor=actor, endpoint=pk, now=now)
    return visit.go(board.url, told=_("地址已删除。"))


# --- the log --------------------------------------------------------------------------------------


@page("GET", "POST")
def deliveries(visit: Visit) -> HttpResponse:
    """All that left the house and how it went; what was given up can be tried again."""
    require_lead(visit.user)
    if visit.request.method == "POST":
        chosen = keys_of(visit.request.POST.getlist("delivery"))
        everything = "all" in visit.request.POST
        again = actions.replay(actor=visit.user, deliveries=None if everything else chosen, now=visit.now)
        return visit.go(reverse("lead_deliveries"), told=_told_again(again))
    state = visit.request.GET.get("state", "")
    log = queries.log(state, after=visit.request.GET.get("after", ""))
    content = {"log": log, "state": state, "dead": queries.dead_count(), "states": queries.STATES}
    return visit.render("doors/post/deliveries.html", content)


def _told_again(count: int) -> str:
    if not count:
        return _("没有可以重送的。")
    return ngettext("正在重送 %(count)d 条。", "正在重送 %(count)d 条。", count) % {"count": count}
