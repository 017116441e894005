"""A line joins the house: where it answers, and what it offers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.actors import Actor
from guanjia.base.errors import BadInput
from guanjia.base.seal import seal
from guanjia.ledger.actions import Entry, record
from guanjia.lines.events import LineRegistered, ManifestRead
from guanjia.lines.models import Line, LineKind, LineStaff, Service
from guanjia.lines.protocol.errors import ProtocolError
from guanjia.lines.protocol.messages import Manifest, ServiceSpec
from guanjia.lines.protocol.params import ParamsSchema
from guanjia.lines.protocol.signing import check_secrets
from guanjia.lines.protocol.wire import dump_body, parse_body
from guanjia.people.models import User


@transaction.atomic
def register_line(
    *,
    actor: Actor,
    slug: str,
    titles: Mapping[str, str],
    kind: LineKind,
    base_url: str,
    secret: str,
    lead: User,
    now: datetime,
) -> Line:
    """Make a line known, or move a known one: address, secret and lead are replaced.

    `lead` is the named person who gets a task when the line is stuck; they become its specialist.
    Raises BadInput for a name, titles or a secret that LP/1 does not allow.
    """
    require_sound(Manifest(slug, dict(titles), ()))
    _require_secret(secret)
    line, _new = Line.objects.update_or_create(
        slug=slug,
        defaults={
            "titles": dict(titles),
            "kind": kind,
            "base_url": base_url.rstrip("/"),
            "sealed_secret": seal(secret),
            "lead": lead,
            "active": True,
        },
    )
    LineStaff.objects.get_or_create(line=line, user=lead)
    record([Entry(now, actor, f"line:{slug}", LineRegistered(slug, kind))])
    return line


@transaction.atomic
def read_manifest(*, actor: Actor, line: Line, manifest: Manifest, now: datetime) -> None:
    """Take over what the line publishes; a service it no longer names is no longer offered.

    Raises BadInput for a manifest that LP/1 does not allow, or whose schemas do not compile.
    """
    require_sound(manifest)
    for spec in manifest.services:
        Service.objects.update_or_create(line=line, code=spec.code, defaults=_fields(spec))
    codes = [spec.code for spec in manifest.services]
    Service.objects.filter(line=line).exclude(code__in=codes).update(active=False)
    line.titles = dict(manifest.titles)
    line.checked_at = now
    line.save(update_fields=["titles", "checked_at"])
    text = json.dumps(manifest.to_json(), sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode()).hexdigest()
    record([Entry(now, actor, f"line:{line.slug}", ManifestRead(line.slug, codes, digest))])


def require_sound(manifest: Manifest) -> None:
    """Raises BadInput where a manifest could not be read back, or parameters not be checked by it."""
    try:
        Manifest.from_json(parse_body(dump_body(manifest.to_json())))
    except (ProtocolError, ValueError) as error:
        raise _unsound(str(error)) from error
    for spec in manifest.services:
        try:
            ParamsSchema(spec.schema)
        except ValueError as error:
            raise _unsound(f"{spec.code}: {error}") from error


def _unsound(why: str) -> BadInput:
    return BadInput(
        _("业务线的清单不成立：%(why)s") % {"why": why[:300]}, hint=_("请按 LP/1 第 4.1 节改正。")
    )


def _require_secret(secret: str) -> None:
    try:
        check_secrets(secret)
    except ValueError as error:
        raise BadInput(_("业务线的密钥不成立。"), hint="whsec_ + base64 (24–64 bytes)") from error


def _fields(spec: ServiceSpec) -> dict[str, object]:
    return {
        "titles": dict(spec.titles),
        "schema": dict(spec.schema),
        "price_amount": spec.price.amount if spec.price else None,
        "currency": spec.price.currency if spec.price else "CNY",
        "hold_ttl_seconds": spec.hold_ttl_seconds,
        "decision_rule": spec.decision.rule,
        "decision_within_seconds": spec.decision.within_seconds,
        "decision_grace_seconds": spec.decision.grace_seconds,
        "silence": spec.decision.silence,
        "active": True,
    }
