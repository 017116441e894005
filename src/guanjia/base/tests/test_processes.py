from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from itertools import count
from pathlib import Path

import psutil
import pytest

from guanjia.base import processes
from guanjia.base.processes import logs, measure, supervisor
from guanjia.base.processes.records import Record, write_record
from guanjia.base.processes.tether import NOT_STARTED, spawn

# Says "<name> up", then waits; on SIGTERM says "<name> down".
WORKER = """
import pathlib, signal, sys
name, file = sys.argv[1:]
def note(text):
    with open(file, "a") as stream:
        stream.write(f"{name} {text}\\n")
def end(*_):
    note("down")
    sys.exit()
signal.signal(signal.SIGTERM, end)
note("up")
while True:
    signal.pause()
"""
LIMIT = 20.0  # seconds before a test gives up waiting


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


def worker(name, file):
    def ready():
        return file.exists() and f"{name} up" in file.read_text()

    return processes.command(name, [sys.executable, "-c", WORKER, name, str(file)], ready=ready)


def script(name, text, **options):
    return processes.command(name, [sys.executable, "-c", text], **options)


@pytest.fixture
def run(tmp_path):
    """Make a supervisor that is stopped at the end of the test."""
    made = []

    def make(*programs, **options):
        made.append(processes.Supervisor(tmp_path, programs, **options))
        return made[-1]

    yield make
    for each in made:
        each.stop()


def test_programs_start_in_order_and_stop_in_reverse(run, tmp_path):
    notes = tmp_path / "notes"
    house = run(worker("one", notes), worker("two", notes))
    house.start()
    assert house.ready()
    assert set(house.seconds()) == {"one", "two"}
    assert [record.name for record in processes.records(tmp_path)] == ["one", "two"]
    assert {each.name: each.pid for each in processes.records(tmp_path)} == house.pids()
    assert all(record.alive() for record in processes.records(tmp_path))
    house.stop()
    assert notes.read_text().splitlines() == ["one up", "two up", "two down", "one down"]
    assert processes.records(tmp_path) == ()
    assert house.pids() == {}


def test_a_dead_program_comes_back(run, tmp_path):
    house = run(worker("one", tmp_path / "notes"))
    house.start()
    first = house.pids()["one"]
    for _ in range(len(supervisor.PAUSES) + 2):  # kills are never held against it
        house.kill("one")
        until(lambda: not house.ready(), house.look)
        until(house.ready, house.look)
    assert house.pids()["one"] != first
    assert processes.records(tmp_path)[0].pid == house.pids()["one"]


def test_another_process_can_kill_by_name(run, tmp_path):
    house = run(worker("one", tmp_path / "notes"))
    house.start()
    assert processes.kill(tmp_path, "two") is False
    assert processes.kill(tmp_path, "one") is True
    until(lambda: not house.ready(), house.look)
    until(house.ready, house.look)


def test_a_program_that_keeps_dying_is_reported_and_all_are_stopped(run, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "PAUSES", (0.0, 0.0))
    notes = tmp_path / "notes"
    text = "import sys; sys.exit('the disk is full')"
    house = run(worker("one", notes), script("bad", text, ready=lambda: False))
    with pytest.raises(processes.ProgramError) as caught:
        house.start()
    assert caught.value.name == "bad"
    assert "ended 3 times in a row, with status 1" in str(caught.value)
    assert str(caught.value).endswith("the disk is full")
    assert notes.read_text().splitlines() == ["one up", "one down"]


def test_a_command_that_does_not_exist_says_so(run, tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "PAUSES", ())
    house = run(processes.command("bad", ["/nowhere/program"], ready=lambda: False))
    with pytest.raises(processes.ProgramError, match="/nowhere/program: No such file"):
        house.start()
    with logs.open_log(tmp_path / "log" / "x") as log:
        assert spawn(["/nowhere/program"], log=log).wait(LIMIT) == NOT_STARTED


def test_a_program_that_is_never_ready_is_reported(run):
    ticks = count(step=25)
    house = run(
        script("slow", "import signal; signal.pause()", ready=lambda: False),
        clock=lambda: float(next(ticks)),
    )
    with pytest.raises(processes.ProgramError, match="was not ready in 60 s"):
        house.start()
    assert house.pids() == {}


def test_a_program_that_ignores_the_stop_signal_is_killed_with_its_workers(run, tmp_path):
    file = tmp_path / "pid"
    text = f"""
import os, signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
open({str(file)!r} + "-", "w").write(str(child.pid))
os.rename({str(file)!r} + "-", {str(file)!r})
signal.pause()
"""
    house = run(script("deaf", text, ready=file.exists, grace=0.1))
    house.start()
    worker_pid, pid = int(file.read_text()), house.pids()["deaf"]
    house.stop()
    until(lambda: gone(worker_pid))
    assert gone(pid)


class FakeHandle:
    """A process that is told when to die."""

    pid = 2**31 - 1  # no such process

    def __init__(self):
        self.status = None

    def poll(self):
        return self.status

    def send_signal(self, number):
        self.status = -number

    def wait(self, timeout):
        return self.status


def fake_house(tmp_path, ready):
    handles, now = [], [0.0]

    def launch(_):
        handles.append(FakeHandle())
        return handles[-1]

    program = processes.Program("fake", launch, ready=ready)
    return processes.Supervisor(tmp_path, [program], clock=lambda: now[0]), handles, now


def test_pauses_between_restarts_grow_until_it_gives_up(tmp_path):
    house, handles, now = fake_house(tmp_path, lambda: False)
    waited = []
    house.look()
    for launched in range(1, 6):
        handles[-1].status, died = 3, now[0]
        house.look()
        house.look()
        while len(handles) == launched:
            now[0] += 0.25
            house.look()
        waited.append(now[0] - died)
    assert waited == [0.0, 0.5, 1.0, 2.0, 4.0]
    handles[-1].status = 3
    with pytest.raises(processes.ProgramError, match="ended 6 times in a row, with status 3"):
        house.look()


def test_deaths_are_forgotten_after_steady_work(tmp_path):
    house, handles, now = fake_house(tmp_path, lambda: True)
    for _ in range(3 * len(supervisor.PAUSES)):
        house.look()
        now[0] += supervisor.STEADY + 1
        house.look()
        handles[-1].status = 3
        house.look()
    assert len(handles) == 3 * len(supervisor.PAUSES)


def test_a_home_has_one_supervisor(run, tmp_path):
    house = run(worker("one", tmp_path / "notes"))
    house.start()
    pids = house.pids()
    with pytest.raises(processes.AlreadyRunningError, match=str(tmp_path)):
        run(worker("two", tmp_path / "notes")).start()
    assert house.pids() == pids
    assert (tmp_path / "notes").read_text() == "one up\n"
    house.stop()
    house.start()


def test_run_ends_with_the_event(run, tmp_path):
    house, end = run(worker("one", tmp_path / "notes")), threading.Event()
    house.start()
    end.set()
    house.run(end)
    assert (tmp_path / "notes").read_text() == "one up\none down\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a child to its parent")
def test_programs_end_with_a_killed_supervisor(tmp_path):
    text = f"""
import sys, threading
from pathlib import Path
from guanjia.base import processes
house = processes.Supervisor(Path({str(tmp_path)!r}), [
    processes.command("one", [sys.executable, "-c", "import signal; signal.pause()"])])
house.start()
print(house.pids()["one"], flush=True)
house.run(threading.Event())
"""
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        pid = int(owner.stdout.readline())
        assert not gone(pid)
        owner.kill()
    until(lambda: gone(pid))
    (record,) = processes.records(tmp_path)
    assert record.pid == pid
    assert not record.alive()
    assert processes.kill(tmp_path, "one") is False


def test_a_child_whose_parent_is_gone_does_not_start(tmp_path):
    tether = Path(processes.__file__).with_name("tether.py")
    orders = ["1", str(int(signal.SIGTERM)), "-1", "-1"]  # we are not process 1
    command = [sys.executable, str(tether), *orders, "/bin/echo", "hello"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if sys.platform == "linux":
        assert (done.returncode, done.stdout) == (NOT_STARTED, "")


def test_a_record_does_not_mistake_a_later_process_for_ours(tmp_path):
    write_record(tmp_path, "me", os.getpid())
    (record,) = processes.records(tmp_path)
    assert record == Record("me", os.getpid(), psutil.Process().create_time())
    assert record.alive()
    assert not replace(record, started=record.started - 1).alive()
    write_record(tmp_path, "nobody", 2**31 - 1)
    assert processes.records(tmp_path) == (record,)


def test_memory_counts_descendants_and_each_process_once():
    own = processes.memory([os.getpid()])
    text = "import sys; held = bytearray(b'x') * 30_000_000; print(flush=True); sys.stdin.read()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", text], stdin=pipe, stdout=pipe) as child:
        assert child.stdin
        assert child.stdout
        child.stdout.readline()
        both = processes.memory([os.getpid(), child.pid])
        child.stdin.close()
    assert both - own > 25_000_000
    assert both < 2 * own + 100_000_000
    assert processes.memory([2**31 - 1]) == 0


def test_pss_is_read_in_kilobytes():
    assert measure._pss("Rss:  9 kB\nPss:  7 kB\nPss_Dirty: 1 kB\n") == 7 * 1024
    with pytest.raises(ValueError, match="no Pss"):
        measure._pss("Rss:  9 kB\n")


def test_a_large_log_is_moved_aside_and_few_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "LARGE", 3)
    file = tmp_path / "log" / "x.log"
    for number in range(6):
        with logs.open_log(file) as log:
            log.write(b"run%d\n" % number)
    kept = {path.name: path.read_text() for path in file.parent.iterdir()}
    assert kept == {
        "x.log": "run5\n",
        "x.log.1": "run4\n",
        "x.log.2": "run3\n",
        "x.log.3": "run2\n",
    }
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_tail_of_a_log(tmp_path):
    file = tmp_path / "x.log"
    assert logs.tail(file) == ""
    file.write_text("".join(f"line {n}\n" for n in range(5000)))
    assert logs.tail(file, lines=2) == "line 4998\nline 4999"
    assert logs.tail(file, since=file.stat().st_size - 10) == "line 4999"


def test_probes_ask_over_the_network():
    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/ready" else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert processes.listens("127.0.0.1", port)() is True
        assert processes.answers(f"http://127.0.0.1:{port}/ready")() is True
        assert processes.answers(f"http://127.0.0.1:{port}/")() is False
        server.shutdown()
        thread.join()
    assert processes.listens("127.0.0.1", port)() is False
    assert processes.answers(f"http://127.0.0.1:{port}/ready")() is False
