"""The flows of mail that comes in: one asks the mailbox for ever, one judges each mail that is kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from guanjia.base.flows import Turn
from guanjia.config.mail import Mail
from guanjia.post.mail.mailbox import Ask, Fetched, fetch
from guanjia.post.mail.storing import MAIL_FLOW, purge, store
from guanjia.post.mail.taking import settle_mail, take
from guanjia.post.models import IncomingMail, Mailbox, MailState

log = logging.getLogger("guanjia.mail")

MAILBOX_FLOW = "post.mailbox"
MAILBOX_SECONDS = 300.0
"""A turn may bring 48 MB over a slow line."""
UNSET = timedelta(minutes=10)
_LONGEST_PAUSE = timedelta(minutes=10)


class MailboxFlow:
    """Implements `base.flows.engine.FlowKind`; its one key is there from the first migration on."""

    name = MAILBOX_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[Fetched]]], now: datetime) -> list[Turn[Ask]]:
        return [_turn(key, answers, now) for key, answers in batch]

    async def perform(self, call: Ask) -> Fetched:
        mail: Mail | None = settings.MAIL
        if mail is None or mail.imap is None:
            return Fetched(failure="no mailbox is set")
        return await asyncio.to_thread(fetch, call, mail.imap, mail.most)


def _turn(key: int, answers: Sequence[Fetched], now: datetime) -> Turn[Ask]:
    mail: Mail | None = settings.MAIL
    if mail is None or mail.imap is None:
        purge(now)  # mail may come by a pipe
        return Turn(key, (), now + UNSET)
    name = f"{mail.imap.user}@{mail.imap.host}/{mail.folder}"[:250]
    box, _new = Mailbox.objects.select_for_update().get_or_create(name=name)
    if not answers:
        purge(now)
        Mailbox.objects.filter(pk=box.pk).update(asked_at=now)
        return Turn(key, (Ask(mail.folder, box.validity, box.seen),), None)
    return _keep(key, box, answers[-1], mail, now)


def _keep(key: int, box: Mailbox, found: Fetched, mail: Mail, now: datetime) -> Turn[Ask]:
    """Kept in this transaction, and only then marked as read."""
    if found.failure:
        box.failures, box.failure = box.failures + 1, found.failure
        box.save(update_fields=["failures", "failure"])
        pause = timedelta(seconds=mail.seconds) * 2 ** min(box.failures - 1, 10)
        return Turn(key, (), now + min(pause, _LONGEST_PAUSE))
    for raw in found.mails:
        store(raw.content, cut=raw.cut, now=now)
    box.validity, box.seen, box.answered_at, box.failures, box.failure = (
        found.validity,
        found.seen,
        now,
        0,
        "",
    )
    box.save(update_fields=["validity", "seen", "answered_at", "failures", "failure"])
    if not found.mails:
        return Turn(key, (), now + timedelta(seconds=mail.seconds))
    done = tuple(raw.uid for raw in found.mails)
    return Turn(key, (Ask(mail.folder, found.validity, found.seen, done),), None)


class MailFlow:
    """Implements `base.flows.engine.FlowKind`; keys are those of mails."""

    name = MAIL_FLOW

    def settle(self, batch: Sequence[tuple[int, Sequence[None]]], now: datetime) -> list[Turn[None]]:
        for key, _answers in batch:
            _take(key, now)
        return [Turn(key, (), None) for key, _answers in batch]

    async def perform(self, call: None) -> None:
        """It calls nobody."""


def _take(key: int, now: datetime) -> None:
    """A mail that trips a fault of ours waits for a person, instead of being tried for ever."""
    try:
        with transaction.atomic():
            take(key, now)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        log.exception("mail %s could not be judged", key)
        settle_mail(IncomingMail.objects.get(pk=key), MailState.HELD, "unreadable", now)
