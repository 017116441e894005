"""Files in forms, bounded while they come: a browser that sends without end fills no disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

TOO_LARGE = "guanjia.too_large"
"""Where a request's META lists the names of files that were not read to their end."""


class Bounded(FileUploadHandler):
    """First of the handlers: drops a file that is over its limit, and keeps its name for the refusal."""

    _received = 0

    def new_file(self, field_name: str, file_name: str, *args: Any, **more: Any) -> None:
        super().new_file(field_name, file_name, *args, **more)
        if self._received > settings.FILES_MOST_BYTES:
            self._drop()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._received += len(raw_data)
        if start + len(raw_data) > settings.FILE_MOST_BYTES or self._received > settings.FILES_MOST_BYTES:
            self._drop()
        return raw_data

    def _drop(self) -> None:
        assert self.request is not None
        self.request.META.setdefault(TOO_LARGE, []).append(self.file_name)
        raise SkipFile

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one make the file."""


def files_of(request: HttpRequest, field: str) -> tuple[list[UploadedFile[Any]], list[str]]:
    """The files of a form's field, and the names of those that were too large to be read."""
    return list(request.FILES.getlist(field)), list(request.META.get(TOO_LARGE, ()))
