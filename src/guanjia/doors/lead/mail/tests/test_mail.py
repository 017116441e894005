"""The lead's pages of mail that came in."""

import pytest
from django.test import Client
from django.utils import timezone

from guanjia.cases.actions import open_case
from guanjia.cases.models import Message
from guanjia.core.mail.tests.mails import mail
from guanjia.demo.cast import make_cast
from guanjia.post.mail.flows import MailFlow
from guanjia.post.mail.storing import store
from guanjia.post.models import IncomingMail, Mailbox


@pytest.fixture
def market(db):
    return make_cast(timezone.now())


@pytest.fixture
def wei(market):
    return browser(market.wei)


def browser(user):
    client = Client()
    client.force_login(user)
    return client


def came(n=1, **headers):
    raw = mail(f"第 {n} 封 <script>", Message_ID=f"<{n}@x.example>", From="stranger@x.example", **headers)
    found = store(raw, now=timezone.now())
    MailFlow().settle([(found.pk, ())], timezone.now())
    return found


def test_what_waits_is_listed_with_its_reason(wei):
    came(Subject="转账<b>")
    said = wei.get("/lead/mail/").content.decode()
    assert "转账&lt;b&gt;" in said
    assert "没有人登记过这个发件地址" in said
    assert "没有等人看的信。" in wei.get("/lead/mail/?show=taken").content.decode().replace(
        "没有。", "没有等人看的信。"
    )
    assert wei.get("/lead/mail/?show=everything").status_code == 404


def test_a_list_costs_the_same_however_long_and_ends(wei, django_assert_num_queries, monkeypatch):
    monkeypatch.setattr("guanjia.post.mail.queries.PAGE", 2)
    came(1)
    wei.get("/lead/mail/")
    with django_assert_num_queries(6) as one:
        wei.get("/lead/mail/")
    for n in (2, 3):
        came(n)
    with django_assert_num_queries(len(one)):
        first = wei.get("/lead/mail/").content.decode()
    newest, _middle, oldest = IncomingMail.objects.order_by("-pk")
    assert f"/lead/mail/{newest.pk}/" in first
    assert f"/lead/mail/{oldest.pk}/" not in first
    following = wei.get(f"/lead/mail/?after={oldest.pk + 1}").content.decode()
    assert f"/lead/mail/{oldest.pk}/" in following


def test_a_mailbox_that_is_away_is_seen(wei):
    Mailbox.objects.create(name="help@imap.example/INBOX", failures=3, failure="TimeoutError")
    assert "help@imap.example/INBOX" in wei.get("/lead/mail/").content.decode()


def test_a_mail_is_read_safely_and_taken_in(market, wei):
    case = open_case(actor=market.mira, merchant_ref="M-1042", need="备货", now=timezone.now())
    found = came(Subject="急")
    page = f"/lead/mail/{found.pk}/"
    assert "第 1 封 &lt;script&gt;" in wei.get(page).content.decode()
    refused = wei.post(page, {"number": case.number, "person": "nobody"})
    assert refused.status_code == 422
    assert f'value="{case.number}"' in refused.content.decode()
    wrong = wei.post(page, {"number": "GJ-2026-999999", "person": "mira"})
    assert wrong.status_code == 404
    assert 'value="mira"' in wrong.content.decode()
    assert wei.post(page, {"number": case.number, "person": "mira"}).status_code == 303
    assert Message.objects.get(author=market.mira).body == "第 1 封 <script>"
    assert wei.post(page, {"drop": "1"}).status_code == 409


@pytest.mark.parametrize("name", ["mira", "lin", "otto", "yan"])
def test_it_is_the_leads_alone(market, name):
    found = came()
    client = browser(getattr(market, name))
    assert [client.get(path).status_code for path in ("/lead/mail/", f"/lead/mail/{found.pk}/")] == [403, 403]
    assert client.post(f"/lead/mail/{found.pk}/", {"drop": "1"}).status_code == 403
