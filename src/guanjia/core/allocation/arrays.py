"""The array types of this package, and how whatever a caller has becomes one of them."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
U64 = NDArray[np.uint64]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Index = int | np.int64
"""Where a kernel is in an array, from 0: one type for the machine, two for the type checker."""

CLOSED = (1 << 64) - 1
"""The cut-off nobody reaches: no key is as large, because no score is 2**32 - 1."""
MOST_SCORE = (1 << 32) - 2
LOTTERY_BITS = 32
LOTTERY_MASK = (1 << LOTTERY_BITS) - 1

_Scalar = TypeVar("_Scalar", bound=np.generic)


def whole(name: str, given: ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    """`given` as an array of whole numbers of this shape (-1: any length). Raises TypeError, ValueError.

    Floating point is refused, not rounded: a key built from it would lose its lottery bits silently.
    """
    array = np.asarray(given)
    if array.size == 0 and array.dtype == np.float64:  # an empty list has no type of its own
        array = array.astype(np.int64)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must be whole numbers, not {array.dtype}")
    if array.ndim != len(shape) or any(
        want not in (-1, has) for want, has in zip(shape, array.shape, strict=True)
    ):
        raise ValueError(f"{name} has shape {array.shape}, expected {shape} (-1: any length)")
    return array


def frozen(array: NDArray[Any], kind: type[_Scalar]) -> NDArray[_Scalar]:
    """The array as `kind`, contiguous and read-only; a copy only where it has to be one."""
    fixed = np.ascontiguousarray(array, dtype=kind).view()
    fixed.flags.writeable = False
    return fixed


def keys(score: U32, lottery: U32) -> U64:
    """`score << 32 | lottery`, element by element: uint64 throughout, int64 would make floats of it."""
    return (score.astype(np.uint64) << np.uint64(LOTTERY_BITS)) | lottery.astype(np.uint64)
