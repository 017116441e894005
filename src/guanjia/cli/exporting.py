"""`guanjia export …`: merchants, responsibilities and cases as CSV or JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house

if TYPE_CHECKING:
    from guanjia.merchants.exporting import Export


def _options(command: Any) -> Any:
    command = click.option("-o", "--output", type=click.Path(path_type=Path), help="Default: stdout.")(
        command
    )
    return click.option(
        "--format", "format_", type=click.Choice(["csv", "json"]), default="csv", show_default=True
    )(command)


@click.group()
def export_group() -> None:
    """Export merchants, responsibilities and cases; the CSV of the first two can be imported again.

    Cells that a spreadsheet would run as a formula get an apostrophe; an import takes it off again.
    """


@export_group.command()
@_options
def merchants(format_: str, output: Path | None) -> int:
    """All merchants with their home pool and facts."""
    with house():
        from guanjia.merchants.exporting import merchants_export

        return _write(merchants_export, format_, output)


@export_group.command()
@_options
def responsibilities(format_: str, output: Path | None) -> int:
    """Who looked after which merchant, from when until when."""
    with house():
        from guanjia.coverage.exporting import responsibilities_export

        return _write(responsibilities_export, format_, output)


@export_group.command()
@click.option("--notes", is_flag=True, help="Internal notes as well, in a column of their own.")
@_options
def cases(format_: str, output: Path | None, *, notes: bool) -> int:
    """All cases, the newest first, with what was said on them."""
    with house():
        from guanjia.cases.exporting import all_cases

        return _write(partial(all_cases, notes=notes), format_, output)


def _write(export: Callable[[], Export], format_: str, output: Path | None) -> int:
    """To stdout, or to a file that appears only when it is complete."""
    if output is None:
        _pour(export(), format_, sys.stdout)
        return Exit.OK
    draft = output.with_name(f".{output.name}.part")
    try:
        with draft.open("w", encoding="utf-8", newline="") as stream:
            _pour(export(), format_, stream)
        draft.replace(output)
    except OSError as error:
        raise _unwritable(output, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return Exit.OK


def _pour(export: Export, format_: str, stream: IO[str]) -> None:
    from guanjia.merchants.exporting import Format

    try:
        for piece in export.lines(Format(format_)):
            stream.write(piece)
        stream.flush()
    except BrokenPipeError:  # `… | head` has seen enough; Python must not try to flush again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritable(output: Path, error: OSError) -> Exception:
    from django.utils.translation import gettext as _

    from guanjia.base.errors import BadInput

    return BadInput(
        _("写不了文件 %(path)s：%(why)s。") % {"path": output, "why": error.strerror or error},
        hint=_("请核对目录、权限和剩余空间。"),
    )
