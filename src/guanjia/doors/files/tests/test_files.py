"""Files at the doors: sent with the boxes that people write in, and had by who may."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from guanjia.base.blobs import PIECE
from guanjia.cases.actions import open_case, say
from guanjia.cases.filing import Upload
from guanjia.cases.models import Attachment, Case, Message
from guanjia.demo.cast import make_cast

PDF = b"%PDF-1.7\n" + b"x" * 100


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def case(market):
    return open_case(actor=market.mira, merchant_ref="M-1042", need="备货", now=timezone.now())


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def pdf(name="报价.pdf", content=PDF):
    return SimpleUploadedFile(name, content, content_type="text/html")


def noted(market, case, internal):
    upload = Upload.of("报价 1.pdf", PDF)
    word = say(
        actor=market.lin, number=case.number, body="见附件", internal=internal, files=[upload],
        now=timezone.now(),
    )  # fmt: skip
    return word.files.get()


def test_a_merchant_sends_files_with_a_need_and_with_an_answer(market):
    client = browser(market.mira)
    client.post("/door/M-1042/", {"need": "备货", "files": [pdf(), pdf("b.pdf")]})
    case = Case.objects.get()
    assert [file.name for file in case.files.order_by("pk")] == ["报价.pdf", "b.pdf"]
    page = f"/door/M-1042/cases/{case.number}/"
    client.post(page, {"body": "再来一个", "files": [pdf("c.pdf")]})
    shown = client.get(page).content.decode()
    assert [name in shown for name in ("报价.pdf", "b.pdf", "c.pdf")] == [True] * 3


@pytest.mark.parametrize("box", ["reply", "note"])
def test_the_desk_sends_files_from_either_box(market, case, box):
    client = browser(market.lin)
    answer = client.post(f"/desk/cases/{case.number}/say/{box}", {"body": "见附件", "files": [pdf()]})
    assert answer.status_code == 303
    assert Attachment.objects.get(message__internal=box == "note")
    assert "报价.pdf" in client.get(f"/desk/cases/{case.number}/").content.decode()
    at_door = browser(market.mira).get(f"/door/M-1042/cases/{case.number}/").content.decode()
    assert ("报价.pdf" in at_door) is (box == "reply")


def test_a_file_comes_with_a_need_that_the_desk_files(market):
    answer = browser(market.lin).post("/desk/new", {"merchant": "M-1042", "need": "备货", "files": [pdf()]})
    assert answer.status_code == 303
    assert Attachment.objects.get().message is None


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("mira", "/door/M-1042/cases/{number}/"),
        ("lin", "/desk/cases/{number}/say/reply"),
        ("lin", "/desk/cases/{number}/say/note"),
    ],
)
def test_what_was_typed_stays_when_a_file_is_refused(market, case, name, path):
    bad = SimpleUploadedFile("工具.exe", b"MZ\x90\x00" + b"x" * 50)
    answer = browser(getattr(market, name)).post(
        path.format(number=case.number), {"body": "写了很久的话", "files": [pdf(), bad]}
    )
    said = answer.content.decode()
    assert answer.status_code == 422
    assert "工具.exe" in said
    assert "写了很久的话" in said
    assert not Attachment.objects.exists()
    assert not Message.objects.filter(body="写了很久的话").exists()


def test_a_file_too_large_to_be_read_is_named(market, settings):
    settings.FILE_MOST_BYTES, settings.FILES_MOST_BYTES = PIECE, 2 * PIECE
    large = pdf("大.pdf", b"%PDF-" + b"x" * (3 * PIECE))
    answer = browser(market.mira).post("/door/M-1042/", {"need": "备货", "files": [pdf(), large]})
    assert answer.status_code == 422
    assert "大.pdf" in answer.content.decode()
    assert not Case.objects.exists()


def test_a_download_is_a_download_and_nothing_else(market, case):
    file = noted(market, case, internal=False)
    answer = browser(market.mira).get(f"/files/{file.pk}/")
    assert answer.content == PDF
    headers = {name: answer.headers[name] for name in ("Content-Type", "X-Content-Type-Options")}
    assert headers == {"Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff"}
    name = "attachment; filename*=UTF-8''%E6%8A%A5%E4%BB%B7%201.pdf"
    assert answer.headers["Content-Disposition"] == name
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Cache-Control"] == "no-store, private"


def test_a_large_file_is_streamed(market, case):
    large = b"%PDF-" + bytes(range(256)) * (PIECE // 128)
    word = say(
        actor=market.lin, number=case.number, body="x", files=[Upload.of("a.pdf", large)], now=timezone.now()
    )
    answer = browser(market.mira).get(f"/files/{word.files.get().pk}/")
    assert b"".join(answer.streaming_content) == large
    assert answer.headers["Content-Length"] == str(len(large))


@pytest.mark.parametrize("internal", [True, False])
@pytest.mark.parametrize("name", ["mira", "mo", "lin", "wei", "otto"])
def test_who_may_not_read_the_word_has_no_file(market, case, name, internal):
    file = noted(market, case, internal)
    client = browser(getattr(market, name))
    may = name in ("lin", "wei") or (name == "mira" and not internal)
    answer = client.get(f"/files/{file.pk}/")
    assert answer.status_code == (200 if may else 404)
    listed = client.get(f"/files/of/{case.number}/")
    assert listed.status_code == (404 if name in ("mo", "otto") else 200)
    assert ("报价 1.pdf" in listed.content.decode()) is may


def test_a_stranger_is_sent_to_sign_in(market, case):
    file = noted(market, case, internal=False)
    assert Client().get(f"/files/{file.pk}/").status_code == 302


def test_the_owner_erases_a_file_for_good(market, case):
    file = noted(market, case, internal=False)
    client = browser(market.mira)
    assert client.post(f"/files/{file.pk}/erase").status_code == 303
    assert client.get(f"/files/{file.pk}/").status_code == 404
    shown = client.get(f"/files/of/{case.number}/").content.decode()
    assert "报价" not in shown
    assert "文件已删除" in shown


def test_a_list_of_files_costs_the_same_however_long(market, case, django_assert_num_queries):
    client = browser(market.lin)
    noted(market, case, internal=True)
    client.get(f"/files/of/{case.number}/")
    with django_assert_num_queries(7) as one:
        client.get(f"/files/of/{case.number}/")
    noted(market, case, internal=True)
    noted(market, case, internal=False)
    with django_assert_num_queries(len(one)):
        client.get(f"/files/of/{case.number}/")
