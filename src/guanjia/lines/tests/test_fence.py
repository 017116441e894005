"""The fence, rule by rule, and then against a slow model that only remembers what happened."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from guanjia.lines.protocol import fence
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.fence import (
    Effect,
    Held,
    HoldRecord,
    NotPendingError,
    Pending,
    Refused,
    Step,
)
from guanjia.lines.protocol.messages import (
    Authority,
    ConfirmAuthority,
    DecisionRule,
    HoldRequest,
    HoldState,
    Money,
    Reason,
    Rule,
    ServiceSpec,
    Silence,
)
from guanjia.lines.protocol.wire import dump_body, parse_body

ACCEPTED, SILENCE = ConfirmAuthority.ACCEPTED, ConfirmAuthority.SILENCE
HOLD_ID = UUID("0b9f2f6a-6f0e-4c84-9d5a-0a4f0b1c2d3e")
NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)
NO = Reason("not_this_week", {"zh-Hans": "本周不行", "en": "Not this week"})
PRICE = Money(120000, "CNY")


def seconds(number):
    return timedelta(seconds=number)


def make_spec(which=Rule.NEVER, silence=Silence.CONSENT, ttl=900):
    decision = DecisionRule(which, within_seconds=600, grace_seconds=60, silence=silence)
    titles = {"zh-Hans": "展示位", "en": "Banner"}
    return ServiceSpec("banner", titles, {}, ttl, PRICE, decision)


def make_request(kind=Authority.NONE, ttl=900):
    mandate = "MD-7" if kind is Authority.MANDATE else None
    return HoldRequest(HOLD_ID, "banner", {}, "M-1", "云栖女装", "PK-1", 1, ttl, kind, mandate)


def make_record(outcome=None, which=Rule.NEVER, silence=Silence.CONSENT):
    request = make_request()
    spec = make_spec(which, silence)
    return fence.opened(request, request.digest(), spec, outcome or Held(), NOON)


HELD = make_record()
PENDING = make_record(which=Rule.ALWAYS)
REFUSED = make_record(Refused("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"}))
CONFIRMED = fence.confirm(HELD, ACCEPTED, NOON).record
RELEASED = fence.release(HELD, HOLD_ID, NOON).record
LAPSED = fence.lapse(HELD, NOON + seconds(900)).record
TOMBSTONE = fence.release(None, HOLD_ID, NOON).record


def refusal(call, *args):
    with pytest.raises(ProtocolError) as caught:
        call(*args)
    return caught.value.code


def test_4_2_a_hold_is_held_until_its_expiry_at_the_list_price():
    assert (HELD.state, HELD.expires_at, HELD.quote) == (HoldState.HELD, NOON + seconds(900), PRICE)
    assert HELD.view(NOON + seconds(899)).state is HoldState.HELD
    assert HELD.view(NOON + seconds(900)).state is HoldState.LAPSED


def test_4_2_the_quote_of_the_business_binds():
    record = make_record(Held(quote=Money(5, "CNY"), reference="TB-1"))
    assert (record.quote, record.reference) == (Money(5, "CNY"), "TB-1")


def test_4_2_the_line_grants_no_more_than_its_own_time_to_live():
    for asked, granted in [(60, 60), (3600, 900)]:
        record = fence.opened(make_request(ttl=asked), "d", make_spec(), Held(), NOON)
        assert record.expires_at == NOON + seconds(granted)


def test_4_2_1_a_refusal_reserves_nothing_and_says_why():
    assert REFUSED.view(NOON).reason == Reason("sold_out", {"zh-Hans": "已售罄", "en": "Sold out"})
    assert (REFUSED.state, REFUSED.expires_at, REFUSED.quote) == (HoldState.REFUSED, None, None)
    assert REFUSED.view(NOON + seconds(10_000)).state is HoldState.REFUSED


@pytest.mark.parametrize(
    ("which", "kind", "state"),
    [
        (Rule.NEVER, Authority.NONE, HoldState.HELD),
        (Rule.NEVER, Authority.MANDATE, HoldState.HELD),
        (Rule.BEYOND_MANDATE, Authority.NONE, HoldState.PENDING),
        (Rule.BEYOND_MANDATE, Authority.MANDATE, HoldState.HELD),
        (Rule.ALWAYS, Authority.NONE, HoldState.PENDING),
        (Rule.ALWAYS, Authority.MANDATE, HoldState.PENDING),
    ],
)
def test_4_1_3_the_published_rule_says_who_decides(which, kind, state):
    request, spec = make_request(kind), make_spec(which)
    assert fence.opened(request, "d", spec, Held(), NOON).state is state
    if state is HoldState.PENDING:
        assert fence.opened(request, "d", spec, Pending(), NOON).state is state
    else:
        with pytest.raises(ValueError, match="asks nobody"):
            fence.opened(request, "d", spec, Pending(), NOON)


def test_4_2_2_pending_carries_its_clock():
    assert PENDING.decision_due_at == NOON + seconds(600)
    assert PENDING.silence_consents_at == NOON + seconds(660)
    assert make_record(which=Rule.ALWAYS, silence=Silence.REFUSAL).silence_consents_at is None


def test_4_3_1_a_duplicate_is_answered_with_the_hold_as_it_is():
    assert fence.admit(None, HELD.digest) is None
    for record in (HELD, PENDING, REFUSED, CONFIRMED, LAPSED):
        assert fence.admit(record, HELD.digest) is record


def test_4_3_2_other_content_under_the_same_id_is_refused():
    for record in (HELD, PENDING, REFUSED, CONFIRMED, LAPSED):
        assert refusal(fence.admit, record, "other") == "idempotency_mismatch"


def test_4_5_3_a_hold_that_arrives_after_its_release_is_refused():
    for record in (RELEASED, TOMBSTONE):
        assert refusal(fence.admit, record, HELD.digest) == "hold_released"
        assert refusal(fence.admit, record, "other") == "hold_released"


def test_4_4_1_confirm_makes_a_hold_final():
    later = NOON + seconds(899)
    final = replace(HELD, state=HoldState.CONFIRMED, changed_at=later)
    assert fence.confirm(HELD, ACCEPTED, later) == Step(final, Effect.CONFIRM, write=True)
    assert fence.confirm(HELD, SILENCE, later).effect is Effect.CONFIRM


def test_4_3_3_a_second_confirm_or_release_changes_nothing():
    assert fence.confirm(CONFIRMED, ACCEPTED, NOON + seconds(9999)) == Step(CONFIRMED)
    assert fence.release(RELEASED, HOLD_ID, NOON) == Step(RELEASED)
    assert fence.release(TOMBSTONE, HOLD_ID, NOON) == Step(TOMBSTONE)


def renewed(record, ttl, now):
    return fence.renew(record, ttl, now).record


def test_4_4_2_silence_consents_only_where_the_rule_says_so_and_only_after_the_grace():
    waiting = renewed(PENDING, 900, NOON + seconds(500))
    assert refusal(fence.confirm, waiting, SILENCE, NOON + seconds(659)) == "decision_pending"
    assert refusal(fence.confirm, waiting, ACCEPTED, NOON + seconds(660)) == "decision_pending"
    agreed = fence.confirm(waiting, SILENCE, NOON + seconds(660))
    assert (agreed.record.state, agreed.effect) == (HoldState.CONFIRMED, Effect.CONFIRM)
    never = make_record(which=Rule.ALWAYS, silence=Silence.REFUSAL)
    assert refusal(fence.confirm, never, SILENCE, NOON + seconds(800)) == "decision_pending"


@pytest.mark.parametrize(
    ("record", "after", "code"),
    [
        (None, 0, "unknown_hold"),
        (RELEASED, 0, "hold_released"),
        (TOMBSTONE, 0, "hold_released"),
        (REFUSED, 0, "hold_refused"),
        (HELD, 900, "hold_lapsed"),
        (PENDING, 900, "hold_lapsed"),
        (LAPSED, 0, "hold_lapsed"),
        (PENDING, 0, "decision_pending"),
    ],
)
def test_4_4_nothing_else_is_confirmed(record, after, code):
    now = NOON + seconds(after)
    assert refusal(fence.confirm, record, ACCEPTED, now) == code


@pytest.mark.parametrize(
    ("record", "after", "effect"),
    [
        (HELD, 0, Effect.RELEASE),
        (PENDING, 0, Effect.RELEASE),
        (HELD, 901, Effect.RELEASE),
        (LAPSED, 901, Effect.NONE),
        (REFUSED, 0, Effect.NONE),
    ],
)
def test_4_5_release_gives_back_what_is_still_reserved(record, after, effect):
    now = NOON + seconds(after)
    gone = replace(record, state=HoldState.RELEASED, changed_at=now)
    assert fence.release(record, HOLD_ID, now) == Step(gone, effect, write=True)


def test_4_5_2_an_empty_release_leaves_a_tombstone():
    tombstone = HoldRecord(HOLD_ID, HoldState.RELEASED, NOON)
    assert fence.release(None, HOLD_ID, NOON) == Step(tombstone, write=True)


def test_4_5_4_release_is_no_refund():
    assert refusal(fence.release, CONFIRMED, HOLD_ID, NOON) == "hold_confirmed"


def test_4_6_1_renew_moves_the_expiry_later_and_never_earlier():
    later = NOON + seconds(600)
    assert fence.renew(HELD, 900, later) == Step(replace(HELD, expires_at=later + seconds(900)), write=True)
    assert fence.renew(HELD, 60, NOON) == Step(HELD)
    assert fence.renew(HELD, 100_000, later) == fence.renew(HELD, 900, later)
    assert renewed(PENDING, 900, later).expires_at == later + seconds(900)


@pytest.mark.parametrize(
    ("record", "after", "code"),
    [
        (None, 0, "unknown_hold"),
        (HELD, 900, "hold_lapsed"),
        (LAPSED, 0, "hold_lapsed"),
        (RELEASED, 0, "hold_released"),
        (REFUSED, 0, "hold_refused"),
    ],
)
def test_4_6_2_what_may_belong_to_somebody_else_is_not_renewed(record, after, code):
    assert refusal(fence.renew, record, 900, NOON + seconds(after)) == code
    assert fence.renew(CONFIRMED, 900, NOON) == Step(CONFIRMED)


def test_4_7_a_lapse_gives_back_once():
    assert fence.lapse(HELD, NOON + seconds(899)) == Step(HELD)
    late = NOON + seconds(900)
    gone = replace(HELD, state=HoldState.LAPSED, changed_at=late)
    assert fence.lapse(HELD, late) == Step(gone, Effect.RELEASE, write=True)
    assert fence.lapse(gone, late) == Step(gone)
    assert fence.lapse(CONFIRMED, late) == Step(CONFIRMED)


def test_5_1_a_person_says_yes_perhaps_at_another_price():
    yes = fence.approve(PENDING, None, NOON)
    assert yes == Step(replace(PENDING, state=HoldState.HELD), write=True)
    assert fence.approve(PENDING, Money(9, "CNY"), NOON).record.quote == Money(9, "CNY")


def test_5_1_a_person_says_no_and_the_reservation_is_free():
    no = fence.refuse(PENDING, NO, NOON)
    assert no == Step(replace(PENDING, state=HoldState.REFUSED, reason=NO), Effect.RELEASE, write=True)
    assert fence.release(no.record, HOLD_ID, NOON).effect is Effect.NONE


@pytest.mark.parametrize(
    ("record", "after", "state"),
    [(HELD, 0, "held"), (PENDING, 900, "lapsed"), (TOMBSTONE, 0, "released")],
)
def test_5_1_only_what_waits_can_be_decided(record, after, state):
    now = NOON + seconds(after)
    for decide in (lambda: fence.approve(record, None, now), lambda: fence.refuse(record, NO, now)):
        with pytest.raises(NotPendingError) as caught:
            decide()
        assert caught.value.state == state
    assert refusal(fence.approve, None, None, NOON) == "unknown_hold"


@pytest.mark.parametrize(
    "decide", [lambda r, now: fence.refuse(r, NO, now), lambda r, now: fence.approve(r, None, now)]
)
def test_5_4_nobody_decides_after_silence_has_consented(decide):
    waiting = renewed(PENDING, 900, NOON + seconds(500))
    assert decide(waiting, NOON + seconds(659)).write
    with pytest.raises(NotPendingError) as caught:
        decide(waiting, NOON + seconds(660))
    assert caught.value.state is HoldState.HELD


def test_5_4_a_late_decision_counts_where_silence_refuses():
    never = renewed(make_record(which=Rule.ALWAYS, silence=Silence.REFUSAL), 900, NOON + seconds(500))
    assert fence.approve(never, None, NOON + seconds(1000)).record.state is HoldState.HELD


@pytest.mark.parametrize("record", [HELD, PENDING, REFUSED, CONFIRMED, RELEASED, LAPSED, TOMBSTONE])
def test_a_record_survives_its_storage(record):
    assert HoldRecord.from_json(parse_body(dump_body(record.to_json()))) == record


class AgainstTheModel(RuleBasedStateMachine):
    """Any order of calls and duplicates on one hold id, with a clock that only moves on.

    The model is not a state machine: it keeps the history of what was *granted* and answers each
    question from the whole history, in the words of the contract.
    """

    def __init__(self):
        super().__init__()
        self.now = NOON
        self.record: Any = None
        self.history: list[str] = []
        self.effects: list[Any] = []
        self.expiry: Any = None
        self.consents: Any = None

    def had(self, *events):
        return any(event in events for event in self.history)

    def gone_by_time(self):
        return self.expiry is not None and self.now >= self.expiry and not self.had("confirmed")

    def expected(self):
        """The state in the words of the contract, from the history alone; None is unknown."""
        if self.had("released"):
            return "released"
        if self.had("confirmed"):
            return "confirmed"
        if self.had("refused", "decided no"):
            return "refused"
        if self.gone_by_time():
            return "lapsed"
        if self.had("asked a person") and not self.had("decided yes"):
            return "pending"
        return "held" if self.had("reserved") else None

    def take(self, step):
        if step.effect is not Effect.NONE:
            self.effects.append(step.effect)
        assert step.write or step.record == self.record
        self.record = step.record

    def attempt(self, event, call, *args):
        """Run a call; True and a line in the history where it was granted."""
        try:
            step = call(*args)
        except (ProtocolError, NotPendingError):
            return False
        self.take(step)
        self.history.append(event)
        return True

    @rule(wait=st.sampled_from([1, 60, 300, 600, 900]))
    def time_passes(self, wait):
        self.now += seconds(wait)

    @rule(
        which=st.sampled_from(Rule),
        silence=st.sampled_from(Silence),
        refuses=st.sampled_from([False, False, False, True]),
        item=st.sampled_from([1, 1, 1, 2]),
    )
    def a_hold_arrives(self, which, silence, refuses, item):
        request = replace(make_request(), item=item)
        expected, digest = self.expected(), request.digest()
        if expected == "released":
            assert refusal(fence.admit, self.record, digest) == "hold_released"
        elif expected is not None and self.record.digest != digest:
            assert refusal(fence.admit, self.record, digest) == "idempotency_mismatch"
        elif expected is not None:
            assert fence.admit(self.record, digest) is self.record
        else:
            assert fence.admit(self.record, digest) is None
            self.reserve(request, make_spec(which, silence), refuses)

    def reserve(self, request, spec, refuses):
        outcome = Refused(NO.code, NO.message) if refuses else Held()
        self.record = fence.opened(request, request.digest(), spec, outcome, self.now)
        self.history.append("refused" if refuses else "reserved")
        if not refuses:
            self.effects.append("reserve")
            self.expiry = self.now + seconds(900)
        if not refuses and spec.decision.rule is not Rule.NEVER:
            self.history.append("asked a person")
            if spec.decision.silence is Silence.CONSENT:
                self.consents = self.now + seconds(660)

    @rule(authority=st.sampled_from(ConfirmAuthority))
    def a_confirm_arrives(self, authority):
        before = self.expected()
        silent = before == "pending" and authority is SILENCE and self.consents is not None
        allowed = before in ("held", "confirmed") or (silent and self.now >= self.consents)
        assert self.attempt("confirmed", fence.confirm, self.record, authority, self.now) is allowed

    @rule()
    def a_release_arrives(self):
        allowed = self.expected() != "confirmed"
        call = (fence.release, self.record, HOLD_ID, self.now)
        assert self.attempt("released", *call) is allowed

    @rule(ttl=st.sampled_from([60, 900, 9000]))
    def a_renewal_arrives(self, ttl):
        before = self.expected()
        granted = self.attempt("renewed", fence.renew, self.record, ttl, self.now)
        assert granted is (before in ("held", "pending", "confirmed"))
        if before in ("held", "pending"):
            self.expiry = max(self.expiry, self.now + seconds(min(ttl, 900)))

    @rule(yes=st.booleans())
    def a_person_decides(self, yes):
        spoken = self.consents is not None and self.now >= self.consents
        allowed = self.expected() == "pending" and not spoken
        if yes:
            assert self.attempt("decided yes", fence.approve, self.record, None, self.now) is allowed
        else:
            assert self.attempt("decided no", fence.refuse, self.record, NO, self.now) is allowed

    @precondition(lambda self: self.record is not None)
    @rule()
    def the_sweeper_passes(self):
        self.take(fence.lapse(self.record, self.now))

    @invariant()
    def the_state_is_the_one_the_history_tells(self):
        state = None if self.record is None else self.record.view(self.now).state
        assert state == self.expected()

    @invariant()
    def at_most_one_effect_follows_the_reservation(self):
        assert self.effects in (
            [],
            ["reserve"],
            ["reserve", Effect.CONFIRM],
            ["reserve", Effect.RELEASE],
        )

    @invariant()
    def what_is_over_is_given_back(self):
        given_back = Effect.RELEASE in self.effects
        if self.had("reserved") and self.expected() in ("released", "refused"):
            assert given_back
        if self.expected() in ("held", "pending", "confirmed"):
            assert not given_back


TestAgainstTheModel = AgainstTheModel.TestCase
TestAgainstTheModel.settings = settings(
    max_examples=300, stateful_step_count=25, deadline=None, derandomize=True
)
