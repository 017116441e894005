"""How it was done, in the merchant's eyes."""

from datetime import timedelta

import pytest

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases.actions import close_cases, open_case, rate_case, reopen_case, solve_case
from guanjia.cases.actions.rating import NotRatable
from guanjia.cases.models import Case, CaseState, Rating, RatingTally
from guanjia.cases.rating import Invited, invited, rating_link
from guanjia.ledger.models import Event


@pytest.fixture
def case(cast, noon):
    found = open_case(actor=cast.mira, merchant_ref="M-1042", need="想上团购", now=noon)
    solve_case(actor=cast.lin, number=found.number, now=noon)
    return found


def tallies():
    return list(RatingTally.objects.order_by("pk").values_list("month", "person", "ratings", "total"))


def test_a_rating_is_kept_counted_and_logged(cast, case, noon):
    rating = rate_case(actor=cast.mira, number=case.number, score=4, words=" 很快 ", now=noon)
    assert (rating.score, rating.words, rating.by, rating.person) == (4, "很快", cast.mira, cast.lin)
    assert tallies() == [(noon.date().replace(day=1), cast.lin.pk, 1, 4)]
    event = Event.objects.get(kind="cases.rated")
    assert event.payload == {"case": case.number, "score": 4, "before": None}
    assert event.actor == f"user:{cast.mira.pk}"


def test_a_changed_mind_counts_once(cast, case, noon):
    rate_case(actor=cast.mira, number=case.number, score=2, now=noon)
    rate_case(actor=cast.mira, number=case.number, score=5, now=noon + timedelta(days=40))
    rating = Rating.objects.get()
    assert (rating.score, rating.rated_at, rating.changed_at) == (5, noon, noon + timedelta(days=40))
    assert tallies() == [(noon.date().replace(day=1), cast.lin.pk, 1, 5)]
    assert [event.payload["before"] for event in Event.objects.filter(kind="cases.rated").order_by("pk")] == [
        None,
        2,
    ]


def test_several_are_summed(cast, case, noon):
    rate_case(actor=cast.mira, number=case.number, score=2, now=noon)
    other = open_case(actor=cast.mira, merchant_ref="M-1042", need="另一件", now=noon)
    solve_case(actor=cast.lin, number=other.number, now=noon)
    rate_case(actor=cast.mira, number=other.number, score=5, now=noon)
    assert tallies() == [(noon.date().replace(day=1), cast.lin.pk, 2, 7)]


@pytest.mark.parametrize("score", [0, 6, -1])
def test_only_one_to_five(cast, case, noon, unchanged, score):
    with unchanged(), pytest.raises(BadInput):
        rate_case(actor=cast.mira, number=case.number, score=score, now=noon)


def test_what_is_not_done_is_not_rated(cast, case, noon, unchanged):
    reopen_case(actor=cast.mira, number=case.number, now=noon)
    with unchanged(), pytest.raises(NotRatable):
        rate_case(actor=cast.mira, number=case.number, score=5, now=noon)


def test_a_closed_case_may_still_be_rated_once_and_not_changed(cast, case, noon, unchanged):
    close_cases(cases=[case.pk], now=noon + timedelta(days=60))
    assert Case.objects.get(pk=case.pk).state == CaseState.CLOSED
    rate_case(actor=cast.mira, number=case.number, score=5, now=noon)
    with unchanged(), pytest.raises(NotRatable):
        rate_case(actor=cast.mira, number=case.number, score=1, now=noon)


def test_nobody_rates_for_a_merchant(cast, case, noon, unchanged):
    for actor in (cast.lin, cast.wei):
        with unchanged(), pytest.raises(Forbidden):
            rate_case(actor=actor, number=case.number, score=5, now=noon)
    for actor in (cast.mo, cast.otto):
        with unchanged(), pytest.raises(Missing):
            rate_case(actor=actor, number=case.number, score=5, now=noon)


def test_a_rating_never_stands_before_a_new_case(cast, case, noon):
    assert not Rating.objects.exists()
    assert open_case(actor=cast.mira, merchant_ref="M-1042", need="下一件", now=noon).pk


def test_a_link_names_one_case_and_one_member(cast, case):
    token = rating_link(case, cast.mira, score=4).split("/rate/")[1]
    token, _slash, chosen = token.partition("/")
    assert chosen == "?score=4"
    assert invited(token) == Invited(case.pk, cast.mira.pk)
    assert invited(token[:-1] + ("A" if token[-1] != "A" else "B")) is None
    assert invited("") is None


def test_a_link_grows_old(cast, case, monkeypatch):
    token = rating_link(case, cast.mira).rstrip("/").rpartition("/")[2]
    monkeypatch.setattr("guanjia.cases.rating.LINK_LIVES", timedelta(seconds=-1))
    assert invited(token) is None
