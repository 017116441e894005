"""A file is had by whoever may read the message it came with, as a download and as nothing else."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

from django.db import connection
from django.http import FileResponse, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from guanjia.base.blobs import PIECE, pieces, spooled
from guanjia.base.errors import Missing
from guanjia.cases.actions.files import ERASERS, erase_file
from guanjia.cases.filing import access_file
from guanjia.cases.rules import access_case
from guanjia.coverage.rules import MAY, Verb, relations
from guanjia.doors.files.queries import files_on
from guanjia.people.pages import Visit, page

SHOWN_AS_THEY_ARE = ("image/", "audio/", "video/", "application/pdf", "application/zip")
"""Whatever else it is, a browser is told no more than that it is bytes."""


@page()
def file(visit: Visit, pk: int) -> HttpResponse:
    """The content; a large one first goes to a file of ours, so that a slow reader holds no connection."""
    found = access_file(actor=visit.user, file=pk, now=visit.now)
    if found.blob is None:
        raise Missing(_("这个文件已经删除。"), hint=_("如果还需要它，请发文件的人再发一次。"))
    known = found.media_type.startswith(SHOWN_AS_THEY_ARE)
    answer = _content(found.blob, found.size)
    answer.headers["Content-Type"] = found.media_type if known else "application/octet-stream"
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    answer.headers["Content-Length"] = str(found.size)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Cache-Control"] = "no-store, private"
    return answer


def _content(blob: UUID, size: int) -> HttpResponse:
    if size <= PIECE:
        return HttpResponse(b"".join(pieces(blob)))
    content = spooled(blob)
    if not connection.in_atomic_block:
        connection.close()
    return FileResponse(content)  # type: ignore[return-value] # Django's types keep streaming answers apart


@page()
def listed(visit: Visit, number: str) -> HttpResponse:
    """All files of a case that the visitor may have."""
    case = access_case(actor=visit.user, number=number, verb=Verb.SEE, now=visit.now)
    held = relations(visit.user, case.merchant, at=visit.now)
    notes = bool(held & MAY[Verb.NOTE])
    where = "desk_case" if notes else "door_case"
    back = reverse(where, args=[number] if notes else [case.merchant.ref, number])
    content = {
        "case": case,
        "back": back,
        "files": files_on(case.pk, notes=notes),
        "erases_all": bool(held & ERASERS),
    }
    return visit.render("doors/files/page.html", content)


@page("POST")
def erase(visit: Visit, pk: int) -> HttpResponse:
    """For good: content, name and digest."""
    erased = erase_file(actor=visit.user, file=pk, now=visit.now)
    return visit.go(reverse("case_files", args=[erased.case.number]), told=_("文件已删除，找不回来了。"))
