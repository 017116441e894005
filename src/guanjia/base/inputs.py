"""JSON from outside, read strictly: bytes to an object, each member refused by name if it is wrong."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, FieldError, Refusal

MAX_NESTING = 32
MAX_INTEGER = 2**53 - 1
"""The largest integer every JSON reader keeps exactly (RFC 8259 §6)."""

Choice = TypeVar("Choice", bound=StrEnum)


class Malformed(Refusal):
    code = "malformed"
    status = 400


def read_object(body: bytes) -> Members:
    """The JSON object in a request body.

    Raises Malformed for anything a database could choke on later: NUL characters, halves of characters,
    numbers beyond a double, two members of one name, nesting above MAX_NESTING.
    """
    try:
        value = _DECODER.decode(body.decode())
    except (ValueError, RecursionError):
        raise Malformed(_("请求内容不是合法的 JSON (UTF-8)。"), hint=_("请检查括号、引号和编码。")) from None
    _refuse_poison(value)
    return Members(value)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("two members of one name")
    return found


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_once)


def _refuse_poison(value: object) -> None:
    """Level by level, without recursion, so that depth itself cannot hurt us."""
    level: list[object] = [value]
    for _depth in range(MAX_NESTING + 1):
        below: list[object] = []
        for node in level:
            if isinstance(node, str):
                _refuse_poisoned_text(node)
            elif isinstance(node, dict):
                below += [*node.keys(), *node.values()]
            elif isinstance(node, list):
                below += node
        if not below:
            return
        level = below
    raise Malformed(_("请求内容嵌套太深。"), hint=_("最多 %(most)d 层。") % {"most": MAX_NESTING})


def _refuse_poisoned_text(text: str) -> None:
    if "\x00" in text:
        raise Malformed(_("请求内容里有不可见的空字符 (NUL)。"), hint=_("请删掉后重试。"))
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Malformed(_("请求内容里有半个字符（不成对的代理项）。"), hint=_("请检查编码后重试。"))


class Members:
    """A JSON object, read member by member. Every method raises BadInput naming the member by its JSON
    pointer; members that nobody asks for are ignored."""

    __slots__ = ("_data", "_where")

    def __init__(self, data: object, where: str = "") -> None:
        if not isinstance(data, dict):
            raise _wrong(where, _("应为对象 {…}"))
        self._data: Mapping[str, Any] = data
        self._where = where

    def wrong(self, name: str, message: str) -> BadInput:
        return _wrong(f"{self._where}/{name}", message)

    def text(self, name: str) -> str:
        """A text that is there; what it may say is for the action to decide."""
        value = self._get(name)
        if not isinstance(value, str):
            raise self.wrong(name, _("应为文字"))
        return value

    def integer(self, name: str) -> int:
        value = self._get(name)
        if type(value) is not int or abs(value) > MAX_INTEGER:  # bool is an int to isinstance
            raise self.wrong(name, _("应为整数"))
        return value

    def optional_integer(self, name: str) -> int | None:
        return None if self._data.get(name) is None else self.integer(name)

    def flag(self, name: str, *, default: bool) -> bool:
        value = self._data.get(name, default)
        if not isinstance(value, bool):
            raise self.wrong(name, _("应为 true 或 false"))
        return value

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        try:
            return kind(self.text(name))
        except ValueError:
            options = _("、").join(kind)
            raise self.wrong(name, _("只能是其中之一：%(options)s") % {"options": options}) from None

    def mapping(self, name: str) -> Mapping[str, Any]:
        """A member that is an object of somebody else's shape, for example a service's parameters."""
        return Members(self._get(name), f"{self._where}/{name}")._data

    def integers(self, name: str, *, most: int) -> Sequence[int]:
        """A list of integers, empty where the member is not there."""
        if self._data.get(name) is None:
            return []
        value = self._data[name]
        if not isinstance(value, list) or len(value) > most or any(type(one) is not int for one in value):
            raise self.wrong(name, _("应为整数的列表，最多 %(most)s 个") % {"most": most})
        return value

    def objects(self, name: str, *, most: int) -> Sequence[Members]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self.wrong(name, _("应为列表 […]"))
        if len(value) > most:
            raise self.wrong(name, _("最多 %(limit)s 项") % {"limit": most})
        return [Members(item, f"{self._where}/{name}/{n}") for n, item in enumerate(value)]

    def _get(self, name: str) -> Any:
        if self._data.get(name) is None:
            raise self.wrong(name, _("必填"))
        return self._data[name]


def _wrong(where: str, message: str) -> BadInput:
    label = where.removeprefix("/") or _("请求内容")
    error = FieldError(where, label, message)
    return BadInput(
        _("“%(field)s”不对：%(why)s。") % {"field": label, "why": message},
        hint=_("请改正后重试。"),
        errors=[error],
    )
