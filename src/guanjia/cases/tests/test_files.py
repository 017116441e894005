"""Files on a case: all or none, as internal as their message, gone when erased."""

import pytest
from django.db import connection

from guanjia.base.blobs import PIECE, pieces
from guanjia.base.errors import Forbidden, Missing
from guanjia.base.idempotency import KeyReused
from guanjia.base.models import Piece
from guanjia.cases.actions import open_case, say
from guanjia.cases.actions.files import erase_file
from guanjia.cases.filing import FileRefused, Upload, access_file, sort_out
from guanjia.cases.models import Attachment, Case, Message
from guanjia.ledger.models import Event

PDF = b"%PDF-1.7\n" + b"x" * 100
EXE = b"MZ\x90\x00" + b"x" * 100


@pytest.fixture
def case(cast, noon):
    return open_case(actor=cast.mira, merchant_ref="M-1042", need="备货", now=noon)


def said(cast, noon, case, *files, **more):
    return say(actor=cast.lin, number=case.number, body="见附件", files=files, now=noon, **more)


def content_of(file):
    return b"".join(pieces(file.blob))


def test_a_file_comes_with_its_word(cast, noon, case):
    large = b"%PDF-" + bytes(range(256)) * (PIECE // 128)
    message = said(cast, noon, case, Upload.of("../报价.exe.pdf", PDF), Upload.of("b.pdf", large))
    first, second = message.files.order_by("pk")
    assert (first.name, first.media_type, first.size) == ("报价.exe.pdf", "application/pdf", len(PDF))
    assert (content_of(first), content_of(second)) == (PDF, large)
    events = Event.objects.filter(kind="cases.file_added").order_by("pk")
    assert [event.payload["file"] for event in events] == [first.pk, second.pk]
    assert "报价" not in str([event.payload for event in events])


def test_a_file_comes_with_the_need_once(cast, noon):
    asked = {"actor": cast.mira, "merchant_ref": "M-1042", "need": "备货", "now": noon}
    one = open_case(**asked, files=[Upload.of("a.pdf", PDF)], idempotency_key="k")
    again = open_case(**asked, files=[Upload.of("a.pdf", PDF)], idempotency_key="k")
    assert one.pk == again.pk
    assert [file.message for file in one.files.all()] == [None]
    with pytest.raises(KeyReused):
        open_case(**asked, files=[Upload.of("b.pdf", PDF)], idempotency_key="k")


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([Upload.of("a.pdf", PDF), Upload.of("工具.pdf", EXE)], "工具.pdf"),
        ([Upload.of("空.txt", b"")], "空.txt"),
        ([Upload.of("大.txt", b"x" * 2000)], "大.txt"),
        ([Upload.of(f"{n}.txt", b"x" * 900) for n in range(4)], "一共超过"),
        ([Upload.of(f"{n}.txt", b"x") for n in range(11)], "最多 10 个"),
        ([Upload.of("页.pdf", b"<html><script>")], "text/html"),
    ],
)
def test_a_file_that_is_refused_is_named_and_nothing_is_said(
    cast, noon, case, unchanged, settings, files, words
):
    settings.FILE_MOST_BYTES, settings.FILES_MOST_BYTES = 1000, 3000
    with unchanged(), pytest.raises(FileRefused, match=words):
        said(cast, noon, case, *files)
    with unchanged(), pytest.raises(FileRefused, match=words):
        open_case(actor=cast.mira, merchant_ref="M-1042", need="备货", files=files, now=noon)


def test_of_what_cannot_be_sent_again_the_good_is_kept(settings):
    settings.FILE_MOST_BYTES, settings.FILES_MOST_BYTES = 1000, 1500
    files = [Upload.of(name, content) for name, content in (("a", b"x" * 900), ("b", EXE), ("c", b"x" * 800))]
    good, bad = sort_out([*files, Upload.of("d", b"x" * 500)])
    assert ([one.name for one in good], [one.name for one in bad]) == (["a", "d"], ["b", "c"])


@pytest.mark.parametrize(
    ("name", "of_public", "of_note"),
    [
        ("mira", True, False),
        ("mo", False, False),
        ("lin", True, True),
        ("wei", True, True),
        ("otto", False, False),
    ],
)
def test_a_file_is_had_by_who_may_read_its_message(cast, noon, case, name, of_public, of_note):
    public = said(cast, noon, case, Upload.of("a.pdf", PDF)).files.get()
    note = said(cast, noon, case, Upload.of("b.pdf", PDF), internal=True).files.get()
    for file, allowed in ((public, of_public), (note, of_note)):
        if allowed:
            assert access_file(actor=getattr(cast, name), file=file.pk, now=noon) == file
        else:
            with pytest.raises(Missing):
                access_file(actor=getattr(cast, name), file=file.pk, now=noon)


def test_an_erased_file_leaves_that_it_was_there(cast, noon, case):
    file = said(cast, noon, case, Upload.of("身份证.pdf", PDF)).files.get()
    erase_file(actor=cast.mira, file=file.pk, now=noon)  # the owner: it is her affair
    erase_file(actor=cast.mira, file=file.pk, now=noon)
    file.refresh_from_db()
    assert (file.name, file.digest, file.blob, file.erased_at) == ("", None, None, noon)
    assert not Piece.objects.exists()
    assert Event.objects.filter(kind="cases.file_erased").count() == 1


def test_only_some_may_erase_what_others_sent(cast, noon, case, unchanged):
    message = say(actor=cast.mira, number=case.number, body="看", files=[Upload.of("a.pdf", PDF)], now=noon)
    with unchanged(), pytest.raises(Forbidden):
        erase_file(actor=cast.lin, file=message.files.get().pk, now=noon)
    with unchanged(), pytest.raises(Missing):
        erase_file(actor=cast.mo, file=message.files.get().pk, now=noon)
    erase_file(actor=cast.wei, file=message.files.get().pk, now=noon)


def test_a_file_goes_with_its_message_and_leaves_nothing(cast, noon, case):
    other = open_case(actor=cast.mira, merchant_ref="M-1042", need="另一件", now=noon)
    message = said(cast, noon, case, Upload.of("a.pdf", PDF))
    Message.objects.filter(pk=message.pk).update(case=other)
    assert Attachment.objects.get().case_id == other.pk
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_attachment")
    assert not Piece.objects.exists()
    assert Case.objects.count() == 2
