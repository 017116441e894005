"""Parameters against a service's JSON Schema (4.1.1, 4.2.3): compiled once, checked in linear time."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import jsonschema_rs

from guanjia.lines.protocol.bounds import check_size
from guanjia.lines.protocol.errors import FieldError, ProtocolError

_MAX_ERRORS: Final = 20
_MAX_MESSAGE: Final = 300
# `RegexOptions` selects the engine without backtracking: no pattern of a line can stall a worker.
_REGEX: Final = jsonschema_rs.RegexOptions(size_limit=1_000_000, dfa_size_limit=1_000_000)


class ParamsSchema:
    """A compiled JSON Schema 2020-12 of an object; `$ref` never leaves the document."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile. Raises ValueError for a schema that is broken, remote or not of an object."""
        if schema.get("type") != "object":
            raise ValueError('the schema of a service needs "type": "object"')
        check_size(schema)
        self._validator = jsonschema_rs.Draft202012Validator(
            dict(schema), validate_formats=True, offline=True, pattern_options=_REGEX
        )

    def errors(self, params: Mapping[str, Any]) -> tuple[FieldError, ...]:
        """The broken fields, at most 20; empty where the parameters fit."""
        if self._validator.is_valid(params):
            return ()
        found = self._validator.iter_errors(params)
        return tuple(_field_error(error) for error, _ in zip(found, range(_MAX_ERRORS), strict=False))

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise ProtocolError `schema_violation` with the broken fields."""
        errors = self.errors(params)
        if errors:
            raise ProtocolError("schema_violation", "the parameters break the schema", errors)


def _field_error(error: jsonschema_rs.ValidationError) -> FieldError:
    path = [*error.instance_path, *_unnamed(error.kind)]
    return FieldError(_pointer(path), error.message[:_MAX_MESSAGE])


def _unnamed(kind: jsonschema_rs.ValidationErrorKind) -> Sequence[str]:
    """The member an error is about where the error itself points at the object around it."""
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required):
        return [kind.property]
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.AdditionalProperties):
        return kind.unexpected[:1]
    return []


def _pointer(path: Sequence[str | int]) -> str:
    """RFC 6901."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
