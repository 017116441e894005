"""The tree against the recursive definition of RFC 6962 §2.1, and against tampering."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.core.merkle import (
    EMPTY,
    ProofError,
    consistency,
    grow,
    inclusion,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)

MOST = 80
ENTRIES = [n.to_bytes(4, "big") for n in range(MOST)]


def by_definition(entries):
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = max(2**n for n in range(20) if 2**n < len(entries))
    return hashlib.sha256(b"\x01" + by_definition(entries[:split]) + by_definition(entries[split:])).digest()


def stored(*batches):
    """A store that grew by batches of these sizes; each subtree comes to be exactly once."""
    store: dict[tuple[int, int], bytes] = {}
    size = 0
    for count in batches:
        new = [leaf_hash(entry) for entry in ENTRIES[size : size + count]]
        for node in grow(size, new, lambda level, index: store[level, index]):
            assert (node.level, node.index) not in store
            store[node.level, node.index] = node.hash
        size += count
    return lambda level, index: store[level, index]


READ = stored(MOST)
ROOTS = [by_definition(ENTRIES[:size]) for size in range(MOST + 1)]


def test_a_tree_is_that_of_the_definition_at_every_size():
    assert [root(size, READ) for size in range(MOST + 1)] == ROOTS
    assert ROOTS[0] == EMPTY


@given(st.lists(st.integers(0, 13), max_size=6))
def test_it_grows_in_batches_of_any_size(batches):
    assert root(sum(batches), stored(*batches)) == ROOTS[sum(batches)]


def test_every_leaf_is_proved_in_every_tree():
    for size in range(1, MOST + 1):
        for index in range(size):
            proof = inclusion(index, size, READ)
            leaf = leaf_hash(ENTRIES[index])
            verify_inclusion(leaf=leaf, index=index, size=size, proof=proof, root=ROOTS[size])
            assert len(proof) <= (size - 1).bit_length()


def test_every_tree_is_proved_to_begin_every_later_one():
    for new in range(MOST + 1):
        for old in range(new + 1):
            proof = consistency(old, new, READ)
            verify_consistency(old=old, new=new, old_root=ROOTS[old], new_root=ROOTS[new], proof=proof)


sizes = st.integers(1, MOST)


@given(sizes, st.data())
def test_a_changed_inclusion_proof_proves_nothing(size, data):
    index = data.draw(st.integers(0, size - 1))
    good = {
        "leaf": leaf_hash(ENTRIES[index]),
        "index": index,
        "size": size,
        "proof": inclusion(index, size, READ),
        "root": ROOTS[size],
    }
    with pytest.raises(ProofError):
        verify_inclusion(**tampered(good, ["leaf", "root", "proof", "index"], data, size))


@given(sizes, sizes, st.data())
def test_a_changed_consistency_proof_proves_nothing(one, other, data):
    old, new = sorted((one, other))
    good = {
        "old": old,
        "new": new,
        "old_root": ROOTS[old],
        "new_root": ROOTS[new],
        "proof": consistency(old, new, READ),
    }
    with pytest.raises(ProofError):
        verify_consistency(**tampered(good, ["old_root", "new_root", "proof"], data, old))


def tampered(good, places, data, size):
    """`good` with one thing changed: a bit of a hash, a hash too many, one too few, another index."""
    place = data.draw(st.sampled_from(places))
    if place == "index":
        return good | {"index": data.draw(st.integers(-3, size + 3).filter(lambda n: n != good["index"]))}
    if place != "proof":
        return good | {place: flipped(good[place], data)}
    proof, kind = list(good["proof"]), data.draw(st.sampled_from(["flip", "add", "drop"]))
    if kind == "add" or not proof:
        return good | {"proof": [*proof, data.draw(st.binary(min_size=32, max_size=32))]}
    at = data.draw(st.integers(0, len(proof) - 1))
    proof[at : at + 1] = [flipped(proof[at], data)] if kind == "flip" else []
    return good | {"proof": proof}


def flipped(hash_, data):
    at = data.draw(st.integers(0, 31))
    return hash_[:at] + bytes([hash_[at] ^ 1 << data.draw(st.integers(0, 7))]) + hash_[at + 1 :]


def test_what_cannot_be_proved_is_not_asked_for():
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no leaf"):
            inclusion(index, size, READ)
    with pytest.raises(ValueError, match="no beginning"):
        consistency(6, 5, READ)
    with pytest.raises(ProofError, match="no beginning"):
        verify_consistency(old=6, new=5, old_root=ROOTS[6], new_root=ROOTS[5], proof=[])
    with pytest.raises(ProofError, match="too short"):
        verify_consistency(old=3, new=5, old_root=ROOTS[3], new_root=ROOTS[5], proof=[])
