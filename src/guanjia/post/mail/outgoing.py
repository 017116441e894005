"""Letters by SMTP. What the other side answers decides: sent, later, or refused for good."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from django.conf import settings
from django.db import connection
from django.urls import reverse
from django.utils.html import escape, urlize

from guanjia.config.mail import Mail, Server
from guanjia.core.mail import letter_id, thread_id
from guanjia.core.mail.quotes import ABOVE
from guanjia.post.letters import Letter, Outcome
from guanjia.post.mail.tokens import read_token
from guanjia.post.models import IncomingMail, MailState, SentMail

SECONDS = 20
"""For each answer of the server: a letter takes a few of them, and must end before the flow's own limit."""
POLICY = policy.SMTP.clone(max_line_length=200)


def deliver(letter: Letter) -> Outcome:
    """Hand a letter to the mail server; blocks, for a thread of its own.

    Repeats carry the same Message-ID, so the other side can drop them.
    """
    mail: Mail | None = settings.MAIL
    if mail is None or mail.smtp is None:
        return Outcome("refused", "no mail server is set (GUANJIA_MAIL)")
    try:
        message = compose(letter, mail, _remember(letter))
    except (ValueError, IndexError, LookupError):
        return Outcome("refused", "the address cannot be written to")
    finally:
        if not connection.in_atomic_block:
            connection.close()
    return _send(message, letter, mail, mail.smtp)


def _remember(letter: Letter) -> str:
    """Before the letter goes, so that no answer can be quicker. Returns what the merchant's own last mail on
    the case is called, for the thread as their program shows it."""
    bound = read_token(letter.reply_token) if letter.reply_token else None
    about = {"case_id": bound.case if bound else None, "user_id": bound.user if bound else None}
    SentMail.objects.get_or_create(delivery=letter.delivery, defaults={**about, "sent_at": datetime.now(UTC)})
    if bound is None:
        return ""
    theirs = IncomingMail.objects.filter(case=bound.case, state=MailState.TAKEN).exclude(mail_id="")
    return theirs.order_by("-pk").values_list("mail_id", flat=True).first() or ""


def compose(letter: Letter, mail: Mail, answers: str = "") -> EmailMessage:
    """The mail as it goes out: plain text, and the same in simple HTML. Raises ValueError for an address."""
    message = EmailMessage(policy=POLICY)
    message["Message-ID"] = letter_id(letter.delivery, mail.domain)
    message["From"] = Address(mail.name, addr_spec=mail.address)
    message["To"] = Address(addr_spec=letter.address)
    message["Reply-To"] = Address(mail.name, addr_spec=_reply_to(letter, mail))
    message["Subject"] = " ".join(letter.subject.split())
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["List-Unsubscribe"] = f"<{settings.BASE_URL}{reverse('news_settings')}>"
    message["Content-Language"] = letter.language
    if letter.case:
        thread = [thread_id(letter.case, mail.domain), *([answers] if answers else [])]
        message["References"] = " ".join(thread)
        message["In-Reply-To"] = thread[-1]
    text = _with_signature(letter, mail)
    above = f"{ABOVE}\n\n" if letter.reply_token else ""
    message.set_content(above + text)
    message.add_alternative(_markup(above + text, letter.language), subtype="html")
    return message


def _reply_to(letter: Letter, mail: Mail) -> str:
    local, _at, domain = mail.address.partition("@")
    return f"{local}+{letter.reply_token}@{domain}" if letter.reply_token else mail.address


def _with_signature(letter: Letter, mail: Mail) -> str:
    language = "en" if letter.language.startswith("en") else "zh-Hans"
    signature = mail.signature.get(language, "").strip()
    return f"{letter.text.rstrip()}\n\n{signature}\n" if signature else letter.text


def _markup(text: str, language: str) -> str:
    """No picture, no style from outside, nothing that tells who has read it."""
    blocks = "".join(
        f"<p>{urlize(escape(block.strip()), autoescape=False).replace(chr(10), '<br>')}</p>\n"
        for block in text.split("\n\n")
        if block.strip()
    )
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8"></head>'
        f'<body style="font-family:sans-serif;line-height:1.6;max-width:40em">\n{blocks}</body></html>\n'
    )


def _send(message: EmailMessage, letter: Letter, mail: Mail, smtp: Server) -> Outcome:
    try:
        with _session(smtp) as session:
            session.send_message(message, mail.address, [letter.address])
    except smtplib.SMTPRecipientsRefused as refused:
        return _answered(*next(iter(refused.recipients.values())))
    except smtplib.SMTPAuthenticationError:
        return Outcome("later", "the mail server does not accept our password")
    except smtplib.SMTPResponseException as refused:
        return _answered(refused.smtp_code, refused.smtp_error)
    except smtplib.SMTPNotSupportedError:
        return Outcome("refused", "the mail server cannot take this address")
    except (smtplib.SMTPException, OSError) as fault:
        return Outcome("later", f"the mail server does not answer ({type(fault).__name__})")
    return Outcome("sent", reference=str(message["Message-ID"]))


def _session(server: Server) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if server.security == "tls":
        session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=SECONDS, context=context)
    else:
        session = smtplib.SMTP(server.host, server.port, timeout=SECONDS)
    try:
        if server.security == "starttls":
            session.starttls(context=context)
        if server.user:
            session.login(server.user, server.password)
    except BaseException:
        session.close()
        raise
    return session


def _answered(code: int, said: bytes | str) -> Outcome:
    """A 4xx passes, a 5xx does not (RFC 5321 §4.2.1)."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    detail = f"{code} {' '.join(text.split())}"[:200]
    return Outcome("later" if 400 <= code < 500 else "refused", detail)
