"""Visiting a line: reading its manifest where it answers, before anything is written."""

from __future__ import annotations

import asyncio

from django.conf import settings
from django.utils.translation import gettext as _

from guanjia.base.errors import Refusal
from guanjia.lines.answers import Described, ManifestOutcome, Unreachable
from guanjia.lines.client import LineClient, LineEndpoint
from guanjia.lines.protocol.messages import Manifest


class LineDoesNotAnswer(Refusal):
    code = "line_does_not_answer"
    status = 502


def visit(endpoint: LineEndpoint) -> Manifest:
    """What the line at this address publishes. Raises LineDoesNotAnswer with what is wrong."""
    outcome = asyncio.run(_ask(endpoint))
    if not isinstance(outcome, Described):
        why = outcome.why if isinstance(outcome, Unreachable) else f"{outcome.code}: {outcome.detail}"
        raise LineDoesNotAnswer(
            _("业务线“%(slug)s”没有按 LP/1 应答：%(why)s") % {"slug": endpoint.slug, "why": why},
            hint=_("请确认地址可达，并运行 guanjia line check %(url)s。") % {"url": endpoint.base_url},
        )
    if outcome.manifest.line != endpoint.slug:
        raise LineDoesNotAnswer(
            _("这个地址上是业务线“%(found)s”，不是“%(slug)s”。")
            % {"found": outcome.manifest.line, "slug": endpoint.slug},
            hint=_("请核对地址。"),
        )
    return outcome.manifest


async def _ask(endpoint: LineEndpoint) -> ManifestOutcome:
    async with LineClient(settings.LINE_NETWORKS) as client:
        return await client.manifest(endpoint)
