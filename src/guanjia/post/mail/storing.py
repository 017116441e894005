"""Mail is kept as it came before anybody looks at it, and forgotten when its time is over."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from guanjia.base.blobs import PIECE, drop, keep
from guanjia.base.flows import wake
from guanjia.post.models import IncomingMail, MailState

MAIL_FLOW = "post.mail"
PURGED_AT_ONCE = 200
HELD_LONGER = 4
"""A mail that waits for a person is kept that many times as long as the others."""


@transaction.atomic
def store(raw: bytes, *, now: datetime, cut: bool = False) -> IncomingMail:
    """Keep a mail and have it judged; the same bytes again are the mail that is there already."""
    found = {"size": len(raw), "cut": cut, "received_at": now}
    digest = hashlib.sha256(raw).digest()
    mail, new = IncomingMail.objects.get_or_create(digest=digest, defaults=found)
    if new:
        kept = keep(raw[at : at + PIECE] for at in range(0, len(raw), PIECE))
        mail.blob = kept.blob
        mail.save(update_fields=["blob"])
        wake(MAIL_FLOW, [mail.pk], now, now)
    return mail


@transaction.atomic
def purge(now: datetime) -> int:
    """Forget raw mails, senders and subjects that are older than the setting says; how many it were."""
    if settings.MAIL is None:
        return 0
    days = timedelta(days=settings.MAIL.keep_days)
    waiting = Q(state__in=(MailState.NEW, MailState.HELD))
    old = (~waiting & Q(received_at__lt=now - days)) | Q(received_at__lt=now - HELD_LONGER * days)
    found = IncomingMail.objects.filter(old, purged_at=None).order_by("received_at")
    mails = list(found.select_for_update(skip_locked=True)[:PURGED_AT_ONCE])
    _forget(mails, now)
    return len(mails)


def _forget(mails: Sequence[IncomingMail], now: datetime) -> None:
    drop(mail.blob for mail in mails if mail.blob is not None)
    keys = [mail.pk for mail in mails]
    IncomingMail.objects.filter(pk__in=keys).update(
        blob=None, sender="", subject="", mail_id="", content=None, purged_at=now
    )
