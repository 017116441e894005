"""Our own web door on a database of N cases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError

from ground import HERE, Ground, running, wait_until

from guanjia.base.ports import choose_port
from web.measure import Site, Target


def environ(ground: Ground, url: str, port: int) -> dict[str, str]:
    """As in production: no debugging, no demo. Only the address is the loopback's."""
    here = {"DATABASE_URL": url, "GUANJIA_HOME": str(ground.home), "GUANJIA_URL": f"http://127.0.0.1:{port}"}
    return {**here, "DJANGO_SETTINGS_MODULE": "guanjia.config.settings"}


def fill(ground: Ground, name: str, cases: int) -> dict[str, list[Target]]:
    """A database of that name; what to ask for, by kind of page."""
    url = ground.new_database(name)
    command = [sys.executable, str(HERE / "web" / "fill.py"), str(cases)]
    env = os.environ | environ(ground, url, 8700)
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, timeout=3600)
    found: dict[str, list[Target]] = json.loads(done.stdout)
    return found


@contextmanager
def serve(ground: Ground, database: str) -> Iterator[Site]:
    port = choose_port()
    url = ground.server.url.rpartition("/")[0] + f"/{database}"
    command = [sys.executable, "-m", "guanjia.cli", "web"]
    with running(command, log=ground.home / "web.log", **environ(ground, url, port)) as web:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "the web door")
        yield Site("Guanjia", port, [web.pid], [ground.server.pid])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status < 500)
    except URLError as error:
        return isinstance(getattr(error, "code", None), int) and int(error.code) < 500  # type: ignore[attr-defined]
    except OSError:
        return False
