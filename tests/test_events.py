"""Every public action leaves an event : each is called here, and a new one must be."""

import importlib
import inspect
import pkgutil
from datetime import time, timedelta
from uuid import uuid4

import pytest
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession

import guanjia
from guanjia.base.actors import SYSTEM
from guanjia.cases import actions as cases
from guanjia.cases.actions import calendars, fanout, house, major
from guanjia.cases.actions import files as house_files
from guanjia.cases.actions.acting import act_on_clocks
from guanjia.cases.actions.recounting import recount_clocks
from guanjia.cases.changing import Change
from guanjia.cases.filing import Upload, check_files
from guanjia.cases.models import LinkKind, Recipient, TaskKind
from guanjia.cases.planning import PlanStep
from guanjia.cases.promises import HOUSE_RULES
from guanjia.cases.recipients import Criteria
from guanjia.core.package import Mode
from guanjia.coverage import actions as coverage
from guanjia.coverage.models import ResponsibilityRole
from guanjia.demo.cast import LINE_SECRET, WAREHOUSING, make_user
from guanjia.ledger.models import Event
from guanjia.lines.actions import conformance, hosted, joining, mandates
from guanjia.lines.hosted.business import holds_of
from guanjia.lines.models import LineKind, Mandate, MandatePeriod
from guanjia.lines.models.line import Silence
from guanjia.lines.protocol.messages import HoldRequest, HoldState, HoldView
from guanjia.lines.protocol.wire import dump_body, parse_body
from guanjia.lines.tests.doors import NOON as HOSTED_NOON
from guanjia.lines.tests.hosted_line import BANNER, HostedLine, make_hold
from guanjia.merchants import actions as merchants
from guanjia.merchants.models import MemberRole
from guanjia.packages import actions as packages
from guanjia.packages.composition import Sheet
from guanjia.packages.tests import stories
from guanjia.people import actions as people
from guanjia.people.actions import sign_in
from guanjia.people.actors import actor_of
from guanjia.people.models import Role
from guanjia.post import actions as post
from guanjia.routines import actions as routines
from guanjia.routines.tests import rulebook

STRONG = "quiet-celadon-river"
EXEMPT = {
    "post.mark_read": "what somebody has looked at is nobody else's business",
    "post.mark_all_read": "what somebody has looked at is nobody else's business",
    "post.access_endpoint": "reads and writes nothing",
    "packages.save_composition": "a draft that only its author sees",
    "packages.drop_composition": "a draft that only its author sees",
    "ledger.record": "it is the log itself",
    "ledger.events": "puts events into words for the statement that writes them",
    "cases.stop_clocks": "part of an action whose event says that the wait is over",
    "cases.cancel_clocks": "part of an action whose event says what has happened to the case",
    "cases.pause_clocks": "part of an action whose event says what has happened to the case",
    "cases.resume_clocks": "part of an action whose event says what has happened to the case",
    "cases.reset_clocks": "part of an action whose event says what has happened to the case",
    "cases.retarget_clocks": "part of an action whose event says what has happened to the case",
    "cases.reown_clocks": "part of an action whose event says what has happened to the case",
    "cases.stop_clocks_of": "part of an action whose event says what has happened to the case",
    "cases.stop_item_clocks": "part of an action whose event says what has happened to the case",
    "cases.merchant_has_the_turn": "part of an action whose event says what has happened to the case",
    "cases.owe_answer": "part of an action whose event says what has happened to the case",
    "cases.end_clock_of": "part of an action whose event says what has happened to the case",
    "cases.opening_clocks": "reads and writes nothing",
    "cases.lead_of": "reads and writes nothing",
    "cases.require_lead": "reads and writes nothing",
    "cases.end_escalations": "part of an action on clocks; it writes an event for each task",
    "cases.start_clock": "part of a settle, whose event carries the notice that starts the clock",
    "cases.be_present": "who looks at a case has done nothing yet",
    "cases.save_draft": "what is not sent has not been said",
    "cases.join": "part of an action that brings two cases together; it writes their events",
    "cases.log_both": "writes the events of an action",
    "cases.look_at_merge": "reads and writes nothing",
    "cases.refuse_merge": "reads and writes nothing",
    "cases.refuse_running": "reads and writes nothing",
    "cases.undoable": "reads and writes nothing",
    "cases.leads_on": "reads and writes nothing",
    "cases.tell": "part of an action whose event says the same",
    "cases.follow_up": "part of a public word; it writes the events of the new case and of the link",
    "cases.open_beside": "part of an action; it writes the event of the new case",
    "cases.close_in_time": "part of solving a case; what it begins ends with `close_cases`",
    "cases.access_majors": "reads and writes nothing",
    "cases.bring_back": "part of an action; it writes the event of a case that comes back",
    "cases.end_with_case": "part of solving a case; each promise that it ends leaves its own event",
    "cases.keep_by_word": "part of a public word; each promise that it keeps leaves its own event",
    "cases.move": "part of a hand-over and its return, whose events say why",
    "cases.lock_case": "locks and writes nothing",
    "cases.free_followers": "part of ending a task; each task that it frees leaves its own event",
    "cases.add_task": "part of asking for a task or of a plan; it writes the event of the task",
    "cases.no_plan": "a refusal, which writes nothing",
    "cases.asks_price": "reads and writes nothing",
    "cases.can_undo": "reads and writes nothing",
    "cases.try_bulk": "takes back all that it does",
    "cases.carry_out": "calls actions, each of which writes its event",
    "cases.run_bulk": "calls actions, each of which writes its event; `ask_bulk` leaves the one of the whole",
    "cases.settle_reading": "part of an action; ends a shared draft whose text becomes that action's word",
    "cases.refuse_moved": "only ever refuses",
    "cases.put_word": "part of the actions that say a word; it writes their event",
    "cases.note_mentions": "part of the action that says the word; it writes the event of those it names",
    "cases.said_by": "names a scope and writes nothing",
    "lines.period_start": "computes a date",
    "lines.require_sound": "checks a manifest and writes nothing",
    "coverage.name_of": "names a holder and writes nothing",
    "people.begin_try": "counts a password before it is looked at; the fifth wrong one leaves an event",
    "people.forget_tries": "forgets what begin_try counted",
    "people.require_strong": "checks a password and writes nothing",
}


def public_actions():
    """`room.function` for every public function of every room's `actions`, module or package."""
    found = {}
    for room in pkgutil.iter_modules(guanjia.__path__):
        for module in action_modules(f"guanjia.{room.name}"):
            for name, function in inspect.getmembers(module, inspect.isfunction):
                if function.__module__ == module.__name__ and not name.startswith("_"):
                    found[f"{room.name}.{name}"] = function
    return found


def action_modules(room):
    try:
        actions = importlib.import_module(f"{room}.actions")
    except ModuleNotFoundError:
        return
    yield actions
    for part in pkgutil.iter_modules(getattr(actions, "__path__", [])):
        yield importlib.import_module(f"{actions.__name__}.{part.name}")


def mandate(cast, noon):
    return mandates.grant_mandate(
        actor=cast.otto,
        line=cast.display,
        service=None,
        holder=cast.lin,
        amount_per_use=200_000,
        amount_per_period=400_000,
        uses_per_period=2,
        period=MandatePeriod.MONTH,
        silence=Silence.CONSENT,
        now=noon,
    )


def use(cast, noon, given, item):
    about = {"item": item, "amount": 1, "merchant_id": cast.mira_shop.pk, "now": noon}
    return mandates.use_mandate(actor=cast.lin, mandate=given, **about)


def a_task(cast, noon):
    case = stories.a_case(cast, noon)
    about = {"kind": TaskKind.LINE_FAULT, "case": case, "assignee": cast.otto, "item": uuid4()}
    return cases.open_task(**about, detail="down", now=noon)


def decided(cast, noon):
    hold_id = stories.holds(stories.pending(cast, noon))[0]
    hold = HoldView(hold_id, HoldState.HELD, noon + timedelta(minutes=15))
    return lambda: packages.receive_decision(line=cast.display, hold=hold, now=noon)


def decide_hosted(_cast, _noon):
    line = HostedLine()
    asked = HoldRequest.from_json(parse_body(dump_body(make_hold("brand-day", uuid4()))))
    holds_of(line.line, lambda: HOSTED_NOON).hold(asked)
    about = {"actor": line.otto, "hold_id": asked.hold_id, "approve": True, "reason": None}
    return lambda: hosted.decide_hold(**about, now=HOSTED_NOON)


def hosted_line(act):
    def prepare(_cast, _noon):
        line = HostedLine()
        return lambda: act(line, {"actor": line.otto, "now": HOSTED_NOON})

    return prepare


def settle(cast, noon):
    number = stories.needs_hand(cast, noon).number
    about = {"actor": cast.lin, "number": number, "position": 1, "outcome": "confirmed"}
    return lambda: packages.settle_item_by_hand(**about, now=noon)


def draft(cast, noon):
    number = stories.a_case(cast, noon).number
    about = {"actor": cast.mira, "case_number": number, "mode": Mode.BEST_EFFORT, "items": [stories.BOXES]}
    return packages.compose_package(**about, now=noon)


def composed(cast, noon):
    number, sheet = stories.a_case(cast, noon).number, Sheet.empty()
    about = {"actor": cast.mira, "case_number": number, "sheet": sheet, "items": [stories.BOXES]}
    return lambda: packages.submit_composition(**about, now=noon)


def with_package(stage, act):
    """Prepare the stage first, so that only the act's own events count."""

    def prepare(cast, noon):
        package = stage(cast, noon)
        return lambda: act({"actor": cast.mira, "number": package.number, "now": noon})

    return prepare


def give_fact(cast, noon):
    merchants.define_fact(
        actor=SYSTEM, key="tier", titles={"zh-Hans": "级", "en": "Tier"}, source="x", now=noon
    )
    about = {"actor": SYSTEM, "merchant": cast.mira_shop, "facts": {"tier": "gold"}}
    return lambda: merchants.set_facts(**about, now=noon)


def finish(cast, noon):
    task = a_task(cast, noon)
    return lambda: cases.finish_tasks(actor=SYSTEM, case=task.case, items=[task.item], now=noon)


def asked(cast, noon, **more):
    about = {"actor": cast.lin, "number": stories.a_case(cast, noon).number, "doer": "line:warehousing"}
    return cases.ask_task(**{**about, "title": "核对", "work_days": 1, "now": noon, **more})


def with_task(act):
    def prepare(cast, noon):
        task = asked(cast, noon)
        return lambda: act({"actor": cast.lin, "task": task.pk, "now": noon})

    return prepare


def wait_behind(cast, noon):
    task = asked(cast, noon)
    other = asked(cast, noon, number=task.case.number)
    return lambda: cases.wait_for_task(actor=cast.lin, task=task.pk, by=other.pk, now=noon)


def a_plan(cast, noon, **more):
    steps = [PlanStep(1, "备货")]
    return cases.save_plan(**{"actor": cast.wei, "name": "开店", "steps": steps, "now": noon, **more})


def put_plan(cast, noon):
    plan, number = a_plan(cast, noon).plan_id, stories.a_case(cast, noon).number
    return lambda: cases.apply_plan(actor=cast.lin, number=number, plan=plan, now=noon)


def rest_plan(cast, noon):
    plan = a_plan(cast, noon).plan_id
    return lambda: cases.retire_plan(actor=cast.wei, plan=plan, retired=True, now=noon)


def with_line(act):
    def prepare(cast, noon):
        by = {"actor": cast.lin, "number": stories.a_case(cast, noon).number, "now": noon}
        [line] = cases.add_to_checklist(text="执照", **by)
        return lambda: act({"line": line.pk, **by})

    return prepare


def to_pool(cast, noon):
    about = {"number": stories.a_case(cast, noon).number, "to": f"pool:{cast.pool.pk}", "reason": "x"}
    return cases.hand_over(actor=cast.lin, now=noon, **about)


def with_handover(act):
    def prepare(cast, noon):
        given = to_pool(cast, noon)
        return lambda: act({"actor": cast.wei, "number": given.case.number, "now": noon})

    return prepare


def take_back(cast, noon):
    given = to_pool(cast, noon)
    return lambda: cases.pull_back(handovers=[given.pk], now=given.answer_by)


def a_promise(cast, noon):
    about = {"number": stories.a_case(cast, noon).number, "kind": "call", "text": "打电话"}
    return cases.make_promise(actor=cast.lin, due_at=noon + timedelta(hours=1), now=noon, **about)


def keep_promise(cast, noon):
    made = a_promise(cast, noon)
    about = {"number": made.case.number, "promise": made.pk, "kept": True}
    return lambda: cases.end_promise(actor=cast.lin, now=noon, **about)


def an_absence(cast, noon):
    times = {"since": noon, "until": noon + timedelta(days=1), "now": noon}
    return people.set_absence(actor=cast.lin, user=cast.lin, substitute=cast.wei, **times)


def back_early(cast, noon):
    absence = an_absence(cast, noon)
    return lambda: people.end_absence(actor=cast.lin, absence=absence.pk, now=noon)


def say(cast, noon):
    number = stories.a_case(cast, noon).number
    return lambda: cases.say(actor=cast.mira, number=number, body="?", now=noon)


def with_files(cast, noon):
    return {"actor": cast.mira, "case": stories.a_case(cast, noon), "message": None, "now": noon}


def add_files(cast, noon):
    about = with_files(cast, noon)
    files = check_files([Upload.of("a.txt", b"a")])
    return lambda: house_files.add_files(files=files, **about)


def erase_file(cast, noon):
    about = with_files(cast, noon)
    [file] = house_files.add_files(files=check_files([Upload.of("a.txt", b"a")]), **about)
    return lambda: house_files.erase_file(actor=cast.mira, file=file.pk, now=noon)


def say_from_house(cast, noon):
    case = stories.a_case(cast, noon)
    return lambda: house.say_from_house(case=case, kind="mail_cut", now=noon)


def rated(cast, noon):
    number = stories.a_case(cast, noon).number
    cases.solve_case(actor=cast.lin, number=number, now=noon)
    return lambda: cases.rate_case(actor=cast.mira, number=number, score=5, now=noon)


def with_case(act, *before):
    """On a fresh case, after what had to come before; Lin acts."""

    def prepare(cast, noon):
        by = {"actor": cast.lin, "number": stories.a_case(cast, noon).number, "now": noon}
        for earlier in before:
            earlier(**by)
        return lambda: act(**by)

    return prepare


def wait(**by):
    return cases.wait_for_merchant(days=3, **by)


def with_bulk(act):
    """Mira's case is asked to be urgent by a bulk change that has been done."""

    def prepare(cast, noon):
        number = stories.a_case(cast, noon).number
        plan = cases.BulkPlan(Change(priority=1))
        about = {"actor": cast.lin, "now": noon}
        bulk = cases.ask_bulk(numbers=[number], plan=plan, idempotency_key="k", **about)
        cases.run_bulk(bulk=bulk.pk, **about)
        return lambda: act({"bulk": bulk.pk, **about})

    return prepare


def ask_bulk(cast, noon):
    number = stories.a_case(cast, noon).number
    about = {"plan": cases.BulkPlan(Change(priority=1)), "idempotency_key": "k", "now": noon}
    return lambda: cases.ask_bulk(actor=cast.lin, numbers=[number], **about)


def with_macro(act):
    def prepare(cast, noon):
        wording = cases.Wording("谢谢", "谢谢 {merchant}")
        macro = cases.save_macro(actor=cast.lin, wording=wording, now=noon)
        return lambda: act({"actor": cast.lin, "macro": macro.pk, "now": noon})

    return prepare


def apprentice(cast, noon):
    return cases.set_apprentice(actor=cast.wei, user=cast.lin, approver=cast.wei, now=noon)


def end_apprentice(cast, noon):
    one = apprentice(cast, noon).pk
    return lambda: cases.end_apprentice(actor=cast.wei, apprentice=one, now=noon)


def with_held(act):
    def prepare(cast, noon):
        apprentice(cast, noon)
        number = stories.a_case(cast, noon).number
        held = cases.ask_approval(actor=cast.lin, number=number, body="好", now=noon)
        return lambda: act({"actor": cast.wei, "reply": held.pk, "now": noon})

    return prepare


def ask_approval(cast, noon):
    apprentice(cast, noon)
    number = stories.a_case(cast, noon).number
    return lambda: cases.ask_approval(actor=cast.lin, number=number, body="好", now=noon)


def with_view(act):
    def prepare(cast, noon):
        view = cases.save_view(actor=cast.lin, name="11.11", base="mine", now=noon)
        return lambda: act({"actor": cast.lin, "view": view.pk, "now": noon})

    return prepare


def request(cast, noon):
    number = stories.a_case(cast, noon).number
    return lambda: stories.ask(cast, noon, case=number)


def revoke(cast, noon):
    given = mandate(cast, noon)
    return lambda: mandates.revoke_mandate(actor=cast.otto, mandate=given, now=noon)


def use_it(cast, noon):
    given = mandate(cast, noon)
    return lambda: use(cast, noon, given, uuid4())


def give_back(cast, noon):
    given, item = mandate(cast, noon), uuid4()
    use(cast, noon, given, item)
    return lambda: mandates.return_uses(actor=SYSTEM, items=[item], now=noon)


def ask_kit(cast, noon):
    return conformance.ask_conformance(actor=cast.otto, line=cast.display, may_confirm=False, now=noon)


def finish_kit(cast, noon):
    asked = ask_kit(cast, noon)
    return lambda: conformance.finish_conformance(asked=asked, passed=True, report={"results": []}, now=noon)


def register(cast, noon):
    about = {"slug": "moon", "titles": WAREHOUSING.titles, "kind": LineKind.REMOTE, "lead": cast.otto}
    url = {"base_url": "https://moon.invalid", "secret": LINE_SECRET}
    return lambda: joining.register_line(actor=SYSTEM, **about, **url, now=noon)


def hand_over(cast, noon):
    about = {"merchant": cast.mo_shop, "role": ResponsibilityRole.ACCOUNT_MANAGER, "holder": cast.lin}
    return lambda: coverage.assign(actor=actor_of(cast.wei), reason="new", **about, now=noon)


def end_it(cast, noon):
    held = cast.mira_shop.responsibilities.get()
    later = noon + timedelta(days=1)
    about = {"responsibility": held.pk, "now": later}
    return lambda: coverage.end_responsibility(actor=actor_of(cast.wei), **about)


def open_hosted(cast, noon):
    about = {"slug": "moon", "titles": WAREHOUSING.titles, "lead": cast.otto}
    return lambda: hosted.open_hosted_line(actor=SYSTEM, **about, now=noon)


def register_shop(cast, noon):
    about = {"ref": "M-3", "name": "n", "home_pool": cast.pool, "facts": {}}
    return lambda: merchants.register_merchant(actor=SYSTEM, **about, now=noon)


def add_member(cast, noon):
    about = {"merchant": cast.mira_shop, "user": make_user("kim", "Kim"), "role": MemberRole.STAFF}
    return lambda: merchants.add_member(actor=SYSTEM, **about, now=noon)


def a_colleague(cast, noon):
    """A second person of Mira's merchant, as what an action on members is told."""
    shop = cast.mira_shop
    kim = merchants.add_member(
        actor=SYSTEM, merchant=shop, user=make_user("kim", "Kim"), role=MemberRole.STAFF, now=noon
    )
    return {"actor": SYSTEM, "merchant": shop, "member_id": kim.pk, "now": noon}


def change_role(cast, noon):
    about = a_colleague(cast, noon)
    return lambda: merchants.change_role(role=MemberRole.VIEWER, **about)


def remove_member(cast, noon):
    about = a_colleague(cast, noon)
    return lambda: merchants.remove_member(**about)


def a_guest(noon):
    return people.invite(actor=SYSTEM, username="guest", name="客", now=noon)


def accept(_cast, noon):
    uid, token = a_guest(noon).url.rstrip("/").split("/")[-2:]
    return lambda: people.accept_invitation(uid=uid, token=token, password=STRONG, now=noon)


def fifth_try(_cast, noon):
    for _ in range(sign_in.TRIES_MOST):
        sign_in.begin_try(username="mo", now=noon)
    return lambda: sign_in.note_wrong_try(username="mo", now=noon)


def end_sessions(cast, noon):
    UserSession.objects.create(user=cast.mo, session_key="k", ip="192.0.2.1")
    return lambda: people.end_sessions(actor=actor_of(cast.mo), user=cast.mo, keys=["k"], now=noon)


def revoke_token(cast, noon):
    people.issue_token(actor=SYSTEM, user=cast.mo, label="x", now=noon)
    token = cast.mo.tokens.get().pk
    return lambda: people.revoke_token(actor=SYSTEM, user=cast.mo, token_id=token, now=noon)


def own_account(act, **about):
    return lambda cast, noon: lambda: act(actor=actor_of(cast.mo), user=cast.mo, now=noon, **about)


def with_endpoint(act):
    """On a webhook that the service lead has set up for the house."""

    def calls(cast, noon):
        by = {"actor": cast.wei, "now": noon}
        added, _secret = post.add_endpoint(**by, **NEW_ENDPOINT)
        return lambda: act({**by, "endpoint": added.pk})

    return calls


WISH = post.Wish("webhook", "ERP", "https://erp.example/", "", ["case"])
NEW_ENDPOINT = {"merchant_ref": None, "team": None, "wish": WISH, "language": "en", "allowed": ()}


def two_cases(act, *before):
    """On one case and the number of another, after what had to come before; Lin acts."""

    def prepare(cast, noon):
        other = stories.a_case(cast, noon).number
        by = {"actor": cast.lin, "number": stories.a_case(cast, noon).number, "now": noon}
        for earlier in before:
            earlier(other, by)
        return lambda: act(other, by)

    return prepare


def link(other, by):
    return cases.link_cases(other=other, kind=LinkKind.RELATED, **by)


def merge(other, by):
    return cases.merge_cases(into=other, **by)


def split(cast, noon):
    number = stories.a_case(cast, noon).number
    word = cases.say(actor=cast.mira, number=number, body="?", now=noon)
    about = {"actor": cast.lin, "number": number, "messages": [word.pk], "need": "?"}
    return lambda: cases.split_case(**about, now=noon)


def close(cast, noon):
    case = stories.a_case(cast, noon)
    cases.solve_case(actor=cast.lin, number=case.number, now=noon)
    return lambda: cases.close_cases(cases=[case.pk], now=noon + timedelta(days=99))


def with_major(act, *before):
    """On a major case of two merchants, after what had to come before; Wei acts."""

    def prepare(cast, noon):
        found = major.open_major(
            actor=cast.wei, title="?", said="?", criteria=Criteria(refs=("M-1042",)), days=1, now=noon
        )
        by = {"actor": cast.wei, "number": found.number, "now": noon}
        for earlier in before:
            earlier(found, by)
        return lambda: act(found, by)

    return prepare


def advance(found, by):
    while fanout.advance_major(major=found.pk, now=by["now"]):
        pass


def keep(found, by):
    child = Recipient.objects.get(major=found).case.number
    return major.keep_child(actor=by["actor"], number=child, keep=True, now=by["now"])


def edit_calendar(cast, noon):
    about = {"code": "cn", "name": "n", "zone": "Asia/Shanghai", "week": [[[480, 1200]]] * 7, "days": {}}
    since = noon + timedelta(hours=6)
    return calendars.publish_calendar(actor=cast.wei, **about, since=since, now=noon)


def recount(cast, noon):
    stories.a_case(cast, noon)
    edit_calendar(cast, noon)
    return lambda: recount_clocks(now=noon)


def save_rule(cast, noon):
    return routines.save_routine(actor=cast.wei, name="规则", rule=rulebook.schedule(), now=noon)


def activate_rule(cast, noon):
    about = {"routine": save_rule(cast, noon).routine_id, "version": 1}
    return lambda: routines.activate_routine(actor=cast.wei, now=noon, **about)


def with_rule(act):
    def prepare(cast, noon):
        rule = rulebook.switch_on(cast, rulebook.schedule(), noon)
        return lambda: act(cast, rule, noon)

    return prepare


CALLS = {
    "cases.link_cases": two_cases(link),
    "cases.unlink_cases": two_cases(lambda other, by: cases.unlink_cases(other=other, **by), link),
    "cases.merge_cases": two_cases(merge),
    "cases.unmerge_cases": two_cases(lambda other, by: cases.unmerge_cases(into=other, **by), merge),
    "cases.split_case": split,
    "cases.close_cases": close,
    "cases.open_major": lambda cast, noon: (
        lambda: major.open_major(
            actor=cast.wei, title="?", said="?", criteria=Criteria(refs=("M-1042",)), days=1, now=noon
        )
    ),
    "cases.advance_major": with_major(advance),
    "cases.stop_major": with_major(lambda _found, by: major.stop_major(**by)),
    "cases.resume_major": with_major(
        lambda _found, by: major.resume_major(**by), lambda _found, by: major.stop_major(**by)
    ),
    "cases.update_major": with_major(lambda _found, by: major.update_major(body="?", **by)),
    "cases.solve_major": with_major(lambda _found, by: major.solve_major(**by), advance),
    "cases.keep_child": with_major(keep, advance),
    "post.add_endpoint": lambda cast, noon: (
        lambda: post.add_endpoint(actor=cast.wei, now=noon, **NEW_ENDPOINT)
    ),
    "post.change_endpoint": with_endpoint(
        lambda by: post.change_endpoint(wish=WISH, active=False, allowed=(), **by)
    ),
    "post.renew_secret": with_endpoint(lambda by: post.renew_secret(**by)),
    "post.remove_endpoint": with_endpoint(lambda by: post.remove_endpoint(**by)),
    "post.try_endpoint": with_endpoint(lambda by: post.try_endpoint(**by)),
    "post.replay": with_endpoint(lambda by: post.replay(deliveries=None, **by)),
    "cases.open_case": lambda cast, noon: lambda: stories.a_case(cast, noon),
    "cases.add_files": add_files,
    "cases.erase_file": erase_file,
    "cases.say_from_house": say_from_house,
    "cases.say": say,
    "cases.open_task": lambda cast, noon: lambda: a_task(cast, noon),
    "cases.finish_tasks": finish,
    "cases.ask_task": lambda cast, noon: lambda: asked(cast, noon),
    "cases.wait_for_task": wait_behind,
    "cases.finish_task": with_task(lambda by: cases.finish_task(**by)),
    "cases.drop_task": with_task(lambda by: cases.drop_task(reason="x", **by)),
    "cases.say_on_task": with_task(lambda by: cases.say_on_task(body="x", **by)),
    "cases.hold_by_task": with_task(lambda by: cases.hold_by_task(holds=False, **by)),
    "cases.give_task": with_task(lambda by: cases.give_task(doer=f"person:{by['actor'].pk}", **by)),
    "cases.escalate_tasks": with_task(
        lambda by: cases.escalate_tasks(tasks=[by["task"]], now=by["now"] + timedelta(days=9))
    ),
    "cases.save_plan": lambda cast, noon: lambda: a_plan(cast, noon),
    "cases.retire_plan": rest_plan,
    "cases.apply_plan": put_plan,
    "cases.add_to_checklist": with_case(lambda **by: cases.add_to_checklist(text="x", **by)),
    "cases.tick_line": with_line(lambda by: cases.tick_line(ticked=True, **by)),
    "cases.cut_line": with_line(lambda by: cases.cut_line(**by)),
    "cases.hand_over": lambda cast, noon: lambda: to_pool(cast, noon),
    "cases.accept_case": with_handover(lambda by: cases.accept_case(**by)),
    "cases.decline_case": with_handover(lambda by: cases.decline_case(reason="x", **by)),
    "cases.pull_back": take_back,
    "cases.make_promise": lambda cast, noon: lambda: a_promise(cast, noon),
    "cases.end_promise": keep_promise,
    "people.set_absence": lambda cast, noon: lambda: an_absence(cast, noon),
    "people.end_absence": back_early,
    "cases.delete_view": with_view(lambda by: cases.delete_view(**by)),
    "cases.rename_view": with_view(lambda by: cases.rename_view(name="12.12", **by)),
    "cases.save_view": lambda cast, noon: (
        lambda: cases.save_view(actor=cast.lin, name="11.11", base="mine", now=noon)
    ),
    "cases.act_on_clocks": lambda cast, noon: (
        stories.a_case(cast, noon) and (lambda: act_on_clocks(now=noon + timedelta(hours=5)))
    ),
    "cases.publish_calendar": lambda cast, noon: lambda: edit_calendar(cast, noon),
    "cases.publish_promises": lambda cast, noon: (
        lambda: calendars.publish_promises(
            actor=cast.wei, rules=HOUSE_RULES, since=noon + timedelta(days=1), now=noon
        )
    ),
    "cases.recount_clocks": recount,
    "cases.solve_case": with_case(cases.solve_case),
    "cases.reopen_case": with_case(cases.reopen_case, cases.solve_case),
    "cases.rate_case": rated,
    "cases.note_export": lambda cast, noon: (
        lambda: cases.note_export(actor=cast.lin, what="own", notes=False, now=noon)
    ),
    "cases.wait_for_merchant": with_case(wait),
    "cases.set_priority": with_case(lambda **by: cases.set_priority(priority=1, **by)),
    "cases.set_kind": with_case(lambda **by: cases.set_kind(kind="question", **by)),
    "cases.set_tags": with_case(lambda **by: cases.set_tags(add=["x"], **by)),
    "cases.watch_case": with_case(cases.watch_case),
    "cases.unwatch_case": with_case(cases.unwatch_case, cases.watch_case),
    "cases.share_draft": with_case(lambda **by: cases.share_draft(internal=False, body="?", read=0, **by)),
    "cases.save_macro": with_macro(lambda by: cases.save_macro(wording=cases.Wording("a", "b"), **by)),
    "cases.delete_macro": with_macro(lambda by: cases.delete_macro(**by)),
    "cases.set_apprentice": lambda cast, noon: lambda: apprentice(cast, noon),
    "cases.end_apprentice": end_apprentice,
    "cases.ask_approval": ask_approval,
    "cases.approve_reply": with_held(lambda by: cases.approve_reply(body="好", **by)),
    "cases.return_reply": with_held(lambda by: cases.return_reply(reason="?", **by)),
    "cases.ask_bulk": ask_bulk,
    "cases.undo_bulk": with_bulk(lambda by: cases.undo_bulk(**by)),
    "cases.stop_waiting": with_case(cases.stop_waiting, wait),
    "coverage.assign": hand_over,
    "coverage.end_responsibility": end_it,
    "coverage.ensure_default_pool": lambda _cast, noon: lambda: coverage.ensure_default_pool(now=noon),
    "lines.ask_conformance": lambda cast, noon: lambda: ask_kit(cast, noon),
    "lines.finish_conformance": finish_kit,
    "lines.decide_hold": decide_hosted,
    "lines.grant_mandate": lambda cast, noon: lambda: mandate(cast, noon),
    "lines.open_hosted_line": open_hosted,
    "lines.publish_service": hosted_line(
        lambda line, by: hosted.publish_service(line=line.line, service=BANNER, **by)
    ),
    "lines.publish_services": hosted_line(
        lambda line, by: hosted.publish_services(line=line.line, services=[BANNER], **by)
    ),
    "lines.read_manifest": lambda cast, noon: (
        lambda: joining.read_manifest(actor=SYSTEM, line=cast.warehousing, manifest=WAREHOUSING, now=noon)
    ),
    "lines.register_line": register,
    "lines.return_uses": give_back,
    "lines.revoke_mandate": revoke,
    "lines.set_capacity": hosted_line(
        lambda line, by: hosted.set_capacity(
            service=line.service("banner"), key="2026-11-12", capacity=2, **by
        )
    ),
    "lines.set_capacities": hosted_line(
        lambda line, by: hosted.set_capacities(
            service=line.service("banner"), capacities={"2026-11-12": 2}, **by
        )
    ),
    "lines.use_mandate": use_it,
    "lines.withdraw_service": hosted_line(
        lambda line, by: hosted.withdraw_service(service=line.service("banner"), **by)
    ),
    "merchants.add_member": add_member,
    "merchants.change_role": change_role,
    "merchants.remove_member": remove_member,
    "merchants.define_fact": lambda _cast, noon: (
        lambda: merchants.define_fact(
            actor=SYSTEM, key="tier", titles={"zh-Hans": "级", "en": "Tier"}, source="x", now=noon
        )
    ),
    "merchants.register_merchant": register_shop,
    "merchants.set_facts": give_fact,
    "packages.accept_package": with_package(
        stories.dearer, lambda by: packages.accept_package(total=150_000, **by)
    ),
    "packages.answer_proposal": with_package(
        stories.dearer, lambda by: packages.answer_proposal(declined=[1], total=0, **by)
    ),
    "packages.cancel_package": with_package(stories.ask, lambda by: packages.cancel_package(**by)),
    "packages.compose_package": lambda cast, noon: lambda: draft(cast, noon),
    "packages.receive_decision": decided,
    "packages.request_package": request,
    "packages.settle_item_by_hand": settle,
    "packages.submit_composition": composed,
    "packages.submit_package": with_package(draft, lambda by: packages.submit_package(**by)),
    "routines.save_routine": lambda cast, noon: lambda: save_rule(cast, noon),
    "routines.activate_routine": activate_rule,
    "routines.deactivate_routine": with_rule(
        lambda cast, rule, noon: routines.deactivate_routine(actor=cast.wei, routine=rule.pk, now=noon)
    ),
    "routines.turn_off": with_rule(
        lambda _cast, rule, noon: routines.turn_off(routine=rule, reason="failing", now=noon)
    ),
    "people.accept_invitation": accept,
    "people.change_news": own_account(
        people.change_news, wish=people.NewsWish(["answer"], [], time(9), None)
    ),
    "people.change_password": own_account(people.change_password, password=STRONG),
    "people.change_person": own_account(people.change_person, name="莫", language="en"),
    "people.end_sessions": end_sessions,
    "people.invite": lambda _cast, noon: lambda: a_guest(noon),
    "people.link_way_in": own_account(sign_in.link_way_in, account=SocialAccount(provider="x", uid="1")),
    "people.note_factor": own_account(sign_in.note_factor, factor="totp", change="added"),
    "people.note_wrong_try": fifth_try,
    "people.renew_invitation": own_account(people.renew_invitation),
    "people.revoke_token": revoke_token,
    "people.grant_role": lambda cast, noon: (
        lambda: people.grant_role(actor=SYSTEM, user=cast.mo, role=Role.OPERATOR, now=noon)
    ),
    "people.issue_token": lambda cast, noon: (
        lambda: people.issue_token(actor=SYSTEM, user=cast.mo, label="x", now=noon)
    ),
}


def test_every_public_action_is_called_here_or_exempt_with_a_reason():
    known = set(public_actions())
    assert known - CALLS.keys() - EXEMPT.keys() == set()
    assert CALLS.keys() - known == set(), "no such action any more"
    assert EXEMPT.keys() - known == set(), "no such action any more"
    assert CALLS.keys() & EXEMPT.keys() == set()


@pytest.mark.parametrize("name", sorted(CALLS))
def test_an_action_leaves_an_event(cast, noon, name):
    act = CALLS[name](cast, noon)
    before = set(Event.objects.values_list("pk", flat=True))
    act()
    left = Event.objects.exclude(pk__in=before)
    assert left.exists()
    for event in left:
        assert event.at.tzinfo is not None
        assert event.actor.partition(":")[1] == ":"
        assert event.subject.partition(":")[1] == ":"


def test_a_mandate_beyond_its_limit_leaves_no_use(cast, noon):
    given = mandate(cast, noon)
    Mandate.objects.filter(pk=given.pk).update(amount_per_use=0)
    given.refresh_from_db()
    before = Event.objects.count()
    assert use(cast, noon, given, uuid4()) is False
    assert Event.objects.count() == before
