"""Mails as they come, read."""

import random
import time

import pytest

from guanjia.core.mail import Automatic, authenticated, case_ids, delivery_of, read, token_in
from guanjia.core.mail.charsets import decoded, header_text
from guanjia.core.mail.markup import text_of
from guanjia.core.mail.tests import mails
from guanjia.core.mail.tests.mails import crlf, mail, with_files

LETTER = "00112233-4455-6677-8899-aabbccddeeff"


def test_qq_in_gb18030():
    found = read(mails.QQ)
    assert found.sender == "mira@qq.com"
    assert found.subject == "回复：[GJ-2026-000017] 双十一要一个展示位，再备 30 箱"
    assert found.said == "改成 40 箱，谢谢。"
    assert "原始邮件" in found.text
    assert [str(one) for one in delivery_of(found.answers, "desk.example")] == [LETTER]
    assert case_ids(found.answers, "desk.example") == ["GJ-2026-000017"]
    assert token_in(found.recipients, "Help@desk.example") == "c1.1.aaaaaaaaaaaaaaaa"
    assert found.automatic is None


def test_gmail_with_a_character_cut_between_two_words():
    found = read(mails.GMAIL)
    assert (found.subject, found.said) == ("您好，这是一件很急的事", "Yes, please.")
    assert (found.sender, found.domain) == ("mo@gmail.com", "gmail.com")


def test_outlook_with_html_alone():
    found = read(mails.OUTLOOK)
    assert found.said == "已经确认。\n\n- 一\n- 二\n\n林晓"
    assert "color" not in found.text


def test_an_absence_by_its_subject_alone():
    found = read(mails.AWAY)
    assert (found.automatic, found.subject) == (Automatic.AWAY, "自动回复:您的展位")
    assert found.said == "我在休假，周一回来。"


def test_a_letter_that_comes_back_names_the_letter():
    found = read(mails.BOUNCE)
    assert (found.automatic, found.for_good) == (Automatic.BOUNCE, True)
    assert [str(one) for one in delivery_of(found.returned, "desk.example")] == [LETTER]


def test_a_letter_that_is_late_has_not_come_back_for_good():
    late = mails.BOUNCE.replace(b"Action: failed", b"Action: delayed").replace(b"5.1.1", b"4.4.1")
    late = late.replace(b"550", b"450")
    assert (read(late).automatic, read(late).for_good) == (Automatic.BOUNCE, False)


def test_a_return_of_an_older_server_is_known_by_its_words():
    raw = crlf(
        """
Return-Path: <>
From: postmaster@qq.com
To: help@desk.example
Subject: 系统退信/Systems bounce
Content-Type: text/plain; charset=utf-8

550 Mailbox not found
Message-ID: <d.00112233445566778899aabbccddeeff@desk.example>
"""
    )
    found = read(raw)
    assert (found.automatic, found.for_good, len(found.returned)) == (Automatic.BOUNCE, True, 1)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, None),
        ({"Auto_Submitted": "no"}, None),
        ({"Auto_Submitted": "auto-generated"}, Automatic.ROBOT),
        ({"Auto_Submitted": "auto-replied (vacation)", "Subject": "Out of Office: x"}, Automatic.AWAY),
        ({"X_Autoreply": "yes"}, Automatic.ROBOT),
        ({"Precedence": "bulk"}, Automatic.ROBOT),
        ({"Precedence": "list"}, Automatic.LIST),
        ({"List_Id": "<news.shop.example>"}, Automatic.LIST),
        ({"Return_Path": "<>"}, Automatic.ROBOT),
        ({"Return_Path": "<>", "Subject": "Mail delivery failed"}, Automatic.BOUNCE),
        ({"Subject": "Automatic reply: your slot"}, Automatic.AWAY),
        ({"Subject": "Re: our automatic reply is broken"}, None),
        ({"X_Auto_Response_Suppress": "OOF"}, None),
    ],
)
def test_machines_are_told_from_people(headers, kind):
    assert read(mail(**headers)).automatic is kind


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ("Mira <mira@shop.example>", "mira@shop.example"),
        ("MIRA@Shop.Example", "mira@shop.example"),
        ('"lin@desk.example" <evil@x.example>', "evil@x.example"),
        ('"a <lin@desk.example>" <evil@x.example>', "evil@x.example"),
        ("<lin@desk.example> <evil@x.example>", ""),
        ("lin@desk.example, evil@x.example", ""),
        ("(lin@desk.example) evil@x.example", "evil@x.example"),
        ("undisclosed", ""),
        ("lin@desk.example\u0430", ""),
    ],
)
def test_a_sender_is_one_address_or_nobody(given, sender):
    raw = mail().replace(b"From: mira@shop.example", b"From: " + given.encode())
    assert read(raw).sender == sender


def test_two_senders_are_nobody():
    assert read(b"From: lin@desk.example\r\n" + mail()).sender == ""


RESULTS = "mx.desk.example; dmarc=pass header.from=shop.example; spf=fail smtp.mailfrom=x.example"


@pytest.mark.parametrize(
    ("results", "passes"),
    [
        ([RESULTS], True),
        (["mx.desk.example 1; dkim=pass (good) header.d=shop.example"], True),
        (["mx.desk.example; dkim=pass header.d=example"], False),
        (["mx.desk.example; spf=pass smtp.mailfrom=bounce@shop.example"], True),
        (["mx.desk.example; dmarc=fail header.from=shop.example"], False),
        (["mx.desk.example; dkim=pass header.d=evil.example"], False),
        (["mx.evil.example; dmarc=pass header.from=shop.example"], False),
        (["mx.desk.example; dmarc=none", RESULTS], False),
        (["mx.desk.example; spf=none (dmarc=pass header.from=shop.example)"], False),
        ([], False),
    ],
)
def test_only_our_own_server_vouches_for_a_sender(results, passes):
    assert authenticated(results, authserv="mx.desk.example", domain="shop.example") is passes
    assert not authenticated(results, authserv="", domain="shop.example")


def test_files_keep_their_names_in_every_writing():
    assert [one.name for one in read(with_files(("报价单.pdf", b"%PDF-1"))).files] == ["报价单.pdf"]
    encoded = with_files(("x.pdf", b"%PDF-1")).replace(
        b'"x.pdf"', b'"=?gbk?B?' + mails.b64("报价.pdf", "gbk").encode() + b'?="'
    )
    assert [one.name for one in read(encoded).files] == ["报价.pdf"]
    raw = with_files(("x.pdf", b"%PDF-1")).replace(b"x.pdf", "报价.pdf".encode("gb18030"))
    [file] = read(raw).files
    assert (file.name, file.content) == ("报价.pdf", b"%PDF-1")


def test_a_small_picture_of_a_signature_is_no_file():
    raw = crlf(
        """
From: a@b.example
Subject: x
Content-Type: multipart/related; boundary=B

--B
Content-Type: text/html

<p>hi</p><img src="cid:logo">
--B
Content-Type: image/png; name="logo.png"
Content-ID: <logo>
Content-Disposition: inline; filename="logo.png"
Content-Transfer-Encoding: base64

iVBORw0KGgo=
--B
Content-Type: message/rfc822

From: c@d.example
Subject: inner

inner text
--B--
"""
    )
    found = read(raw)
    assert found.said == "hi"
    assert [(one.name, b"inner text" in one.content) for one in found.files] == [("3.eml", True)]


@pytest.mark.parametrize(
    ("content", "charset", "text"),
    [
        ("镕".encode("gb18030"), "gb2312", "镕"),
        ("你好".encode("gbk"), "utf-8", "你好"),
        ("你好".encode(), "gb2312", "浣犲ソ"),  # what is named and fits is believed
        ("你好".encode(), "no-such-charset", "你好"),
        ("你好".encode(), "zlib", "你好"),
        (b"\xff\xfe\xff", "utf-8", "\ufffd\ufffd\ufffd"),
        (b"a\x00b", "utf-8", "ab"),
        ("繁體".encode("big5"), "big5", "繁體"),
    ],
)
def test_bytes_are_text_whatever_they_say_they_are(content, charset, text):
    assert decoded(content, charset) == text


def test_raw_bytes_in_a_header_are_read():
    raw = mail().replace(b"Subject:", b"Subject: " + "急".encode("gb18030") + b" X-Old:")
    assert read(raw).subject.startswith("急")
    assert header_text("=?utf-8?B?broken") == "=?utf-8?B?broken"
    assert header_text("a\r\n b\tc") == "a b c"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>a<br>b</p><script>alert(1)</script>", "a\nb"),
        ("<div style='display:none'>secret</div><p>x</p>", "x"),
        ("<p hidden>no</p>yes", "yes"),
        ("<table><tr><td>1</td><td>2</td></tr></table>", "1 2"),
        ("<blockquote><p>old</p></blockquote><p>new</p>", "> old\n\nnew"),
        ("a &lt;b&gt; &amp; &#20320;", "a <b> & 你"),
        ("<img src=x onerror=alert(1)>text", "text"),
        ("<p>unclosed <b>bold", "unclosed bold"),
        ("</div></div>still", "still"),
    ],
)
def test_html_becomes_what_a_reader_sees(markup, text):
    assert text_of(markup) == text


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 100,
        b"Subject: x",
        b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n",
        b"Content-Type: text/plain; charset*=x'y'%zz\r\n\r\nabc",
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"From: =?utf-8?q?=00?= <a@b>\r\nSubject: =?x-unknown?b?zz?=\r\n\r\n",
        b"Content-Type: message/rfc822\r\n\r\n" * 500,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(2000)
        ),
        b"References: " + b"<a@b> " * 50_000 + b"\r\n\r\n",
    ],
)
def test_nothing_in_a_mail_breaks_its_reading(raw):
    begun = time.process_time()
    read(raw)
    assert time.process_time() - begun < 20  # not a measure: a trap for what would take for ever


def test_random_damage_breaks_nothing():
    dice = random.Random(7)
    for sample in (mails.QQ, mails.GMAIL, mails.OUTLOOK, mails.BOUNCE):
        for _ in range(60):
            raw = bytearray(sample[: dice.randrange(len(sample))])
            for _ in range(20):
                if raw:
                    raw[dice.randrange(len(raw))] = dice.randrange(256)
            found = read(bytes(raw))
            assert "\x00" not in found.text + found.subject
