import json
from urllib.parse import urlsplit

import pytest

from guanjia.cli.exits import Exit
from guanjia.cli.main import run
from guanjia.people.models import RoleGrant, User

NEW = [
    "person",
    "add",
    "rui",
    "--name",
    "瑞 Rui",
    "--role",
    "service_lead",
    "--role",
    "account_manager",
    "--json",
]


@pytest.fixture(autouse=True)
def _english(monkeypatch, db):
    monkeypatch.setenv("GUANJIA_LANGUAGE", "en")


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_new_person_gets_roles_and_a_link_that_lets_them_in(capsys, client):
    assert run(NEW) == Exit.OK
    said = told(capsys)
    rui = User.objects.get(username=said["username"])
    assert (rui.name, rui.has_usable_password()) == ("瑞 Rui", False)
    assert set(RoleGrant.objects.filter(user=rui).values_list("role", flat=True)) == {
        "service_lead",
        "account_manager",
    }
    assert client.get(urlsplit(said["link"]).path, follow=True).status_code == 200


def test_a_name_is_given_once_and_a_refusal_leaves_nothing(capsys, unchanged):
    run(NEW)
    with unchanged():
        assert run(NEW[:-1]) == Exit.REFUSED
    assert "already" in capsys.readouterr().err


def test_somebody_without_a_password_gets_a_new_link(capsys, unchanged):
    run(NEW)
    first = told(capsys)["link"]
    assert run(["person", "link", "rui", "--json"]) == Exit.OK
    assert urlsplit(told(capsys)["link"]).path.rpartition("/")[0] == urlsplit(first).path.rpartition("/")[0]
    with unchanged():
        assert run(["person", "link", "nobody"]) == Exit.REFUSED
    assert "nobody" in capsys.readouterr().err
