"""Files on a case: what is accepted, and who may have which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import chain

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing
from guanjia.base.uploads import files_of
from guanjia.cases.models import Attachment
from guanjia.core.files import HEAD, clean_name, kind_of
from guanjia.coverage.rules import MAY, Relation, Verb, relations_of
from guanjia.coverage.standing import standing
from guanjia.people.models import User

FILES_MOST = 10
"""Files that may come with one message."""
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as somebody sends it. `chunks` can be called again and begins at the beginning each time."""

    name: str
    size: int
    chunks: Callable[[], Iterable[bytes]]

    @classmethod
    def of(cls, name: str, content: bytes) -> Upload:
        return cls(name, len(content), lambda: (content,))


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may be stored: under this name, as what its content says that it is."""

    name: str
    media_type: str
    upload: Upload


class FileRefused(BadInput):
    """Names the file. Nothing of what came with it has been stored."""

    code = "file_refused"


def uploads_of(request: HttpRequest) -> list[Upload]:
    """The files of a form's field `files`; one that was too large to be read stays refused."""
    found, too_large = files_of(request, "files")
    uploads = [Upload(file.name or "", file.size or 0, file.chunks) for file in found]
    return uploads + [Upload(name, settings.FILES_MOST_BYTES + 1, tuple) for name in too_large]


def check_files(uploads: Sequence[Upload]) -> list[Checked]:
    """All of them, or none: raises FileRefused naming the first that may not be stored."""
    if len(uploads) > FILES_MOST:
        raise _refused(_("一次最多 %(most)d 个文件，您选了 %(got)d 个。"), most=FILES_MOST, got=len(uploads))
    checked = [_checked(upload) for upload in uploads]
    if sum(upload.size for upload in uploads) > settings.FILES_MOST_BYTES:
        most = settings.FILES_MOST_BYTES // MEGABYTE
        raise _refused(_("这些文件一共超过 %(most)d MB。"), most=most)
    return checked


def sort_out(uploads: Sequence[Upload]) -> tuple[list[Checked], list[Upload]]:
    """What may be stored, in order, and what may not: for what cannot be sent again, such as a mail."""
    good: list[Checked] = []
    bad: list[Upload] = []
    for upload in uploads:
        try:
            good = check_files([*(one.upload for one in good), upload])
        except FileRefused:
            bad.append(upload)
    return good, bad


def _checked(upload: Upload) -> Checked:
    name = clean_name(upload.name, otherwise=_("文件"))
    if upload.size <= 0:
        raise _refused(_("“%(name)s”是空的。"), name=name)
    if upload.size > settings.FILE_MOST_BYTES:
        most = settings.FILE_MOST_BYTES // MEGABYTE
        raise _refused(_("“%(name)s”超过 %(most)d MB。"), name=name, most=most)
    kind = kind_of(_head(upload))
    if not any(fnmatchcase(kind, pattern) for pattern in settings.FILE_TYPES):
        raise _refused(_("“%(name)s”是这里不收的文件类型（%(kind)s）。"), name=name, kind=kind)
    return Checked(name, kind, upload)


def _head(upload: Upload) -> bytes:
    head = b""
    for chunk in upload.chunks():
        head += bytes(chunk[:HEAD])
        if len(head) >= HEAD:
            break
    return head[:HEAD]


def _refused(text: str, **values: object) -> FileRefused:
    return FileRefused(text % values, hint=_("还没有发出，写的字都在；请换一个文件或不带文件，再发一次。"))


def access_file(*, actor: User, file: int, now: datetime) -> Attachment:
    """The file, if this person may read the message it came with.

    Raises Missing for a stranger, and for a merchant's own people who ask for the file of an internal note:
    that there is one is not for them either.
    """
    found = Attachment.objects.select_related("case__merchant", "message").filter(pk=file).first()
    if found is None or not held_for(actor, found, now) & MAY[_reads(found)]:
        raise Missing(_("没有这个文件。"), hint=_("它可能已被删除，或您看不到它所在的沟通。"))
    return found


def _reads(file: Attachment) -> Verb:
    return Verb.NOTE if file.message is not None and file.message.internal else Verb.SEE


def held_for(actor: User, file: Attachment, now: datetime) -> frozenset[Relation]:
    """How this person stands to the merchant of the file's case."""
    return relations_of(actor, standing(actor, file.case.merchant.ref, at=now))


def digests(checked: Iterable[Checked]) -> list[str]:
    """What tells the same files from others, without reading them: names and sizes."""
    return list(chain.from_iterable((one.name, str(one.upload.size)) for one in checked))
