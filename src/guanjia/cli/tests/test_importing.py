"""`guanjia import` and `guanjia export`, as an operator meets them."""

import io
import json

import pytest
from django.utils import translation

from guanjia.base.actors import SYSTEM
from guanjia.cli.exits import Exit
from guanjia.cli.importing import Bar, printable
from guanjia.cli.main import run
from guanjia.coverage.queries import accountable_for
from guanjia.merchants.actions import set_facts
from guanjia.merchants.models import Merchant

MERCHANTS = "ref,name,fact.city\nA,青瓷,杭州\nM-1042,云栖女装,\n"


@pytest.fixture
def say(cast, capsys, monkeypatch):
    """`say("import", …)` runs a command; returns exit code, stdout, stderr."""
    monkeypatch.delenv("GUANJIA_LANGUAGE", raising=False)

    def command(*arguments):
        with translation.override(None):
            code = run([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return command


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(MERCHANTS, "utf-8")
    return path


def test_without_apply_one_sees_what_would_happen(say, file, unchanged):
    with unchanged():
        code, out, err = say("import", "merchants", file)
    assert (code, err) == (Exit.OK, "")
    assert out.splitlines() == [
        f"文件 {file}（utf-8）",
        "对应 ref=ref  name=name  fact.city=fact.city",
        "共 2 行：新增 1，更新 0，不变 1，有问题 0",
        "新的信息项 city",
        "这是预演，没有改动任何内容；加上 --apply 才会导入。",
    ]


def test_apply_imports_and_says_so_to_programs(say, file, unchanged):
    code, out, err = say("import", "merchants", file, "--apply", "--json")
    told = json.loads(out)
    assert (code, err) == (Exit.OK, "")
    assert {key: told[key] for key in ("applied", "rows", "new", "changed", "unchanged", "bad")} == {
        "applied": True,
        "rows": 2,
        "new": 1,
        "changed": 0,
        "unchanged": 1,
        "bad": 0,
    }
    assert Merchant.objects.get(ref="A").home_pool.code == "commons"
    with unchanged():
        assert json.loads(say("import", "merchants", file, "--apply", "--json")[1])["unchanged"] == 2


def test_new_merchants_come_home_to_the_pool_that_is_named(say, file, cast):
    assert say("import", "merchants", file, "--pool", cast.pool.code, "--apply")[0] == Exit.OK
    assert Merchant.objects.get(ref="A").home_pool == cast.pool


def test_a_pool_that_is_not_there_is_refused(say, file, unchanged):
    with unchanged():
        code, _out, err = say("import", "merchants", file, "--pool", "nowhere", "--apply")
    assert code == Exit.REFUSED
    assert "nowhere" in err
    assert "home" in err


def test_bad_rows_are_listed_and_refuse_the_import(say, file, unchanged):
    file.write_text("ref,name\nA,b\nA,c\n" + ",d\n" * 30)
    with unchanged():
        code, out, _err = say("import", "merchants", file, "--apply")
    assert code == Exit.REFUSED
    lines = out.splitlines()
    assert lines[2:5] == [
        "共 32 行：新增 1，更新 0，不变 0，有问题 31",
        "  第 3 行：商家 A 在第 2 行已经有了",
        "  第 4 行：“ref”是空的",
    ]
    assert lines[-2] == "  ……只列出前 20 行"
    assert "没有改动任何内容" in lines[-1]
    assert say("import", "merchants", file, "--apply", "--skip-bad-rows")[0] == Exit.OK
    assert Merchant.objects.filter(ref="A").exists()


def test_what_is_no_csv_is_refused_in_words(say, file, unchanged):
    for content in (b"", b"PK\x03\x04", b"a;b\n1;2\n"):
        file.write_bytes(content)
        with unchanged():
            code, out, err = say("import", "merchants", file, "--apply")
        assert (code, out) == (Exit.REFUSED, "")
        assert err.startswith("✗ ")
        assert "→" in err


def test_what_a_file_says_cannot_move_the_cursor(say, file):
    file.write_text('ref,"na\x1b[2Jme"\nA,b\nA,c\n')
    assert printable("a\x1b[2J\nb‮c") == "a·[2J·b·c"
    assert "\x1b" not in say("import", "merchants", file)[1]


def test_responsibilities_are_imported(say, file, cast, noon):
    file.write_text("shop,am,from\nM-2077,lin,1/2/2026\nNEW,nan,1/2/2026\n")
    maps = ["--map", "merchant=shop", "--map", "person=am", "--map", "since=from"]
    more = ["--date-format", "%d/%m/%Y", "--time-zone", "UTC"]
    code, out, _err = say("import", "responsibilities", file, *maps, *more)
    assert code == Exit.OK
    assert out.splitlines()[2:] == [
        "共 2 行：新增 2，更新 0，不变 0，有问题 0",
        "日期格式 %d/%m/%Y，时区 UTC",
        "还会登记 1 个人和 1 家还没有的商家",
        "这是预演，没有改动任何内容；加上 --apply 才会导入。",
    ]
    assert accountable_for(cast.mo_shop, at=noon).pool == cast.pool
    assert say("import", "responsibilities", file, *maps, *more, "--apply")[0] == Exit.OK
    assert accountable_for(cast.mo_shop, at=noon).person == cast.lin


def test_an_export_can_be_imported_again(say, tmp_path, cast, file, noon, unchanged):
    say("import", "merchants", file, "--apply")
    merchant = Merchant.objects.get(ref="A")
    set_facts(actor=SYSTEM, merchant=merchant, facts={"city": "=1+1"}, now=noon)
    for what in ("merchants", "responsibilities"):
        out = tmp_path / f"{what}.csv"
        assert say("export", what, "-o", out) == (Exit.OK, "", "")
        assert out.read_text("utf-8") == say("export", what)[1]
        with unchanged():
            told = json.loads(say("import", what, out, "--apply", "--json")[1])
        assert (told["new"], told["changed"], told["bad"]) == (0, 0, 0)
        assert told["unchanged"] == told["rows"] > 0
    assert "\nA,青瓷,commons,'=1+1\n" in (tmp_path / "merchants.csv").read_text("utf-8")


def test_an_export_as_json_is_one_document(say, cast, noon):
    told = json.loads(say("export", "merchants", "--format", "json")[1])
    assert told == [
        {"ref": "M-1042", "name": "云栖女装", "home_pool": "home"},
        {"ref": "M-2077", "name": "墨白文具", "home_pool": "home"},
    ]
    [told] = json.loads(say("export", "responsibilities", "--format", "json")[1])
    assert told == {
        "merchant": "M-1042",
        "role": "account_manager",
        "person": "lin",
        "since": noon.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def test_an_export_that_cannot_be_written_leaves_no_half_file(say, tmp_path):
    code, _out, err = say("export", "merchants", "-o", tmp_path / "missing" / "file.csv")
    assert code == Exit.REFUSED
    assert "file.csv" in err
    (tmp_path / "file.csv").mkdir()
    assert say("export", "merchants", "-o", tmp_path / "file.csv")[0] == Exit.REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_is_for_people_who_wait(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("guanjia.cli.importing.time.monotonic", lambda: now[0])
    for stream, shown in ((Terminal(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        now[0] = 0.0
        with Bar() as bar:
            bar("stage", 1, 4)
            assert stream.getvalue() == ""
            now[0] = 2.5
            bar("stage", 2, 4)
            bar("stage", 4, 4)
            bar("check", 0, 0)
            bar("write", 1, 2)
        assert ("50%" in stream.getvalue()) == shown
