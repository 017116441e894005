"""The embedded server as one of the supervisor's programs."""

from __future__ import annotations

from pathlib import Path

from guanjia.base.postgres.server import FAST, STOP_LIMITS, RunningServer, Server
from guanjia.base.processes.supervisor import Program

NAME = "postgres"


def program(server: Server) -> Program:
    """Ready when started: `Server.start` itself waits, as long as crash recovery takes."""

    def launch(_log: Path) -> RunningServer:
        return server.start()

    return Program(NAME, launch, stop_signal=FAST, grace=STOP_LIMITS[0][1])
