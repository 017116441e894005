"""`guanjia line …`: joining, checking and serving business lines."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import complain, emit
from guanjia.config import env
from guanjia.lines.client import LineEndpoint
from guanjia.lines.conformance import Report
from guanjia.lines.conformance import check as run_kit
from guanjia.lines.conformance.run import Params
from guanjia.lines.protocol.messages import Manifest
from guanjia.lines.ssrf import Network, guarded_session

SECRET_VARIABLE = "LINE_SECRET"  # noqa: S105 - a name, not a secret


@click.group()
def line_group() -> None:
    """Register, check and serve business lines."""


@line_group.command()
def secret() -> int:
    """Print a new secret for a line to share with Guanjia."""
    from guanjia.lines.protocol.signing import new_secret

    click.echo(new_secret())
    return Exit.OK


@line_group.command()
def openapi() -> int:
    """Print the line protocol LP/1 as an OpenAPI 3.1 document."""
    click.echo(resources.files("guanjia.lines").joinpath("lp1.openapi.json").read_text("utf-8"))
    return Exit.OK


@line_group.command()
@click.argument("slug")
@click.argument("url")
@click.option("--lead", required=True, help="User name of the person who answers for the line.")
@click.option("--secret-file", type=click.Path(path_type=Path, exists=True), required=True)
@click.option("--json", "as_json", is_flag=True)
def register(slug: str, url: str, lead: str, secret_file: Path, as_json: bool) -> int:
    """Make the line at URL known and take over what its manifest offers."""
    with house():
        from guanjia.lines.visit import visit

        endpoint = LineEndpoint(slug, url, secret_file.read_text().strip())
        manifest = visit(endpoint)
        _join(endpoint, manifest, lead)
        services = [spec.code for spec in manifest.services]
        emit({"line": slug, "services": services}, f"{slug}: {', '.join(services)}", as_json=as_json)
    return Exit.OK


def _join(endpoint: LineEndpoint, manifest: Manifest, lead: str) -> None:
    from django.db import transaction

    from guanjia.base.actors import Actor
    from guanjia.lines.actions.joining import read_manifest, register_line
    from guanjia.lines.models import LineKind
    from guanjia.people.models import User

    person = User.objects.filter(username=lead).first()
    if person is None:
        raise click.UsageError(f"--lead: no user {lead!r}")
    now, operator = datetime.now(UTC), Actor("system", "operator")
    with transaction.atomic():
        line = register_line(
            actor=operator,
            slug=endpoint.slug,
            titles=manifest.titles,
            kind=LineKind.REMOTE,
            base_url=endpoint.base_url,
            secret=endpoint.secret,
            lead=person,
            now=now,
        )
        read_manifest(actor=operator, line=line, manifest=manifest, now=now)


@line_group.command("list")
@click.option("--json", "as_json", is_flag=True)
def list_lines(as_json: bool) -> int:
    """The lines, where they answer, and what they offer."""
    with house():
        from guanjia.lines.models import Line

        found = [
            {
                "line": line.slug,
                "kind": line.kind,
                "url": line.base_url,
                "services": [s.code for s in line.services.all() if s.active],
            }
            for line in Line.objects.filter(active=True).prefetch_related("services").order_by("slug")[:500]
        ]
        text = "\n".join(f"{ln['line']:<20} {ln['kind']:<7} {ln['url']}  {ln['services']}" for ln in found)
        emit(found, text or "-", as_json=as_json)
    return Exit.OK


@line_group.command()
@click.argument("url")
@click.option("--secret-file", type=click.Path(path_type=Path, exists=True), help="File with the secret.")
@click.option("--params", type=click.Path(path_type=Path, exists=True), help="JSON: params by service code.")
@click.option("--no-confirm", is_flag=True, help="Confirm nothing: leaves those rules unchecked.")
@click.option("--json", "as_json", is_flag=True)
def check(url: str, secret_file: Path | None, params: Path | None, no_confirm: bool, as_json: bool) -> int:
    """Try the line at URL against every rule of LP/1 and say which it breaks.

    The secret comes from --secret-file or the variable LINE_SECRET.
    """
    given = secret_file.read_text().strip() if secret_file else os.environ.get(SECRET_VARIABLE, "")
    if not given:
        complain("no secret", hint=f"--secret-file FILE, or {SECRET_VARIABLE}", as_json=as_json)
        return Exit.USAGE
    settings = env.load()
    endpoint = LineEndpoint("checked", url, given)
    with_params = json.loads(params.read_text("utf-8")) if params else None
    report = asyncio.run(_run_kit(endpoint, settings.line_networks, with_params, not no_confirm))
    text = report.to_text("en" if settings.language == "en" else "zh-Hans")
    emit(report.to_json(), text, as_json=as_json)
    return Exit.OK if report.ok else Exit.REFUSED


async def _run_kit(
    endpoint: LineEndpoint, allowed: Sequence[Network], params: Params | None, confirm: bool
) -> Report:
    async with guarded_session(allowed) as session:
        return await run_kit(endpoint, session, params=params, confirm=confirm)


@line_group.command()
@click.argument("slug")
@click.option("--port", type=int, required=True)
def serve(slug: str, port: int) -> int:
    """Serve hosted lines in a process of their own: SLUG is at /lines/SLUG on this port."""
    del slug  # names the process; every hosted line of this house answers here
    with house():
        from guanjia.cli.running import serve as run_server

        run_server("127.0.0.1", port, threads=2)
    return Exit.OK
