"""News as it leaves the house: a letter, a robot's text, a webhook's body."""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from guanjia.people.models import User
from guanjia.post.letters import Letter
from guanjia.post.mail.tokens import reply_token
from guanjia.post.models import Side
from guanjia.post.robots import fit
from guanjia.post.words import Piece, pieces

SUBJECT_MOST = 160


def letter_of(delivery: UUID, user: User, news: Sequence[int]) -> Letter:
    """One letter with these news, in the person's language; about one case, an answer finds its way."""
    with override(user.language):
        found = pieces(news)
        told = [found[key] for key in news if key in found]
        alone = told[0] if len(told) == 1 else None
        case = alone.case if alone else None
        return Letter(
            delivery=delivery,
            address=user.email,
            subject=_subject(told)[:SUBJECT_MOST],
            text=_text(told),
            language=user.language,
            case=alone.number if alone else "",
            reply_token=reply_token(case=case, user=user.pk) if case else "",
            message=alone.message if alone else None,
        )


def _subject(told: Sequence[Piece]) -> str:
    if len(told) != 1:
        return ngettext("管家：%(count)d 条消息", "管家：%(count)d 条消息", len(told)) % {"count": len(told)}
    [one] = told
    return _plain(f"[{one.number}] {one.title}" if one.number else one.phrase)


def _text(told: Sequence[Piece]) -> str:
    parts = [_paragraph(one, whole=len(told) == 1) for one in told]
    closing = _("哪些消息要发邮件、什么时候发：%(link)s") % {"link": _absolute(reverse("news_settings"))}
    return "\n\n".join([*parts, "-- \n" + closing]) + "\n"


def _paragraph(one: Piece, *, whole: bool) -> str:
    about = f"{one.number} {one.title}".strip()
    said = one.body if whole else one.excerpt
    return "\n".join(part for part in (one.phrase, about, said, _absolute(one.link)) if part)


def robot_text(news: Sequence[int], language: str) -> str:
    """What a group reads: what has happened and where to look, never what was said."""
    with override(language):
        found = pieces(news)
        told = [found[key] for key in news if key in found]
        if not told:
            return _("管家：这是一条试发的消息，通知可以送到这里。")
        lines = [_line(one) for one in told]
        return fit(lines, lambda n: ngettext("另有 %(count)d 条", "另有 %(count)d 条", n) % {"count": n})


def _line(one: Piece) -> str:
    about = " ".join(part for part in (one.number, one.title) if part)
    return "\n".join(
        part for part in (f"【{_('管家')}】{one.phrase}", _plain(about), _absolute(one.link)) if part
    )


def webhook_body(news: int | None, event: int | None, language: str) -> bytes:
    """What a program reads. The words of a message go to the merchant's own programs only."""
    with override(language):
        one = pieces([news]).get(news) if news is not None else None
        if one is None:
            return _json({"type": "trial", "data": {"text": _("这是一条试发的消息。")}})
        data = {
            "event": event,
            "kind": one.kind,
            "text": one.phrase,
            "merchant": one.ref,
            "case": one.number,
            "title": one.title,
            "link": _absolute(one.link),
        }
        said = {"body": one.body} if one.side == Side.MERCHANT and one.body else {}
        return _json({"type": one.code, "timestamp": one.at.isoformat(), "data": data | said})


def _absolute(path: str) -> str:
    return settings.BASE_URL + path


def _plain(text: str) -> str:
    """One line, whatever was typed: a header's line ends where ours does."""
    return " ".join(text.split())


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()
