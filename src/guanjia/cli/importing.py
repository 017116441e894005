"""`guanjia import …`: merchants and responsibilities from CSV files."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guanjia.base.actors import Actor
from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit

if TYPE_CHECKING:
    from guanjia.merchants.importing.files import TableFile
    from guanjia.merchants.importing.findings import BadRows
    from guanjia.people.models import Pool

OPERATOR = Actor("cli", "import")
PATIENCE = 2.0  # seconds without a bar
PRINTED = 20  # bad rows on the screen; --json has more


def _options(command: Any) -> Any:
    """What the two imports have in common."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON."),
        click.option("--skip-bad-rows", is_flag=True, help="Import the good rows although some are bad."),
        click.option(
            "--apply/--dry-run", default=False, help="Do it, or (default) only say what it would do."
        ),
        click.option("--map", "maps", multiple=True, metavar="TARGET=COLUMN", help="Which column says what."),
        click.argument("file", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


@click.group()
def import_group() -> None:
    """Import merchants and responsibilities from CSV files.

    Without --apply nothing is written: you see what would happen.
    """


@import_group.command()
@_options
@click.option("--pool", help="Code of the home pool of new merchants (default: commons, made if missing).")
def merchants(
    file: Path, maps: tuple[str, ...], apply: bool, skip_bad_rows: bool, as_json: bool, pool: str | None
) -> int:
    """Register the merchants of FILE, or bring them up to date.

    Targets: ref, name, pool, and fact.KEY for any fact. The columns of `guanjia export merchants` and of
    the Olist sellers file are known without --map.
    """
    with house():
        from guanjia.merchants.importing.files import look_at
        from guanjia.merchants.importing.load import Wish, import_merchants
        from guanjia.merchants.importing.mapping import MERCHANTS, read_mapping

        began, now = time.monotonic(), _now()
        table = look_at(file)
        columns = read_mapping(table.header, maps, MERCHANTS)
        home = _home_pool(pool, now)
        with Bar() as bar:
            outcome = import_merchants(
                actor=OPERATOR,
                table=table,
                columns=columns,
                wish=Wish(apply=apply, home_pool=home, skip_bad=skip_bad_rows),
                now=now,
                progress=bar,
            )
        counts = {"rows": outcome.rows, "new": outcome.new, "changed": outcome.changed}
        counts |= {"unchanged": outcome.unchanged, "bad": outcome.bad.total}
        more = {"new_facts": list(outcome.new_facts)}
        _report(table, columns.texts(), counts, more, outcome.bad, outcome.applied, began, as_json)
    return _exit(outcome.bad, outcome.applied)


@import_group.command()
@_options
@click.option("--date-format", help="Like '%m/%d/%Y %H:%M'; default: ISO 8601.")
@click.option("--time-zone", help="Of times that name none, like America/Sao_Paulo; default: the house's.")
def responsibilities(
    file: Path,
    maps: tuple[str, ...],
    apply: bool,
    skip_bad_rows: bool,
    as_json: bool,
    date_format: str | None,
    time_zone: str | None,
) -> int:
    """Say who looks after which merchant, and since when.

    Targets: merchant, person, since; also person_name, team, pool, role, until. People and merchants
    that are not known yet are registered. The columns of `guanjia export responsibilities` and of the
    Olist closed deals file are known without --map.
    """
    with house():
        from guanjia.coverage.importing.load import Wish, import_responsibilities
        from guanjia.coverage.importing.reading import DateReader, columns_of
        from guanjia.merchants.importing.files import look_at

        began, now = time.monotonic(), _now()
        table = look_at(file)
        columns, guessed_format = columns_of(table.header, maps)
        dates = DateReader.of(date_format or guessed_format, time_zone)
        outcome = import_responsibilities(
            actor=OPERATOR,
            table=table,
            columns=columns,
            dates=dates,
            wish=Wish(apply=apply, skip_bad=skip_bad_rows),
            now=now,
        )
        counts = {"rows": outcome.rows, "new": outcome.new, "changed": outcome.changed}
        counts |= {"unchanged": outcome.unchanged, "bad": outcome.bad.total}
        more = {
            "new_people": outcome.new_people,
            "new_merchants": outcome.new_merchants,
            "date_format": dates.format or "ISO 8601",
            "time_zone": dates.zone.key,
        }
        _report(table, columns.texts(), counts, more, outcome.bad, outcome.applied, began, as_json)
    return _exit(outcome.bad, outcome.applied)


def _now() -> datetime:
    from django.utils import timezone

    return timezone.now()


def _home_pool(code: str | None, now: datetime) -> Any:
    """How to come by the home pool. One that is named must be there before anything is read."""
    from django.utils.translation import gettext as _

    from guanjia.base.errors import Missing
    from guanjia.coverage.actions import ensure_default_pool
    from guanjia.people.models import Pool

    if code is None:
        return lambda: ensure_default_pool(now=now)
    pool: Pool | None = Pool.objects.filter(code=code).first()
    if pool is None:
        known = ", ".join(Pool.objects.order_by("code").values_list("code", flat=True)[:20])
        raise Missing(
            _("没有代码为“%(code)s”的共享池。") % {"code": code[:40]},
            hint=_("现有：%(known)s。") % {"known": known or "-"},
        )
    return lambda: pool


def _exit(bad: BadRows, applied: bool) -> int:
    return Exit.REFUSED if bad.total and not applied else Exit.OK


def _report(
    table: TableFile,
    mapping: Sequence[str],
    counts: Mapping[str, int],
    more: Mapping[str, Any],
    bad: BadRows,
    applied: bool,
    began: float,
    as_json: bool,
) -> None:
    rows = [{"line": row.line, "reason": row.reason} for row in bad.first]
    data = {
        "file": str(table.path),
        "sha256": table.digest,
        "encoding": table.encoding,
        "mapping": list(mapping),
        "applied": applied,
        **counts,
        **more,
        "bad_rows": rows,
        "seconds": round(time.monotonic() - began, 2),
    }
    emit(data, _text(data, len(rows)), as_json=as_json)


def _text(data: Mapping[str, Any], bad_shown: int) -> str:
    from django.utils.translation import gettext as _

    lines = [
        _("文件 %(file)s（%(encoding)s）") % data,
        _("对应 %(mapping)s") % {"mapping": "  ".join(data["mapping"])},
        _("共 %(rows)d 行：新增 %(new)d，更新 %(changed)d，不变 %(unchanged)d，有问题 %(bad)d") % data,
    ]
    if data.get("new_facts"):
        lines.append(_("新的信息项 %(facts)s") % {"facts": ", ".join(data["new_facts"])})
    if "time_zone" in data:
        lines.append(_("日期格式 %(date_format)s，时区 %(time_zone)s") % data)
    if data.get("new_people") or data.get("new_merchants"):
        lines.append(_("还会登记 %(new_people)d 个人和 %(new_merchants)d 家还没有的商家") % data)
    lines += [
        _("  第 %(line)d 行：%(reason)s") % {"line": r["line"], "reason": printable(r["reason"])}
        for r in data["bad_rows"][:PRINTED]
    ]
    if data["bad"] > min(bad_shown, PRINTED):
        lines.append(_("  ……只列出前 %(n)d 行") % {"n": min(bad_shown, PRINTED)})
    return "\n".join([*lines, _verdict(data)])


def _verdict(data: Mapping[str, Any]) -> str:
    from django.utils.translation import gettext as _

    if data["applied"]:
        return _("✓ 已导入，用时 %(seconds).1f 秒") % data
    if data["bad"]:
        return _("✗ 没有改动任何内容。请改正这些行，或加上 --skip-bad-rows 只导入其余的行。")
    return _("这是预演，没有改动任何内容；加上 --apply 才会导入。")


def printable(text: str) -> str:
    """Without what a terminal would obey: a file's text may hold escape sequences."""
    return "".join(char if char.isprintable() else "·" for char in text)


class Bar:
    """Progress of an import on stderr: only for people, and only when it takes a while."""

    def __init__(self) -> None:
        self._began, self._phase = time.monotonic(), ""
        self._bar: Any = None
        self._seen = sys.stderr.isatty()

    def __call__(self, phase: str, done: int, total: int) -> None:
        if not self._seen or not total or time.monotonic() - self._began < PATIENCE:
            return
        if phase != self._phase:
            self._finish()
            self._phase = phase
            self._bar = click.progressbar(length=total, label=phase, file=sys.stderr)
            self._bar.render_progress()
        self._bar.update(done - self._bar.pos)

    def _finish(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._finish()
