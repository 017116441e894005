"""Where no floors and caps apply, the outcome is that of another's implementation."""

import numpy as np
import pytest
from matching.games import HospitalResident

from guanjia.core.allocation import allocate, make_market, make_rules


def peer(market):
    """`matching` on the same round: residents are merchants, hospitals are sessions."""
    applicants: dict[int, list[tuple[int, int, int]]] = {}
    for merchant in range(market.merchants):
        own = market.own(merchant)
        for session, score in zip(own.sessions, own.scores, strict=True):
            applicants.setdefault(session, []).append((score, own.lottery, merchant))
    residents = {m: list(market.own(m).sessions) for m in range(market.merchants)}
    hospitals = {
        s: [m for _score, _number, m in sorted(those, reverse=True)] for s, those in applicants.items()
    }
    seats = {session: int(market.rules.seats[session]) for session in hospitals}
    solution = HospitalResident.create_from_dictionaries(residents, hospitals, seats).solve(
        optimal="resident"
    )
    placed = {int(m.name): int(s.name) for s, those in solution.items() for m in those}
    return [placed.get(m) for m in range(market.merchants)]


@pytest.mark.parametrize("seed", range(4))
def test_the_outcome_is_that_of_matching(seed):
    draw = np.random.default_rng(seed)
    merchants, sessions, wishes = 150, 12, 5
    market = make_market(
        np.arange(merchants + 1) * wishes,
        np.argsort(draw.random((merchants, sessions)), axis=1)[:, :wishes].ravel(),
        draw.integers(0, 6, merchants * wishes),
        draw.permutation(merchants) + 1,
        np.zeros(merchants, int),
        make_rules(draw.integers(1, 15, sessions)),
    )
    won = allocate(market)
    placed = [int(market.session[row]) if row >= 0 else None for row in won]
    assert placed == peer(market)
    assert None in placed
