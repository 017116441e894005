"""The package composer: the same page for the desk and for the merchant."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.base.idempotency import KeyReused
from guanjia.cases.models import Case
from guanjia.cases.rules import access_case
from guanjia.core.package import PackageState
from guanjia.coverage.rules import MAY, MEMBERS, Verb, relations
from guanjia.doors.composer.entries import entries_of, modes, outlook
from guanjia.doors.composer.forms import WORDS_MOST, Asked, clean
from guanjia.packages.actions import drop_composition, save_composition, submit_composition
from guanjia.packages.composition import Sheet, composition_of, used_up
from guanjia.packages.models import Package
from guanjia.packages.queries import find_services
from guanjia.people.pages import Visit, page

FOUND_MOST = 12


@page("GET", "POST")
def compose(visit: Visit, number: str) -> HttpResponse:
    """`/compose/<case>/`: put services of any lines together, and ask for them as one whole."""
    case = access_case(actor=visit.user, number=number, verb=Verb.COMPOSE, now=visit.now)
    if visit.request.method == "POST":
        return _posted(visit, case, Asked.read(visit.request.POST))
    words = clean(visit.request.GET.get("q", ""))[:WORDS_MOST]
    if visit.partial:
        return visit.render("doors/composer/services.html", {"found": _found(words), "words": words})
    return _show(visit, case, composition_of(visit.user, case, visit.now), words=words)


def _posted(visit: Visit, case: Case, asked: Asked) -> HttpResponse:
    if asked.do == "autosave":
        return _autosaved(visit, case, asked.sheet)
    if asked.do in ("submit", "accept"):
        return _submitted(visit, case, asked)
    if asked.do == "empty":
        drop_composition(actor=visit.user, case_number=case.number, now=visit.now)
        return visit.go(reverse("compose", args=[case.number]), told=_("已清空，可以重新拟。"))
    sheet = asked.edited()
    if used_up(visit.user, sheet.key):
        sheet = replace(sheet, key=asked.renewed().key)
    save_composition(actor=visit.user, case_number=case.number, sheet=sheet, now=visit.now)
    wanted = {"at": sheet.items[-1].id} if asked.do == "add" and sheet.items else {}
    wanted |= {"q": asked.words} if asked.words and asked.do == "save" else {}
    path = reverse("compose", args=[case.number])
    return visit.go(f"{path}?{urlencode(wanted)}" if wanted else path)


def _autosaved(visit: Visit, case: Case, sheet: Sheet) -> HttpResponse:
    """Whatever comes after the sheet has been submitted is an echo, and is not kept."""
    if not used_up(visit.user, sheet.key):
        save_composition(actor=visit.user, case_number=case.number, sheet=sheet, now=visit.now)
    return visit.render("doors/composer/saved.html", {"saved": True})


def _submitted(visit: Visit, case: Case, asked: Asked) -> HttpResponse:
    entries = entries_of(asked.sheet, case, strict=True)
    if any(entry.wrong for entry in entries):
        return _show(visit, case, _kept(visit, case, asked.sheet), strict=True, status=422)
    try:
        package = submit_composition(
            actor=visit.user,
            case_number=case.number,
            sheet=asked.sheet,
            items=[entry.draft for entry in entries],
            accept_total=asked.total if asked.do == "accept" else None,
            now=visit.now,
        )
    except KeyReused as refusal:  # another tab has submitted it, and this one goes on
        refusal.message, refusal.hint = (
            _("这份一揽子刚才已经提交过。"),
            _("如果还要再提交一份，请再点一次提交。"),
        )
        return _show(visit, case, _kept(visit, case, asked.renewed()), refusal=refusal)
    except Refusal as refusal:
        return _show(visit, case, _kept(visit, case, asked.sheet), refusal=refusal)
    return visit.go(_case_url(visit, case), told=_told(package))


def _kept(visit: Visit, case: Case, sheet: Sheet) -> Sheet:
    save_composition(actor=visit.user, case_number=case.number, sheet=sheet, now=visit.now)
    return sheet


def _told(package: Package) -> str:
    if package.state == PackageState.SUBMITTED:
        return _("一揽子 %(package)s 已提交，等商家确认价格。") % {"package": package.number}
    return _("一揽子 %(package)s 已提交，正在同时请各业务线预留。") % {"package": package.number}


def _show(
    visit: Visit,
    case: Case,
    sheet: Sheet,
    *,
    words: str = "",
    strict: bool = False,
    refusal: Refusal | None = None,
    status: int = 200,
) -> HttpResponse:
    held = relations(visit.user, case.merchant, at=visit.now)
    entries = entries_of(sheet, case, strict=strict)
    shown, preview = outlook(entries, actor=visit.user, now=visit.now)
    content = {
        "case": case,
        "sheet": sheet,
        "shown": shown,
        "preview": preview,
        "modes": modes(),
        "wrong": [entry for entry in entries if entry.wrong] if strict else [],
        "fresh": next((e.first for e in entries if e.chosen.id == visit.request.GET.get("at")), ""),
        "merchant_side": bool(held & MEMBERS),
        "may_accept": bool(held & MAY[Verb.ACCEPT]) and preview.total > 0,
        "found": _found(words) if words or not entries else [],
        "words": words,
        "back": _case_url(visit, case),
        "refusal": refusal,
    }
    return visit.render("doors/composer/page.html", content, status=refusal.status if refusal else status)


def _found(words: str) -> list[object]:
    return [*find_services(words, limit=FOUND_MOST)]


def _case_url(visit: Visit, case: Case) -> str:
    """The case's page, at the door by which this person comes to it."""
    if relations(visit.user, case.merchant, at=visit.now) & MEMBERS:
        return reverse("door_case", args=[case.merchant.ref, case.number])
    return reverse("desk_case", args=[case.number])
