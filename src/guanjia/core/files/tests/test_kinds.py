"""What a file is, whatever it is called."""

import io
import zipfile

import pytest

from guanjia.core.files import HEAD, kind_of

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return file.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 9, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (OLE + b"\x00" * 10, "application/x-ole-storage"),
        (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
        (b"#!/bin/sh\n", "text/x-script"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (archive("[Content_Types].xml", "word/document.xml"), "wordprocessingml.document"),
        (archive("_rels/.rels", "xl/workbook.xml"), "spreadsheetml.sheet"),
        (archive("[Content_Types].xml", "odd/part.xml"), "application/zip"),
        (archive("photo.jpg"), "application/zip"),
        (b"  <!-- hello -->\n<!DOCTYPE html>", "text/html"),
        (b"\xef\xbb\xbf<html>", "text/html"),
        (b'<?xml version="1.0"?><svg xmlns="x">', "image/svg+xml"),
        ("一行字".encode(), "text/plain"),
        ("一行字".encode("gb18030"), "text/plain"),
        (b"a,b\r\n1,2\r\n", "text/plain"),
        (b"", "text/plain"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"\xff\xff\xff\xff", "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_first_bytes_say(head, kind):
    assert kind_of(head).removeprefix("application/vnd.openxmlformats-officedocument.") == kind


def test_a_character_cut_at_the_end_of_what_is_looked_at_is_no_fault():
    assert kind_of("管".encode() * HEAD) == "text/plain"
