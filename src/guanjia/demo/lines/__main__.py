"""Serve one demo line: `python -m guanjia.demo.lines display_slots PORT`."""

import asyncio
import importlib
import sys

from granian.constants import Interfaces
from granian.server.embed import Server


async def serve(module: str, port: int) -> None:
    app = importlib.import_module(f"guanjia.demo.lines.{module}").app
    await Server(app, address="127.0.0.1", port=port, interface=Interfaces.ASGI, log_enabled=False).serve()


asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
