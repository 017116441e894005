"""Files on a case. One verb, one transaction, one event a file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.blobs import drop, keep
from guanjia.base.errors import Forbidden
from guanjia.cases.events import FileAdded, FileErased
from guanjia.cases.filing import Checked, access_file, held_for
from guanjia.cases.models import Attachment, Case, Message
from guanjia.coverage.rules import Relation
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User

ERASERS = frozenset({Relation.OWNER, Relation.LEAD})
"""Besides who sent it: the merchant's owner, whose affair it is, and the lead."""


def add_files(
    *, actor: User, case: Case, message: Message | None, files: Sequence[Checked], now: datetime
) -> list[Attachment]:
    """Part of the action that says the message, in its transaction: both are there or neither."""
    added = [_added(actor, case, message, one, now) for one in files]
    internal = message is not None and message.internal
    about = message.pk if message else None
    entries = [
        Entry(
            now,
            actor_of(actor),
            f"case:{case.number}",
            FileAdded(case.number, file.pk, about, internal, file.media_type, file.size),
            case.merchant_id,
        )
        for file in added
    ]
    record(entries)
    return added


def _added(actor: User, case: Case, message: Message | None, one: Checked, now: datetime) -> Attachment:
    kept = keep(one.upload.chunks())
    return Attachment.objects.create(
        case=case,
        message=message,
        added_by=actor,
        name=one.name,
        media_type=one.media_type,
        size=kept.size,
        digest=kept.digest,
        blob=kept.blob,
        added_at=now,
    )


@transaction.atomic
def erase_file(*, actor: User, file: int, now: datetime) -> Attachment:
    """Content, name and digest are gone for good; that there was a file stays. Again changes nothing.

    Raises Missing for a stranger, Forbidden for who neither sent it nor may erase others'.
    """
    found = access_file(actor=actor, file=file, now=now)
    if found.added_by_id != actor.pk and not held_for(actor, found, now) & ERASERS:
        raise Forbidden(_("只有发文件的人、店主和服务体系负责人能删它。"), hint=_("请找他们来删。"))
    kept = Attachment.objects.select_for_update().get(pk=found.pk)
    if kept.erased_at is not None:
        return kept
    if kept.blob is not None:
        drop([kept.blob])
    kept.name, kept.digest, kept.blob, kept.erased_at = "", None, None, now
    kept.save(update_fields=["name", "digest", "blob", "erased_at"])
    erased = FileErased(found.case.number, kept.pk)
    record([Entry(now, actor_of(actor), f"case:{found.case.number}", erased, found.case.merchant_id)])
    return kept
