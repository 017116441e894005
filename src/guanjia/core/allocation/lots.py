"""The lottery: committed to before lists close, revealed after, and the same for whoever computes it.

1. Before the round opens somebody draws a seed of 32 random bytes and publishes `commitment(seed)`, and
   names a public value that nobody can know yet (for example, a later index of a stock exchange): the beacon.
2. The lists close. The beacon becomes known.
3. The seed is published. Anybody checks it with `reveals` and computes `lottery(seed, ids, beacon)`.

The commitment keeps the seed from being chosen after the lists are known; the beacon keeps it from
being tried out against a guess of who will apply. Without a beacon (`b""`) the second is not excluded.

Hashes are plain, so that a line of any language checks them: SHA-256 of the seed is the commitment; D is
SHA-256 of seed and beacon; a merchant's draw is BLAKE2b-128 of D and its id in UTF-8. The lowest draw,
read as a big-endian number, has the number 1, the highest M. The bigger number wins a tie of scores.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

import numpy as np

from guanjia.core.allocation.arrays import I64, U32, U64
from guanjia.core.allocation.problems import Code, Problem, Unlawful, texts

SEED_BYTES = 32
_DRAW_BYTES = 16


def commitment(seed: bytes) -> str:
    """What is published of a seed before it is. 64 hexadecimal digits. Raises ValueError."""
    return hashlib.sha256(_whole(seed)).hexdigest()


def reveals(seed: bytes, committed: str) -> bool:
    """Whether this seed is the one that was committed to."""
    return len(seed) == SEED_BYTES and hmac.compare_digest(commitment(seed), committed.lower())


def lottery(seed: bytes, ids: Sequence[str], beacon: bytes = b"") -> U32:
    """The number of each merchant, a permutation of 1 to M. [M]

    Depends on which ids there are, not on their order. Raises Unlawful when one stands there twice,
    ValueError for a seed of another length. O(M log M).
    """
    root = hashlib.blake2b(hashlib.sha256(_whole(seed) + beacon).digest(), digest_size=_DRAW_BYTES)
    draws = bytearray()
    for merchant in ids:
        draw = root.copy()
        draw.update(merchant.encode())
        draws += draw.digest()
    halves = np.frombuffer(bytes(draws), ">u8").reshape(-1, 2).astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))
    _refuse_twice(halves[order], order)
    numbers = np.empty(len(order), np.uint32)
    numbers[order] = np.arange(1, len(order) + 1, dtype=np.uint32)
    return numbers


def _whole(seed: bytes) -> bytes:
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
    return seed


def _refuse_twice(ordered: U64, order: I64) -> None:
    same = np.flatnonzero((ordered[1:] == ordered[:-1]).all(axis=1))
    if same.size == 0:
        return
    merchant = int(order[same + 1].min())  # lexsort is stable: the later of two equal ones
    raise Unlawful(
        [
            Problem(
                Code.MERCHANT_TWICE,
                texts(
                    f"第 {merchant + 1} 位商家已在名单中。",
                    f"Merchant {merchant + 1} is in the list already.",
                ),
                texts("每家商家只抽一个号。", "One number for each merchant."),
                merchant=merchant,
            )
        ]
    )
