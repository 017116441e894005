"""What the kit found, for people (two languages) and for machines (JSON)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from guanjia.lines.conformance.rules import SECTION_OF, TITLES, both
from guanjia.lines.protocol.messages import PROTOCOL, Texts

Language = Literal["zh-Hans", "en"]

CONFIRM_WARNING: Final = both(
    "检查会对每项服务真实确认一次，且无法撤销；用 --no-confirm 可以不做。",
    "The check makes one real confirm per service, which cannot be undone; --no-confirm leaves it out.",
)


class Verdict(StrEnum):
    """What became of a check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Failure:
    """One broken rule as evidence: what was sent, expected and received. Holds no secrets.

    `status` is None where nothing came back; `got` then says why.
    """

    method: str
    path: str
    body: str
    expected: Texts
    status: int | None
    got: str

    def to_json(self, rule: str) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "sent": {"method": self.method, "path": self.path, "body": self.body},
            "expected": self.expected,
            "received": {"status": self.status, "body": self.got},
            "section": SECTION_OF.format(rule=rule),
        }


@dataclass(frozen=True, slots=True)
class Result:
    """One rule on one service, or on the line as a whole where `service` is None.

    `notes`: why it was skipped, or which parts of a passed check could not be tried.
    """

    rule: str
    verdict: Verdict
    service: str | None = None
    notes: tuple[Texts, ...] = ()
    failure: Failure | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "rule": self.rule,
            "service": self.service,
            "titles": TITLES[self.rule],
            "verdict": self.verdict.value,
            "notes": list(self.notes),
            "failure": self.failure and self.failure.to_json(self.rule),
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """A hold that outlives the check: confirmed on purpose, or not released although asked."""

    service: str
    hold_id: str
    reference: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"service": self.service, "hold_id": self.hold_id, "reference": self.reference}


@dataclass(frozen=True, slots=True)
class Report:
    """Every rule with its verdict. `line` is the slug of the manifest, None where unreadable."""

    url: str
    line: str | None
    results: tuple[Result, ...]
    confirmed: tuple[Trace, ...] = ()
    left_behind: tuple[Trace, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether no rule is broken."""
        return not self.broken()

    def broken(self) -> set[str]:
        """The numbers of the broken rules."""
        return {result.rule for result in self.results if result.verdict is Verdict.FAILED}

    def counts(self) -> dict[str, int]:
        """Results by verdict."""
        verdicts = [result.verdict for result in self.results]
        return {verdict.value: verdicts.count(verdict) for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "protocol": PROTOCOL,
            "url": self.url,
            "line": self.line,
            "ok": self.ok,
            "counts": self.counts(),
            "confirmed": [trace.to_json() for trace in self.confirmed],
            "left_behind": [trace.to_json() for trace in self.left_behind],
            "results": [result.to_json() for result in self.results],
        }

    def to_text(self, language: Language) -> str:
        """The report for a terminal."""
        words = _WORDS[language]
        lines = [words["head"].format(url=self.url, line=self.line or "?"), ""]
        for result in self.results:
            lines += _result_lines(result, language, words)
        lines += _trace_lines(words["confirmed"], self.confirmed)
        lines += _trace_lines(words["left_behind"], self.left_behind)
        lines += ["", words["counts"].format(**self.counts())]
        return "\n".join(lines) + "\n"


_MARKS = {Verdict.OK: "✓", Verdict.FAILED: "✗", Verdict.SKIPPED: "–"}

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh-Hans": {
        "head": "LP/1 检查：{url}（{line}）",
        "sent": "发送",
        "expected": "应为",
        "received": "收到",
        "nothing": "没有应答：",
        "see": "见",
        "note": "未试",
        "confirmed": "已真实确认，请在业务线上处理：",
        "left_behind": "未能释放，请在业务线上处理：",
        "counts": "通过 {ok}，不符 {failed}，跳过 {skipped}",
    },
    "en": {
        "head": "LP/1 check of {url} ({line})",
        "sent": "sent",
        "expected": "expected",
        "received": "received",
        "nothing": "no answer: ",
        "see": "see",
        "note": "not tried",
        "confirmed": "Really confirmed, please clear on the line:",
        "left_behind": "Could not be released, please clear on the line:",
        "counts": "{ok} passed, {failed} failed, {skipped} skipped",
    },
}


def _result_lines(result: Result, language: Language, words: Mapping[str, str]) -> list[str]:
    service = f" [{result.service}]" if result.service else ""
    title = TITLES[result.rule][language]
    lines = [f"{_MARKS[result.verdict]} {result.rule}{service} {title}"]
    if result.verdict is Verdict.SKIPPED:
        lines += [f"    {words['note']}: {note[language]}" for note in result.notes]
    failure = result.failure
    if failure is not None:
        got = words["nothing"] if failure.status is None else f"HTTP {failure.status} "
        lines += [
            f"    {words['sent']}: {failure.method} {failure.path} {failure.body}".rstrip(),
            f"    {words['expected']}: {failure.expected[language]}",
            f"    {words['received']}: {got}{failure.got}".rstrip(),
            f"    {words['see']}: {SECTION_OF.format(rule=result.rule)}",
        ]
    return lines


def _trace_lines(head: str, traces: tuple[Trace, ...]) -> list[str]:
    if not traces:
        return []
    rows = [f"    {t.service} {t.hold_id} {t.reference or ''}".rstrip() for t in traces]
    return ["", head, *rows]
