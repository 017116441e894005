"""Which database a command opens."""

from __future__ import annotations

import os

import pytest

from guanjia.base.processes.records import write_record
from guanjia.cli import house


class Own:
    """Stands in for a server; starting one is what a supervised program must not do."""

    url = "postgresql://own"

    def __init__(self, *_args, **_more):
        pass

    def start(self):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        return None


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("GUANJIA_HOME", str(tmp_path))
    monkeypatch.setattr(house, "Server", Own)
    return tmp_path


def test_a_command_on_its_own_starts_the_database_that_nobody_runs(home):
    with house.database() as url:
        assert url == "postgresql://own"


def test_a_supervised_program_waits_for_the_database_of_its_supervisor(home, monkeypatch):
    theirs = Own()
    theirs.url = "postgresql://theirs"
    seen = iter([None, None, theirs])
    monkeypatch.setattr(house, "attach", lambda _home: next(seen))
    write_record(home, "web", os.getpid())
    with house.database() as url:
        assert url == "postgresql://theirs"
