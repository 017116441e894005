"""Mails as programs really shape them, written for these tests."""

from __future__ import annotations

import base64
from email.message import EmailMessage


def crlf(text: str, encoding: str = "utf-8") -> bytes:
    return text.strip("\n").replace("\n", "\r\n").encode(encoding)


def b64(text: str, encoding: str) -> str:
    return base64.b64encode(text.encode(encoding)).decode()


_ANSWER = """改成 40 箱，谢谢。


------------------ 原始邮件 ------------------
发件人: "管家"
"""
QQ = crlf(
    f"""
From: "=?gb18030?B?{b64("米拉", "gb18030")}?=" <Mira@QQ.com>
To: "help" <help+c1.1.aaaaaaaaaaaaaaaa@desk.example>
Subject: =?gb18030?B?{b64("回复：[GJ-2026-000017] 双十一要一个展", "gb18030")}?=
 =?gb18030?B?{b64("示位，再备 30 箱", "gb18030")}?=
Mime-Version: 1.0
Content-Type: multipart/alternative; boundary="----=_NextPart_64"
Date: Sun, 22 Nov 2026 20:15:00 +0800
Message-ID: <tencent_8F0011223344@qq.com>
In-Reply-To: <d.00112233445566778899aabbccddeeff@desk.example>
References: <case.gj-2026-000017@desk.example>
 <d.00112233445566778899aabbccddeeff@desk.example>

This is a multi-part message in MIME format.

------=_NextPart_64
Content-Type: text/plain; charset="gb18030"
Content-Transfer-Encoding: base64

{b64(_ANSWER, "gb18030")}
------=_NextPart_64
Content-Type: text/html; charset="gb18030"
Content-Transfer-Encoding: base64

{b64("<div>改成 40 箱，谢谢。</div>", "gb18030")}
------=_NextPart_64--
"""
)
"""QQ mail: GB 18030, the subject in two words, the old mail under a line of hyphens."""

_CUT = "您好，这是一件很急的事".encode()
GMAIL = crlf(
    f"""
MIME-Version: 1.0
From: Mo Bai <mo@gmail.com>
Date: Sun, 22 Nov 2026 20:15:00 +0800
Message-ID: <CAF123456@mail.gmail.com>
Subject: =?UTF-8?B?{base64.b64encode(_CUT[:10]).decode()}?= =?UTF-8?B?{base64.b64encode(_CUT[10:]).decode()}?=
To: help@desk.example
Content-Type: text/plain; charset="UTF-8"; format=flowed
Content-Transfer-Encoding: 8bit

Yes, please.

On Sun, Nov 22, 2026 at 7:58 PM Guanjia <help+c1.1.aaaaaaaaaaaaaaaa@desk.example>
wrote:

> The slot is yours. Shall we go on?
>
"""
)
"""Gmail: UTF-8, a character cut between two encoded words, the attribution on two lines."""

OUTLOOK = crlf(
    """
From: Lin <lin@desk.example>
To: help@desk.example
Subject: RE: GJ-2026-000017
Message-ID: <AM0PR01MB@outlook.example>
Content-Type: text/html; charset="utf-8"

<html><head><style>p{color:red}</style><title>x</title></head><body>
<p>已经<b>确认</b>。</p><ul><li>一</li><li>二</li></ul><p>林晓</p>
<div style="border-top:solid #E1E1E1 1.0pt"><p><b>发件人:</b> 管家 &lt;help@desk.example&gt;<br>
<b>发送时间:</b> 2026年11月22日 20:00<br><b>收件人:</b> Lin<br><b>主题:</b> GJ-2026-000017</p></div>
<p>从前的话</p></body></html>
"""
)

AWAY = crlf(
    f"""
From: mira@163.com
To: help@desk.example
Subject: =?GBK?B?{b64("自动回复:您的展位", "gbk")}?=
Message-ID: <away@163.com>
Content-Type: text/plain; charset=GBK
Content-Transfer-Encoding: base64

{b64("我在休假，周一回来。", "gbk")}
"""
)
"""NetEase: nothing but the subject says that nobody wrote it."""

BOUNCE = crlf(
    """
Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: help@desk.example
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
Message-ID: <20261122.ABC@mx.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="XX"

--XX
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not be delivered.

--XX
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; gone@shop.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 user unknown

--XX
Content-Type: text/rfc822-headers

Message-ID: <d.00112233445566778899aabbccddeeff@desk.example>
From: help@desk.example
Subject: GJ-2026-000017

--XX--
"""
)


def mail(text: str = "你好", **headers: str) -> bytes:
    """A plain mail; header names with underlines, for example `Auto_Submitted`."""
    made = EmailMessage()
    given = {"From": "mira@shop.example", "To": "help@desk.example", "Message_ID": "<1@shop.example>"}
    for name, value in {**given, "Subject": "一件事", **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def with_files(*files: tuple[str, bytes], **headers: str) -> bytes:
    made = EmailMessage()
    given = {"From": "mira@shop.example", "To": "help@desk.example", "Message_ID": "<2@shop.example>"}
    for name, value in {**given, "Subject": "附件", **headers}.items():
        made[name.replace("_", "-")] = value
    made.set_content("见附件")
    for name, content in files:
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()
