"""The files of a case, for whoever may read the messages that they came with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from guanjia.base.sql import prepared

FILES_MOST = 200


@dataclass(frozen=True, slots=True)
class FileLook:
    """A file in a list. An erased one has neither name nor address; `message` is None for the need's."""

    pk: int
    message: int | None
    name: str
    media_type: str
    size: int
    added_by: int
    by: str
    at: datetime
    erased: bool
    internal: bool

    @property
    def image(self) -> bool:
        return self.media_type.startswith("image/")


# With those of the cases merged into this one, and of the words that it quotes; of a merged case's need the
# message is minus that case's id. Written out, so that nothing downstream can show a note's file by mistake.
_FILES = f"""
SELECT f.id, coalesce(f.message_id, CASE WHEN f.case_id <> %(case)s THEN -f.case_id END),
  f.name, f.media_type, f.size, f.added_by_id, u.name, f.added_at,
  f.erased_at IS NOT NULL, coalesce(s.internal, false)
FROM cases_attachment f JOIN people_user u ON u.id = f.added_by_id
  LEFT JOIN cases_message s ON s.id = f.message_id
WHERE (f.case_id = ANY(ARRAY(SELECT %(case)s::bigint UNION ALL SELECT source_id FROM cases_caselink
    WHERE target_id = %(case)s AND kind = 'merged'))
    OR f.message_id = ANY(ARRAY(SELECT message_id FROM cases_quote WHERE case_id = %(case)s)))
  AND (%(notes)s OR NOT coalesce(s.internal, false))
ORDER BY f.id DESC LIMIT {FILES_MOST}
"""  # noqa: S608 - our own text


def files_on(case: int, *, notes: bool) -> list[FileLook]:
    """The latest FILES_MOST, the oldest first; those of internal notes only where `notes`. One statement."""
    return [FileLook(*row) for row in reversed(prepared(_FILES, {"case": case, "notes": notes}))]


def by_message(files: Iterable[FileLook]) -> Mapping[int, list[FileLook]]:
    """By the message they came with; 0 is the need."""
    found: dict[int, list[FileLook]] = {}
    for file in files:
        found.setdefault(file.message or 0, []).append(file)
    return found
