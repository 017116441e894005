from dataclasses import dataclass
from typing import ClassVar

from guanjia.ledger.actions import Payload


@dataclass(frozen=True)
class TokenIssued(Payload):
    kind: ClassVar[str] = "people.token_issued"
    token: int
    user: int


@dataclass(frozen=True)
class RoleGranted(Payload):
    kind: ClassVar[str] = "people.role_granted"
    user: int
    role: str
