"""The command line as an operator meets it: exit codes, words, and the whole house up and down."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing

import pytest

from guanjia.cli.exits import Exit


def guanjia(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    return subprocess.run(
        [sys.executable, "-m", "guanjia.cli", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**kept, **environ},
        check=False,
    )


def test_a_setting_that_cannot_be_used_is_named(tmp_path):
    done = guanjia("doctor", GUANJIA_HOME=str(tmp_path), GUANJIA_LINE_NETWORKS="everywhere")
    assert done.returncode == Exit.SETTINGS
    assert "GUANJIA_LINE_NETWORKS" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_does_not_answer_is_said_so(tmp_path):
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refused
        url = f"postgresql://a:secret-password@127.0.0.1:{taken.getsockname()[1]}/x"
        done = guanjia("package", "list", "--merchant", "M-1", GUANJIA_HOME=str(tmp_path), DATABASE_URL=url)
    assert done.returncode == Exit.DATABASE
    assert "secret-password" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_documents_when_json_is_asked_for(tmp_path):
    done = guanjia("doctor", "--json", GUANJIA_HOME=str(tmp_path), GUANJIA_URL="ftp://nowhere")
    assert done.returncode == Exit.SETTINGS
    assert json.loads(done.stdout)["error"]["code"] == "setting"


def test_checking_a_line_without_its_secret_is_a_usage_error(tmp_path):
    done = guanjia("line", "check", "http://127.0.0.1:9", GUANJIA_HOME=str(tmp_path))
    assert done.returncode == Exit.USAGE


@pytest.mark.slow
def test_the_whole_house_goes_up_is_well_and_leaves_nothing_behind(tmp_path, ports):
    home = tmp_path / "home"
    home.mkdir(mode=0o711)
    for folder in (tmp_path, *list(tmp_path.parents)[:2]):
        folder.chmod(0o711)  # for the database's user, when we are root
    url = f"http://127.0.0.1:{ports.port()}"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    environ = {**kept, "GUANJIA_HOME": str(home), "GUANJIA_URL": url}
    up = subprocess.Popen(
        [sys.executable, "-m", "guanjia.cli", "up"], env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        assert up.stderr is not None
        while url not in (line := up.stderr.readline()):
            assert line, "guanjia up ended before the house was up"
        with urllib.request.urlopen(f"{url}/", timeout=10) as page:
            assert page.status == 200
        seen = guanjia("doctor", "--json", **{k: environ[k] for k in ("GUANJIA_HOME", "GUANJIA_URL")})
        findings = {f["name"]: f for f in json.loads(seen.stdout)["findings"]}
        assert seen.returncode == Exit.OK, findings
        assert "worker-1" in findings["processes"]["what"]
    finally:
        up.send_signal(signal.SIGTERM)
        assert up.wait(timeout=60) == Exit.OK
        up.stderr.close()
    assert list((home / "run").glob("*.json")) == []
