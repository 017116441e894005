"""The story, headless, as a user starts it: real processes, kills included."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SELLERS = DATA / "olist_sellers_dataset.csv"
DEALS = DATA / "olist_closed_deals_dataset.csv"

CHECKS = {
    "case_has_number_owner_clock",
    "known_facts_are_prefilled",
    "nothing_is_final_yet",
    "worker_and_line_were_killed",
    "in_effect_on_all_four_lines",
    "case_is_solved_and_clocks_stopped",
    "refused_package_leaves_nothing",
    "mandate_is_given_back",
}


@pytest.fixture
def play(ports):
    return partial(_play, ports.port(row=9))


def _play(port: int, *arguments: str) -> dict:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DATABASE_URL")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "guanjia.cli",
            "demo",
            "--once",
            "--json",
            f"--port={port}",
            *arguments,
        ],
        capture_output=True,
        text=True,
        timeout=240,
        env=environ,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
def test_the_story_ends_as_it_must(play):
    told = play()
    assert set(told["checks"]) == CHECKS
    assert all(told["checks"].values())
    first, second = told["packages"]
    assert (first["state"], second["state"]) == ("done", "released")
    assert {item["state"] for item in first["items"]} == {"confirmed"}
    assert second["items"][0] == {"line": "flash-sales", "state": "refused", "reason": "sold_out"}
    assert {item["state"] for item in second["items"][1:]} == {"released"}


@pytest.mark.slow
@pytest.mark.skipif(not SELLERS.exists(), reason="the real sellers' file is not beside the repository")
def test_the_story_plays_on_a_real_seller_with_the_person_who_looks_after_it(play):
    told = play("--merchants", str(SELLERS), "--responsibilities", str(DEALS))
    assert all(told["checks"].values())
    # 462 sellers have a signed deal and are not in the sellers' file: they are registered too
    assert told["imported"] == {"merchants": 3095 + 462, "responsibilities": 842, "managers": 22}
    assert len(told["merchant"]) == 32  # the sellers of this file have hashed names
