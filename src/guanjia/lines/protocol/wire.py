"""JSON off the wire, read strictly: bytes to members, each refused by name if it is wrong."""

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

from guanjia.lines.protocol.errors import ProtocolError

MAX_BODY_BYTES: Final = 256 * 1024
MAX_NESTING: Final = 64
MAX_TTL_SECONDS: Final = 2_592_000
MAX_TEXT: Final = 2_000

# The largest integer every JSON reader keeps exactly (RFC 8259 §6).
MAX_INTEGER: Final = 2**53 - 1

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)

Choice = TypeVar("Choice", bound=StrEnum)
Parsed = TypeVar("Parsed")


def malformed(where: str, what: str) -> ProtocolError:
    """The `malformed` error about one member; `where` is its JSON Pointer, empty for the whole."""
    return ProtocolError("malformed", f"{where or 'body'}: {what}")


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant in UTC with `Z` (2.4). Raises ValueError."""
    if not _INSTANT.fullmatch(text):
        raise ValueError("not an RFC 3339 instant in UTC with Z")
    return datetime.fromisoformat(text)


def format_instant(instant: datetime) -> str:
    """Write an aware instant as RFC 3339 in UTC with `Z`; microseconds only where there are any."""
    if instant.tzinfo is None:
        raise ValueError("an instant on the wire needs a time zone")
    return instant.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def parse_hold_id(text: str, where: str = "/hold_id") -> UUID:
    """Read a hold id: a UUID in its 36-character form, so that one hold has one spelling."""
    if not _UUID.fullmatch(text):
        raise malformed(where, "not a UUID")
    return UUID(text)


def dump_body(value: object) -> bytes:
    """Compact UTF-8 JSON, the form in which Guanjia and the SDK send every body."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def parse_body(body: bytes) -> "Members":
    """Read a body as a JSON object (2.1, 2.2).

    Raises ProtocolError `body_too_large`, or `malformed` for anything a database could choke on
    later: NUL bytes, lone surrogates, NaN, numbers beyond a double, nesting above 64.
    """
    if len(body) > MAX_BODY_BYTES:
        raise ProtocolError("body_too_large", f"more than {MAX_BODY_BYTES} bytes")
    try:
        value = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise malformed("", "not JSON in UTF-8") from error
    # Only an escape can bring in a NUL or half a character, and only brackets can nest.
    if b"\\u" in body or body.count(b"{") + body.count(b"[") > MAX_NESTING:
        _refuse_poison(value)
    return Members(value, "")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant)


def _refuse_poison(value: object) -> None:
    """Walk the tree level by level: no recursion, so depth itself cannot hurt us."""
    level: list[object] = [value]
    for _ in range(MAX_NESTING + 1):
        below: list[object] = []
        for node in level:
            if isinstance(node, str):
                _refuse_poisoned_text(node)
            elif isinstance(node, dict):
                below += node.keys()
                below += node.values()
            elif isinstance(node, list):
                below += node
        if not below:
            return
        level = below
    raise malformed("", f"nested deeper than {MAX_NESTING}")


def _refuse_poisoned_text(text: str) -> None:
    if "\0" in text:
        raise malformed("", "contains a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise malformed("", "contains half a character (a lone surrogate)")


class Members:
    """A JSON object under strict reading; every method raises `malformed` with the member's name.

    Members nobody asks for are ignored (2.7).
    """

    __slots__ = ("_data", "_where")

    def __init__(self, data: object, where: str) -> None:
        if not isinstance(data, dict):
            raise malformed(where, "not an object")
        self._data: dict[str, Any] = data
        self._where = where

    def error(self, name: str, what: str) -> ProtocolError:
        return malformed(f"{self._where}/{name}", what)

    def is_null(self, name: str) -> bool:
        """Whether the member is null or missing."""
        return self._data.get(name) is None

    def optional(self, name: str, read: Callable[[str], Parsed]) -> Parsed | None:
        """`read(name)`, or None where the member is null or missing."""
        return None if self.is_null(name) else read(name)

    def text(self, name: str, longest: int = MAX_TEXT, *, empty: bool = False) -> str:
        value = self._data.get(name)
        if not isinstance(value, str):
            raise self.error(name, "missing or not a string")
        if len(value) > longest or not (value or empty):
            raise self.error(name, f"empty or longer than {longest} characters")
        return value

    def match(self, name: str, pattern: re.Pattern[str], longest: int = MAX_TEXT) -> str:
        value = self.text(name, longest)
        if not pattern.fullmatch(value):
            raise self.error(name, f"does not match {pattern.pattern}")
        return value

    def integer(self, name: str, least: int, most: int) -> int:
        value = self._data.get(name)
        if type(value) is not int:  # bool is an int to isinstance, a float is not money
            raise self.error(name, "missing or not an integer")
        if not least <= value <= most:
            raise self.error(name, f"not between {least} and {most}")
        return value

    def ttl(self, name: str) -> int:
        """A time to live in seconds, from a second to 30 days."""
        return self.integer(name, 1, MAX_TTL_SECONDS)

    def choice(self, name: str, kind: type[Choice]) -> Choice:
        value = self.text(name)
        try:
            return kind(value)
        except ValueError:
            allowed = ", ".join(kind)
            raise self.error(name, f"not one of {allowed}") from None

    def instant(self, name: str) -> datetime:
        try:
            return parse_instant(self.text(name))
        except ValueError as error:
            raise self.error(name, str(error)) from None

    def hold_id(self, name: str) -> UUID:
        return parse_hold_id(self.text(name), f"{self._where}/{name}")

    def child(self, name: str) -> "Members":
        return Members(self._data.get(name), f"{self._where}/{name}")

    def children(self, name: str, most: int) -> list["Members"]:
        value = self._data.get(name)
        if not isinstance(value, list) or len(value) > most:
            raise self.error(name, f"missing, not a list, or longer than {most}")
        return [Members(item, f"{self._where}/{name}/{i}") for i, item in enumerate(value)]

    def mapping(self, name: str) -> dict[str, Any]:
        """A member that is an object of the line's own shape (params, schema)."""
        return self.child(name)._data

    def texts(self, name: str) -> dict[str, str]:
        """A text for people: BCP 47 tags, at least zh-Hans and en (2.5)."""
        inner = self.child(name)
        if not {"zh-Hans", "en"} <= inner._data.keys() or len(inner._data) > 50:
            raise self.error(name, "needs at least zh-Hans and en")
        if not all(map(_LANGUAGE_TAG.fullmatch, inner._data)):
            raise self.error(name, "has a key that is not a language tag")
        return {tag: inner.text(tag) for tag in inner._data}
