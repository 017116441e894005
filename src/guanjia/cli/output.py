"""What commands print: words for people, or one JSON document for programs."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from guanjia.base.errors import Refusal


def emit(data: Any, text: str, *, as_json: bool) -> None:
    """Print the result to stdout, in one form or the other."""
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False, indent=2, default=str))
    else:
        click.echo(text)


def say(text: str) -> None:
    """A word on the way: to stderr, so that stdout holds the result alone."""
    click.echo(text, err=True)


def complain(what: str, *, hint: str = "", code: str = "", as_json: bool = False) -> None:
    """What happened and what to do now."""
    if as_json:
        click.echo(json.dumps({"error": {"code": code, "message": what, "hint": hint}}, ensure_ascii=False))
        return
    click.secho(f"✗ {what}", fg="red", err=True, color=None if sys.stderr.isatty() else False)
    if hint:
        click.echo(f"  → {hint}", err=True)


def complain_refusal(refusal: Refusal, *, as_json: bool) -> None:
    complain(refusal.message, hint=refusal.hint, code=refusal.code, as_json=as_json)
    for error in () if as_json else refusal.errors:
        click.echo(f"    {error.path}  {error.label}: {error.message}", err=True)
