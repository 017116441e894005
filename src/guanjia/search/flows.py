"""The flows that keep entries as they should be: a trigger wakes them in the transaction of the change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from guanjia.base.flows import Turn
from guanjia.search.indexing import index_cases, index_merchants

_BLOCK = (1 << 24) - 1
"""The part of a key that is the block; the trigger puts the transaction above it."""


class CaseWordsFlow:
    """Implements `base.flows.engine.FlowKind`; keys are ids of cases. It has no calls to make."""

    name = "search"

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        index_cases([key for key, _none in batch])
        return [Turn(key, (), None) for key, _none in batch]

    async def perform(self, call: None) -> None:
        """Never called: nothing of this happens outside."""


class MerchantWordsFlow:
    """Keys are blocks of merchants (see `indexing.BLOCK_BITS`) that a transaction has changed, with the
    transaction in front: an import of a million is a thousand keys, and no two imports share one."""

    name = "search_merchants"

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        index_merchants(sorted({key & _BLOCK for key, _none in batch}))
        return [Turn(key, (), None) for key, _none in batch]

    async def perform(self, call: None) -> None:
        """Never called: nothing of this happens outside."""
