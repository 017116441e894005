"""Who is at a case, and what they have begun to write. No event until others see it: nothing has been said
or done yet."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.idempotency import used
from guanjia.base.texts import clean
from guanjia.cases.actions.talk import refuse_moved, said_by
from guanjia.cases.events import DraftShared
from guanjia.cases.models import Case, Draft, Presence, SharedDraft
from guanjia.cases.rules import NEED_MOST, access_case
from guanjia.coverage.rules import Verb
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User


def be_present(*, actor: User, number: str, writing: bool, now: datetime) -> Case:
    """This person has the case open now. Raises Missing, Forbidden."""
    case = access_case(actor=actor, number=number, verb=Verb.NOTE, now=now)
    Presence.objects.update_or_create(case=case, user=actor, defaults={"seen_at": now, "writing": writing})
    return case


def save_draft(
    *, actor: User, number: str, internal: bool, body: str, now: datetime, idempotency_key: str = ""
) -> Draft | None:
    """Keep what somebody has begun to write; nothing is left to keep of an empty text.

    A draft whose `idempotency_key` has been sent came too late, and is not kept. Raises Missing, Forbidden,
    BadInput.
    """
    verb = Verb.NOTE if internal else Verb.SPEAK
    body = clean(body, field=_("草稿"), most=NEED_MOST, least=0)
    case = access_case(actor=actor, number=number, verb=verb, now=now)
    if not body or (idempotency_key and used(scope=said_by(actor), key=idempotency_key)):
        Draft.objects.filter(case=case, author=actor, internal=internal).delete()
        return None
    draft, _new = Draft.objects.update_or_create(
        case=case, author=actor, internal=internal, defaults={"body": body, "saved_at": now}
    )
    return draft


@transaction.atomic
def share_draft(
    *, actor: User, number: str, internal: bool, body: str, read: int, now: datetime
) -> SharedDraft:
    """Let colleagues see what one has begun to write, and go on with it.

    `read` is the version that the writer has seen, 0 for none: whoever would overwrite what they have not
    seen gets DraftMoved, and keeps their text as a draft of their own. Raises Missing, Forbidden, BadInput.
    """
    body = clean(body, field=_("草稿"), most=NEED_MOST)
    verb = Verb.NOTE if internal else Verb.SPEAK
    case = access_case(actor=actor, number=number, verb=verb, now=now)
    Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    draft = SharedDraft.objects.filter(case=case, internal=internal).first()
    if (draft.version if draft else 0) != read:
        refuse_moved()
    draft = draft or SharedDraft(case=case, internal=internal)
    draft.version, draft.body = read + 1, body
    draft.written_by, draft.written_at = actor, now
    draft.save()
    Draft.objects.filter(case=case, author=actor, internal=internal).delete()
    told = DraftShared(case.number, internal, draft.version)
    record([Entry(now, actor_of(actor), f"case:{case.number}", told, case.merchant_id)])
    return draft
