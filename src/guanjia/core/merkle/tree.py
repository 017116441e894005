"""Building the tree and its proofs (RFC 6962 §2.1; the same tree as RFC 9162 §2.1).

A complete subtree is named by (level, index): it covers the `2**level` leaves from `index * 2**level` on.
Only complete ones are stored; they never change, so a tree grows by inserts alone. All hashes are SHA-256,
32 bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

Read = Callable[[int, int], bytes]
"""The hash of the complete subtree (level, index)."""

EMPTY = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


@dataclass(frozen=True, slots=True)
class Node:
    level: int
    index: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def grow(size: int, leaves: Sequence[bytes], read: Read) -> Iterator[Node]:
    """The complete subtrees that come to be when these leaf hashes are appended to `size` leaves.

    1. Each leaf is a subtree of level 0.
    2. Level by level, a pair of neighbours of which the right one is new makes one of the next level;
       only its left one may be old, and is then read.
    Cost: under two hashes a leaf, and at most one read a level.
    """
    level, first, new = 0, size, list(leaves)
    while new:
        yield from (Node(level, first + offset, hash_) for offset, hash_ in enumerate(new))
        if first % 2:
            first, new = first - 1, [read(level, first - 1), *new]
        pairs = zip(new[::2], new[1::2], strict=False)  # one without a neighbour waits for it
        level, first, new = level + 1, first // 2, [node_hash(*pair) for pair in pairs]


def root(size: int, read: Read) -> bytes:
    """The hash of the whole tree of `size` leaves. O(log size) reads."""
    return _range(0, size, read) if size else EMPTY


def inclusion(index: int, size: int, read: Read) -> list[bytes]:
    """The proof that leaf `index` is in the tree of `size` leaves (§2.1.1), from the leaf upwards.

    Raises ValueError unless `0 <= index < size`.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range(middle, end, read))
            end = middle
        else:
            proof.append(_range(start, middle, read))
            start = middle
    return proof[::-1]


def consistency(old: int, new: int, read: Read) -> list[bytes]:
    """The proof that the tree of `old` leaves is the beginning of that of `new` (§2.1.2).

    Empty where there is nothing to show (`old` is 0 or `new`). Raises ValueError unless `0 <= old <= new`.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {old} is no beginning of one of {new}")
    if old in (0, new):
        return []
    proof: list[bytes] = []
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range(middle, end, read))
            end = middle
        else:
            proof.append(_range(start, middle, read))
            start = middle
    # A complete old tree is its own witness: who verifies has its root already.
    return ([_range(start, end, read)] if start else []) + proof[::-1]


def _range(start: int, end: int, read: Read) -> bytes:
    """The hash of the leaves `start`..`end`, which begin where a subtree may begin."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return read(level, start >> level)
    middle = start + _split(size)
    return node_hash(_range(start, middle, read), _range(middle, end, read))


def _split(size: int) -> int:
    """The largest power of two below `size`; `size` is at least 2."""
    return 1 << (size - 1).bit_length() - 1
