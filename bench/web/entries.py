"""Entries of the search index in bulk: one chunk of cases or merchants, read, taken apart and copied in."""

from __future__ import annotations

import django

django.setup()

from django.db import connection  # noqa: E402

from guanjia.base.sql import rows  # noqa: E402
from guanjia.search.indexing import merchant_vector, texts_of  # noqa: E402

CHUNK = 5_000
CASES = "COPY search_casewords (case_id, merchant_id, terms) FROM STDIN"
MERCHANTS = "COPY search_merchantwords (merchant_id, terms) FROM STDIN"
MERCHANTS_FROM = "SELECT id, name, ref FROM merchants_merchant WHERE id >= %s AND id < %s ORDER BY id"


def copy(chunk: tuple[str, int]) -> None:
    kind, low = chunk
    made = _cases(low) if kind == "case" else _merchants(low)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        with cursor.copy(CASES if kind == "case" else MERCHANTS) as into:
            for row in made:
                into.write_row(row)


def _cases(low: int) -> list[tuple[object, ...]]:
    found = sorted(texts_of(range(low, low + CHUNK)), key=lambda one: one.pk)
    return [(one.pk, one.merchant, one.vector()) for one in found]


def _merchants(low: int) -> list[tuple[object, ...]]:
    found = rows(MERCHANTS_FROM, [low, low + CHUNK])
    return [(pk, merchant_vector(pk, name, ref)) for pk, name, ref in found]
