"""Looking at a file before anything is believed: what it is, and what its cells cannot contain.

One pass over the bytes. What it finds out lets the later steps, in SQL, skip the work that this file
does not need.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput

CHUNK = 1 << 20  # bytes
WIDEST = 500  # columns
UTF8, GB18030 = "utf-8", "gb18030"
# Beginnings of what people mistake for a CSV file.
FOREIGN = {
    b"PK\x03\x04": "Excel (.xlsx)",
    b"\xd0\xcf\x11\xe0": "Excel (.xls)",
    b"%PDF": "PDF",
    b"\x1f\x8b": "gzip",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
CONTROLS = bytes(byte for byte in (*range(32), 127) if byte not in b"\r\n")
END = b"\n\\."  # ends a COPY, before PostgreSQL 18


class UnusableFile(BadInput):
    """Nothing of this file can be imported, and nothing was changed."""

    code = "unusable_file"


@dataclass(frozen=True, slots=True)
class TableFile:
    """A CSV file that can be read.

    `size` is in bytes, `modified` in ns, `digest` the SHA-256, `start` the size of the byte order mark.
    `plain`: PostgreSQL and Python agree on every cell of it. `controls`: it has control characters.
    `guarded`: it has apostrophes, and so perhaps cells that an export has guarded with one.
    """

    path: Path
    size: int
    modified: int
    digest: str
    encoding: str
    start: int
    header: tuple[str, ...]
    plain: bool
    controls: bool
    guarded: bool

    def rows_of_text(self) -> io.TextIOWrapper:
        """The file as text, from its first line on; the caller closes it."""
        stream = self.path.open("rb")
        stream.seek(self.start)
        return io.TextIOWrapper(stream, encoding=self.encoding, newline="")

    def chunks(self) -> Iterator[bytes]:
        """The file as bytes, without the byte order mark."""
        return _chunks(self.path, self.start)

    def check_unchanged(self) -> None:
        """Raises UnusableFile if somebody wrote to the file since we looked at it."""
        now = self.path.stat()
        if (now.st_size, now.st_mtime_ns) != (self.size, self.modified):
            raise UnusableFile(
                _("文件 %(path)s 在读取时被改动了。") % {"path": self.path},
                hint=_("请等它写完后再导入。"),
            )


def look_at(path: Path) -> TableFile:
    """Read the file once and say what it is. Raises UnusableFile: what is wrong, why, and what to do."""
    try:
        return _table(path)
    except OSError as error:
        raise UnusableFile(
            _("读不了文件 %(path)s：%(why)s。") % {"path": path, "why": error.strerror or error},
            hint=_("请核对路径和读取权限。"),
        ) from error


def _table(path: Path) -> TableFile:
    if not path.is_file() and path.exists():
        raise UnusableFile(_("%(path)s 不是普通文件。") % {"path": path}, hint=_("请先存成 CSV 文件。"))
    with path.open("rb") as stream:
        head = stream.read(4)
    _refuse_foreign(path, head)
    start = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    modified, seen = path.stat().st_mtime_ns, _Seen()
    for chunk in _chunks(path):
        seen.take(chunk)
    if seen.cut or (start and not seen.decodes):
        raise UnusableFile(
            _("%(path)s 不是完整的 UTF-8 文件，可能没有下载或保存完。") % {"path": path},
            hint=_("请重新导出或下载，再导入。"),
        )
    encoding = UTF8 if seen.decodes else _other_encoding(path)
    header = _header(path, start, encoding)
    plain = seen.plain and len(header) > 1
    return TableFile(
        path=path,
        size=seen.size,
        modified=modified,
        digest=seen.digest.hexdigest(),
        encoding=encoding,
        start=start,
        header=header,
        plain=plain,
        controls=seen.controls,
        guarded=seen.guarded,
    )


def _refuse_foreign(path: Path, head: bytes) -> None:
    for magic, kind in FOREIGN.items():
        if head.startswith(magic):
            raise UnusableFile(
                _("%(path)s 是 %(kind)s 文件，不是 CSV。") % {"path": path, "kind": kind},
                hint=_("请在表格软件里“另存为 CSV (UTF-8)”，再导入那个文件。"),
            )
    if not head:
        raise UnusableFile(_("%(path)s 是空文件。") % {"path": path}, hint=_("请确认导出已经完成，再导入。"))


def _chunks(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as stream:
        stream.seek(start)
        while chunk := stream.read(CHUNK):
            yield chunk


class _Seen:
    """What the bytes so far have shown."""

    def __init__(self) -> None:
        self.size, self.digest = 0, hashlib.sha256()
        self.controls, self.guarded = False, False
        self.decodes, self._quoted = True, False
        self._returns = self._lines = 0
        self._decoder = codecs.getincrementaldecoder(UTF8)()
        self._last = b"\n"

    @property
    def plain(self) -> bool:
        """Without quotes a record is a line and a cell is what stands between two commas.

        Control characters go the careful way because of NUL, which PostgreSQL does not take; so does
        a lone carriage return, and the backslash and full stop that end a COPY in older versions.
        """
        return not (self._quoted or self.controls) and self._returns in (0, self._lines)

    @property
    def cut(self) -> bool:
        """At the end of the file: it is UTF-8 up to a last character that is not whole."""
        return self.decodes and self._decoder.getstate()[0] != b""

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)
        self._decode(chunk)
        self._returns += chunk.count(b"\r")
        self._lines += chunk.count(b"\n")
        slash = b"\\" in chunk or b"\\" in self._last
        self._quoted = self._quoted or b'"' in chunk or (slash and END in self._last + chunk)
        self.controls = self.controls or len(chunk.translate(None, CONTROLS)) != len(chunk)
        self.guarded = self.guarded or b"'" in chunk
        self._last = chunk[-2:]

    def _decode(self, chunk: bytes) -> None:
        try:
            if self.decodes and not (chunk.isascii() and self._decoder.getstate()[0] == b""):
                self._decoder.decode(chunk)
        except UnicodeDecodeError:
            self.decodes = False


def _other_encoding(path: Path) -> str:
    """GB18030, as spreadsheets in China write it, if the bytes can be that."""
    decoder, lines = codecs.getincrementaldecoder(GB18030)(), 1
    for chunk in _chunks(path):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            lines += chunk[: error.start].count(b"\n")
            raise UnusableFile(
                _("%(path)s 第 %(line)d 行的文字既不是 UTF-8，也不是 GB18030。")
                % {"path": path, "line": lines},
                hint=_("请在表格软件里“另存为 CSV (UTF-8)”，再导入那个文件。"),
            ) from None
        lines += chunk.count(b"\n")
    return GB18030


def _header(path: Path, start: int, encoding: str) -> tuple[str, ...]:
    with path.open("rb") as stream:
        stream.seek(start)
        text = io.TextIOWrapper(stream, encoding=encoding, newline="")
        try:
            names = [name.strip() for name in next(csv.reader(text, strict=True), [])]
        except (csv.Error, UnicodeDecodeError) as error:
            raise _no_header(path, str(error)) from error
    if not any(names):
        raise _no_header(path, _("第一行是空的"))
    if len(names) > WIDEST:
        raise _no_header(path, _("有 %(n)d 列，最多 %(most)d 列") % {"n": len(names), "most": WIDEST})
    if "\x00" in "".join(names):
        raise _no_header(path, _("第一行里有空字符 (NUL)"))
    return tuple(names)


def _no_header(path: Path, why: str) -> UnusableFile:
    return UnusableFile(
        _("%(path)s 的第一行不是 CSV 表头：%(why)s。") % {"path": path, "why": why},
        hint=_("请确认文件是逗号分隔的 CSV，第一行是列名。"),
    )


def separator_hint(header: Sequence[str]) -> str:
    """A word about a file whose columns are separated by something else than a comma."""
    if len(header) == 1 and any(mark in header[0] for mark in ";\t|"):
        return _("这个文件似乎不是用逗号分隔的，请另存为逗号分隔的 CSV。")
    return ""
