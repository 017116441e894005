"""One cause for many merchants: each gets one case of its own, whatever dies in between."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, transaction

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases import actions
from guanjia.cases.actions import fanout, major
from guanjia.cases.flows.structure import MajorFlow
from guanjia.cases.models import (
    Case,
    CaseKind,
    CaseState,
    ClockKind,
    MajorCase,
    MajorState,
    Message,
    Recipient,
)
from guanjia.cases.recipients import Criteria, find_recipients, read_refs
from guanjia.cases.rules import access_case
from guanjia.core.package import ItemState
from guanjia.coverage.rules import Verb
from guanjia.demo.cast import make_cast
from guanjia.ledger.models import Event
from guanjia.merchants.models import Merchant
from guanjia.packages.tests import stories

HOUR = timedelta(hours=1)


def shops(cast, noon, count, region="华东"):
    """Merchants without anybody of their own."""
    return Merchant.objects.bulk_create(
        Merchant(ref=f"S-{n}", name=f"店{n}", home_pool=cast.pool, facts={"region": region}, created_at=noon)
        for n in range(count)
    )


EAST = Criteria(fact="region", value="华东")


def begin(cast, noon, criteria=EAST):
    return major.open_major(
        actor=cast.wei,
        title="华东仓停电",
        said="仓库停电，发货会晚一天。",
        criteria=criteria,
        days=3,
        now=noon,
    )


def go_on(found, now, most=2):
    """All turns of the flow; how many chunks there were."""
    chunks = 0
    while fanout.advance_major(major=found.pk, now=now, most=most):
        chunks += 1
    found.refresh_from_db()
    return chunks


def children(found):
    return Case.objects.filter(recipient__major=found).order_by("pk")


def test_each_merchant_gets_one_case_of_its_own(cast, noon):
    made = shops(cast, noon, 5)
    found = begin(cast, noon)
    assert (found.recipients, found.state) == (5, MajorState.OPENING)
    assert go_on(found, noon) == 3
    assert found.state == MajorState.OPEN
    cases = list(children(found))
    assert [case.merchant for case in cases] == made
    assert len({case.number for case in cases}) == 5
    for case in cases:
        assert (case.kind, case.need, case.first_contact) == (CaseKind.MAJOR, found.said, cast.wei)
        assert (case.pool, case.state, case.due_at) == (cast.pool, CaseState.OPEN, found.due_at)
        clock = case.clocks.get()
        assert (clock.kind, clock.due_at, clock.owner) == (ClockKind.RESOLUTION, found.due_at, cast.wei)
        assert case.messages.get().notice["kind"] == "part_of_major"
        assert Event.objects.filter(kind="cases.opened", subject=f"case:{case.number}").count() == 1
    assert go_on(found, noon) == 0
    assert children(found).count() == 5


def test_who_is_found(cast, noon):
    shops(cast, noon, 3)
    stories.pending(cast, noon)
    waiting = ItemState.PENDING_DECISION
    asked = Criteria(line="display-slots", service="home-banner", state=waiting)
    assert find_recipients(asked).first == [("M-1042", "云栖女装")]
    assert find_recipients(Criteria(line="warehousing", state=ItemState.PENDING_DECISION)).count == 0
    assert find_recipients(EAST).count == 3
    assert find_recipients(Criteria(fact="region", value="华北")).count == 0
    listed = find_recipients(Criteria(refs=read_refs("S-0, S-1；S-9\nM-1042 S-0")))
    assert (listed.count, listed.unknown) == (3, ["S-9"])
    assert find_recipients(Criteria(refs=("S-0", "M-1042"), fact="region", value="华东")).count == 1


@pytest.mark.parametrize("criteria", [Criteria(), Criteria(fact="region"), Criteria(refs=("nobody",))])
def test_not_everybody_and_not_nobody(cast, noon, unchanged, criteria):
    with unchanged(), pytest.raises(BadInput):
        begin(cast, noon, criteria)


def test_major_cases_are_the_leads(cast, noon, unchanged):
    shops(cast, noon, 1)
    found = begin(cast, noon)
    go_on(found, noon)
    about = {"number": found.number, "now": noon}
    with unchanged():
        for user in (cast.lin, cast.mira, cast.otto, cast.yan):
            for act in (major.stop_major, major.resume_major, major.solve_major):
                with pytest.raises(Forbidden):
                    act(actor=user, **about)
            with pytest.raises(Forbidden):
                major.update_major(actor=user, body="x", **about)
            with pytest.raises(Forbidden):
                major.open_major(actor=user, title="x", said="x", criteria=EAST, days=1, now=noon)
        with pytest.raises(Missing):
            major.solve_major(actor=cast.wei, number="ZD-2026-999999", now=noon)
        for wrong in ({"days": 0}, {"days": 91}, {"title": ""}, {"said": " "}):
            about = {"title": "x", "said": "x", "criteria": EAST, "days": 1, **wrong}
            with pytest.raises(BadInput):
                major.open_major(actor=cast.wei, now=noon, **about)


def test_a_merchant_sees_its_own_child_only(cast, noon):
    refs = Criteria(refs=("M-1042", "M-2077"))
    found = begin(cast, noon, refs)
    go_on(found, noon)
    hers, his = children(found)
    assert access_case(actor=cast.mira, number=hers.number, verb=Verb.SEE, now=noon) == hers
    with pytest.raises(Missing):
        access_case(actor=cast.mira, number=his.number, verb=Verb.SEE, now=noon)
    assert (hers.person, his.pool) == (cast.lin, cast.pool)


def test_telling_stops_and_goes_on_where_it_was(cast, noon, unchanged):
    shops(cast, noon, 5)
    found = begin(cast, noon)
    assert fanout.advance_major(major=found.pk, now=noon, most=2) is True
    major.stop_major(actor=cast.wei, number=found.number, now=noon)
    with unchanged():
        assert fanout.advance_major(major=found.pk, now=noon, most=2) is False
        with pytest.raises(major.NotNow):
            major.stop_major(actor=cast.wei, number=found.number, now=noon)
        with pytest.raises(major.NotNow):
            major.solve_major(actor=cast.wei, number=found.number, now=noon)
    assert children(found).count() == 2
    major.resume_major(actor=cast.wei, number=found.number, now=noon)
    go_on(found, noon)
    assert children(found).count() == 5


def test_an_update_reaches_every_child_once_and_in_order(cast, noon):
    shops(cast, noon, 3)
    found = begin(cast, noon)
    fanout.advance_major(major=found.pk, now=noon, most=2)
    for body in ("抢修中", "已恢复"):
        major.update_major(actor=cast.wei, number=found.number, body=body, now=noon + HOUR)
    go_on(found, noon + HOUR)
    for case in children(found):
        said = case.messages.filter(author=cast.wei, internal=False).order_by("pk")
        assert [message.body for message in said] == ["抢修中", "已恢复"]
    assert Event.objects.filter(kind="cases.message_sent").count() == 6


def test_solving_solves_the_children_but_those_kept_open(cast, noon):
    found = begin(cast, noon, Criteria(refs=("M-1042", "M-2077")))
    go_on(found, noon)
    hers, his = children(found)
    major.keep_child(actor=cast.lin, number=hers.number, keep=True, now=noon)
    with pytest.raises(Missing):
        major.keep_child(actor=cast.lin, number=his.number, keep=True, now=noon)
    major.update_major(actor=cast.wei, number=found.number, body="修好了", now=noon)
    major.solve_major(actor=cast.wei, number=found.number, now=noon + HOUR)
    go_on(found, noon + HOUR)
    assert (found.state, found.solved_at) == (MajorState.SOLVED, noon + HOUR)
    hers.refresh_from_db()
    his.refresh_from_db()
    assert (hers.state, his.state, his.solved_at) == (CaseState.OPEN, CaseState.SOLVED, noon + HOUR)
    assert not his.clocks.filter(stopped_at=None).exists()
    assert [
        message.notice["kind"] if message.notice else message.body for message in his.messages.order_by("pk")
    ] == [
        "part_of_major",
        "修好了",
        "case_solved",
    ]
    with pytest.raises(major.NotNow):
        major.update_major(actor=cast.wei, number=found.number, body="x", now=noon)


def test_a_child_whose_package_still_runs_is_kept_open(cast, noon):
    found = begin(cast, noon, Criteria(refs=("M-1042",)))
    go_on(found, noon)
    stories.ask(cast, noon, case=children(found).get().number)
    major.solve_major(actor=cast.wei, number=found.number, now=noon)
    go_on(found, noon)
    child = Recipient.objects.get(major=found)
    assert child.case is not None
    assert (child.case.state in ("open", "waiting_line"), child.kept_open, child.finished) == (
        True,
        True,
        True,
    )


class KilledError(Exception):
    """What a kill looks like from inside: nothing is committed."""


def test_a_chunk_that_dies_leaves_nothing_and_is_done_again(cast, noon, monkeypatch, unchanged):
    shops(cast, noon, 4)
    found = begin(cast, noon)
    fanout.advance_major(major=found.pk, now=noon, most=2)
    for at in ("record", "run", "_promise"):
        with monkeypatch.context() as broken:

            def die(*_args, **_more):
                raise KilledError

            broken.setattr(fanout, at, die)
            with unchanged(), pytest.raises(KilledError):
                fanout.advance_major(major=found.pk, now=noon, most=2)
    go_on(found, noon)
    assert sorted(children(found).values_list("merchant__ref", flat=True)) == ["S-0", "S-1", "S-2", "S-3"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_open_no_case_twice(noon):
    cast = make_cast(noon)
    shops(cast, noon, 12)
    found = begin(cast, noon)
    together = threading.Barrier(3)

    def work():
        try:
            together.wait(timeout=30)
            while True:
                with transaction.atomic():
                    [turn] = MajorFlow().settle([(found.pk, ())], noon)
                if turn.wake_at is None:
                    return
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert MajorCase.objects.get().state == MajorState.OPEN
    assert Case.objects.count() == 12
    assert Case.objects.values("merchant").distinct().count() == 12
    assert Message.objects.count() == 12


def test_a_child_is_an_ordinary_case(cast, noon):
    found = begin(cast, noon, Criteria(refs=("M-1042",)))
    go_on(found, noon)
    child = children(found).get()
    actions.say(actor=cast.mira, number=child.number, body="我的货呢", now=noon)
    actions.solve_case(actor=cast.lin, number=child.number, now=noon)
    major.solve_major(actor=cast.wei, number=found.number, now=noon)
    go_on(found, noon)
    assert Recipient.objects.get(major=found).kept_open is False
