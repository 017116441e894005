"""Rounds to measure on: made-up, seeded, as like to real ones as we know how.

Seats are lognormal, sessions are wanted by Zipf's law (0.8), a merchant's scores hang together, and there
are seats for eight in ten. The adversarial ones are built to cost the most.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from guanjia.core.allocation import Market, make_market, make_rules

WISHES = 10
_PIECE = 100_000  # merchants drawn at a time: what it takes in memory stays small
_DRAWN = 24  # candidates per merchant, from which the first ten different ones are the list

Array = NDArray[np.int64]


def sessions_for(merchants: int) -> int:
    return max(10, min(10_000, merchants // 100))


def typical(merchants: int, *, seed: int = 5) -> Market:
    """Sessions that have seats, and nothing else."""
    draw = np.random.default_rng(seed)
    sessions = sessions_for(merchants)
    seats = draw.lognormal(0, 1, sessions)
    seats = np.maximum(1, seats * 0.8 * merchants / seats.sum()).astype(np.int64)
    drawn = list(_lists(draw, merchants, sessions))
    lengths = np.concatenate([length for length, _session, _score in drawn])
    return make_market(
        np.concatenate(([0], np.cumsum(lengths))),
        np.concatenate([session for _length, session, _score in drawn]),
        np.concatenate([score for _length, _session, score in drawn]),
        (draw.permutation(merchants) + 1).astype(np.uint32),
        np.zeros(merchants, np.uint8),
        make_rules(seats),
    )


def with_cells(plain: Market, cells: int, *, seed: int = 6) -> Market:
    """The same applications, in `cells` leaves: 40% of the seats are floors, shared by all leaves, and
    each of half as many categories may have 1.3 times its share."""
    leaf = np.random.default_rng(seed).integers(0, cells, plain.merchants, dtype=np.uint8)
    seats, groups = plain.rules.seats[:, None], cells // 2
    rules = make_rules(
        plain.rules.seats,
        np.arange(cells) // 2,
        leaf_floor=(seats * 0.4 / cells * np.ones(cells)).astype(np.int64),
        category_cap=np.ceil(seats * 1.3 / groups * np.ones(groups)).astype(np.int64),
    )
    return make_market(plain.start, plain.session, plain.score, plain.lottery, leaf, rules)


def _lists(
    draw: np.random.Generator, merchants: int, sessions: int
) -> Iterator[tuple[Array, NDArray[np.int32], NDArray[np.uint32]]]:
    """Pieces of: lengths of lists; sessions, best first; scores."""
    wanted = 1 / np.arange(1, sessions + 1) ** 0.8
    reach = np.cumsum(draw.permutation(wanted / wanted.sum()))
    for begin in range(0, merchants, _PIECE):
        size = min(_PIECE, merchants - begin)
        picks = np.minimum(np.searchsorted(reach, draw.random((size, _DRAWN))), sessions - 1)
        kept = _first_different(picks)
        able = 0.7 * draw.normal(size=(size, 1)) + 0.7 * draw.normal(size=(size, _DRAWN))
        score = np.clip(500 + 100 * able, 0, 1000).astype(np.uint32)
        yield kept.sum(axis=1), picks[kept].astype(np.int32), score[kept]


def _first_different(picks: Array) -> NDArray[np.bool_]:
    """Which picks are not in their row before, the first ten of them."""
    order = np.argsort(picks, axis=1, kind="stable")
    ordered = np.take_along_axis(picks, order, axis=1)
    new = np.ones(picks.shape, bool)
    new[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    kept = np.empty(picks.shape, bool)
    np.put_along_axis(kept, order, new, axis=1)
    return kept & (np.cumsum(kept, axis=1) <= WISHES)


def adversarial(merchants: int) -> dict[str, tuple[Market, Array | None]]:
    """Each with the order that makes it worst; None is the order that the house uses."""
    rising = np.arange(merchants)
    ten = np.tile(np.arange(WISHES, dtype=np.int32), merchants)
    hot = np.argsort(np.random.default_rng(1).random((merchants, 20)), axis=1)[:, :WISHES].ravel()
    better = np.repeat(rising, WISHES)
    return {
        "all list the same ten sessions": (_same(ten, better, merchants // 20), None),
        "… and each is better than all before": (_same(ten, better, merchants // 20), rising),
        "twenty hot sessions": (_same(hot, better % 997, merchants // 40), None),
        "one chain of rejections through all": (_chain(merchants), rising),
    }


def _same(session: Array, score: Array, seats: int) -> Market:
    merchants = len(session) // WISHES
    start = np.arange(merchants + 1) * WISHES
    rules = make_rules(np.full(int(session.max()) + 1, seats))
    return make_market(start, session, score, np.arange(1, merchants + 1), np.zeros(merchants, int), rules)


def _chain(merchants: int) -> Market:
    """Merchant i has session i, then i + 1. The last wants session 0, and everybody moves on by one."""
    size = merchants - 1
    session = np.append(np.column_stack((np.arange(size), np.arange(1, size + 1))).ravel(), 0)
    score = np.append(np.tile([1, 2], size), 9)
    start = np.append(np.arange(size + 1) * 2, 2 * size + 1)
    rules = make_rules(np.ones(merchants, int))
    return make_market(start, session, score, np.arange(merchants, 0, -1), np.zeros(merchants, int), rules)
