"""`python -m guanjia.demo.chaos`: a run with the fence that must pass, then one without that must not."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from guanjia.base.ports import Reserved
from guanjia.demo.chaos.house import Ground
from guanjia.demo.chaos.plan import make_plan
from guanjia.demo.chaos.report import RunReport
from guanjia.demo.chaos.run import Run
from guanjia.demo.chaos.trades import TRADES

SETTLE_SECONDS = 180.0
CONTROL_SETTLE_SECONDS = 20.0
"""Without the fence some packages may never come to an end; the auditor need not wait for them."""


@click.command()
@click.option("--packages", default=500, show_default=True, help="Packages that merchants ask for.")
@click.option("--seed", default=1, show_default=True, help="The same seed breaks the same things.")
@click.option("--kills", type=int, help="Processes killed; a fourth of the packages unless given.")
@click.option("--faults", default=1.0, show_default=True, help="How bad the network is; 0 is perfect.")
@click.option("--control", default=40, show_default=True, help="Packages without the fence; 0 for none.")
@click.option("--down", type=click.Choice([t.slug for t in TRADES]), help="A line that never answers.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def chaos(
    packages: int, seed: int, kills: int | None, faults: float, control: int, down: str | None, as_json: bool
) -> None:
    """Break everything at random and audit what is left. Exits 1 on any violation, and when the run
    without the fence passes: then the auditor is blind."""
    number = packages // 4 if kills is None else kills
    plans = [make_plan("storm", seed, packages=packages, kills=number, faults=faults, down=down)]
    if control:
        plans.append(make_plan("control", seed, packages=control, kills=control // 8))
    with _home() as home, Reserved() as ports:
        ground = Ground(home, ports, ports.port())
        ground.take()
        limits = (SETTLE_SECONDS, CONTROL_SETTLE_SECONDS)
        reports = []
        for plan, fenced, limit in zip(plans, (True, False), limits, strict=False):
            reports.append(Run(ground, plan, fenced=fenced).play(limit))
            click.echo("\n".join(reports[-1].lines()), err=as_json)
    sys.exit(_judge(reports, as_json))


def _judge(reports: list[RunReport], as_json: bool) -> int:
    storm, *control = reports
    sees = not any(report.audit_passes for report in control)
    if as_json:
        content = {"ok": storm.ok and sees, "auditor_sees": sees, "runs": [r.to_json() for r in reports]}
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(f"the storm: {'clean' if storm.ok else 'VIOLATIONS'}")
        if control:
            click.echo(f"the auditor, shown lines without a fence: {'sees' if sees else 'IS BLIND'}")
    return 0 if storm.ok and sees else 1


@contextmanager
def _home() -> Iterator[Path]:
    """A temporary home; SIGTERM ends the run as Ctrl-C does, so that nothing is left."""
    signal.signal(signal.SIGTERM, _interrupt)
    home = Path(tempfile.mkdtemp(prefix="guanjia-chaos-"))
    home.chmod(0o711)  # for the database's user, when we are root
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    chaos()
