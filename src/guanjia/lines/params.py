"""Parameters of a service: prefilled from known facts, checked against its JSON Schema.

Errors name the field as people call it, in the reader's language (LP/1 §4.1.1, `x-titles`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema_rs
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.errors import BadInput, FieldError
from guanjia.base.texts import pick
from guanjia.lines.models import Service
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.wire import dump_body, parse_body

PARAMS_MOST = 64 * 1024
"""Bytes of one item's parameters as JSON."""
ERRORS_MOST = 20


class SchemaViolation(BadInput):
    code = "schema_violation"


def prefill(service: Service, facts: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given, and for the rest what the marketplace already knows (`x-fact`): say it once."""
    known = {
        name: facts[field["x-fact"]]
        for name, field in service.schema.get("properties", {}).items()
        if isinstance(field, Mapping) and field.get("x-fact") in facts
    }
    return {**known, **given}


def check(service: Service, params: Mapping[str, Any]) -> None:
    """Raises SchemaViolation naming every wrong field (at most ERRORS_MOST)."""
    if len(_as_sent(service, params)) > PARAMS_MOST:
        raise SchemaViolation(
            _("“%(service)s”的参数太大。") % {"service": pick(service.titles)},
            hint=_("最多 %(most)d KB。") % {"most": PARAMS_MOST // 1024},
        )
    errors = []
    for error in _validator(json.dumps(service.schema, sort_keys=True)).iter_errors(params):
        errors.append(_field_error(service, error))
        if len(errors) == ERRORS_MOST:
            break
    if errors:
        raise SchemaViolation(_summary(service, errors), hint=_("请改正后重新提交。"), errors=errors)


def _as_sent(service: Service, params: Mapping[str, Any]) -> bytes:
    """The parameters as they will be sent; refused here if a line could not read them (LP/1 §2)."""
    try:
        text = dump_body({"params": params})
        if len(text) <= PARAMS_MOST:
            parse_body(text)
    except (ProtocolError, ValueError, RecursionError):
        raise SchemaViolation(
            _("“%(service)s”的参数里有传不出去的内容。") % {"service": pick(service.titles)},
            hint=_("不可见的空字符 (NUL)、残缺的文字、无穷大的数字和过深的嵌套都不行，请删掉后重试。"),
        ) from None
    return text


@lru_cache(maxsize=512)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    # offline: no remote $ref; the linear-time engine: a line's pattern cannot hang us.
    return jsonschema_rs.Draft202012Validator(
        json.loads(schema),
        validate_formats=True,
        offline=True,
        pattern_options=jsonschema_rs.RegexOptions(),
    )


def _summary(service: Service, errors: list[FieldError]) -> str:
    listed = _("；").join(f"{error.label}{_('：')}{error.message}" for error in errors[:5])
    return _("“%(service)s”还不能提交。%(listed)s") % {"service": pick(service.titles), "listed": listed}


def _field_error(service: Service, error: jsonschema_rs.ValidationError) -> FieldError:
    kind = error.kind
    path = [str(part) for part in error.instance_path]
    if kind.name == "required":
        path.append(str(kind.as_dict()["property"]))
    return FieldError(_pointer(path), _label(service, path), _say(kind, error.message))


def _pointer(path: list[str]) -> str:
    """RFC 6901."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def _label(service: Service, path: list[str]) -> str:
    """What people call the field: titles along the path, else the bare name."""
    field: Any = service.schema
    labels = []
    for part in path:
        field = field.get("items") if part.isdigit() else field.get("properties", {}).get(part)
        field = field if isinstance(field, Mapping) else {}
        titles = field.get("x-titles")
        labels.append(pick(titles) if titles else field.get("title") or part)
    return " › ".join(labels) or pick(service.titles)


def _say(kind: jsonschema_rs.ValidationErrorKind, fallback: str) -> str:
    say = _SAY.get(kind.name)
    return say(kind.as_dict()) if say else fallback


_NAMES: Mapping[str, str] = {
    "string": n_("一段文字"),
    "integer": n_("一个整数"),
    "number": n_("一个数字"),
    "boolean": n_("是或否"),
    "array": n_("一个列表"),
    "object": n_("一组字段"),
    "date": n_("日期（年-月-日）"),
    "date-time": n_("日期和时间"),
    "email": n_("邮箱地址"),
    "uri": n_("网址"),
}
_SAY: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "required": lambda _k: _("必填"),
    "type": lambda k: _("类型不对，应为 %(types)s") % {"types": _types(k)},
    "format": lambda k: _("格式不对，应为 %(format)s") % {"format": _named(str(k["format"]))},
    "enum": lambda k: _("只能是其中之一：%(options)s") % {"options": _options(k)},
    "minimum": lambda k: _("不能小于 %(limit)s") % {"limit": k["limit"]},
    "maximum": lambda k: _("不能大于 %(limit)s") % {"limit": k["limit"]},
    "exclusiveMinimum": lambda k: _("必须大于 %(limit)s") % {"limit": k["limit"]},
    "exclusiveMaximum": lambda k: _("必须小于 %(limit)s") % {"limit": k["limit"]},
    "minLength": lambda k: _("至少 %(limit)s 个字") % {"limit": k["limit"]},
    "maxLength": lambda k: _("最多 %(limit)s 个字") % {"limit": k["limit"]},
    "minItems": lambda k: _("至少 %(limit)s 项") % {"limit": k["limit"]},
    "maxItems": lambda k: _("最多 %(limit)s 项") % {"limit": k["limit"]},
    "uniqueItems": lambda _k: _("不能有重复项"),
    "pattern": lambda _k: _("写法不符合要求"),
    "additionalProperties": lambda k: _("没有这些字段：%(names)s") % {"names": _names(k)},
}


def _types(kind: Mapping[str, Any]) -> str:
    types = kind.get("types") or kind.get("type") or ""
    return " / ".join(_named(str(one)) for one in ([types] if isinstance(types, str) else types))


def _named(kind: str) -> str:
    """A type or a format as people call it, else by its own name."""
    return _(_NAMES[kind]) if kind in _NAMES else kind


def _options(kind: Mapping[str, Any]) -> str:
    return _("、").join(str(option) for option in list(kind["options"])[:12])


def _names(kind: Mapping[str, Any]) -> str:
    return _("、").join(str(name)[:40] for name in list(kind["unexpected"])[:12])
