"""What can go wrong between Guanjia and a line: the codes of §7 and their HTTP statuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STATUS_OF_CODE: Final = {
    "signature_missing": 401,
    "signature_invalid": 401,
    "timestamp_skew": 401,
    "body_too_large": 413,
    "malformed": 400,
    "schema_violation": 422,
    "idempotency_mismatch": 422,
    "unknown_service": 404,
    "unknown_hold": 404,
    "decision_pending": 409,
    "hold_released": 409,
    "hold_refused": 409,
    "hold_lapsed": 409,
    "hold_confirmed": 409,
    "not_found": 404,
    "method_not_allowed": 405,
}

PROBLEM_CONTENT_TYPE: Final = "application/problem+json"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken parameter: `field` is a JSON Pointer below `params`, for example `/day`."""

    field: str
    message: str


class ProtocolError(Exception):
    """An answer of §7. `code` is a key of `STATUS_OF_CODE`; `detail` names the bad member."""

    def __init__(self, code: str, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(code, detail)
        self.code = code
        self.status = STATUS_OF_CODE[code]
        self.detail = detail
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return f"{self.code}: {self.detail}"

    def to_json(self) -> dict[str, object]:
        """The RFC 9457 problem object; `errors` only where a parameter broke the schema."""
        problem: dict[str, object] = {
            "type": "about:blank",
            "title": self.code.replace("_", " ").capitalize(),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
        }
        if self.errors:
            problem["errors"] = [{"field": e.field, "message": e.message} for e in self.errors]
        return problem
