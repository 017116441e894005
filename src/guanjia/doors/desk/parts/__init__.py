"""What a case page shows beside the conversation, part by part.

A part is a function that reads what it shows, in one statement, and names the template that shows it;
it gives None where there is nothing to say. `MORE` are the pages of the "more" menu: what is done with
a case seldom has a page of its own instead of a button on this one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.utils.translation import gettext_lazy as _

from guanjia.coverage.rules import Verb
from guanjia.doors.desk.parts.belonging import beside
from guanjia.doors.desk.parts.marks import marks
from guanjia.doors.desk.parts.rating import rating
from guanjia.doors.desk.parts.shape import More, Part
from guanjia.doors.desk.parts.work import work
from guanjia.doors.desk.queries.case import Opened
from guanjia.people.pages import Visit

__all__ = ["More", "Part", "more_of", "parts_of"]

PARTS: Sequence[Callable[[Visit, Opened], Part | None]] = (rating, work, beside, marks)
MORE: Sequence[More] = (
    More(_("任务与清单"), "desk_work", Verb.NOTE),
    More(_("用一份方案"), "desk_plan", Verb.NOTE, solved=False),
    More(_("答应一个时间"), "desk_promise", Verb.SPEAK, solved=False),
    More(_("转交"), "desk_hand_over", Verb.NOTE, solved=False),
    More(_("关联"), "desk_links", Verb.NOTE),
    More(_("并入另一件"), "desk_merge", Verb.SOLVE),
    More(_("拆出新的一件"), "desk_split", Verb.OPEN_CASE),
    More(_("文件"), "case_files", Verb.SEE),
    More(_("全部经过"), "desk_history", Verb.NOTE),
)


def parts_of(visit: Visit, case: Opened) -> list[Part]:
    """The parts of this case that have something to show, in order."""
    return [part for read in PARTS if (part := read(visit, case)) is not None]


def more_of(case: Opened) -> list[More]:
    """What else this person may do with the case."""
    return [more for more in MORE if more.verb in case.may and more.solved in (None, case.solved)]
