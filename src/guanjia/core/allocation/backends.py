"""Which of two equal ways computes: numba's kernels, or Python and NumPy alone. Results are the same bits."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Literal

Backend = Literal["auto", "numba", "python"]

WORTH_COMPILING = 300_000
"""Application rows from which numba repays its own start: 1 to 2 s a process, more when it first compiles."""


def chosen(backend: Backend, rows: int) -> Literal["numba", "python"]:
    """The way to compute a market of so many rows. Raises ValueError for numba where there is none."""
    if backend == "numba" and not has_numba():
        raise ValueError("backend numba: it is not installed (pip install 'guanjia[fast]')")
    if backend == "auto":
        return "numba" if rows >= WORTH_COMPILING and has_numba() else "python"
    return backend


@cache
def has_numba() -> bool:
    return find_spec("numba") is not None
