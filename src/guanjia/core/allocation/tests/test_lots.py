"""The lottery: the same for everybody who has the seed, and for nobody before."""

import hashlib

import numpy as np
import pytest

from guanjia.core.allocation import Code, Unlawful, commitment, lottery, reveals

SEED = bytes(range(32))
IDS = [f"m-{number}" for number in range(1000)]


def test_a_commitment_is_the_sha256_of_the_seed():
    assert commitment(SEED) == "630dcd2966c4336691125448bbb25b4ff412a49c732db2c8abc1b8581bd710dd"
    assert reveals(SEED, commitment(SEED).upper())
    assert not reveals(SEED[:-1] + b"\0", commitment(SEED))
    assert not reveals(b"", commitment(SEED))
    with pytest.raises(ValueError, match="32 bytes, not 5"):
        commitment(b"short")


def test_numbers_are_the_ranks_of_plain_hashes():
    root = hashlib.sha256(SEED + b"index 4711").digest()
    draws = [hashlib.blake2b(root + merchant.encode(), digest_size=16).digest() for merchant in IDS]
    expected = np.argsort(np.argsort(draws)) + 1
    numbers = lottery(SEED, IDS, b"index 4711")
    assert numbers.dtype == np.uint32
    assert numbers.tolist() == expected.tolist()


def test_numbers_are_a_permutation_and_belong_to_ids_not_to_places():
    numbers = lottery(SEED, IDS)
    assert sorted(numbers.tolist()) == list(range(1, 1001))
    assert lottery(SEED, IDS[::-1]).tolist() == numbers.tolist()[::-1]


def test_another_seed_or_beacon_draws_anew():
    numbers = lottery(SEED, IDS).tolist()
    assert lottery(SEED, IDS, b"1").tolist() != numbers
    assert lottery(bytes(32), IDS).tolist() != numbers
    assert lottery(SEED, []).tolist() == []


def test_nobody_is_drawn_twice():
    with pytest.raises(Unlawful, match="Merchant 4 is in the list already") as caught:
        lottery(SEED, ["甲", "乙", "丙", "乙", "丙"])
    [problem] = caught.value.problems
    assert (problem.code, problem.merchant) == (Code.MERCHANT_TWICE, 3)
    with pytest.raises(ValueError, match="32 bytes"):
        lottery(b"", ["甲"])
