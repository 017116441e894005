"""What a file is, before anything of it is believed; and its records, with their lines."""

import hashlib

import pytest
from django.utils import translation

from guanjia.merchants.importing.files import UnusableFile, look_at
from guanjia.merchants.importing.findings import SHOWN, BadRow, BadRows
from guanjia.merchants.importing.mapping import MERCHANTS, BadMapping, read_mapping
from guanjia.merchants.importing.records import BATCH, records

pytestmark = pytest.mark.usefixtures("_chinese")


@pytest.fixture
def _chinese():
    """Texts are asserted in the source language, whatever ran before."""
    with translation.override("zh-hans"):
        yield


@pytest.fixture
def file(tmp_path):
    def write(content, name="merchants.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def read(path):
    bad = BadRows()
    found = [(line, row) for batch in records(look_at(path), bad) for line, row in zip(*batch, strict=True)]
    return found, [(row.line, row.reason) for row in bad.first]


def test_a_plain_file_needs_no_reading_by_us(file):
    table = look_at(file("ref,name\nA,青瓷\n"))
    assert (table.header, table.encoding, table.start, table.plain) == (("ref", "name"), "utf-8", 0, True)
    assert table.digest == hashlib.sha256("ref,name\nA,青瓷\n".encode()).hexdigest()


def test_a_byte_order_mark_is_no_part_of_the_first_column(file):
    table = look_at(file(b"\xef\xbb\xbfref,name\nA,b\n"))
    assert (table.header, table.start) == (("ref", "name"), 3)
    assert b"".join(table.chunks()) == b"ref,name\nA,b\n"


def test_chinese_of_a_spreadsheet_is_recognised(file):
    path = file("编号,名称\nA,云栖女装𠮷\n".encode("gb18030"))
    table = look_at(path)
    assert (table.encoding, table.header) == ("gb18030", ("编号", "名称"))
    assert read(path)[0] == [(2, ["A", "云栖女装𠮷"])]


@pytest.mark.parametrize(
    "content",
    [
        'ref,name\n"A",b\n',
        "ref,name\nA,b\x00\n",
        "ref,name\nA\tB,b\n",
        "ref,name\r\nA,b\nB,c\r\n",
        "ref\nA\n",
    ],
    ids=["quotes", "NUL", "tab", "mixed line ends", "one column"],
)
def test_what_postgres_could_read_otherwise_is_not_plain(file, content):
    assert not look_at(file(content)).plain


def test_the_end_mark_of_copy_is_not_plain_wherever_a_chunk_ends(file, monkeypatch):
    monkeypatch.setattr("guanjia.merchants.importing.files.CHUNK", 11)
    for padding in range(12):
        assert not look_at(file(f"ref,name\n{'x' * padding},b\n\\.\nA,b\n")).plain


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "空文件"),
        (b"PK\x03\x04rest", "Excel"),
        ("ref,name\n".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"ref,name\nA,\xff\xff\n", "第 2 行的文字既不是 UTF-8，也不是 GB18030"),
        (b"ref,name\nA,\xe4\xba", "不是完整的 UTF-8 文件"),
        (b"\xef\xbb\xbfref,name\nA,\xc4\xe3\n", "不是完整的 UTF-8 文件"),
        (b"\n\n", "第一行是空的"),
        (b'"ref,name\nA,b\n', "第一行不是 CSV 表头"),
        (b"ref,na\x00me\nA,b\n", "NUL"),
        (",".join(f"c{i}" for i in range(501)).encode(), "501 列"),
    ],
    ids=[
        "empty",
        "xlsx",
        "utf-16",
        "gzip",
        "latin",
        "cut",
        "broken",
        "blank",
        "open quote",
        "nul",
        "too wide",
    ],
)
def test_what_is_no_csv_is_refused_with_what_to_do(file, content, what):
    with pytest.raises(UnusableFile, match=what) as refusal:
        look_at(file(content))
    assert refusal.value.hint


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    with pytest.raises(UnusableFile, match=r"missing\.csv"):
        look_at(tmp_path / "missing.csv")
    with pytest.raises(UnusableFile, match="不是普通文件"):
        look_at(tmp_path)


def test_a_file_that_changes_under_us_is_refused(file):
    path = file("ref,name\nA,b\n")
    table = look_at(path)
    path.write_text("ref,name\nA,bb\n")
    with pytest.raises(UnusableFile, match="被改动"):
        table.check_unchanged()


def test_records_know_the_line_they_begin_on(file):
    content = 'ref,"na\nme"\nA,b\n\n"B\r\n\n2",c\n\nC,d'
    assert read(file(content)) == ([(3, ["A", "b"]), (5, ["B\r\n\n2", "c"]), (9, ["C", "d"])], [])


def test_lines_stay_right_across_batches(file):
    content = "ref,name\n" + 'A,"x\ny"\n' + "B,c\n" * (2 * BATCH) + 'C,"d"\n'
    found, bad = read(file(content))
    assert (found[0][0], found[1][0], found[-1]) == (2, 4, (2 * BATCH + 4, ["C", "d"]))
    assert bad == []


def test_every_record_that_cannot_be_read_is_named(file):
    content = 'ref,name\nA\nB,c,d\n"E"e,f\nG,"h\ni\nJ,k\n'
    found, bad = read(file(content))
    assert found == []
    assert bad == [
        (2, "有 1 列，表头有 2 列"),
        (3, "有 3 列，表头有 2 列"),
        (4, "这一行读不成一条记录：',' expected after '\"'"),
        (5, "从这一行到第 7 行读不成一条记录，多半是引号没有成对：unexpected end of data"),
    ]


def test_a_cell_with_nul_and_a_cell_without_end_do_not_stop_the_reading(file):
    content = 'ref,name\nA,b\x00\nB,"' + "x" * 200_000 + '"\nC,d\n'
    found, bad = read(file(content))
    assert found == [(4, ["C", "d"])]
    assert bad == [
        (2, "有空字符 (NUL)"),
        (3, "这一行读不成一条记录：field larger than field limit (131072)"),
    ]


def test_bad_rows_are_counted_all_and_shown_to_a_bound():
    bad = BadRows()
    bad.add([BadRow(line, "x") for line in range(1000, 2000)])
    bad.add([BadRow(3, "y")], total=7)
    assert (bad.total, len(bad.first), bad.first[0]) == (1007, SHOWN, BadRow(3, "y"))


OLIST = ("seller_id", "seller_zip_code_prefix", "seller_city", "seller_state")


def test_a_known_header_needs_no_mapping():
    assert read_mapping(OLIST, [], MERCHANTS).texts() == (
        "ref=seller_id",
        "fact.zip=seller_zip_code_prefix",
        "fact.city=seller_city",
        "fact.state=seller_state",
    )


def test_a_told_mapping_replaces_the_guess_but_for_what_is_needed():
    columns = read_mapping(OLIST, ["fact.town=seller_city"], MERCHANTS)
    assert columns.texts() == ("ref=seller_id", "fact.town=seller_city")
    assert columns.facts() == {"town": 2}


@pytest.mark.parametrize(
    ("header", "told", "what"),
    [
        (("a", "b"), [], "不知道哪一列是 ref；文件里有这些列：a, b"),
        (("ref", "b"), ["name=c"], "没有名为“c”的列"),
        (("ref", "b", "b"), ["name=b"], "有 2 列都叫“b”"),
        (("ref", "b"), ["name=b", "name=ref"], "写了两次"),
        (("ref", "b"), ["colour=b"], "看不懂 --map colour=b"),
        (("ref", "b"), ["name"], "看不懂 --map name"),
        (("ref", "b"), ["fact.a b=b"], "看不懂"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(header, told, what):
    with pytest.raises(BadMapping, match=what) as refusal:
        read_mapping(header, told, MERCHANTS)
    assert refusal.value.hint


def test_another_separator_is_recognised():
    with pytest.raises(BadMapping) as refusal:
        read_mapping(("ref;name;city",), [], MERCHANTS)
    assert "逗号" in refusal.value.hint
