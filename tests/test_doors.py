"""Every address of the house, tried by everybody: a new one without an entry in DOORS fails.

Somebody else's object is 404, a missing right 403; a stranger is sent to sign in, or, where programs come
in, told 401; a form without its token is refused. Who may do what is read from `coverage.rules`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.base.seal import seal
from guanjia.cases.actions import ask_task
from guanjia.cases.actions.talk import say
from guanjia.cases.filing import Upload
from guanjia.coverage.rules import MAY, Relation, Verb
from guanjia.demo.cast import WAREHOUSING, make_cast, make_line, make_user
from guanjia.lines.models import Mandate, MandatePeriod
from guanjia.lines.models.line import Conformance, Silence
from guanjia.lines.protocol.messages import Manifest
from guanjia.lines.tests.hosted_line import HostedLine
from guanjia.merchants.models import Member, MemberRole
from guanjia.packages.tests import stories
from guanjia.people.actions import grant_role, issue_token
from guanjia.people.models import Role
from guanjia.post.mail.flows import MailFlow
from guanjia.post.mail.storing import store
from guanjia.post.models import Endpoint
from guanjia.routines.tests.rulebook import schedule, switch_on

# How each of them stands to Mira's merchant; those without a relation are strangers to it.
RELATIONS = {
    "mira": {Relation.OWNER},
    "staff": {Relation.STAFF},
    "finance": {Relation.FINANCE},
    "viewer": {Relation.VIEWER},
    "lin": {Relation.MANAGER},
    "wei": {Relation.LEAD},
    "mo": set(),  # another merchant's owner
    "lea": set(),  # another account manager
    "otto": set(),  # specialist of the lines in question
    "olga": set(),  # specialist of another line
    "yan": set(),  # integrity officer
}
EVERYBODY = frozenset(RELATIONS)
KNOWN = frozenset(name for name, held in RELATIONS.items() if held)
AT_DESK = frozenset({"lin", "lea", "wei"})


def may(verb: Verb) -> frozenset[str]:
    return frozenset(name for name, held in RELATIONS.items() if held & MAY[verb])


@dataclass(frozen=True)
class Way:
    """One way to knock: who is let in, who is told that they may not (403); to others nothing is there."""

    method: str
    opens: frozenset[str]
    refused: frozenset[str] = frozenset()
    args: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)

    def expected(self, name: str) -> int | None:
        """The status, None for whatever the page answers to somebody who is let in."""
        return None if name in self.opens else 403 if name in self.refused else 404


def merchant(method: str, verb: Verb, **more: Any) -> Way:
    """About Mira's merchant: who knows it and may not is told so."""
    return Way(method, may(verb), KNOWN - may(verb), **more)


def specialist(method: str, **more: Any) -> Way:
    """About Otto's line: for everybody else it does not exist."""
    return Way(method, frozenset({"otto"}), **more)


def at_desk(method: str = "GET", **more: Any) -> Way:
    return Way(method, AT_DESK, EVERYBODY - AT_DESK, **more)


RATES = frozenset({"mira", "staff", "finance"})
"""A merchant's own people, and of those whoever may speak."""
HOUSE_SOLVES = may(Verb.SOLVE) & may(Verb.NOTE)
"""A merchant's people solve at their own door."""
HOSTED = {"slug": "hosted", "code": "banner"}


def lead(method: str = "GET", **more: Any) -> Way:
    return Way(method, frozenset({"wei"}), EVERYBODY - {"wei"}, **more)


OF_ROUTINE, OF_TRIGGER = {"pk": "routine"}, {"kind": "trigger"}
LEAD = (lead(),)
OWN = (Way("GET", EVERYBODY),)
OWN_POST = (Way("POST", EVERYBODY),)
SEE = (merchant("GET", Verb.SEE),)
OF_PACKAGE = {"number": "package"}
DRAFT = {"need": "要办的事", "body": "一句话", "seen": "999999999"}

HOUSE_SPEAKS = may(Verb.SPEAK) & may(Verb.NOTE)
NO_NOTES = KNOWN - may(Verb.NOTE)
DOERS = may(Verb.NOTE) | {"otto"}
"""Who may look at a task that Otto's line was asked to do."""
PROMISE = {"kind": "call", "text": "打电话", "day": "2027-06-01", "clock": "10:00"}
DOORS: dict[str, tuple[Way, ...]] = {
    # one's own account
    "account/": OWN,
    "account/person": OWN_POST,
    "account/password": OWN_POST,
    "account/sessions": OWN_POST,
    "account/tokens": OWN_POST,
    "account/tokens/<int:token_id>/revoke": (Way("POST", frozenset()),),  # nobody's: somebody else's is 404
    # how one is told
    "news/": OWN,
    "news/read": OWN_POST,
    "news/count": OWN,
    "news/<int:pk>/open": (Way("GET", frozenset()),),  # nobody's
    "news/settings": (*OWN, *OWN_POST),
    "news/channels/": (
        Way("GET", frozenset({"wei"}), EVERYBODY - {"wei"}),
        Way("POST", frozenset({"wei"}), EVERYBODY - {"wei"}),
    ),
    "news/channels/of/<ref:ref>/": (merchant("GET", Verb.PEOPLE), merchant("POST", Verb.PEOPLE)),
    "news/channels/<int:pk>/": (
        merchant("GET", Verb.PEOPLE, args={"pk": "endpoint"}),
        merchant("POST", Verb.PEOPLE, args={"pk": "endpoint"}),
    ),
    "news/channels/<int:pk>/<str:verb>": (
        merchant("POST", Verb.PEOPLE, args={"pk": "endpoint", "verb": "try"}),
        merchant("POST", Verb.PEOPLE, args={"pk": "endpoint", "verb": "remove"}),
    ),
    "lead/deliveries/": (*LEAD, Way("POST", frozenset({"wei"}), EVERYBODY - {"wei"})),
    # a merchant's door
    "door/<ref:ref>/": (*SEE, merchant("POST", Verb.OPEN_CASE, body=DRAFT)),
    "door/<ref:ref>/live": SEE,
    "door/<ref:ref>/cases/": SEE,
    "door/<ref:ref>/search": SEE,
    "door/<ref:ref>/export": (merchant("POST", Verb.SEE),),
    "door/<ref:ref>/cases/<slug:number>/": (*SEE, merchant("POST", Verb.SPEAK, body=DRAFT)),
    "door/<ref:ref>/cases/<slug:number>/live": SEE,
    "door/<ref:ref>/cases/<slug:number>/solve": (merchant("POST", Verb.SOLVE),),
    "door/<ref:ref>/cases/<slug:number>/rate": (Way("POST", RATES, KNOWN - RATES, body={"score": "5"}),),
    "door/<ref:ref>/cases/<slug:number>/reopen": (merchant("POST", Verb.SOLVE),),
    "door/<ref:ref>/packages/<slug:number>/": (
        merchant("GET", Verb.SEE, args=OF_PACKAGE),
        merchant("POST", Verb.ACCEPT, args=OF_PACKAGE, body={"shown": "1:1", "take": "1"}),
    ),
    "door/<ref:ref>/packages/<slug:number>/live": (merchant("GET", Verb.SEE, args=OF_PACKAGE),),
    "door/<ref:ref>/packages/<slug:number>/cancel": (merchant("POST", Verb.CANCEL, args=OF_PACKAGE),),
    "door/<ref:ref>/people/": (
        *SEE,
        merchant("POST", Verb.PEOPLE, body={"username": "new", "name": "新", "role": "staff"}),
    ),
    "door/<ref:ref>/people/<int:member>/role": (merchant("POST", Verb.PEOPLE, body={"role": "viewer"}),),
    "door/<ref:ref>/people/<int:member>/link": (merchant("POST", Verb.PEOPLE),),
    "door/<ref:ref>/people/<int:member>/remove": (merchant("POST", Verb.PEOPLE),),
    "door/<ref:ref>/services/": SEE,
    # the desk
    "desk/": (at_desk(),),
    "desk/list": (at_desk(),),
    "desk/search": (at_desk(),),
    "desk/export": (at_desk("POST"),),
    "desk/views/": (at_desk(), at_desk("POST")),
    "desk/views/<int:pk>": (Way("POST", frozenset()),),  # nobody's
    "desk/mandates/": (at_desk(),),
    "desk/merchants/": (at_desk(),),
    "desk/merchants/<ref:ref>/": (Way("GET", may(Verb.NOTE), EVERYBODY - AT_DESK),),
    "desk/new": (at_desk(),),
    "desk/cases/<str:number>/": (merchant("GET", Verb.NOTE),),
    "desk/cases/<str:number>/here": (merchant("POST", Verb.NOTE),),
    "desk/cases/<str:number>/say/<str:box>": (
        merchant("POST", Verb.NOTE, args={"box": "note"}, body=DRAFT),
        merchant("POST", Verb.SPEAK, args={"box": "reply"}, body=DRAFT),
    ),
    "desk/cases/<str:number>/draft/<str:box>": (
        merchant("POST", Verb.NOTE, args={"box": "note"}, body=DRAFT),
    ),
    "desk/cases/<str:number>/do/<str:verb>": (
        Way("POST", HOUSE_SOLVES, KNOWN - HOUSE_SOLVES, {"verb": "solve"}),
    ),
    "desk/cases/<str:number>/marks/<str:what>": (
        merchant("POST", Verb.NOTE, args={"what": "priority"}, body={"priority": "1"}),
        merchant("POST", Verb.NOTE, args={"what": "watch"}),
    ),
    "desk/cases/<str:number>/people": (merchant("GET", Verb.NOTE),),
    "desk/cases/<str:number>/history": (merchant("GET", Verb.NOTE),),
    "desk/cases/<str:number>/links": (merchant("GET", Verb.NOTE), merchant("POST", Verb.NOTE)),
    "desk/cases/<str:number>/unlink": (
        Way("POST", frozenset(), KNOWN - may(Verb.NOTE), body={"other": "GJ-2026-999999"}),  # there is none
    ),
    "desk/cases/<str:number>/merge": (merchant("GET", Verb.NOTE), merchant("POST", Verb.NOTE)),
    "desk/cases/<str:number>/unmerge": (Way("POST", frozenset()),),  # there is none
    "desk/cases/<str:number>/split": (
        merchant("GET", Verb.NOTE),
        Way("POST", HOUSE_SOLVES, KNOWN - HOUSE_SOLVES),  # who may not open a case splits none off
    ),
    "desk/cases/<str:number>/keep": (Way("POST", frozenset(), KNOWN - may(Verb.NOTE)),),  # no child
    "desk/cases/<str:number>/bring/<str:box>": (
        Way("POST", frozenset(), KNOWN - may(Verb.NOTE), {"box": "note"}, {"macro": "1"}),  # nobody's macro
    ),
    "desk/cases/<str:number>/share/<str:box>": (
        merchant("POST", Verb.NOTE, args={"box": "note"}, body=DRAFT),
    ),
    "desk/cases/<str:number>/go-on/<str:box>": (
        Way("POST", frozenset(), KNOWN - may(Verb.NOTE), {"box": "note"}),  # there is no shared draft
    ),
    "desk/approvals/": (at_desk(),),
    "desk/approvals/<int:pk>": (Way("POST", frozenset()),),  # nobody's
    "desk/macros/": (at_desk(), at_desk("POST")),
    "desk/macros/<int:pk>": (Way("GET", frozenset(), EVERYBODY - AT_DESK),),  # nobody's
    "desk/bulk": (at_desk("POST"),),
    "desk/bulk/<int:pk>": (Way("GET", frozenset()), Way("POST", frozenset())),  # nobody's
    "desk/bulk/<int:pk>/undo": (Way("POST", frozenset()),),
    "desk/tags": (at_desk(),),
    "desk/cases/<str:number>/work": (merchant("GET", Verb.NOTE), merchant("POST", Verb.NOTE)),
    "desk/cases/<str:number>/work/<int:task>/<str:verb>": (
        merchant("POST", Verb.NOTE, args={"verb": "done"}, body={"word": "好"}),
        merchant("POST", Verb.NOTE, args={"verb": "drop"}, body={"word": "不用了"}),
    ),
    "desk/cases/<str:number>/checklist": (merchant("POST", Verb.NOTE, body={"text": "执照"}),),
    "desk/cases/<str:number>/plan": (merchant("GET", Verb.NOTE), Way("POST", frozenset(), NO_NOTES)),
    "desk/cases/<str:number>/hand-over": (merchant("GET", Verb.NOTE), merchant("POST", Verb.NOTE)),
    "desk/cases/<str:number>/hand-over/answer": (merchant("POST", Verb.NOTE),),
    "desk/cases/<str:number>/promise": (
        merchant("GET", Verb.NOTE),
        Way("POST", HOUSE_SPEAKS, KNOWN - HOUSE_SPEAKS, body=PROMISE),
    ),
    "desk/cases/<str:number>/promises/<int:pk>": (
        Way("POST", frozenset(), KNOWN - HOUSE_SPEAKS, {"pk": "0"}),  # there is none
    ),
    "desk/absence": (at_desk(), at_desk("POST")),
    "desk/absence/<int:pk>": (Way("POST", frozenset()),),  # nobody's
    "desk/standing-in": (at_desk(),),
    "desk/by-hand/<str:number>/<int:position>": (
        merchant("POST", Verb.SETTLE_BY_HAND, args=OF_PACKAGE, body={"outcome": "confirmed"}),
    ),
    "compose/<slug:number>/": (merchant("GET", Verb.COMPOSE), merchant("POST", Verb.COMPOSE)),
    # a line's console
    "console/": OWN,
    "console/tasks/": OWN,
    "console/tasks/<int:pk>/": (
        Way("GET", DOERS, args={"pk": "task"}),
        Way("POST", DOERS, args={"pk": "task"}, body={"word": "哪个仓？"}),
    ),
    "console/<slug:slug>/": (specialist("GET"),),
    "console/<slug:slug>/decisions/<uuid:key>/": (specialist("GET"), specialist("POST")),
    "console/<slug:slug>/services/": (specialist("GET"),),
    "console/<slug:slug>/manifest/": (specialist("POST"),),
    "console/<slug:slug>/new-service/": (
        specialist("GET", args=HOSTED),
        specialist("POST", args=HOSTED),
    ),
    "console/<slug:slug>/services/<slug:code>/": (specialist("GET"),),
    "console/<slug:slug>/services/<slug:code>/edit/": (
        specialist("GET", args=HOSTED),
        specialist("POST", args=HOSTED),
    ),
    "console/<slug:slug>/services/<slug:code>/withdraw/": (specialist("POST"),),
    "console/<slug:slug>/inventory/": (specialist("GET", args=HOSTED),),
    "console/<slug:slug>/inventory/<slug:code>/": (
        specialist("GET", args=HOSTED),
        specialist("POST", args=HOSTED),
    ),
    "console/<slug:slug>/inventory/<slug:code>/open/": (specialist("POST", args=HOSTED),),
    "console/<slug:slug>/mandates/": (specialist("GET"),),
    "console/<slug:slug>/mandates/new/": (specialist("GET"), specialist("POST")),
    "console/<slug:slug>/mandates/<int:pk>/": (specialist("GET"),),
    "console/<slug:slug>/mandates/<int:pk>/revoke/": (specialist("POST"),),
    "console/<slug:slug>/health/": (specialist("GET"),),
    "console/<slug:slug>/health/<int:pk>/": (specialist("GET", args={"pk": "run"}),),
    # the service lead
    "lead/": LEAD,
    "lead/waits/": LEAD,
    "lead/mail/": LEAD,
    "lead/mail/<int:pk>/": (
        Way("GET", frozenset({"wei"}), EVERYBODY - {"wei"}, {"pk": "mail"}),
        Way("POST", frozenset({"wei"}), EVERYBODY - {"wei"}, {"pk": "mail"}, {"drop": "1"}),
    ),
    # files on cases
    "files/<int:pk>/": (merchant("GET", Verb.SEE, args={"pk": "file"}),),
    "files/<int:pk>/erase": (
        Way("POST", frozenset({"mira", "wei"}), KNOWN - {"mira", "wei"}, {"pk": "file"}),
    ),
    "files/of/<str:number>/": SEE,
    "lead/search": LEAD,
    "lead/export": (lead("POST"),),
    "lead/majors/": LEAD,
    "lead/majors/new": (lead(), lead("POST")),
    "lead/majors/<str:number>/": (Way("GET", frozenset(), EVERYBODY - {"wei"}),),  # there is none
    "lead/majors/<str:number>/do/<str:verb>": (
        Way("POST", frozenset(), EVERYBODY - {"wei"}, {"verb": "stop"}),
    ),
    "lead/lines/<slug:slug>/": LEAD,
    "lead/apprentices/": (*LEAD, Way("POST", frozenset({"wei"}), EVERYBODY - {"wei"})),
    "lead/apprentices/<int:pk>/end": (Way("POST", frozenset(), EVERYBODY - {"wei"}),),  # nobody's
    "lead/plans/": LEAD,
    "lead/plans/new": (lead(), lead("POST")),
    "lead/plans/<int:pk>/": (Way("GET", frozenset(), EVERYBODY - {"wei"}),),  # there is none
    "lead/absences/": (lead(), lead("POST")),
    "lead/absences/<int:pk>": (Way("POST", frozenset(), EVERYBODY - {"wei"}),),  # nobody's
    "lead/calendars/": LEAD,
    "lead/calendars/new": (lead(), lead("POST")),
    "lead/calendars/<slug:code>/": (lead(args={"code": "calendar"}), lead("POST", args={"code": "calendar"})),
    "lead/promises/": (lead(), lead("POST")),
    "lead/routines/": LEAD,
    "lead/routines/new/<slug:kind>/": (lead(args=OF_TRIGGER), lead("POST", args=OF_TRIGGER)),
    "lead/routines/<int:pk>/": (lead(args=OF_ROUTINE),),
    "lead/routines/<int:pk>/edit": (lead(args=OF_ROUTINE), lead("POST", args=OF_ROUTINE)),
    "lead/routines/<int:pk>/switch": (lead("POST", args=OF_ROUTINE, body={"version": "1"}),),
    "lead/routines/<int:pk>/log": (lead(args=OF_ROUTINE),),
    "lead/routines/<int:pk>/runs/<int:run>/": (lead(args={**OF_ROUTINE, "run": "routine_run"}),),
}
API: dict[str, tuple[Way, ...]] = {
    "api/cases": (merchant("POST", Verb.OPEN_CASE, body={"merchant": "M-1042", "need": "要办的事"}),),
    "api/cases/<slug:number>/messages": (merchant("POST", Verb.SPEAK, body={"body": "一句话"}),),
    "api/services": (Way("GET", EVERYBODY),),
    "api/cases/<slug:number>/packages": (
        merchant("POST", Verb.COMPOSE, body={"mode": "all_or_nothing", "items": []}),
    ),
    "api/packages/<slug:number>": (merchant("GET", Verb.SEE, args=OF_PACKAGE),),
    "api/packages/<slug:number>/accept": (merchant("POST", Verb.ACCEPT, args=OF_PACKAGE, body={"total": 1}),),
    "api/packages/<slug:number>/answer": (
        merchant("POST", Verb.ACCEPT, args=OF_PACKAGE, body={"total": 1, "decline": []}),
    ),
    "api/packages/<slug:number>/cancel": (merchant("POST", Verb.CANCEL, args=OF_PACKAGE),),
    "api/packages/<slug:number>/items/<int:position>/by-hand": (
        merchant("POST", Verb.SETTLE_BY_HAND, args=OF_PACKAGE, body={"outcome": "confirmed"}),
    ),
}
ELSEWHERE = {
    "": "the front page",
    "rate/<str:token>/": "the link is the key (doors/tests/test_rating_pages.py)",
    "healthz": "for probes",
    "readyz": "for probes",
    "language": "for everybody",
    "sign-in": "the way in",
    "sign-out": "the way out",
    "welcome/<str:uid>/<str:token>/": "the link is the key (people/tests)",
    "packages/<slug:number>/": "the link is the key (base/tests/test_pages.py)",
    "hooks/lines/<slug:slug>": "signed by the line (packages/tests/test_webhook.py)",
    r"lines/\A(?P<slug>[^/]+)(?:/[\s\S]*)?\Z": "signed by us (lines/tests)",
    "demo/person": "404 outside the demo (demo/tests)",
}
LIBRARY = ("sign-in/", "account/factors/")
"""Pages of the sign-in library about nobody but oneself; people/tests walks through them."""


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


# --- the house in which they knock ----------------------------------------------------------------


@pytest.fixture
def house(db):
    """People by name, and what the addresses are about: all of it is Mira's, or of Otto's line."""
    now = timezone.now()
    cast = make_cast(now)
    people = {name: getattr(cast, name) for name in ("mira", "mo", "lin", "otto", "wei", "yan")}
    for role in (MemberRole.STAFF, MemberRole.FINANCE, MemberRole.VIEWER):
        people[role.value] = make_user(role.value, role.value)
        Member.objects.create(merchant=cast.mira_shop, user=people[role.value], role=role)
    people["lea"] = make_user("lea", "Lea")
    grant_role(actor=SYSTEM, user=people["lea"], role=Role.ACCOUNT_MANAGER, now=now)
    people["olga"] = make_user("olga", "Olga")
    other = Manifest("group-buying", {"zh-Hans": "团购", "en": "Group buying"}, WAREHOUSING.services)
    make_line(other, lead=people["olga"], now=now)
    package = stories.pending(cast, now)
    hosted = HostedLine()
    run = Conformance.objects.create(line=cast.display, asked_by=cast.otto, asked_at=now)
    word = say(
        actor=cast.mira, number=package.case.number, body="见附件", files=[Upload.of("a.txt", b"a")], now=now
    )
    mail = store(b"From: stranger@x.example\r\n\r\n", now=now)
    MailFlow().settle([(mail.pk, ())], now)
    mandate = Mandate.objects.create(
        line=cast.display,
        person=cast.lin,
        granted_by=cast.otto,
        amount_per_use=1,
        amount_per_period=1,
        uses_per_period=1,
        period=MandatePeriod.MONTH,
        silence=Silence.REFUSAL,
        during=(now, None),
    )
    endpoint = Endpoint.objects.create(
        merchant=cast.mira_shop,
        kind="webhook",
        label="ERP",
        host="erp.example",
        sealed_url=seal("https://erp.example/"),
        created_at=now,
    )
    routine = switch_on(cast, schedule(), now)
    routine_run = routine.runs.create(version=routine.live, due_at=now, started_at=now)
    asked = {"actor": cast.lin, "number": package.case.number, "doer": "line:display-slots"}
    task = ask_task(title="核对", work_days=1, now=now, **asked)
    args = {
        "endpoint": str(endpoint.pk),
        "ref": cast.mira_shop.ref,
        "number": package.case.number,
        "package": package.number,
        "slug": cast.display.slug,
        "code": "home-banner",
        "hosted": hosted.line.slug,
        "position": "1",
        "member": str(cast.mira_shop.members.get(user=people["viewer"]).pk),
        "pk": str(mandate.pk),
        "run": str(run.pk),
        "routine": str(routine.pk),
        "calendar": "cn",
        "routine_run": str(routine_run.pk),
        "task": str(task.pk),
        "token_id": "1",
        "file": str(word.files.get().pk),
        "mail": str(mail.pk),
        "key": str(package.items.get(position=1).hold_id),
    }
    return people, args


def path_of(route: str, way: Way, args: dict[str, str]) -> str:
    """`args` of a way name one of the house's things, or are the value itself."""

    def value(found: re.Match[str]) -> str:
        name = way.args.get(found[1], found[1])
        return args.get(name, name)

    return "/" + re.sub(r"<\w+:(\w+)>", value, route)


def knock(client: Client, way: Way, path: str, **headers: str) -> Any:
    """The answer; what it did is undone, so that the next one finds the house as it was."""
    json = {"content_type": "application/json"} if path.startswith("/api/") else {}
    with transaction.atomic():
        send = getattr(client, way.method.lower())
        answer = send(path, way.body, **(json if way.method == "POST" else {}), headers=headers)
        transaction.set_rollback(True)
    return answer


ANSWERS = (200, 204, 302, 303, 409, 422, 502)
"""What a form is answered that is let in; 502: the line behind it does not answer."""


def visitor(people: dict[str, Any], name: str, **more: Any) -> Callable[[], Client]:
    """New browsers with one and the same session."""
    first = Client()
    first.force_login(people[name])

    def another() -> Client:
        client = Client(**more)
        client.cookies[settings.SESSION_COOKIE_NAME] = first.cookies[settings.SESSION_COOKIE_NAME].value
        return client

    return another


def test_every_address_has_its_entry():
    found = {
        route
        for route in routes(get_resolver().url_patterns)
        if route in DOORS or not route.startswith(LIBRARY)
    }
    assert found == {*DOORS, *API, *ELSEWHERE}


def test_a_stranger_is_sent_to_sign_in_and_comes_back(house):
    _people, args = house
    for route, ways in DOORS.items():
        for way in ways:
            path = path_of(route, way, args)
            answer = knock(Client(), way, path)
            sent = (answer.status_code, answer.headers.get("Location", ""))
            assert sent == (302, f"/sign-in?next={path}"), f"{way.method} {route}"


@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_a_page_opens_for_its_people_alone(house, name):
    people, args = house
    browser, wrong = visitor(people, name), {}
    for route, ways in DOORS.items():
        for way in ways:
            got, expected = knock(browser(), way, path_of(route, way, args)).status_code, way.expected(name)
            let_in = got in (ANSWERS if way.method == "POST" else (200, 302, 303))
            if got != expected if expected else not let_in:
                wrong[f"{way.method} {route}"] = got
    assert wrong == {}


def test_a_form_without_its_token_is_refused(house, unchanged):
    people, args = house
    browser = visitor(people, "mira", enforce_csrf_checks=True)
    with unchanged():
        for route, (way, *_others) in DOORS.items():
            assert browser().post(path_of(route, way, args), {}).status_code == 403, route


@pytest.mark.parametrize("name", sorted(EVERYBODY))
def test_a_call_is_answered_to_its_callers_alone(house, name):
    people, args = house
    token, wrong = issue_token(actor=SYSTEM, user=people[name], label="sweep", now=timezone.now()), {}
    for route, ways in API.items():
        for way in ways:
            path = path_of(route, way, args)
            assert knock(Client(), way, path).status_code == 401
            got = knock(Client(), way, path, Authorization=f"Bearer {token}").status_code
            expected = way.expected(name)
            if got != expected if expected else got not in (200, 201, 202, 409, 422):
                wrong[f"{way.method} {route}"] = got
    assert wrong == {}
