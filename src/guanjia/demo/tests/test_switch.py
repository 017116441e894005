"""Becoming one of the cast at one click: in the demo, and nowhere else."""

import pytest

TO_LIN = {"person": "lin"}


def test_outside_the_demo_there_is_no_such_page(cast, client, unchanged):
    with unchanged():
        assert client.post("/demo/person", TO_LIN).status_code == 404
    assert "demo" not in client.get("/sign-in").content.decode()


def test_in_the_demo_one_click_is_enough(cast, client, settings):
    settings.DEMO = True
    page = client.get("/sign-in", headers={"Accept-Language": "en"}).content.decode()
    assert "Demo: be somebody else" in page
    assert cast.lin.name in page
    assert client.post("/demo/person", TO_LIN).status_code == 303
    assert client.session["_auth_user_id"] == str(cast.lin.pk)
    client.post("/demo/person", {"person": "mira"})
    assert client.session["_auth_user_id"] == str(cast.mira.pk)


@pytest.mark.parametrize("person", ["", "nobody", "anna"])
def test_only_the_cast_is_offered(cast, client, settings, person):
    from guanjia.demo.cast import make_user

    settings.DEMO = True
    make_user("anna", "Anna")
    assert client.post("/demo/person", {"person": person}).status_code == 404
    assert client.get("/demo/person").status_code == 405
    assert "_auth_user_id" not in client.session
