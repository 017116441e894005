from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import psycopg
import pytest

from guanjia.base import ports, processes
from guanjia.base.postgres import (
    PostgresError,
    Server,
    attach,
    binaries,
    place,
    postmaster,
    stored_url,
)
from guanjia.base.postgres import server as servers
from guanjia.base.postgres.program import program
from guanjia.base.processes.measure import memory

LIMIT = 20.0  # seconds before a test gives up waiting
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to change the user")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="needs prctl")


def until(condition, step=lambda: None):
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end
        step()
        time.sleep(0.01)


def gone(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def value(url, query):
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(query).fetchone()
        return row and row[0]


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def fresh_home():
    """Not tmp_path: pytest closes that to other users, and as root the server is another user."""
    home = Path(tempfile.mkdtemp(prefix="guanjia-postgres-"))
    home.chmod(0o711)
    return home


@pytest.fixture(scope="module")
def cluster_home():
    home = fresh_home()
    yield home
    shutil.rmtree(home)


@pytest.fixture
def home(cluster_home):
    """A home whose cluster the tests of this module share; nothing runs before and after a test."""
    yield cluster_home
    running = attach(cluster_home)
    if running:
        running.stop()


@pytest.fixture
def new_home():
    home = fresh_home()
    yield home
    shutil.rmtree(home)


def start(home, **options):
    return Server(home, fsync=False, **options).start()


def test_a_new_cluster_is_private_and_on_tcp_only(home):
    assert stored_url(home) is None or place.read_cluster(home)
    with start(home) as running:
        assert running.url == stored_url(home)
        assert running.port in ports.PORTS
        assert value(running.url, "SHOW unix_socket_directories") == ""
        assert value(running.url, "SHOW listen_addresses") == "127.0.0.1"
        assert value(running.url, "SHOW server_encoding") == "UTF8"
        lines = "SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules"
        assert value(running.url, lines) == "scram-sha-256"
        provider = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = %s"
        with psycopg.connect(running.url) as connection:
            row = connection.execute(provider, ["guanjia"]).fetchone()
        assert row == ("bC.UTF-8",)
    assert mode(place.folder(home) / "password") == 0o600
    assert mode(place.folder(home) / "cluster.json") == 0o600
    assert mode(place.folder(home) / "data") == 0o700
    assert sorted(each.name for each in place.folder(home).iterdir()) == [
        "cluster.json",
        "data",
        "lock",
        "password",
    ]


def test_a_wrong_password_is_refused(home):
    with start(home) as running:
        wrong = running.url.replace(place.read_password(home), "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)


def test_the_extensions_we_use_are_there(home):
    with start(home) as running, psycopg.connect(running.url) as connection:
        for name in ("btree_gist", "pg_trgm"):
            connection.execute(f"CREATE EXTENSION {name}")
        connection.rollback()


def test_a_warm_start_keeps_port_and_data(home):
    with start(home) as first, psycopg.connect(first.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
    assert not first.alive()
    assert attach(home) is None
    with start(home) as second:
        assert second.url == first.url
        assert value(second.url, "SELECT number FROM kept") == 42


def test_of_several_starts_one_starts_and_the_others_attach(home):
    # Untethered: these threads end before the server is to end.
    with ThreadPoolExecutor(4) as pool:
        running = list(pool.map(lambda _: start(home, tether=False), range(4)))
    assert len({each.pid for each in running}) == 1
    assert sum(each.process is not None for each in running) == 1
    with next(each for each in running if each.process is None) as other:
        assert other.alive()
    with next(each for each in running if each.process) as owner:
        assert owner.alive()  # leaving the other's block has not stopped it
    assert not other.alive()


def test_an_attached_server_can_be_stopped(home):
    owner = start(home)
    other = attach(home)
    assert other
    assert other.poll() is None
    other.stop()
    assert other.wait(1) == -1
    assert owner.poll() == 0


def test_a_killed_server_is_dead_at_once_and_recovers(home):
    running = start(home)
    with psycopg.connect(running.url) as connection:
        connection.execute("CREATE TABLE survives AS SELECT 7 AS number")
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: gone(running.pid))  # a zombie still: nobody has waited for it
    assert attach(home) is None
    assert not running.alive()
    with start(home) as again:
        assert again.url == running.url
        assert value(again.url, "SELECT number FROM survives") == 7


def test_a_server_that_is_just_being_killed_is_not_attached_to(home):
    running = start(home)
    for _ in range(5):
        os.kill(running.pid, signal.SIGKILL)
        again = start(home)
        assert value(again.url, "SELECT 1") == 1
        running.wait(LIMIT)
        running = again
    running.stop()


def test_a_pid_file_that_names_another_program_is_not_believed(home):
    with start(home):
        pass
    data = place.folder(home) / "data"
    text = f"{os.getpid()}\n{data}\n0\n0\n\n127.0.0.1\n0 0\nready   \n"
    (data / "postmaster.pid").write_text(text)
    assert attach(home) is None
    with start(home) as running:
        assert value(running.url, "SELECT 1") == 1


def test_a_backend_that_outlives_its_server_does_not_prevent_the_next(home, monkeypatch):
    monkeypatch.setattr(postmaster, "ORPHANS_LIMIT", 0.2)
    running = start(home)
    connection = psycopg.connect(running.url)
    backend = connection.info.backend_pid
    os.kill(backend, signal.SIGSTOP)  # as good as busy: it does not notice
    os.kill(running.pid, signal.SIGKILL)
    running.wait(LIMIT)
    with start(home) as again:
        assert gone(backend)
        assert value(again.url, "SELECT 1") == 1
    connection.close()


OWNER = """
import sys
from pathlib import Path
from guanjia.base.postgres import Server
running = Server(Path(sys.argv[1]), fsync=False, tether=sys.argv[2] == "True").start()
print(running.pid, flush=True)
sys.stdin.read()
"""


def killed_owner(home, *, tether):
    """The pid of a server whose owner was just killed."""
    command = [sys.executable, "-c", OWNER, str(home), str(tether)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        owner.kill()
    return pid


@on_linux
def test_a_tethered_server_shuts_down_cleanly_with_its_killed_owner(home):
    pid = killed_owner(home, tether=True)
    until(lambda: gone(pid))
    assert "database system is shut down" in (home / "log" / "postgres.log").read_text()[-200:]
    assert attach(home) is None


def test_an_untethered_server_outlives_its_owner(home):
    pid = killed_owner(home, tether=False)
    found = attach(home)
    assert found
    assert found.pid == pid
    assert value(found.url, "SELECT 1") == 1


def test_a_taken_port_is_chosen_again_and_remembered(home):
    with start(home) as first:
        pass
    with socket.create_server(("127.0.0.1", first.port)):
        with start(home) as second:
            assert second.port != first.port
            assert value(second.url, "SELECT 1") == 1
        assert stored_url(home) == second.url


def test_a_port_that_is_taken_at_the_last_moment_is_chosen_again(home, monkeypatch):
    with start(home) as first:
        pass
    answers = iter([True])  # at first it looks free
    asked = ports.port_is_free
    monkeypatch.setattr(servers, "port_is_free", lambda port: next(answers, None) or asked(port))
    with socket.create_server(("127.0.0.1", first.port)), start(home) as second:
        assert second.port != first.port


def test_databases_are_made_once(home):
    with start(home) as running:
        name = 'two "words"'
        url = running.ensure_database(name)
        assert running.ensure_database(name) == url
        count = "SELECT count(*) FROM pg_database WHERE datname LIKE 'two%'"
        assert value(running.url, count) == 1


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(home):
    with start(home):
        pass
    local = place.folder(home) / "data" / "local.conf"
    local.write_text("shared_buffers = much\n")
    local.chmod(0o644)
    try:
        with pytest.raises(PostgresError) as caught:
            start(home)
    finally:
        local.unlink()
    assert 'invalid value for parameter "shared_buffers": "much"' in str(caught.value)
    assert f"What to do: see {home / 'log' / 'postgres.log'}" in str(caught.value)
    assert attach(home) is None
    with start(home) as running:
        assert running.alive()


def test_an_interrupted_start_leaves_nothing(home, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(servers, "REPORT", -1.0)
    with pytest.raises(KeyboardInterrupt):
        start(home, progress=interrupt)
    monkeypatch.undo()
    with start(home) as running:
        assert running.process


def test_progress_is_reported_while_waiting(home, monkeypatch):
    told: list[str] = []
    monkeypatch.setattr(servers, "REPORT", 0.0)
    with start(home, progress=told.append):
        pass
    assert [text for text in told if text.startswith("PostgreSQL is starting")]


def test_a_lost_password_is_reported(home):
    with start(home):
        pass
    file = place.folder(home) / "password"
    kept = file.read_text()
    place.write_private(file, "another")
    try:
        with pytest.raises(PostgresError, match="password authentication failed"):
            start(home)
    finally:
        place.write_private(file, kept)
    assert attach(home) is None


def test_the_supervisor_brings_a_killed_server_back(home):
    house = processes.Supervisor(home, [program(Server(home, fsync=False))])
    house.start()
    try:
        url, before = stored_url(home), house.pids()["postgres"]
        assert 0 < memory([before]) < 150_000_000
        assert house.memory() > memory([before])  # ourselves are counted, too
        house.kill("postgres")
        until(lambda: house.pids().get("postgres", before) != before, house.look)
        until(house.ready, house.look)
        assert house.pids()["postgres"] != before
        assert stored_url(home) == url
        assert value(url, "SELECT 1") == 1
    finally:
        house.stop()
    assert attach(home) is None


def test_an_interrupted_creation_is_finished_by_the_next(new_home):
    folder = place.folder(new_home)
    (folder / "data.new" / "half").mkdir(parents=True)
    folder.chmod(0o711)
    place.write_private(folder / "password", "from-the-first-try")
    with start(new_home) as running:
        assert ":from-the-first-try@" in running.url
        assert not (folder / "data.new").exists()
    # A crash after the rename, before the cluster was noted:
    (folder / "cluster.json").unlink()
    with start(new_home) as again:
        assert value(again.url, "SELECT 1") == 1


def test_a_failed_creation_says_why_and_leaves_no_cluster(new_home, monkeypatch):
    monkeypatch.setattr(place, "USER", "pg_reserved")
    with pytest.raises(PostgresError, match='cannot begin with "pg_"'):
        start(new_home)
    assert sorted(each.name for each in place.folder(new_home).iterdir()) == ["lock", "password"]
    assert stored_url(new_home) is None


def test_without_the_wheel_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(PostgresError, match="set DATABASE_URL"):
        binaries.site()


@pytest.fixture
def closed(new_home, monkeypatch):
    """As under /root: neither the programs nor the home can be entered by the server's user."""
    closed = new_home / "closed"
    closed.mkdir(mode=0o700)
    for part in (binaries.PACKAGE, f"{binaries.PACKAGE}.libs"):
        (closed / part).symlink_to(binaries.site() / part)
    monkeypatch.setattr(binaries, "site", lambda: closed)
    return closed


@as_root
def test_what_the_server_cannot_enter_is_put_where_it_can(new_home, closed):
    shared = new_home / "shared"
    with start(closed / "home", shared=shared) as running:
        assert value(running.url, "SELECT 1") == 1
        data = running.cluster.data
        assert data.is_relative_to(shared / "clusters")
        command = psutil.Process(running.pid).cmdline()
        assert command[0].startswith(str(shared / "postgres"))
        assert psutil.Process(running.pid).username() == "nobody"
    assert place.read_cluster(closed / "home") == running.cluster
    copies = [(each.name, each.stat().st_ino) for each in (shared / "postgres").iterdir()]
    with start(closed / "home", shared=shared) as again:
        assert again.cluster == running.cluster
    assert [(each.name, each.stat().st_ino) for each in (shared / "postgres").iterdir()] == copies
    assert mode(closed) == 0o700  # nothing was opened up for it


@as_root
def test_when_there_is_no_place_at_all_the_error_says_so(closed):
    with pytest.raises(PostgresError, match=r"chmod o\+x"):
        start(closed / "home", shared=closed / "shared")
    assert stored_url(closed / "home") is None
