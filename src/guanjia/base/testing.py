"""pytest plugin: every run has a PostgreSQL and a home of its own.

Loaded with `-p`, not from a conftest: pytest-django reads the settings, and with them DATABASE_URL,
before any conftest is imported. With pytest-xdist only the controller comes here with an empty
environment; its workers inherit what it has set.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from guanjia.base.postgres import Server


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Set GUANJIA_HOME and, unless it is given, DATABASE_URL."""
    asked = early_config.known_args_namespace
    if "PYTEST_XDIST_WORKER" in os.environ or asked.help or asked.version:
        return
    home = Path(tempfile.mkdtemp(prefix="guanjia-tests-"))
    early_config.add_cleanup(lambda: shutil.rmtree(home))
    home.chmod(0o711)  # for the server's user, when we are root
    os.environ["GUANJIA_HOME"] = str(home)
    if "DATABASE_URL" not in os.environ and "DATABASE_URL_FILE" not in os.environ:
        server = Server(home, fsync=False).start()
        early_config.add_cleanup(server.stop)
        os.environ["DATABASE_URL"] = server.url
