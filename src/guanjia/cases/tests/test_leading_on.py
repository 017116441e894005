"""What is over: it closes by itself, comes back or leads on, by the rule of the house."""

from datetime import timedelta

import pytest

from guanjia.base.sql import rows
from guanjia.cases import actions
from guanjia.cases.actions.closing import CLOSE_FLOW
from guanjia.cases.belonging import ClosedForGood, MergedAway
from guanjia.cases.flows.structure import ClosingFlow
from guanjia.cases.models import Case, CaseLink, CaseState, LinkKind, Message
from guanjia.ledger.models import Event
from guanjia.merchants.models import Member, MemberRole
from guanjia.packages.tests import stories

DAY = timedelta(days=1)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def by(user, case, now):
    return {"actor": user, "number": case.number, "now": now}


def solve(cast, case, now):
    return actions.solve_case(**by(cast.lin, case, now))


def close(case, now):
    [turn] = ClosingFlow().settle([(case.pk, ())], now)
    return turn.wake_at


def fresh(case):
    case.refresh_from_db()
    return case


def test_a_solved_case_closes_when_nobody_comes_back(cast, noon, case):
    solve(cast, case, noon)
    [(due_at,)] = rows("SELECT due_at FROM base_flow WHERE name = %s AND key = %s", [CLOSE_FLOW, case.pk])
    assert due_at == noon + 14 * DAY
    assert close(case, noon + 13 * DAY) == noon + 14 * DAY
    assert fresh(case).state == CaseState.SOLVED
    assert close(case, noon + 14 * DAY) is None
    assert (fresh(case).state, case.closed_at, case.solved_at) == (CaseState.CLOSED, noon + 14 * DAY, noon)
    assert Event.objects.filter(kind="cases.closed", subject=f"case:{case.number}").count() == 1
    assert close(case, noon + 15 * DAY) is None
    assert Event.objects.filter(kind="cases.closed").count() == 1


def test_a_case_that_came_back_is_not_closed(cast, noon, case):
    solve(cast, case, noon)
    actions.reopen_case(**by(cast.lin, case, noon + DAY))
    assert close(case, noon + 14 * DAY) is None
    assert fresh(case).state == CaseState.OPEN
    solve(cast, case, noon + 10 * DAY)
    assert close(case, noon + 14 * DAY) == noon + 24 * DAY


def test_where_nothing_closes_by_itself_a_case_stays_solved(cast, noon, case, settings):
    settings.CLOSE_AFTER = None
    solve(cast, case, noon)
    assert not rows("SELECT FROM base_flow WHERE name = %s", [CLOSE_FLOW])
    assert close(case, noon + 99 * DAY) is None
    assert fresh(case).state == CaseState.SOLVED


@pytest.mark.parametrize(
    ("within", "days", "closed", "comes_back"),
    [
        (None, 99, True, True),  # always
        (None, 99, False, True),
        (14 * DAY, 13, False, True),
        (14 * DAY, 13, True, True),
        (14 * DAY, 14, False, False),
        (14 * DAY, 15, True, False),
        (timedelta(0), 0, False, False),  # never
    ],
)
def test_the_merchants_word_follows_the_rule(cast, noon, case, settings, within, days, closed, comes_back):
    settings.REOPEN_WITHIN, settings.CLOSE_AFTER = within, timedelta(0) if closed else None
    solve(cast, case, noon)
    if closed:
        close(case, noon)
    at = noon + days * DAY
    word = actions.say(body="还有一件", idempotency_key="k", **by(cast.mira, case, at))
    again = actions.say(body="还有一件", idempotency_key="k", **by(cast.mira, case, at))
    assert again.pk == word.pk
    if comes_back:
        assert (word.case, word.body) == (case, "还有一件")
        assert (fresh(case).state, case.closed_at) == (CaseState.OPEN, None)
        return
    assert fresh(case).state == (CaseState.CLOSED if closed else CaseState.SOLVED)
    new = Case.objects.get(need="还有一件")
    assert (word.case, (word.notice or {})["kind"]) == (new, "follows")
    assert (new.state, new.first_contact, new.opened_by) == (CaseState.OPEN, case.first_contact, cast.mira)
    assert new.clocks.filter(stopped_at=None).exists()
    link = CaseLink.objects.get()
    assert (link.kind, link.source, link.target) == (LinkKind.FOLLOWS, new, case)
    assert Message.objects.filter(case=case).latest("pk").notice == {
        "kind": "led_on",
        "values": {"other": new.number},
    }
    assert Case.objects.count() == 2


def test_whoever_may_speak_may_lead_on(cast, noon, case, settings):
    settings.REOPEN_WITHIN = timedelta(0)
    Member.objects.create(merchant=cast.mira_shop, user=cast.yan, role=MemberRole.FINANCE)
    solve(cast, case, noon)
    assert actions.say(body="发票呢", **by(cast.yan, case, noon + DAY)).case != case


def test_words_of_the_house_bring_nothing_back(cast, noon, case, settings):
    settings.REOPEN_WITHIN = timedelta(0)
    solve(cast, case, noon)
    assert actions.say(body="谢谢", **by(cast.lin, case, noon + DAY)).case == case
    assert actions.say(body="记一笔", internal=True, **by(cast.lin, case, noon + DAY)).case == case
    assert Case.objects.count() == 1


def test_closed_is_final_unless_the_rule_says_otherwise(cast, noon, case, settings, unchanged):
    settings.CLOSE_AFTER, settings.REOPEN_WITHIN = DAY, 2 * DAY
    solve(cast, case, noon)
    close(case, noon + DAY)
    with unchanged(), pytest.raises(ClosedForGood):
        actions.reopen_case(**by(cast.lin, case, noon + 2 * DAY))
    actions.reopen_case(**by(cast.lin, case, noon + DAY))
    assert (fresh(case).state, case.closed_at) == (CaseState.OPEN, None)


def test_a_merged_case_is_not_opened_again(cast, noon, case, unchanged):
    other = stories.a_case(cast, noon)
    actions.merge_cases(into=other.number, **by(cast.lin, case, noon))
    with unchanged(), pytest.raises(MergedAway, match=other.number):
        actions.reopen_case(**by(cast.lin, case, noon))
