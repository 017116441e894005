"""The notification centre, the settings, the addresses and the log, as people open them."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from guanjia.cases.actions import open_case, say
from guanjia.people.models import Preference
from guanjia.post.models import Delivery, Endpoint, Notice
from guanjia.post.queries import notices, unread_count
from guanjia.post.tests.receivers import receiving
from guanjia.post.tests.rounds import LOCAL, deliver_all, tell_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, noon):
    found = open_case(actor=cast.mira, merchant_ref="M-1042", need="双十一首页展示位", now=noon)
    tell_all(noon)
    return found


def inside(user):
    client = Client()
    client.force_login(user)
    return client


def heard(cast, noon, case, count):
    for n in range(count):
        say(actor=cast.mira, number=case.number, body=f"第 {n} 句", now=noon)
    tell_all(noon)


def text_of(answer):
    return html.unescape(answer.content.decode())


def test_the_bell_counts_and_the_page_lists_what_is_unread_first(cast, noon, case):
    heard(cast, noon, case, 2)
    page = text_of(inside(cast.lin).get("/news/"))
    assert "<b>3</b>" in page
    assert page.count('class="unread"') == 3
    assert page.index("第 1 句") < page.index("第 0 句")


def test_a_page_costs_the_same_however_many_there_are(cast, noon, case):
    client = inside(cast.lin)
    costs = []
    for _n in range(2):
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get("/news/")
        costs.append(len(asked))
        heard(cast, noon, case, 3)
    assert costs[0] == costs[1]


def test_opening_one_marks_it_read_and_leads_there(cast, noon, case):
    [entry] = notices(cast.lin).entries
    answer = inside(cast.lin).get(f"/news/{entry.pk}/open")
    assert (answer.status_code, answer["Location"]) == (303, f"/desk/cases/{case.number}/")
    assert unread_count(cast.lin) == 0


def test_somebody_else_s_notice_is_not_there_and_stays_unread(cast, noon, case, unchanged):
    [entry] = notices(cast.lin).entries
    client = inside(cast.mo)
    with unchanged():
        assert client.get(f"/news/{entry.pk}/open").status_code == 404
        client.post("/news/read", {"notice": str(entry.pk)})
    assert unread_count(cast.lin) == 1


def test_all_read_leaves_what_came_after_the_list_was_shown(cast, noon, case):
    heard(cast, noon, case, 1)
    client = inside(cast.lin)
    [upto] = re.findall(r'name="upto" value="(\d+)"', client.get("/news/").content.decode())
    heard(cast, noon, case, 1)
    assert client.post("/news/read", {"upto": upto}).status_code == 303
    assert unread_count(cast.lin) == 1


def test_the_live_count_says_nothing_while_nothing_is_new(cast, noon, case):
    client = inside(cast.lin)
    assert client.get("/news/count?seen=1").status_code == 204
    assert "<b>1</b>" in client.get("/news/count?seen=0").content.decode()


def test_the_unread_alone_can_be_shown(cast, noon, case):
    Notice.objects.filter(user=cast.lin).update(unread=False, read_at=noon)
    assert "都看过了。" in text_of(inside(cast.lin).get("/news/?show=unread"))
    assert "双十一首页展示位" in text_of(inside(cast.lin).get("/news/"))


# --- settings -------------------------------------------------------------------------------------

HOURS = {"gathered_at": "18:30", "quiet_from": "22:00", "quiet_until": "08:00"}


def test_kinds_by_channel_and_hours_are_kept(cast):
    client = inside(cast.mira)
    given = {"mail_answer": "daily", "mail_proposal": "now", "mail_outcome": "none", **HOURS}
    assert client.post("/news/settings", given).status_code == 303
    kept = Preference.objects.get(user=cast.mira)
    assert (kept.muted, kept.gathered) == (["outcome"], ["answer"])
    assert (f"{kept.gathered_at:%H:%M}", f"{kept.quiet_from:%H:%M}") == ("18:30", "22:00")
    page = client.get("/news/settings").content.decode()
    assert 'name="mail_answer" value="daily" checked' in page
    assert 'value="18:30"' in page


def test_only_kinds_that_somebody_gets_are_asked_about(cast):
    mira, lin = (inside(one).get("/news/settings").content.decode() for one in (cast.mira, cast.lin))
    assert "mail_proposal" in mira
    assert "mail_note" not in mira
    assert "mail_note" in lin
    assert "mail_proposal" not in lin


def test_the_settings_lead_to_the_addresses_one_may_set_up(cast):
    assert OWN in inside(cast.mira).get("/news/settings").content.decode()
    assert 'href="/news/channels/"' in inside(cast.wei).get("/news/settings").content.decode()
    assert "/news/channels/" not in inside(cast.lin).get("/news/settings").content.decode()


def test_half_a_quiet_time_is_refused_with_what_was_typed(cast, unchanged):
    client = inside(cast.mira)
    with unchanged():
        answer = client.post("/news/settings", {**HOURS, "quiet_until": "", "mail_answer": "none"})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'name="quiet_from" value="22:00"' in page
    assert 'name="mail_answer" value="none" checked' in page


# --- addresses ------------------------------------------------------------------------------------

OWN = "/news/channels/of/M-1042/"
NEW = {"kind": "webhook", "label": "ERP", "url": "https://erp.example/hook?token=t0p", "news": ["answer"]}


def test_an_owner_sets_up_a_webhook_and_sees_its_secret_once(cast):
    client = inside(cast.mira)
    shown = client.post(OWN, NEW).content.decode()
    [secret] = re.findall(r"whsec_[A-Za-z0-9+/=]+", shown)
    added = Endpoint.objects.get()
    again = client.get(f"/news/channels/{added.pk}/").content.decode()
    assert secret not in again
    assert "t0p" not in again
    assert "erp.example" in again
    assert b"t0p" not in bytes(added.sealed_url)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"url": "https://127.0.0.1/"}, "https://127.0.0.1/"),
        ({"label": " "}, "token=t0p"),
        ({"kind": "fax"}, "ERP"),
    ],
)
def test_a_bad_address_is_refused_with_what_was_typed(cast, unchanged, change, kept):
    client = inside(cast.mira)
    with unchanged():
        answer = client.post(OWN, {**NEW, **change})
    assert answer.status_code == 422
    assert kept in text_of(answer)


def test_a_trial_goes_out_and_its_log_says_how(cast, noon, ports, settings):
    settings.HOOK_NETWORKS = LOCAL
    client = inside(cast.wei)
    with receiving(ports.port()) as receiver:
        given = {**NEW, "kind": "feishu", "url": receiver.url(), "secret": "s", "team": ""}
        at = client.post("/news/channels/", given)["Location"]
        client.post(f"{at}try")
        deliver_all(Delivery.objects.get().due_at)
        [taken] = receiver.taken
    assert "试发" in json.loads(taken.body)["content"]["text"]
    page = text_of(client.get(at))
    assert "已送达" in page
    assert "试发" in page


def test_an_address_is_changed_turned_off_and_removed(cast):
    client = inside(cast.mira)
    client.post(OWN, NEW)
    added = Endpoint.objects.get()
    client.post(f"/news/channels/{added.pk}/", {"label": "新 ERP", "news": ["outcome", "note"]})
    added.refresh_from_db()
    assert (added.label, added.news, added.active) == ("新 ERP", ["outcome"], False)
    assert client.post(f"/news/channels/{added.pk}/remove")["Location"] == OWN
    assert not Endpoint.objects.exists()


# --- the log --------------------------------------------------------------------------------------


def dead_one(cast, noon):
    return Delivery.objects.create(
        user=cast.lin,
        channel="mail",
        state="dead",
        due_at=noon,
        created_at=noon,
        ended_at=noon,
        detail="550 nobody here",
        news_id=notices(cast.lin).entries[0].piece.news,
    )


def test_the_lead_sees_what_was_given_up_and_sends_it_again(cast, noon, case):
    dead = dead_one(cast, noon)
    client = inside(cast.wei)
    page = text_of(client.get("/lead/deliveries/?state=dead"))
    assert "550 nobody here" in page
    assert case.number in page
    assert client.post("/lead/deliveries/", {"delivery": [str(dead.pk)]}).status_code == 303
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == ("waiting", 0)


def test_the_log_costs_the_same_however_long_it_is(cast, noon, case):
    client = inside(cast.wei)
    costs = []
    for _n in range(2):
        dead_one(cast, noon)
        with CaptureQueriesContext(connection) as asked:
            client.get("/lead/deliveries/")
        costs.append(len(asked))
    assert costs[0] == costs[1]
