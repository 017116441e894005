import json

import pytest
from django.utils import timezone

from guanjia.cli.exits import Exit
from guanjia.cli.main import run
from guanjia.demo.cast import make_cast
from guanjia.packages.links import package_link
from guanjia.packages.tests import stories


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    monkeypatch.setenv("GUANJIA_LANGUAGE", "en")


@pytest.fixture
def package(db):
    now = timezone.now()
    return stories.refused(make_cast(now), now)


def test_show_tells_state_items_reasons_and_history(package, capsys):
    assert run(["package", "show", package.number]) == Exit.OK
    said = capsys.readouterr().out
    for words in (
        f"{package.number}  Not done; everything given back",
        "M-1042 云栖女装",
        "1. Display slots › Home page banner  Refused",
        "That day is full",
        "Composed the package; number of items: 2.",
        package_link(package),
    ):
        assert words in said


def test_show_speaks_chinese(package, capsys):
    assert run(["--lang", "zh-Hans", "package", "show", package.number]) == Exit.OK
    assert "没有办成，已全部撤回" in capsys.readouterr().out


def test_show_as_json_is_one_document(package, capsys):
    assert run(["package", "show", package.number, "--json"]) == Exit.OK
    seen = json.loads(capsys.readouterr().out)
    assert (seen["number"], seen["state"]) == (package.number, "released")
    assert [item["state"] for item in seen["items"]] == ["refused", "released"]
    assert seen["history"][-1]["text"] == "Composed the package; number of items: 2."
    assert seen["link"] == package_link(package)


def test_list_shows_a_merchants_packages(package, capsys):
    assert run(["package", "list", "--merchant", "M-1042", "--json"]) == Exit.OK
    assert [line["number"] for line in json.loads(capsys.readouterr().out)] == [package.number]
    assert run(["package", "list", "--merchant", "M-2077"]) == Exit.OK
    assert capsys.readouterr().out.strip() == "This merchant has no package yet."


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "PK-2026-999999"], "There is no package PK-2026-999999."),
        (["list", "--merchant", "M-9"], "There is no merchant “M-9”."),
    ],
)
def test_what_is_not_there_is_refused(db, capsys, unchanged, arguments, words):
    with unchanged():
        assert run(["package", *arguments]) == Exit.REFUSED
    assert words in capsys.readouterr().err
    assert run(["package", *arguments, "--json"]) == Exit.REFUSED
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "not_found"


def test_list_needs_a_merchant(capsys):
    assert run(["package", "list"]) == Exit.USAGE
    assert "--merchant" in capsys.readouterr().err
