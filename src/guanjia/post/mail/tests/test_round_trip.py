"""Mail through a real pair of servers: out, answered, and back on its case."""

import asyncio
import email
import tempfile
from datetime import timedelta
from email import policy
from pathlib import Path
from uuid import UUID

import pytest

from guanjia.base.ports import Reserved
from guanjia.cases.actions import open_case
from guanjia.cases.models import Attachment, Case, Message
from guanjia.core.mail.tests.mails import mail, with_files
from guanjia.post.letters import Letter
from guanjia.post.mail import outgoing
from guanjia.post.mail.flows import MailboxFlow, MailFlow
from guanjia.post.mail.mailbox import BEGINNING, Ask, fetch
from guanjia.post.mail.tests.servers import DOVECOT, GONE, mail_servers
from guanjia.post.mail.tokens import reply_token
from guanjia.post.models import IncomingMail, Mailbox, MailState

pytestmark = [
    pytest.mark.skipif(DOVECOT is None, reason="Dovecot is not installed: apt-get install dovecot-imapd"),
    pytest.mark.slow,
]
DELIVERY = UUID("00112233-4455-6677-8899-aabbccddeeff")


@pytest.fixture(scope="module")
def servers():
    with (
        Reserved() as held,
        tempfile.TemporaryDirectory(prefix="guanjia-mail-") as name,
        mail_servers(Path(name), held.port()) as world,
    ):
        yield world


@pytest.fixture
def world(servers, cast, settings):
    settings.MAIL = servers.setting()
    servers.sent.clear()
    servers.answer = ""
    for folder in ("new", "cur"):
        for file in (servers.dir / "home" / "Maildir" / folder).iterdir():
            file.unlink()
    for user, address in ((cast.mira, "mira@shop.example"), (cast.lin, "lin@house.example")):
        user.email = address
        user.save(update_fields=["email"])
    return servers


@pytest.fixture
def case(cast, noon):
    return open_case(actor=cast.mira, merchant_ref="M-1042", need="备货", now=noon)


def pull(now):
    """The worker's turns, until nothing is due; the states of the mails that came, in order."""
    box, known = MailboxFlow(), set(IncomingMail.objects.values_list("pk", flat=True))
    [turn] = box.settle([(1, ())], now)
    while turn.calls:
        answers = [asyncio.run(box.perform(call)) for call in turn.calls]
        [turn] = box.settle([(1, answers)], now)
    fresh = IncomingMail.objects.exclude(pk__in=known).order_by("pk")
    for one in fresh:
        MailFlow().settle([(one.pk, ())], now)
    return [(one.state, one.reason) for one in fresh.all()]


def letter(case, user, text="展位给您留好了。", **more):
    about = {"delivery": DELIVERY, "address": "mira@shop.example", "language": "zh-hans", "message": None}
    token = reply_token(case=case.pk, user=user.pk)
    subject = f"[{case.number}] {case.title}，长一点的标题，看看折行之后还是不是同一个字"
    return Letter(
        **{**about, "subject": subject, "text": text, "case": case.number, "reply_token": token, **more}
    )


def body_of(message, kind):
    found = message.get_body((kind,))
    assert found is not None
    return found.get_content()


def answer_to(raw, text, **headers):
    """As a mail program answers: it keeps the subject, the thread and the address to answer to."""
    came = email.message_from_bytes(raw, policy=policy.default)
    given = {
        "To": str(came["Reply-To"]),
        "Subject": f"回复：{came['Subject']}",
        "In_Reply_To": came["Message-ID"],
        "References": f"{came['References']} {came['Message-ID']}",
    }
    quoted = body_of(came, "plain").replace("\n", "\n> ")
    return mail(f"{text}\n\n在 2026年11月10日，云市管家 写道：\n> {quoted}", **{**given, **headers})


def test_an_answer_finds_its_case_and_says_only_what_is_new(world, cast, noon, case):
    sent = outgoing.deliver(letter(case, cast.mira))
    assert (sent.kind, sent.reference) == ("sent", f"<d.{DELIVERY.hex}@desk.example>")
    [raw] = world.sent
    came = email.message_from_bytes(raw, policy=policy.default)
    assert came["Subject"].startswith(f"[{case.number}] 备货，长一点的标题")
    assert came["Auto-Submitted"] == "auto-generated"
    assert came["References"] == f"<case.{case.number.lower()}@desk.example>"
    assert came["From"].addresses[0].display_name == "云市管家"
    plain, markup = body_of(came, "plain"), body_of(came, "html")
    assert "展位给您留好了。" in plain
    assert "云市商家服务" in plain
    assert "<script" not in markup
    world.post(answer_to(raw, "好的，就这样。"))
    assert pull(noon) == [("taken", "token")]
    said = Message.objects.get(case=case, author=cast.mira)
    assert (said.body, said.internal) == ("好的，就这样。", False)
    assert pull(noon) == []


def test_without_its_plus_address_the_letter_itself_is_the_way(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    world.post(answer_to(world.sent[0], "好", To="help@desk.example", Subject="Re: x"))
    assert pull(noon) == [("taken", "token")]


def test_staff_answer_in_public(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.lin, address="lin@house.example"))
    world.post(answer_to(world.sent[0], "今天办完。", From="lin@house.example"))
    assert pull(noon) == [("taken", "token")]
    assert not Message.objects.get(author=cast.lin).internal


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_member_writes_first_and_has_a_case(world, cast, noon, encoding):
    raw = (
        b"From: mira@shop.example\r\nTo: help@desk.example\r\nMessage-ID: <x@shop.example>\r\nSubject: "
        + "双十一备货，镕记".encode(encoding)
        + f"\r\nContent-Type: text/plain; charset={encoding}\r\n\r\n".encode()
        + "三十箱，周四到。".encode(encoding)
    )
    world.post(raw)
    assert pull(noon) == [("taken", "new")]
    case = Case.objects.get(opened_by=cast.mira)
    assert (case.title, case.need) == ("双十一备货，镕记", "双十一备货，镕记\n\n三十箱，周四到。")


def test_a_number_in_the_subject_is_enough_for_who_may_speak_there(world, cast, noon, case):
    world.post(mail("还有一句", Subject=f"关于 {case.number.lower()}"))
    assert pull(noon) == [("taken", "number")]
    assert Message.objects.get(author=cast.mira).case_id == case.pk


@pytest.mark.parametrize(
    ("headers", "envelope", "reason"),
    [
        ({"From": "lin@house.example"}, "evil@x.example", "unproven"),
        ({"From": "stranger@x.example"}, None, "unknown"),
        ({"From": "mira@shop.example, lin@house.example"}, "mira@shop.example", "unknown"),
        ({"From": "lin@house.example"}, None, "no_case"),
    ],
)
def test_who_is_not_proven_waits_for_a_person(world, cast, noon, case, headers, envelope, reason):
    world.post(
        mail("把钱转到这里", Subject=case.number if "lin" not in str(headers) else "急", **headers), envelope
    )
    assert pull(noon) == [("held", reason)]
    assert not Message.objects.exists()


def test_a_forged_sender_cannot_speak_by_a_number(world, cast, noon, case):
    world.post(mail("把钱转到这里", From="mira@shop.example", Subject=case.number), "evil@x.example")
    assert pull(noon) == [("held", "unproven")]
    assert not Message.objects.exists()


def test_a_token_from_another_address_waits_for_a_person(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    world.post(answer_to(world.sent[0], "我是她", From="friend@x.example"))
    assert pull(noon) == [("held", "other_address")]


def test_a_token_that_was_tampered_with_is_none(world, cast, noon, case):
    token = reply_token(case=case.pk, user=cast.mira.pk)
    world.post(
        mail(
            "我",
            From="stranger@x.example",
            To=f"help+{token[:-1]}{'a' if token[-1] != 'a' else 'b'}@desk.example",
        )
    )
    assert pull(noon) == [("held", "unknown")]


def test_an_absence_is_noted_and_neither_answers_nor_reopens(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    for _ in range(3):
        world.post(
            answer_to(world.sent[0], "休假中", Subject="自动回复：您好", Message_ID=f"<{_}@shop.example>")
        )
    assert pull(noon) == [("noted", "away")] * 3
    note = Message.objects.get()
    assert (note.internal, note.notice) == (True, {"kind": "mail_away", "values": {"who": cast.mira.name}})


def test_our_own_letter_come_back_is_a_loop(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    world.post(world.sent[0])
    assert pull(noon) == [("noted", "loop")]
    assert not Message.objects.exists()


def test_two_robots_do_not_talk_to_each_other(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    for n in range(5):
        world.post(
            answer_to(world.sent[0], "收到", Auto_Submitted="auto-replied", Message_ID=f"<{n}@shop.example>")
        )
    assert pull(noon) == [("noted", "robot")] * 5
    assert (Message.objects.count(), len(world.sent)) == (0, 1)


def test_a_letter_that_comes_back_is_told_to_who_looks_after_the_case(world, cast, noon, case):
    outgoing.deliver(letter(case, cast.mira))
    bounce = mail_of_a_server(world.sent[0])
    world.post(bounce, "")
    world.post(bounce.replace(b"Arrival", b"Another"), "")
    assert pull(noon) == [("returned", "returned")] * 2
    note = Message.objects.get()
    assert (note.internal, note.notice) == (
        True,
        {"kind": "mail_returned", "values": {"who": cast.mira.name}},
    )


def mail_of_a_server(raw):
    came = email.message_from_bytes(raw)
    return (
        "From: MAILER-DAEMON@mx.shop.example\r\nTo: help@desk.example\r\nSubject: Undelivered Mail\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        "--B\r\nContent-Type: text/plain\r\n\r\nNobody of that name.\r\n"
        "--B\r\nContent-Type: message/delivery-status\r\n\r\nArrival-Date: today\r\n\r\n"
        "Action: failed\r\nStatus: 5.1.1\r\n"
        f"--B\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {came['Message-ID']}\r\n--B--\r\n"
    ).encode()


def test_a_return_of_what_we_never_sent_says_nothing(world, cast, noon):
    world.post(mail_of_a_server(b"Message-ID: <d." + b"0" * 32 + b"@desk.example>\r\n\r\n"), "")
    assert pull(noon) == [("noted", "bounce")]


def test_large_files_come_through_and_too_large_ones_are_named(world, cast, noon, case, settings):
    good, large = b"%PDF-" + b"x" * (20 * 1024 * 1024), b"%PDF-" + b"y" * (26 * 1024 * 1024)
    outgoing.deliver(letter(case, cast.mira))
    to = f"help+{reply_token(case=case.pk, user=cast.mira.pk)}@desk.example"
    settings.MAIL = world.setting(most=60 * 1024 * 1024)
    world.keep(with_files(("合同.pdf", good), To=to), "mira@shop.example")
    second = with_files(("太大.pdf", large), ("小.txt", b"ok"), To=to, Message_ID="<3@shop.example>")
    world.keep(second, "mira@shop.example")
    assert pull(noon) == [("taken", "token")] * 2
    kept = list(Attachment.objects.order_by("pk").values_list("name", "size"))
    assert kept == [("合同.pdf", len(good)), ("小.txt", 2)]
    notice = Message.objects.get(notice__kind="mail_files_refused")
    about = {"kind": "mail_files_refused", "values": {"names": "太大.pdf"}}
    assert (notice.notice, notice.internal) == (about, False)
    assert Message.objects.filter(author=cast.mira, body="见附件").count() == 2


def test_of_a_mail_beyond_every_limit_the_text_is_kept(world, cast, noon, case, settings):
    settings.MAIL = world.setting(most=1024 * 1024)
    to = f"help+{reply_token(case=case.pk, user=cast.mira.pk)}@desk.example"
    world.post(with_files(("大.pdf", b"%PDF-" + b"z" * (3 * 1024 * 1024)), To=to))
    assert pull(noon) == [("taken", "token")]
    assert IncomingMail.objects.get().size == BEGINNING
    assert Message.objects.filter(author=cast.mira, body="见附件").count() == 1
    assert Message.objects.filter(notice__kind="mail_cut").count() == 1


def test_a_mail_is_kept_before_it_is_marked_and_fetched_once(world, cast, noon):
    world.post(mail("一"))
    setting = world.setting()
    first = fetch(Ask("INBOX", 0, 0), setting.imap, setting.most)
    assert len(first.mails) == 1  # a worker that dies here has kept nothing: it is asked for again
    assert pull(noon) == [("taken", "new")]
    Mailbox.objects.update(validity=0, seen=0)  # as after a new UIDVALIDITY
    assert pull(noon) == []
    world.post(b"X-Other-Way: 1\r\n" + mail("一"))
    assert pull(noon) == [("repeated", "repeated")]


def test_too_many_in_an_hour_wait_for_a_person(world, cast, noon, case):
    for n in range(22):
        world.post(mail(f"第 {n} 封", Subject=case.number, Message_ID=f"<{n}@shop.example>"))
    assert pull(noon) == [("taken", "number")] * 20 + [("held", "too_many")] * 2


def test_what_the_other_side_says_decides_about_a_letter(world, cast, noon, case, settings):
    assert outgoing.deliver(letter(case, cast.mira, address=GONE)).kind == "refused"
    world.answer = "451 4.7.1 greylisted"
    late = outgoing.deliver(letter(case, cast.mira))
    assert (late.kind, late.detail) == ("later", "451 4.7.1 greylisted")
    world.answer = ""
    settings.MAIL = world.setting()
    assert outgoing.deliver(letter(case, cast.mira, address="not an address")).kind == "refused"
    assert outgoing.deliver(letter(case, cast.mira, subject="x\r\nBcc: evil@x.example")).kind == "sent"
    assert b"\nBcc:" not in world.sent[-1]
    settings.MAIL = None
    assert outgoing.deliver(letter(case, cast.mira)).kind == "refused"


def test_a_mailbox_that_does_not_answer_is_asked_again(world, cast, noon, settings, ports):
    setting = world.setting()
    object.__setattr__(setting.imap, "port", ports.port())
    settings.MAIL = setting
    [turn] = MailboxFlow().settle([(1, ())], noon)
    answer = asyncio.run(MailboxFlow().perform(turn.calls[0]))
    assert answer.failure.startswith("ConnectionRefusedError")
    [turn] = MailboxFlow().settle([(1, [answer])], noon)
    assert (turn.calls, turn.wake_at) == ((), noon + timedelta(seconds=20))
    assert Mailbox.objects.get().failures == 1
    assert not IncomingMail.objects.exclude(state=MailState.NEW).exists()
