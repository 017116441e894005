"""What search looks through, made from the rows it is about. It can be made again at any time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from guanjia.base.sql import prepared, rows, run
from guanjia.search.eras import eras_of
from guanjia.search.terms import OF_MERCHANT, SERIAL, as_vector, entry_terms

BLOCK_BITS = 10
"""A block of merchants is 2**BLOCK_BITS ids."""
MESSAGES_MOST = 1000
"""The newest messages of a case that are looked through; one with more is found by the rest of its words."""

_CASES = f"""
SELECT c.id, c.merchant_id, c.number, c.title, c.need, m.name, m.ref,
  (SELECT json_agg(json_build_array(x.internal, x.body)) FROM (
     SELECT internal, body FROM cases_message WHERE case_id = c.id AND body <> ''
     ORDER BY id DESC LIMIT {MESSAGES_MOST}) x),
  (SELECT json_agg(json_build_array(coalesce(s.internal, false), f.name)) FROM cases_attachment f
     LEFT JOIN cases_message s ON s.id = f.message_id WHERE f.case_id = c.id AND f.name <> '')
FROM cases_case c JOIN merchants_merchant m ON m.id = c.merchant_id WHERE c.id = ANY(%(keys)s::bigint[])
"""  # noqa: S608 - our own text
_KEEP_CASES = """
INSERT INTO search_casewords (case_id, merchant_id, terms)
SELECT key, merchant, terms::tsvector
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) t(key, merchant, terms)
ON CONFLICT (case_id) DO UPDATE SET merchant_id = excluded.merchant_id, terms = excluded.terms
WHERE search_casewords.merchant_id <> excluded.merchant_id OR search_casewords.terms <> excluded.terms
"""
_KEEP_MERCHANTS = """
INSERT INTO search_merchantwords (merchant_id, terms)
SELECT key, terms::tsvector FROM unnest(%s::bigint[], %s::text[]) t(key, terms)
ON CONFLICT (merchant_id) DO UPDATE SET terms = excluded.terms
WHERE search_merchantwords.terms <> excluded.terms
"""


@dataclass(frozen=True, slots=True)
class CaseTexts:
    """All that a case is found by. `notes` are for staff alone."""

    pk: int
    merchant: int
    number: str
    public: list[str]
    notes: list[str]

    def vector(self) -> str:
        serial = self.number.rpartition("-")[2].lstrip("0")
        fixed = [*eras_of(self.pk), f"{OF_MERCHANT}{self.merchant}", f"{SERIAL}{serial}"]
        return as_vector([*fixed, *entry_terms(self.public, self.notes)])


def index_cases(keys: Collection[int]) -> None:
    """Make the entries of these cases again; three statements at most."""
    found = list(texts_of(keys))
    columns = [[one.pk for one in found], [one.merchant for one in found], [one.vector() for one in found]]
    run(_KEEP_CASES, columns)


def texts_of(keys: Collection[int]) -> Iterator[CaseTexts]:
    for pk, merchant, number, title, need, name, ref, said, files in prepared(_CASES, {"keys": sorted(keys)}):
        every = [*(said or ()), *(files or ())]
        public = [text for internal, text in every if not internal]
        notes = [text for internal, text in every if internal]
        yield CaseTexts(pk, merchant, number, [number, title, need, name, ref, *public], notes)


def merchant_vector(pk: int, name: str, ref: str) -> str:
    return as_vector([*eras_of(pk), f"{OF_MERCHANT}{pk}", *entry_terms([name, ref])])


def index_merchants(blocks: Iterable[int]) -> None:
    """Make the entries of these blocks of merchants again; those that did not change are not written."""
    for block in blocks:
        found = rows(
            "SELECT id, name, ref FROM merchants_merchant WHERE id >= %s AND id < %s",
            [block << BLOCK_BITS, (block + 1) << BLOCK_BITS],
        )
        run(_KEEP_MERCHANTS, [[row[0] for row in found], [merchant_vector(*row) for row in found]])
