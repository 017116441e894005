"""The one place where a signal does domain work: the library adds and removes factors in its own views,
in its own transaction, and tells only by signal; an event must not depend on whose page it was."""

from __future__ import annotations

from typing import Any

from allauth.mfa import signals
from django.utils import timezone

from guanjia.people.actions.sign_in import note_factor
from guanjia.people.actors import actor_of

CHANGES = {
    "added": signals.authenticator_added,
    "removed": signals.authenticator_removed,
    "renewed": signals.authenticator_reset,
}


def follow_factors() -> None:
    """From now on each change of a factor is in the log."""
    for change, signal in CHANGES.items():
        signal.connect(_noter(change), weak=False, dispatch_uid=f"guanjia.people.factor_{change}")


def _noter(change: str) -> Any:
    def note(*, user: Any, authenticator: Any, **_about: Any) -> None:
        factor = str(authenticator.type)
        note_factor(actor=actor_of(user), user=user, factor=factor, change=change, now=timezone.now())

    return note
