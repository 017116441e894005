"""Checks of the manifest (3.4, 4.1): one answer, read strictly, and each fault put to its rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from guanjia.lines.conformance.prober import Answer, strictly
from guanjia.lines.conformance.report import Result, Verdict
from guanjia.lines.conformance.rules import both
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import Manifest, ServiceSpec, Texts
from guanjia.lines.protocol.params import ParamsSchema
from guanjia.lines.protocol.wire import Members

_MAX_FIELDS: Final = 500

# The strict reader names the bad member by its JSON Pointer; the member tells the rule.
_RULE_OF_MEMBER: Final = (
    (re.compile(r"/services/\d+/schema"), "4.1.1"),
    (re.compile(r"/services/\d+/price/"), "2.3"),
    (re.compile(r"/services/\d+/price"), "4.1.2"),
    (re.compile(r"/services/\d+/decision"), "4.1.3"),
    (re.compile(r"(/services/\d+)?/titles"), "2.5"),
)


def read_manifest(answer: Answer) -> tuple[Manifest | None, list[Result]]:
    """The manifest, None where it cannot be used, and the results of 3.4 and 4.1."""
    if answer.status == 401:
        return None, [_failed("3.4", answer, both("HTTP 200，不用签名", "HTTP 200 without signature"))]
    if answer.status != 200 or answer.document is None:
        expected = both("HTTP 200，JSON 清单", "HTTP 200 with the manifest as JSON")
        return None, [_failed("4.1", answer, expected)]
    try:
        manifest = Manifest.from_json(strictly(answer.document))
    except ProtocolError as error:
        return None, [_failed(_rule(error.detail), answer, both(error.detail, error.detail))]
    passed = [Result(rule, Verdict.OK) for rule in ("3.4", "4.1", "4.1.2")]
    return manifest, [*passed, *(_schema(spec, answer) for spec in manifest.services)]


def _rule(detail: str) -> str:
    return next((rule for member, rule in _RULE_OF_MEMBER if member.match(detail)), "4.1")


def _failed(rule: str, answer: Answer, expected: Texts, service: str | None = None) -> Result:
    return Result(rule, Verdict.FAILED, service, failure=answer.as_failure(expected))


def _schema(spec: ServiceSpec, answer: Answer) -> Result:
    try:
        ParamsSchema(spec.schema)
        _check_titles(spec.schema)
    except (ValueError, ProtocolError) as error:
        return _failed("4.1.1", answer, both(str(error), str(error)), spec.code)
    return Result("4.1.1", Verdict.OK, spec.code)


def _check_titles(schema: Mapping[str, Any]) -> None:
    properties = schema.get("properties", {})
    for name, field in list(properties.items())[:_MAX_FIELDS]:
        if isinstance(field, dict) and "x-titles" in field:
            Members(field, f"/properties/{name}").texts("x-titles")
