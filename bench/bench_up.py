"""How long `guanjia up` takes to its first page, and how much memory all its processes use.

    python bench/bench_up.py [--rounds R]

The first start, which creates the database, is not counted: "warm" is a house that was up before.
Bars: 5 s and 300 MB, database included. Exit code 1 if one is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from guanjia.base.ports import choose_port

SECONDS, MEGABYTES, PATIENCE = 5.0, 300.0, 120.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="guanjia-bench-up-") as folder:
        Path(folder).chmod(0o711)  # for the database's user, when we are root
        once(folder)
        seen = [once(folder) for _ in range(rounds)]
    seconds, megabytes = (statistics.median(column) for column in zip(*seen, strict=True))
    load = os.getloadavg()[0]
    print(f"first page after {seconds:.1f} s, {megabytes:.0f} MB in all (PSS); load average {load:.1f}")
    return 0 if seconds <= SECONDS and megabytes <= MEGABYTES else 1


def once(home: str) -> tuple[float, float]:
    """Seconds to the first page, and megabytes as `guanjia doctor` sees them."""
    url = f"http://127.0.0.1:{choose_port()}"
    environ = {**os.environ, "GUANJIA_HOME": home, "GUANJIA_URL": url}
    environ.pop("DATABASE_URL", None)
    started = time.monotonic()
    up = subprocess.Popen([sys.executable, "-m", "guanjia.cli", "up"], env=environ, stderr=subprocess.DEVNULL)
    try:
        while not answers(f"{url}/"):
            if up.poll() is not None or time.monotonic() - started > PATIENCE:
                raise SystemExit("guanjia up did not come up; see `guanjia doctor`")
            time.sleep(0.02)
        seconds = time.monotonic() - started
        time.sleep(2)  # the worker is up too
        return seconds, memory(environ)
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(60)


def memory(environ: dict[str, str]) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "guanjia.cli", "doctor", "--json"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    [found] = [f for f in json.loads(done.stdout)["findings"] if f["name"] == "processes"]
    return float(found["what"].rpartition("; ")[2].partition(" MB")[0])


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as page:
            return page.status == 200
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(main())
