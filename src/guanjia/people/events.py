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


@dataclass(frozen=True)
class TokenRevoked(Payload):
    kind: ClassVar[str] = "people.token_revoked"
    token: int
    user: int


@dataclass(frozen=True)
class Invited(Payload):
    kind: ClassVar[str] = "people.invited"
    user: int


@dataclass(frozen=True)
class InvitationAccepted(Payload):
    kind: ClassVar[str] = "people.invitation_accepted"
    user: int


@dataclass(frozen=True)
class SignInLocked(Payload):
    """`user` is None where nobody has the name that was tried."""

    kind: ClassVar[str] = "people.sign_in_locked"
    user: int | None


@dataclass(frozen=True)
class WayLinked(Payload):
    kind: ClassVar[str] = "people.way_linked"
    user: int
    provider: str


@dataclass(frozen=True)
class FactorChanged(Payload):
    kind: ClassVar[str] = "people.factor_changed"
    user: int
    factor: str
    change: str


@dataclass(frozen=True)
class SessionsEnded(Payload):
    kind: ClassVar[str] = "people.sessions_ended"
    user: int
    count: int


@dataclass(frozen=True)
class AccountChanged(Payload):
    """Which of name, language, password or preference; never what they are now."""

    kind: ClassVar[str] = "people.account_changed"
    user: int
    what: str


@dataclass(frozen=True)
class AbsenceSet(Payload):
    """Between the two instants `substitute` has the access of `user` to what is theirs."""

    kind: ClassVar[str] = "people.absence_set"
    absence: int
    user: int
    substitute: int
    since: str
    until: str


@dataclass(frozen=True)
class AbsenceEnded(Payload):
    kind: ClassVar[str] = "people.absence_ended"
    absence: int
    user: int
