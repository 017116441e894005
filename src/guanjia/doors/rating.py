"""How a rating is shown and read, at every door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from guanjia.base.sql import prepared
from guanjia.cases.models import Score

_RATED = """
SELECT r.score, r.words, coalesce(r.changed_at, r.rated_at), u.name
FROM cases_rating r JOIN people_user u ON u.id = r.by_id WHERE r.case_id = %(case)s
"""


@dataclass(frozen=True, slots=True)
class Rated:
    score: int
    words: str
    at: datetime
    who: str

    @property
    def text(self) -> str:
        return _(Score(self.score).label)

    @property
    def stars(self) -> str:
        return "★" * self.score + "☆" * (len(Score) - self.score)


def rated(case: int) -> Rated | None:
    """One statement."""
    for row in prepared(_RATED, {"case": case}):
        return Rated(*row)
    return None


def scores() -> list[tuple[int, str]]:
    """The best first, as they are offered."""
    return [(score.value, _(score.label)) for score in reversed(Score)]


def score_in(form: Mapping[str, str]) -> int:
    """What a button or an address says; 0, which no action takes, for anything else."""
    given = form.get("score", "")
    return int(given) if given in {str(score) for score in Score.values} else 0
