"""Refusals: what happened, why, and what to do now, in the reader's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong field: where it is (a JSON pointer), what people call it, what is wrong."""

    path: str
    label: str
    message: str


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a fault
    """An action was refused and nothing has changed. `code` is stable, `message` is translated.

    `status` is the HTTP status that the web doors answer with.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 409

    def __init__(self, message: str, *, hint: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.errors = tuple(errors)


class Missing(Refusal):
    """No such thing, or none that this person may know of: the two are not told apart."""

    code = "not_found"
    status = 404


class Forbidden(Refusal):
    code = "forbidden"
    status = 403


class BadInput(Refusal):
    code = "bad_input"
    status = 422
