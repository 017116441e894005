"""django-helpdesk beside us: its own virtual environment, the same PostgreSQL, the same web server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from ground import HERE, Ground, running, wait_until

from guanjia.base.ports import choose_port
from web.house import answers
from web.measure import Site, Target

NEEDS = ("django-helpdesk>=2,<3", "psycopg[binary]", "granian")
SITE = HERE / "web" / "helpdesk"


def install(home: Path) -> Path:
    """The Python of a new virtual environment that has it; some 20 s. Raises CalledProcessError."""
    place = home / "helpdesk-venv"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *NEEDS], check=True, timeout=600, stderr=subprocess.DEVNULL)
    return place / "bin" / "python"


def environ(ground: Ground, url: str) -> dict[str, str]:
    at = urlsplit(url)
    return {
        "PEER_HOME": str(ground.home),
        "PEER_NAME": at.path.removeprefix("/"),
        "PEER_HOST": at.hostname or "127.0.0.1",
        "PEER_PORT": str(at.port or 5432),
        "PEER_USER": at.username or "",
        "PEER_PASSWORD": at.password or "",
        "DJANGO_SETTINGS_MODULE": "site_settings",
        "PYTHONPATH": str(SITE),
    }


def fill(ground: Ground, python: Path, name: str, tickets: int) -> dict[str, list[Target]]:
    url = ground.new_database(name)
    command = [str(python), str(SITE / "site_fill.py"), str(tickets)]
    env = os.environ | environ(ground, url)
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, check=True, timeout=1800)
    found: dict[str, list[Target]] = json.loads(done.stdout)
    return found


@contextmanager
def serve(ground: Ground, python: Path, database: str) -> Iterator[Site]:
    """One granian process with four threads, as ours."""
    port, url = choose_port(), ground.server.url.rpartition("/")[0] + f"/{database}"
    granian = [str(python), "-m", "granian", "--interface", "wsgi", "--blocking-threads", "4"]
    command = [
        *granian,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "django.core.wsgi:get_wsgi_application",
        "--factory",
    ]
    with running(command, log=ground.home / "helpdesk.log", **environ(ground, url)) as web:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/login/"), "django-helpdesk")
        yield Site("django-helpdesk", port, [web.pid], [ground.server.pid])
