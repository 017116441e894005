"""A million deadlines after an edit of the calendar: counted, and (reported apart) written.

    python -m bench.bench_clock [--clocks N] [--rows N] [--json]

Counting is what `cases.actions.recounting` does: from what was left of each clock at its last event, by the
calendar of the house with the State Council's days off and make-up workdays and an edit in the middle.
Every deadline is compared with the slow way, `Schedule.due`, for one in `SAMPLE`. Writing needs a
database: with `--rows N`, N clocks of the database in DATABASE_URL are counted anew and written in chunks;
it must be an empty one, and it is left with those rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import UTC, datetime

import numpy as np

from guanjia.core.clock import Calendar, Hours, Schedule
from guanjia.core.clock.many import due_many

LIMIT_SECONDS = 5.0
SAMPLE = 5_000
SEED = 20_261_122


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clocks", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = count(given.clocks)
    if given.rows:
        found |= write(given.rows)
    print(json.dumps(found) if given.json else words(found))
    return 0 if found["seconds"] <= LIMIT_SECONDS and not found["differing"] else 1


def count(clocks: int) -> dict[str, float]:
    """Deadlines and warnings of so many clocks after an edit; cold, with the layout of the calendar."""
    from guanjia.cases.workdays import shipped

    edit = datetime(2026, 11, 1, tzinfo=UTC)
    longer = Calendar("Asia/Shanghai", ((Hours(480, 720), Hours(780, 1200)),) * 6 + ((),))
    schedule = Schedule(((datetime(1970, 1, 1, tzinfo=UTC), shipped()), (edit, longer)))
    random = np.random.default_rng(SEED)
    first = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    starts = first + random.integers(0, 360 * 86_400, clocks)
    targets = random.choice([1, 4, 8, 27, 80], clocks) * 3600
    left = (targets * random.uniform(0.05, 1.0, clocks)).astype(np.int64)
    began = time.perf_counter()
    due = due_many(schedule, starts, left)
    due_many(schedule, starts, np.maximum(left - targets // 4, 0))
    seconds = time.perf_counter() - began
    differing = 0
    for index in random.integers(0, clocks, min(SAMPLE, clocks)).tolist():
        one = schedule.due(datetime.fromtimestamp(int(starts[index]), UTC), int(left[index]))
        differing += int(one.timestamp()) != int(due[index])
    return {"clocks": clocks, "seconds": round(seconds, 3), "differing": differing}


def write(rows: int) -> dict[str, float]:
    """The same through the database: read, lock, count, write, and the cases that follow."""
    from guanjia.cli.house import ready

    ready()
    from bench.clock_rows import fill
    from guanjia.cases.actions.recounting import recount_clocks

    now = fill(rows)
    began, at, moved, done = time.perf_counter(), 0, 0, False
    while not done:
        found = recount_clocks(now=now, after=at)
        at, done, moved = found.at, found.done, moved + found.moved
    return {"rows": rows, "moved": moved, "write_seconds": round(time.perf_counter() - began, 2)}


def words(found: dict[str, float]) -> str:
    said = [f"{found['clocks']:,} deadlines and warnings counted in {found['seconds']} s"]
    said.append(f"{found['differing']} of a sample differ from the slow way")
    if "rows" in found:
        said.append(
            f"{found['rows']:,} rows read, counted and written in {found['write_seconds']} s"
            f" ({found['moved']:,} moved)"
        )
    return "\n".join(said)


if __name__ == "__main__":
    sys.exit(main())
