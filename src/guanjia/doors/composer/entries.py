"""A sheet as the page shows it: each item with its fields, what is wrong with them, and its outlook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from guanjia.base.errors import FieldError
from guanjia.base.texts import pick
from guanjia.cases.models import Case
from guanjia.core.package import Mode
from guanjia.doors.composer.fields import Field, blame, fields_of, fill, homeless, leaves, params_of, placed
from guanjia.lines.models import Service
from guanjia.lines.params import SchemaViolation, check, prefill
from guanjia.lines.queries import services_by_code
from guanjia.packages.composing import ItemDraft
from guanjia.packages.composition import Chosen, Sheet
from guanjia.packages.models import Package
from guanjia.packages.outlook import if_refused
from guanjia.packages.preview import ItemPreview, Preview, preview
from guanjia.people.models import User


@dataclass(frozen=True, slots=True)
class Entry:
    """One item of the sheet. `line` and `title` are codes where the service is not offered any more,
    and `errors` are those that no field shows."""

    chosen: Chosen
    line: str
    title: str
    gone: bool
    fields: tuple[Field, ...]
    draft: ItemDraft
    errors: Sequence[FieldError]
    wrong: bool

    @property
    def faults(self) -> list[Field]:
        return [leaf for leaf in leaves(self.fields) if leaf.error]

    @property
    def first(self) -> str:
        """The id of the field that wants to be filled in first."""
        return next((leaf.id for leaf in leaves(self.fields) if leaf.error or not leaf.value), "")


@dataclass(frozen=True, slots=True)
class ModeChoice:
    value: str
    text: str
    then: str


def modes() -> list[ModeChoice]:
    """How the items belong together, in words, and what happens when one line says no."""
    choices = Package._meta.get_field("mode").choices or ()
    return [ModeChoice(str(value), _(str(text)), if_refused(Mode(value))) for value, text in choices]


def entries_of(sheet: Sheet, case: Case, *, strict: bool) -> list[Entry]:
    """The sheet's items; `strict` says what is wrong with each, for whoever wants to submit it."""
    services = services_by_code({(item.line, item.service) for item in sheet.items})
    facts = case.merchant.facts
    return [_entry(item, services.get((item.line, item.service)), facts, strict) for item in sheet.items]


def outlook(
    entries: Sequence[Entry], *, actor: User, now: datetime
) -> tuple[list[tuple[Entry, ItemPreview | None]], Preview]:
    """Each entry with what submitting it would bring, and the whole."""
    drafts = [entry.draft for entry in entries]
    seen = preview(actor=actor, drafts=drafts, now=now)
    return list(zip(entries, seen.items, strict=True)), seen


def _entry(item: Chosen, service: Service | None, facts: Mapping[str, Any], strict: bool) -> Entry:
    if service is None:
        return _gone(item)
    fields = fill(fields_of(service.schema, facts), item.typed)
    params, errors = params_of(fields)
    found = [*errors, *_violations(service, prefill(service, facts, params))] if strict else []
    return Entry(
        chosen=item,
        line=pick(service.line.titles),
        title=pick(service.titles),
        gone=False,
        fields=placed(blame(fields, found), item.id),
        draft=ItemDraft(item.line, item.service, params, item.core),
        errors=homeless(fields, found),
        wrong=bool(found),
    )


def _violations(service: Service, params: Mapping[str, Any]) -> Sequence[FieldError]:
    try:
        check(service, params)
    except SchemaViolation as violation:
        return violation.errors or [FieldError("", pick(service.titles), violation.message)]
    return ()


def _gone(item: Chosen) -> Entry:
    draft = ItemDraft(item.line, item.service, {}, item.core)
    return Entry(item, item.line, item.service, True, (), draft, (), wrong=True)
