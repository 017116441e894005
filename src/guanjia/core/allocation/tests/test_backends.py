"""The engine without numba, with its kernels read by Python, and where nobody may write their cache."""

import subprocess
import sys

import pytest

from guanjia.core.allocation import allocate, backends, cutoffs, jit, make_market, verify
from guanjia.core.allocation.tests.markets import random_market

SAME = """
import numpy as np
from guanjia.core.allocation import allocate, cutoffs, verify
from guanjia.core.allocation.tests.markets import random_market

for seed in range(6):
    market = random_market(seed, 80, 6, (1, 3, 8)[seed % 3], (1, 2, 4)[seed % 3], wishes=4)
    one, other = (allocate(market, backend=backend) for backend in ("python", "numba"))
    assert np.array_equal(one, other)
    assert verify(market, one, backend="numba") == verify(market, one, backend="python")
    assert verify(market, one, backend="numba").stable
print("same")
"""
WITHOUT = """
import importlib.util
import sys

real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "numba" else real(name, *more)
from guanjia.core.allocation import allocate, backends, has_numba, make_market, make_rules, verify

backends.WORTH_COMPILING = 0
assert not has_numba()
market = make_market([0, 1], [0], [1], [1], [0], make_rules([1]))
assert verify(market, allocate(market)).stable
try:
    allocate(market, backend="numba")
except ValueError as error:
    print(error)
assert not any(name.endswith("_kernels") for name in sys.modules)
"""


def run(code, **environ):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, env=environ, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_kernels_read_by_python_keep_inside_their_arrays():
    """Machine code does not look whether an index is inside; Python does."""
    assert run(SAME, NUMBA_DISABLE_JIT="1") == "same"


def test_without_numba_everything_works_and_asking_for_it_says_what_to_install():
    assert run(WITHOUT) == "backend numba: it is not installed (pip install 'guanjia[fast]')"


def test_small_rounds_do_not_wait_for_a_compiler(monkeypatch):
    assert backends.chosen("auto", backends.WORTH_COMPILING - 1) == "python"
    assert backends.chosen("auto", backends.WORTH_COMPILING) == "numba"
    monkeypatch.setattr(backends, "has_numba", lambda: False)
    assert backends.chosen("auto", 10**9) == "python"
    with pytest.raises(ValueError, match=r"guanjia\[fast\]"):
        backends.chosen("numba", 10**9)


def test_where_no_cache_can_be_written_kernels_are_compiled_anew(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda kernel: kernel

    monkeypatch.setattr(jit, "njit", njit)
    assert jit.compiled(len) is len
    assert asked == [{"cache": True, "nogil": True}, {"nogil": True}]


def test_by_itself_a_large_round_takes_the_fast_way(monkeypatch):
    monkeypatch.setattr(backends, "WORTH_COMPILING", 0)
    market = random_market(1, 50, 8)
    again = make_market(market.start, market.session, market.score, market.lottery, market.leaf, market.rules)
    won = allocate(again)
    assert won.tolist() == allocate(market, backend="python").tolist()
    assert cutoffs(again, won).key.tolist() == cutoffs(market, won, backend="python").key.tolist()
    assert verify(again, won).stable
