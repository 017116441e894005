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
