"""A line as it is written without a fence: the control of the chaos experiment, never for use.

Each call does what it says to whatever is there: a duplicate reserves again, a second confirm
confirms again, and a release that arrives first is forgotten.
"""

from dataclasses import replace
from uuid import UUID

from guanjia.lines.protocol import fence
from guanjia.lines.protocol.fence import Effect, Step
from guanjia.lines.protocol.holds import Holds
from guanjia.lines.protocol.messages import (
    ConfirmAuthority,
    HoldRequest,
    HoldState,
    HoldView,
)


class UnfencedHolds(Holds):
    """`Holds` without duplicate detection, state checks and tombstones."""

    def hold(self, request: HoldRequest) -> HoldView:
        with self._store.transaction():
            return self._reserve(request, request.digest()).view(self.clock())

    def confirm(self, hold_id: UUID, authority: ConfirmAuthority) -> HoldView:
        return self._settle(hold_id, HoldState.CONFIRMED, Effect.CONFIRM)

    def release(self, hold_id: UUID) -> HoldView:
        with self._store.transaction():
            if self._store.load(hold_id) is None:
                return HoldView(hold_id, HoldState.RELEASED)
            return self._settle(hold_id, HoldState.RELEASED, Effect.RELEASE)

    def _settle(self, hold_id: UUID, state: HoldState, effect: Effect) -> HoldView:
        with self._store.transaction():
            now = self.clock()
            before = fence.known(self._store.load(hold_id))
            after = replace(before, state=state, changed_at=now)
            return self._take(Step(after, effect, write=True)).view(now)
