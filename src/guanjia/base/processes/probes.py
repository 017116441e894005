"""Ways to ask whether a process is ready for work. Each returns within PATIENCE seconds."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable

Probe = Callable[[], bool]
PATIENCE = 2.0  # seconds

# A proxy from the environment must not answer for a process of this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def at_once() -> bool:
    """Ready as soon as it is started."""
    return True


def listens(host: str, port: int) -> Probe:
    """Ready when the port accepts a connection."""

    def probe() -> bool:
        try:
            with socket.create_connection((host, port), timeout=PATIENCE):
                return True
        except OSError:
            return False

    return probe


def answers(url: str) -> Probe:
    """Ready when an HTTP GET is answered with 2xx."""

    def probe() -> bool:
        try:
            with _direct.open(url, timeout=PATIENCE) as response:
                return bool(200 <= response.status < 300)
        except (OSError, urllib.error.HTTPError):
            return False

    return probe
