"""What is new in an answer, by the programs that people write with."""

import pytest

from guanjia.core.mail.quotes import ABOVE, said

NEW = "就这么办。\n第二行"


@pytest.mark.parametrize(
    "old",
    [
        '------------------ 原始邮件 ------------------\n发件人: "管家"\n旧话',
        "------------------ Original ------------------\nFrom: x\n旧话",
        "-----原始邮件-----\n发件人: 管家\n旧话",
        "-----Original Message-----\nFrom: Guanjia\nold",
        "---- 回复的原邮件 ----\n| 发件人 | 管家 |\n旧话",
        "在 2026年11月22日 20:15，管家 <help@desk.example> 写道：\n> 旧话",
        "2026年11月22日 20:15，管家 写道：\n旧话",
        "管家 <help@desk.example> 于2026年11月22日周日 20:15写道：\n> 旧话",
        "On Sun, Nov 22, 2026 at 8:15 PM Guanjia <help@desk.example> wrote:\n> old",
        "On Sun, Nov 22, 2026 at 8:15 PM Guanjia <help+c1.1.aaaaaaaaaaaaaaaa@desk.example>\nwrote:\n\n> old",
        'At 2026-11-22 20:15:00, "管家" <help@desk.example> wrote:\n>旧话',
        "发件人： 管家\n发送时间： 2026-11-22 20:15\n收件人： 米拉\n主题： 展位\n\n旧话",
        "*发件人:* 管家\n*日期:* 2026年11月22日\n旧话",
        "From: Guanjia\nSent: Sunday, November 22, 2026\nTo: Mira\nSubject: slot\n\nold",
        "________________________________\n发件人: 管家\n旧话",
        "---------- Forwarded message ---------\nFrom: x\nold",
        f"{ABOVE}\n\n旧话",
        f"> {ABOVE}\n> 旧话",
        "> 旧话\n> 更旧",
    ],
)
def test_the_quotation_is_cut(old):
    assert said(f"{NEW}\n\n{old}\n") == NEW


@pytest.mark.parametrize(
    "signature",
    [
        "-- \n米拉\n云栖女装",
        "发自我的iPhone",
        "发自我的小米手机",
        "Sent from my iPhone",
        "由网易邮箱大师发送",
        "Get Outlook for iOS",
    ],
)
def test_the_signature_is_cut(signature):
    assert said(f"{NEW}\n\n{signature}") == NEW


@pytest.mark.parametrize(
    "text",
    [
        "> 要几箱？\n40 箱\n> 哪天？\n周四",
        "发件人：这三个字怎么填？",
        "合同\n-----\n第一条",
        "On Sunday we open at nine.\nBring the boxes.",
        "价格：100 -- 200",
        "他写道很满意",
    ],
)
def test_what_only_looks_like_one_is_kept(text):
    assert said(text) == text


def test_who_writes_nothing_new_is_taken_at_the_whole():
    assert said("> 旧话") == "> 旧话"
    assert (
        said("-----原始邮件-----\n发件人: 管家\n收件人: 米拉")
        == "-----原始邮件-----\n发件人: 管家\n收件人: 米拉"
    )
    assert said("") == ""
