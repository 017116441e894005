"""Replies that wait to be read."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.models import HeldReply, HeldState
from guanjia.people.models import User

WAITING_MOST = 50


def waiting(user: User) -> dict[str, Any]:
    """The first of them by their clock, for this person and by them; two statements."""
    held = HeldReply.objects.filter(state=HeldState.WAITING).select_related(
        "case__merchant", "author", "approver"
    )
    return {
        "for_me": list(held.filter(approver=user).order_by("due_at", "pk")[:WAITING_MOST]),
        "mine": list(held.filter(author=user).order_by("-pk")[:WAITING_MOST]),
    }


def case_of(reply: int) -> str:
    """The number of the case that a reply is held for. Raises Missing."""
    found = HeldReply.objects.filter(pk=reply).values_list("case__number", flat=True).first()
    if found is None:
        raise Missing(_("没有这条待审的答复。"), hint=_("请刷新查看最新状态。"))
    return found
