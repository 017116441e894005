"""Mandates on the console: granted, seen in use, revoked."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guanjia.lines.actions.mandates import grant_mandate, revoke_mandate, use_mandate
from guanjia.lines.models import Mandate, MandatePeriod
from guanjia.lines.models.line import Silence
from guanjia.people.models import Team

LIST = "/console/group-buying/mandates/"
TYPED = {
    "holder": "lin",
    "service": "session",
    "per_use": "200",
    "per_period": "1,000.50",
    "uses": "5",
    "period": "week",
    "silence": "consent",
    "until": "2027-03-31",
}


def grant(house, **changes):
    about = {
        "actor": house.cast.otto,
        "line": house.line,
        "service": None,
        "holder": house.cast.lin,
        "amount_per_use": 20_000,
        "amount_per_period": 40_000,
        "uses_per_period": 5,
        "period": MandatePeriod.MONTH,
        "silence": Silence.REFUSAL,
        "now": house.now,
    }
    return grant_mandate(**about | changes)


def use(house, mandate, amount=5_000):
    about = {"actor": house.cast.lin, "item": uuid4(), "merchant_id": house.cast.mira_shop.pk}
    assert use_mandate(mandate=mandate, amount=amount, now=house.now, **about)


def test_a_mandate_is_granted_to_a_person(house, otto):
    answer = otto.post(f"{LIST}new/", TYPED)
    assert (answer.status_code, answer["location"]) == (303, LIST)
    mandate = Mandate.objects.get()
    assert (mandate.person, mandate.service) == (house.cast.lin, house.service)
    assert mandate.granted_by == house.cast.otto
    assert (mandate.amount_per_use, mandate.amount_per_period, mandate.period) == (20_000, 100_050, "week")
    assert mandate.during.upper.isoformat() == "2027-03-31T16:00:00+00:00"  # midnight in Shanghai


@pytest.mark.parametrize("kind", ["team", "pool"])
def test_and_to_a_team_or_a_pool_for_all_services(house, otto, kind):
    Team.objects.create(code="wanda", name="万达专班", lead=house.cast.wei)
    name = {"team": "team:wanda", "pool": f"pool:{house.cast.pool.code}"}[kind]
    assert otto.post(f"{LIST}new/", TYPED | {"holder": name, "service": "", "until": ""}).status_code == 303
    mandate = Mandate.objects.get()
    assert getattr(mandate, kind) is not None
    assert (mandate.service, mandate.during.upper) == (None, None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"holder": "nobody"}, "没有这个人、专班或共享池。"),
        ({"holder": "team:none"}, "没有这个人、专班或共享池。"),
        ({"per_use": "2000"}, "每期合计不能小于单次。"),
        ({"uses": "0"}, "1"),
        ({"until": "2020-01-01"}, "授权的到期时间已经过去。"),
        ({"service": "other"}, "other"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_kept(house, otto, unchanged, changes, says):
    otto.get(f"{LIST}new/")
    with unchanged():
        answer = otto.post(f"{LIST}new/", TYPED | changes)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert "1,000.50" in answer.content.decode()


def test_the_list_shows_what_is_used_of_the_period_that_runs(house, otto):
    mandate = grant(house)
    use(house, mandate)
    [look] = otto.get(LIST).context["mandates"]
    assert (look.used, look.uses, look.per_period, look.text) == (5_000, 1, 40_000, "生效中")
    revoke_mandate(actor=house.cast.otto, mandate=mandate, now=house.now)
    [look] = otto.get(LIST).context["mandates"]
    assert (look.text, look.live) == ("已收回", False)


def test_the_list_has_an_end_and_a_constant_number_of_statements(house, otto, monkeypatch):
    first = grant(house)
    with CaptureQueriesContext(connection) as one:
        otto.get(LIST)
    second, third = grant(house), grant(house, holder=house.cast.pool)
    with CaptureQueriesContext(connection) as three:
        otto.get(LIST)
    assert len(one) == len(three)
    monkeypatch.setattr("guanjia.doors.console.views.mandates.PAGE", 2)
    page = otto.get(LIST)
    assert ([look.pk for look in page.context["mandates"]], page.context["more"]) == (
        [third.pk, second.pk],
        second.pk,
    )
    older = otto.get(f"{LIST}?before={second.pk}")
    assert [look.pk for look in older.context["mandates"]] == [first.pk]
    assert otto.get(f"{LIST}?before=x").status_code == 200


def test_uses_are_listed_and_bounded(house, otto, monkeypatch):
    monkeypatch.setattr("guanjia.doors.console.queries.mandates.PAGE", 1)
    mandate = grant(house)
    use(house, mandate)
    use(house, mandate, 6_000)
    page = otto.get(f"{LIST}{mandate.pk}/")
    assert [one.amount for one in page.context["uses"]] == [6_000]
    older = otto.get(f"{LIST}{mandate.pk}/?before={page.context['more']}")
    assert [(one.amount, one.by) for one in older.context["uses"]] == [(5_000, "林晓 Lin")]


def test_revoking(house, otto):
    mandate = grant(house)
    answer = otto.post(f"{LIST}{mandate.pk}/revoke/")
    assert (answer.status_code, answer["location"]) == (303, LIST)
    mandate.refresh_from_db()
    assert mandate.revoked_at is not None
    assert "revoke" not in otto.get(f"{LIST}{mandate.pk}/").content.decode()


def test_another_lines_mandate_is_not_there_nor_anything_for_others(house, otto, client, unchanged):
    other = grant(house, line=house.cast.display)
    mine = grant(house)
    otto.get(LIST)
    with unchanged():
        assert otto.get(f"{LIST}{other.pk}/").status_code == 404
        assert otto.post(f"{LIST}{other.pk}/revoke/").status_code == 404
    client.force_login(house.cast.lin)
    with unchanged():
        assert client.post(f"{LIST}{mine.pk}/revoke/").status_code == 404
        assert client.post(f"{LIST}new/", TYPED).status_code == 404
