"""What somebody said now, without what they quote and sign with.

Steps: 1. everything from our own line ("reply above") on is cut; 2. everything from the first line that
opens a quotation on is cut, if something stands before it: Outlook, Foxmail, QQ, NetEase, Apple Mail, Gmail
in Chinese and English; 3. quoted lines (`>`) at the end are cut, those between answers are kept (whoever
answers point by point needs them); 4. a signature after `-- ` (RFC 3676 §4.3) and the lines that phones add
are cut. If nothing is left, the text stays whole: too much is better than nothing. Linear in lines.
"""

from __future__ import annotations

import re
from typing import Final

ABOVE: Final = "——— 请在此线以上回复 · Reply above this line ———"
"""Stands on top of every letter of ours."""

_LABELS: Final = r"(?:发件人|寄件人|寄件者|发送人|From|Von|De)"
_NEXT: Final = r"(?:发送时间|发件时间|日期|时间|收件人|收件者|抄送|主题|主旨|Sent|Date|To|Cc|Subject)"
_OPENS: Final = re.compile(
    r"^\s*(?:>\s*)*(?:"
    r"-{2,}\s*(?:原始邮件|原始郵件|原邮件|回复的原邮件|转发的邮件|转发邮件|"
    r"Original Message|Forwarded message|Original|Reply message|Replied Message)\s*-{2,}"
    r"|-{2,}\s*(?:Original Message|原始邮件)"
    r"|_{20,}"
    r"|On\s.{4,200}\swrote\s*[:：]"
    r"|(?:在|於|于)?\s*\d{4}\s*[年/.-]\s*\d{1,2}\s*[月/.-]\s*\d{1,2}.{0,160}(?:写道|寫道|wrote|来信)\s*[:：]"
    r"|(?:At|Am)\s\d{4}-\d{2}-\d{2}.{0,160}(?:wrote|写道|schrieb)\s*[:：]"
    r"|.{0,120}(?:写道|寫道)\s*[:：]\s*$"
    r"|.{0,80}<[^<>\s]{3,100}@[^<>\s]{3,100}>.{0,40}(?:wrote|写道|寫道)\s*[:：]"
    r")",
    re.I,
)
_HEADER: Final = re.compile(rf"^[\s>*]*{_LABELS}\s*[*]*\s*[:：]", re.I)
_HEADER_NEXT: Final = re.compile(rf"^[\s>*]*{_NEXT}\s*[*]*\s*[:：]", re.I)
_WRAPPED: Final = re.compile(r"^\s*On\s.{4,200}$", re.I)
_WROTE: Final = re.compile(r"wrote\s*[:：]\s*$", re.I)
_SIGNED: Final = re.compile(r"^--\s?$|^—{2,}\s*$")
_PHONE: Final = re.compile(
    r"^\s*(?:发自我的|從我的|来自我的|发送自|Sent from (?:my|Mail)|Get Outlook for|获取\s*Outlook"
    r"|通过.{1,20}(?:邮箱|手机)发送|由.{1,20}(?:邮箱|手机|大师)发送|发自.{1,20}(?:邮箱|手机|大师|iPhone|iPad))",
    re.I,
)


def said(text: str) -> str:
    """What the writer adds in this mail."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    end = next((n for n, line in enumerate(lines) if _above(line)), len(lines))
    end = next((n for n in range(end) if _opens(lines, n) and _something(lines[:n])), end)
    kept = lines[:end]
    while kept and (not kept[-1].strip() or kept[-1].lstrip().startswith(">")):
        kept.pop()
    kept = _unsigned(kept)
    found = "\n".join(kept).strip()
    return re.sub(r"\n{3,}", "\n\n", found) or text.strip()


def _above(line: str) -> bool:
    return "请在此线以上回复" in line or "Reply above this line" in line


def _something(lines: list[str]) -> bool:
    return any(line.strip() and line.lstrip()[0] != ">" and not _OPENS.match(line[:400]) for line in lines)


def _opens(lines: list[str], n: int) -> bool:
    if len(lines[n]) > 400:
        return False
    following = [line for line in lines[n + 1 : n + 5] if line.strip()]
    if _OPENS.match(lines[n]):
        return True
    if _HEADER.match(lines[n]):
        return any(_HEADER_NEXT.match(line[:400]) for line in following)
    return bool(_WRAPPED.match(lines[n]) and following and _WROTE.search(following[0][:400]))


def _unsigned(lines: list[str]) -> list[str]:
    """Without the signature: a text that is nothing else keeps it."""
    end = next(
        (n for n, line in enumerate(lines) if _SIGNED.match(line) and _something(lines[:n])), len(lines)
    )
    kept = lines[:end]
    while kept and (not kept[-1].strip() or _PHONE.match(kept[-1][:400])):
        kept.pop()
    return kept
