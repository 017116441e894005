"""`python -m guanjia.base.tests.catalogue`: refresh the English catalogue from the source, and compile it.

Needs Babel (a development dependency), no system gettext. Chinese is the source language, so there is
one catalogue: `locale/en`. The labels of choices are messages too: they are shown through gettext.
"""

from __future__ import annotations

import ast
import io
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as BabelMessage
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

HOUSE = Path(__file__).parents[2]
PO = HOUSE / "locale" / "en" / "LC_MESSAGES" / "django.po"
MO = PO.with_suffix(".mo")
GETTEXT = ("_", "n_", "gettext", "gettext_lazy")
KEYWORDS = {"gettext": None, "ngettext": (1, 2)}
"""What Django's templatize makes of templates."""
BORN = datetime(2026, 11, 22, tzinfo=UTC)
"""One fixed date in the header, so that the same source gives the same file."""
Message = str | tuple[str, ...]


def messages() -> Catalog:
    """Every message of the source, without translations."""
    catalog = Catalog(
        locale="en",
        header_comment="# English for Guanjia; python -m guanjia.base.tests.catalogue adds what is new.",
        project="Guanjia",
        version="1",
        charset="utf-8",
        creation_date=BORN,
        revision_date=BORN,
        fuzzy=False,
    )
    for place, message in (*_in_python(), *_in_templates(), *_in_choices()):
        if not "".join(message).isascii():
            catalog.add(message, locations=[(place, 0)])
    return catalog


def _in_python() -> Iterator[tuple[str, Message]]:
    """By syntax tree: Babel's own extractor does not look into f-strings before Python 3.12."""
    for path in sorted(HOUSE.rglob("*.py")):
        if path.parent.name not in ("tests", "migrations"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and (message := _called_with(node)):
                    yield str(path.relative_to(HOUSE)), message


def _called_with(call: ast.Call) -> Message | None:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    texts = tuple(
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    )
    if name == "ngettext" and len(texts) == 2:
        return texts
    return texts[0] if name in GETTEXT and texts else None


def _in_templates() -> Iterator[tuple[str, Message]]:
    from django.utils.translation.template import templatize

    for path in sorted(HOUSE.rglob("templates/**/*.html")):
        # Python's tokenizer minds the indentation of what is left of the HTML; a message does not.
        lines = [line.lstrip() for line in templatize(path.read_text("utf-8")).splitlines()]
        source = io.BytesIO("\n".join(lines).encode())
        for _line, message, _comments, _context in extract("python", source, KEYWORDS):
            yield str(path.relative_to(HOUSE)), message


def _in_choices() -> Iterator[tuple[str, Message]]:
    from django.apps import apps

    for model in apps.get_models():
        for field in model._meta.fields:
            for _value, label in field.flatchoices:
                if model.__module__.startswith("guanjia."):
                    yield model.__module__.replace(".", "/") + ".py", str(label)


def read() -> Catalog:
    """The English catalogue as it is kept."""
    with PO.open("rb") as file:
        return read_po(file, locale="en")


def refresh() -> Catalog:
    """The kept catalogue with new messages added, untranslated, and the gone ones dropped."""
    kept, found = read() if PO.exists() else Catalog(locale="en"), messages()
    for message in found:
        known = kept.get(message.id) if message.id else None
        if known is not None:
            message.string = known.string
    return found


def untranslated(catalog: Catalog) -> list[str]:
    """The Chinese of messages that lack English, in the singular or in the plural."""
    return [str(message.id) for message in catalog if message.id and not all(_strings(message))]


def _strings(message: BabelMessage) -> Sequence[str]:
    return [message.string] if isinstance(message.string, str) else message.string or [""]


def compiled(catalog: Catalog) -> bytes:
    file = io.BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guanjia.config.settings")
    import django

    django.setup()
    catalog = refresh()
    PO.parent.mkdir(parents=True, exist_ok=True)
    with PO.open("wb") as file:
        write_po(file, catalog, sort_output=True, width=100, omit_header=False, include_lineno=False)
    MO.write_bytes(compiled(catalog))
    missing = untranslated(catalog)
    print(f"{len(catalog)} messages, {len(missing)} without English", *missing, sep="\n")


if __name__ == "__main__":
    main()
