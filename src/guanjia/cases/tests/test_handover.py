"""Hand-overs: at once, with everything that belongs to the case; declined, pulled back, never nobody's."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from guanjia.base.actors import SYSTEM
from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.models import Flow
from guanjia.cases import actions
from guanjia.cases.actions.handover import FLOW
from guanjia.cases.flows.work import HandoverFlow
from guanjia.cases.handing import (
    DeclinedBefore,
    NoAccessYet,
    NothingToAnswer,
    OwnsAlready,
    receivers,
)
from guanjia.cases.models import Clock, Handover, HandoverState, Message
from guanjia.cases.notices import words_of
from guanjia.cases.rules import AlreadySolved
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.demo.cast import make_cast, make_user
from guanjia.packages.tests import stories
from guanjia.people.actions import grant_role, set_absence
from guanjia.people.models import Role, Team

DAY = timedelta(days=1)


def manager(name, now):
    user = make_user(name, name.title())
    grant_role(actor=SYSTEM, user=user, role=Role.ACCOUNT_MANAGER, now=now)
    return user


def backup(user, merchant, now):
    Responsibility.objects.create(
        merchant=merchant, role=ResponsibilityRole.BACKUP, person=user, during=(now, None), reason="x"
    )
    return user


@pytest.fixture
def bo(cast, noon):
    return backup(manager("bo", noon), cast.mira_shop, noon)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def give(cast, case, noon, to, **more):
    about = {"actor": cast.lin, "number": case.number, "reason": "去休假", "note": "她急", "now": noon}
    return actions.hand_over(to=to, **{**about, **more})


def to(user):
    return f"person:{user.pk}"


def owner(case):
    case.refresh_from_db()
    return case.holder


def test_the_case_its_clocks_and_the_owners_tasks_go_and_the_first_contact_stays(cast, noon, case, bo):
    case = actions.open_case(actor=cast.lin, merchant_ref="M-1042", need="展位", now=noon)
    mine = {"actor": cast.lin, "number": case.number, "work_days": 1, "now": noon}
    own = actions.ask_task(title="回电", doer=to(cast.lin), **mine)
    of_line = actions.ask_task(title="核对", doer="line:warehousing", **mine)
    given = give(cast, case, noon, to(bo))
    assert owner(case) == bo
    assert case.first_contact == cast.lin
    assert set(Clock.objects.filter(case=case).values_list("owner", flat=True)) == {bo.pk}
    own.refresh_from_db()
    of_line.refresh_from_db()
    assert (own.assignee, of_line.assignee) == (bo, cast.otto)
    assert (given.state, given.giver) == (HandoverState.OFFERED, cast.lin)


def test_the_merchant_is_told_who_and_never_why(cast, noon, case, bo):
    give(cast, case, noon, to(bo))
    public = Message.objects.filter(case=case, internal=False).order_by("pk")
    said = [words_of(message) for message in public]
    assert said == ["这件事现在由Bo负责。"]


def test_a_receiver_accepts_and_then_declines_no_more(cast, noon, case, bo, unchanged):
    give(cast, case, noon, to(bo))
    actions.accept_case(actor=bo, number=case.number, now=noon)
    with unchanged(), pytest.raises(NothingToAnswer):
        actions.decline_case(actor=bo, number=case.number, reason="忙", now=noon)
    assert owner(case) == bo


def test_who_declines_gives_it_back_and_is_not_asked_again(cast, noon, case, bo, unchanged):
    give(cast, case, noon, to(bo))
    with unchanged():
        with pytest.raises(BadInput):
            actions.decline_case(actor=bo, number=case.number, reason="", now=noon)
        with pytest.raises(NothingToAnswer):
            actions.decline_case(actor=cast.lin, number=case.number, reason="忙", now=noon)
    actions.decline_case(actor=bo, number=case.number, reason="本周满了", now=noon)
    assert owner(case) == cast.lin
    assert set(Clock.objects.filter(case=case).values_list("owner", flat=True)) == {cast.lin.pk}
    with unchanged(), pytest.raises(DeclinedBefore):
        give(cast, case, noon, to(bo))


def test_without_a_word_it_goes_back_in_working_hours(cast, noon, case, bo):
    late = noon + timedelta(hours=5)  # 17:00: one working hour is left of the day
    given = give(cast, case, late, to(bo))
    assert given.answer_by == noon + DAY  # 12:00 of the next
    assert Flow.objects.get(name=FLOW, key=given.pk).due_at == given.answer_by
    [turn] = HandoverFlow().settle([(given.pk, ())], given.answer_by - timedelta(seconds=1))
    assert turn.wake_at == given.answer_by
    assert owner(case) == bo
    for _again in range(2):
        [turn] = HandoverFlow().settle([(given.pk, ())], given.answer_by)
        assert turn.wake_at is None
    assert owner(case) == cast.lin
    given.refresh_from_db()
    assert given.state == HandoverState.PULLED_BACK
    give(cast, case, given.answer_by, to(bo))  # who said nothing may be asked again


def test_where_the_giver_is_gone_the_accountable_one_gets_it(cast, noon, case, bo):
    give(cast, case, noon, to(bo))
    Responsibility.objects.filter(merchant=cast.mira_shop, person=cast.lin).update(
        during=(noon, noon + timedelta(hours=1))
    )
    actions.decline_case(actor=bo, number=case.number, reason="忙", now=noon + 2 * DAY)
    assert owner(case) == cast.pool


def test_the_next_hand_over_overtakes_the_one_before(cast, noon, case, bo, unchanged):
    first = give(cast, case, noon, to(bo))
    give(cast, case, noon, f"pool:{cast.pool.pk}")
    first.refresh_from_db()
    assert first.state == HandoverState.OVERTAKEN
    with unchanged(), pytest.raises(NothingToAnswer):
        actions.accept_case(actor=bo, number=case.number, now=noon)
    assert owner(case) == cast.pool


def test_a_stranger_to_the_merchant_gets_it_only_from_a_lead(cast, noon, case, unchanged):
    lea = manager("lea", noon)
    with unchanged(), pytest.raises(NoAccessYet):
        give(cast, case, noon, to(lea))
    give(cast, case, noon, to(lea), actor=cast.wei)
    held = Responsibility.objects.get(merchant=cast.mira_shop, person=lea)
    assert held.role == ResponsibilityRole.BACKUP
    actions.accept_case(actor=lea, number=case.number, now=noon)


def test_taking_it_oneself_needs_no_answer(cast, noon, case, bo):
    given = give(cast, case, noon, to(bo), actor=bo)
    assert given.state == HandoverState.ACCEPTED
    assert not Flow.objects.filter(name=FLOW).exists()


def test_a_team_answers_by_any_of_its_people(cast, noon, case, bo):
    team = Team.objects.create(code="t", name="专班", lead=cast.wei)
    team.members.add(bo)
    Responsibility.objects.create(
        merchant=cast.mira_shop, role=ResponsibilityRole.BACKUP, team=team, during=(noon, None), reason="x"
    )
    give(cast, case, noon, f"team:{team.pk}")
    actions.accept_case(actor=bo, number=case.number, now=noon)
    assert owner(case) == team


def test_who_is_away_is_stood_in_for(cast, noon, case, bo):
    lea = backup(manager("lea", noon), cast.mira_shop, noon)
    set_absence(actor=bo, user=bo, substitute=lea, since=noon, until=noon + DAY, now=noon)
    give(cast, case, noon, to(bo))
    assert owner(case) == lea


def test_a_substitute_whose_access_ends_answers_for_who_is_away(cast, noon, case, bo):
    lea = manager("lea", noon)
    set_absence(actor=bo, user=bo, substitute=lea, since=noon, until=noon + DAY, now=noon)
    give(cast, case, noon, to(bo))
    assert owner(case) == bo
    assert actions.accept_case(actor=lea, number=case.number, now=noon).answered_by == lea


def test_nobody_hands_over_what_they_do_not_look_after(cast, noon, case, bo, unchanged):
    with unchanged():
        with pytest.raises(Missing):
            give(cast, case, noon, to(bo), actor=cast.mo)
        with pytest.raises(Forbidden):
            give(cast, case, noon, to(bo), actor=cast.mira)
        with pytest.raises(OwnsAlready):
            give(cast, case, noon, to(cast.lin))
        for bad in ({"reason": " "}, {"reason": "x" * 201}, {"note": "x" * 4001}):
            with pytest.raises(BadInput):
                give(cast, case, noon, to(bo), **bad)
        for nobody in ("person:0", "person:x", "line:warehousing", ""):
            with pytest.raises(BadInput):
                give(cast, case, noon, nobody)
    actions.solve_case(actor=cast.lin, number=case.number, now=noon)
    with unchanged(), pytest.raises(AlreadySolved):
        give(cast, case, noon, to(bo))


def test_the_choices_are_those_who_look_after_the_merchant(cast, noon, bo):
    found = [one.ref for one in receivers(cast.mira_shop.pk, now=noon)]
    assert set(found) == {to(bo), to(cast.lin), to(cast.wei), f"pool:{cast.pool.pk}"}


@pytest.mark.django_db(transaction=True)
def test_of_an_answer_and_the_flow_at_the_same_time_one_counts(noon):
    cast = make_cast(noon)
    bo = backup(manager("bo", noon), cast.mira_shop, noon)
    for _round in range(5):
        case = stories.a_case(cast, noon)
        given = give(cast, case, noon, to(bo))
        raised: list[Exception] = []
        start = threading.Barrier(2)

        def accept(case=case, start=start, raised=raised):
            start.wait()
            try:
                actions.accept_case(actor=bo, number=case.number, now=noon + DAY)
            except NothingToAnswer as refused:
                raised.append(refused)
            finally:
                connection.close()

        def pull(given=given, start=start):
            start.wait()
            try:
                actions.pull_back(handovers=[given.pk], now=noon + DAY)
            finally:
                connection.close()

        threads = [threading.Thread(target=accept), threading.Thread(target=pull)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        state = Handover.objects.get(pk=given.pk).state
        assert (state, owner(case)) in (("accepted", bo), ("pulled_back", cast.lin))
        assert bool(raised) is (state == "pulled_back")
