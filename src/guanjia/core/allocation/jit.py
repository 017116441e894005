"""How kernels are compiled: once per machine, kept beside the code where that can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Kernel = TypeVar("_Kernel", bound=Callable[..., Any])


def compiled(kernel: _Kernel) -> _Kernel:
    """The kernel as machine code, made at its first call; other threads go on while it runs."""
    try:
        return cast(_Kernel, njit(cache=True, nogil=True)(kernel))
    except RuntimeError:  # an installation nobody may write to: compile anew in each process
        return cast(_Kernel, njit(nogil=True)(kernel))
