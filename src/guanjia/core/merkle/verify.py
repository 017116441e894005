"""Checking proofs, by the algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2: with the roots alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


class ProofError(ValueError):
    """A proof that proves nothing; the text says where it fails."""


def _pair(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(*, leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raises ProofError unless the leaf hash `leaf` is number `index` of the tree with this root.

    1. `at` walks up from the leaf and `last` from the last leaf; the proof has the sibling of each step.
    2. A right child, or the last node of its level, is joined to its left; where it has no sibling,
       levels are skipped until it is a right child.
    3. Any other is joined to its right. At the top both are 0, the proof is used up and the root met.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    at, last, seen = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        if at & 1 or at == last:
            seen = _pair(sibling, seen)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            seen = _pair(seen, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if seen != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(
    *, old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises ProofError unless the tree of `old` leaves is the beginning of the tree of `new`.

    1. The walk begins at the old tree's last complete subtree: the proof's first hash, or the old root
       itself where the old tree is complete.
    2. Each further hash is joined as in an inclusion proof; those on the left belong to both trees, those
       on the right to the new one only.
    3. Both roots must be met.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {old} is no beginning of one of {new}")
    if old in (0, new):
        if proof or (old == new and old_root != new_root):
            raise ProofError("two trees of one size have one root and need no proof")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        raise ProofError("the proof is too short")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    was = now = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if at & 1 or at == last:
            was, now = _pair(sibling, was), _pair(sibling, now)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            now = _pair(now, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    if (was, now) != (old_root, new_root):
        raise ProofError("the proof leads to other roots")
