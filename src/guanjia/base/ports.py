"""Ports of 127.0.0.1 for programs that we start ourselves."""

from __future__ import annotations

import contextlib
import random
import socket
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
# Below the range that systems take for outgoing connections (Linux 32768, others 49152): a
# passing connection must not push a server off the port that its clients know.
PORTS = range(15000, 30000)
TRIES = 100


class NoPortError(OSError):
    """There is no port to be had."""


def choose_port() -> int:
    """A port that nobody has. Somebody else may take it before you do: see `Reserved`."""
    with Reserved() as ports:
        return ports.port()


def port_is_free(port: int) -> bool:
    """Whether a server could listen there now, as it also could where the port is only `Reserved`."""
    try:
        _bound(port, shared=True).close()
    except OSError:
        return False
    return True


@dataclass
class Reserved:
    """Ports that no other `Reserved` of this machine gives out until this is closed.

    Each is held by a socket that is bound and does not listen. A server that sets SO_REUSEADDR,
    as all of ours do, may listen there all the same, be killed, and come back to the same port;
    until it listens, who calls is refused.
    """

    _sockets: list[socket.socket] = field(default_factory=list)

    def port(self, *, row: int = 1) -> int:
        """One more, or the first of a row of them. Raises NoPortError."""
        for first in random.sample(PORTS, TRIES):
            with contextlib.ExitStack() as taken:
                try:
                    found = [taken.enter_context(_bound(first + n, shared=False)) for n in range(row)]
                except OSError:
                    continue
                taken.pop_all()
                self._sockets += found
                return first
        raise NoPortError(f"{TRIES} ports tried between {PORTS.start} and {PORTS.stop} are all in use")

    def close(self) -> None:
        """Give them back; what listens there goes on."""
        while self._sockets:
            self._sockets.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _bound(port: int, *, shared: bool) -> socket.socket:
    """A socket bound to the port: only beside others that do not listen either, if `shared`."""
    found = socket.socket()
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(shared))
        found.bind((HOST, port))
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from now on others may listen
    except OSError:
        found.close()
        raise
    return found
