"""The chaos run, short: processes killed, messages lost, doubled, late and out of order; then the audit."""

import json
import os
import subprocess
import sys

import pytest


def chaos(*arguments: str) -> tuple[int, dict]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    done = subprocess.run(
        [sys.executable, "-m", "guanjia.demo.chaos", "--json", *arguments],
        capture_output=True,
        text=True,
        timeout=420,
        env=environ,
        check=False,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.slow
def test_nothing_is_half_double_lost_or_confirmed_after_release_and_the_auditor_sees():
    code, told = chaos("--packages=30", "--kills=8", "--control=24", "--seed=7")
    assert told["ok"], told
    assert told["auditor_sees"]
    assert code == 0


@pytest.mark.slow
def test_a_line_that_never_answers_delays_its_own_packages_and_no_others():
    code, told = chaos("--packages=24", "--kills=0", "--faults=0", "--control=0", "--down=halls", "--seed=3")
    [run] = told["runs"]
    waiting = {state: n for state, n in run["outcomes"].items() if state not in ("done", "released")}
    assert told["ok"], told
    assert code == 0
    assert sum(waiting.values()) == run["apart"] > 0
    assert run["outcomes"]["done"] > 0
    assert "confirming" not in waiting
    assert not any(run["audit"].values())
