"""What leaves the house: letters, robots and webhooks, their tries, their end, and again."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, time, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from guanjia.base.errors import Forbidden, Missing
from guanjia.base.seal import unseal
from guanjia.cases.actions import open_case, say
from guanjia.ledger.models import Event
from guanjia.lines.protocol.signing import verify_webhook
from guanjia.merchants.models import Member
from guanjia.people.models import Preference, Team, User
from guanjia.post import actions
from guanjia.post.letters import Outcome
from guanjia.post.mail.tokens import read_token
from guanjia.post.models import Attempt, Delivery, DeliveryState, Endpoint, Notice
from guanjia.post.rules import EndpointRefused, TooManyEndpoints
from guanjia.post.tests.receivers import Postman, receiving
from guanjia.post.tests.rounds import LOCAL, MAIL, deliver, deliver_all, tell_all
from guanjia.post.timing import TRIES_MOST

pytestmark = pytest.mark.django_db

MARK = "只有自己人能看的话 7f3a"
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _mail(settings):
    settings.MAIL = MAIL


@pytest.fixture
def case(cast, noon):
    for one in (cast.mira, cast.lin):
        User.objects.filter(pk=one.pk).update(email=f"{one.username}@example.com")
    return open_case(actor=cast.mira, merchant_ref="M-1042", need="双十一首页展示位", now=noon)


@pytest.fixture
def receiver(ports):
    with receiving(ports.port()) as found:
        yield found


def wish(url, kind="webhook", secret="", news=("case", "answer", "note")):
    return actions.Wish(kind=kind, label="值班群", url=url, secret=secret, news=news)


def house_endpoint(cast, noon, url, **more):
    added, secret = actions.add_endpoint(
        actor=cast.wei, merchant_ref=None, team=None, wish=wish(url, **more),
        language="zh-hans", allowed=LOCAL, now=noon,
    )  # fmt: skip
    return added, secret


def state_of(**which):
    return Delivery.objects.get(**which).state


# --- letters --------------------------------------------------------------------------------------


def test_a_letter_says_who_said_what_and_where_to_answer(cast, noon, case):
    say(actor=cast.lin, number=case.number, body="展示位还有三个。", now=noon)
    tell_all(noon)
    postman = Postman()
    deliver_all(noon, postman)
    letter = next(one for one in postman.letters if one.address == "mira@example.com")
    assert letter.subject == f"[{case.number}] 双十一首页展示位"
    assert "林晓 Lin 回复了您" in letter.text
    assert "展示位还有三个。" in letter.text
    assert f"/door/M-1042/cases/{case.number}/" in letter.text
    bound = read_token(letter.reply_token)
    assert bound is not None
    assert (bound.case, bound.user) == (case.pk, cast.mira.pk)
    assert state_of(user=cast.mira) == DeliveryState.SENT


def test_a_letter_that_does_not_get_through_is_tried_again_and_goes_once(cast, noon, case):
    tell_all(noon)
    postman = Postman(Outcome("later", "451"), Outcome("later", "451"))
    deliver_all(noon, postman, until=timedelta(minutes=5))
    assert len(postman.letters) == 3
    assert len({letter.delivery for letter in postman.letters}) == 1
    found = Delivery.objects.get(user=cast.lin)
    assert (found.state, found.attempts, found.reference) == (DeliveryState.SENT, 3, "<1@here>")
    assert [one.outcome for one in found.tries.order_by("pk")] == ["later", "later", "sent"]


def test_a_refused_letter_is_not_tried_again_until_somebody_says_so(cast, noon, case):
    tell_all(noon)
    postman = Postman(Outcome("refused", "550 no such user"))
    deliver_all(noon, postman, until=DAY)
    dead = Delivery.objects.get(user=cast.lin)
    assert (dead.state, dead.detail, len(postman.letters)) == (DeliveryState.DEAD, "550 no such user", 1)
    assert actions.replay(actor=cast.wei, deliveries=None, now=noon) == 1
    deliver_all(noon, postman)
    assert state_of(user=cast.lin) == DeliveryState.SENT


def test_what_fails_for_two_days_is_given_up(cast, noon, case):
    tell_all(noon)
    postman = Postman(*[Outcome("later", "451")] * 100)
    deliver_all(noon, postman, until=4 * DAY)
    assert (len(postman.letters), state_of(user=cast.lin)) == (TRIES_MOST, DeliveryState.DEAD)
    pauses = list(Attempt.objects.order_by("pk").values_list("at", flat=True))
    assert timedelta(days=1) < pauses[-1] - pauses[0] < timedelta(days=3)


def test_what_waited_in_the_quiet_hours_comes_in_one_letter(cast, noon, case):
    Preference.objects.create(user=cast.lin, quiet_from=time(22), quiet_until=time(7))
    night = noon + timedelta(hours=11)
    for n in range(3):
        say(actor=cast.mira, number=case.number, body=f"第 {n} 句", now=night)
    tell_all(night)
    postman = Postman()
    deliver_all(night, postman)
    assert postman.letters == []
    deliver_all(noon + timedelta(hours=19), postman)
    [letter] = postman.letters
    assert letter.subject == "管家：4 条消息"
    assert letter.reply_token == ""
    assert [f"第 {n} 句" in letter.text for n in range(3)] == [True] * 3
    assert set(Delivery.objects.values_list("state", flat=True)) == {DeliveryState.SENT}


def test_who_has_left_since_gets_no_letter(cast, noon, case):
    Preference.objects.create(user=cast.mira, gathered=["answer"])
    say(actor=cast.lin, number=case.number, body="展示位还有三个。", now=noon)
    tell_all(noon)
    Member.objects.filter(user=cast.mira).delete()
    postman = Postman()
    deliver_all(noon, postman, until=2 * DAY)
    assert [letter.address for letter in postman.letters] == ["lin@example.com"]
    assert state_of(user=cast.mira) == DeliveryState.DROPPED


def test_no_letter_of_the_merchant_holds_a_note(cast, noon, case):
    say(actor=cast.lin, number=case.number, body=MARK, now=noon, internal=True)
    say(actor=cast.lin, number=case.number, body="公开的话", now=noon)
    tell_all(noon)
    postman = Postman()
    deliver_all(noon, postman)
    ours = [letter for letter in postman.letters if letter.address == "mira@example.com"]
    assert len(ours) == 1
    assert not any(MARK in letter.text or MARK in letter.subject for letter in ours)
    told = Notice.objects.filter(user=cast.mira).values_list("news__message__internal", flat=True)
    assert list(told) == [False]


# --- webhooks -------------------------------------------------------------------------------------


def test_a_webhook_is_signed_and_repeats_itself_exactly(cast, noon, case, receiver):
    receiver.answers = [(503, b""), (204, b"")]
    added, secret = house_endpoint(cast, noon, receiver.url("/in?x=1"))
    assert secret == unseal(added.sealed_secret)
    tell_all(noon)
    deliver_all(noon, until=timedelta(minutes=1))
    first, second = receiver.taken
    assert first.path == "/in?x=1"
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    now = datetime.now(UTC)
    assert verify_webhook(secret, first.headers, first.body, now) == first.headers["webhook-id"]
    said = json.loads(first.body)
    assert (said["type"], said["data"]["case"]) == ("opened.house", case.number)
    assert state_of(endpoint=added) == DeliveryState.SENT


def test_redirects_are_not_followed(cast, noon, case, receiver):
    receiver.answers = [(302, b"")]
    added, _secret = house_endpoint(cast, noon, receiver.url())
    tell_all(noon)
    deliver(noon)
    assert Delivery.objects.get(endpoint=added).detail == "HTTP 302"


def test_the_words_of_a_note_go_to_no_program(cast, noon, case, receiver):
    house_endpoint(cast, noon, receiver.url())
    say(actor=cast.lin, number=case.number, body=MARK, now=noon, internal=True)
    tell_all(noon)
    deliver_all(noon)
    assert len(receiver.taken) == 2
    assert not any(MARK.encode() in taken.body for taken in receiver.taken)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5432/",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/",
        "https://user@example.com/",
        "ftp://example.com/",
        "http://[::1]/",
        "https://2130706433/",
    ],
)
def test_a_merchant_s_address_is_public_or_refused(cast, noon, unchanged, url):
    with unchanged(), pytest.raises(EndpointRefused):
        actions.add_endpoint(
            actor=cast.mira, merchant_ref="M-1042", team=None, wish=wish(url),
            language="zh-hans", allowed=LOCAL, now=noon,
        )  # fmt: skip


def test_an_address_that_turned_private_is_not_called(cast, noon, case, receiver):
    """The networks of the house are not a merchant's, whatever was stored."""
    added, _secret = house_endpoint(cast, noon, receiver.url())
    Endpoint.objects.filter(pk=added.pk).update(merchant=cast.mira_shop)
    say(actor=cast.lin, number=case.number, body="好的。", now=noon)
    tell_all(noon)
    deliver_all(noon)
    assert receiver.taken == []
    dead = Delivery.objects.get(endpoint=added)
    assert (dead.state, dead.detail) == (DeliveryState.DEAD, "127.0.0.1 is not a public address")


def test_what_says_gone_is_left_alone_and_its_owner_told(cast, noon, case, receiver):
    receiver.answers = [(410, b"")]
    added, _secret = house_endpoint(cast, noon, receiver.url())
    tell_all(noon)
    deliver_all(noon)
    added.refresh_from_db()
    assert (added.active, added.disabled_at) == (False, noon)
    assert Event.objects.filter(kind="post.endpoint_disabled").count() == 1
    tell_all(noon)
    assert Notice.objects.filter(user=cast.wei, news__code="endpoint.house").count() == 1


def test_what_fails_for_a_day_is_turned_off_and_can_be_turned_on_again(cast, noon, case, receiver):
    receiver.answers = [(500, b"")]
    added, _secret = house_endpoint(cast, noon, receiver.url())
    tell_all(noon)
    deliver_all(noon, until=3 * DAY)
    added.refresh_from_db()
    assert not added.active
    receiver.answers = [(200, b"")]
    actions.change_endpoint(
        actor=cast.wei, endpoint=added.pk, wish=wish(""), active=True, allowed=LOCAL, now=noon
    )
    assert actions.replay(actor=cast.wei, deliveries=None, endpoint=added.pk, now=noon) in (0, 1)
    added.refresh_from_db()
    assert (added.active, added.failures, unseal(added.sealed_url)) == (True, 0, receiver.url())


# --- robots ---------------------------------------------------------------------------------------


def test_dingtalk_takes_text_and_a_signed_address(cast, noon, case, receiver):
    secret = "SEC000"
    url = receiver.url("/robot/send?access_token=abc")
    house_endpoint(cast, noon, url, kind="dingtalk", secret=secret)
    tell_all(noon)
    deliver_all(noon)
    [taken] = receiver.taken
    asked = parse_qs(urlsplit(taken.path).query)
    stamp = asked["timestamp"][0]
    expected = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(asked["sign"][0]) == expected
    assert asked["access_token"] == ["abc"]
    said = json.loads(taken.body)
    assert said["msgtype"] == "text"
    assert said["text"]["content"].startswith(
        f"【管家】云栖女装有一件新的事\n{case.number} 双十一首页展示位\n"
    )


def test_feishu_takes_text_with_the_signature_in_the_body(cast, noon, receiver):
    secret = "feishu"
    house_endpoint(cast, noon, receiver.url(), kind="feishu", secret=secret)
    open_case(actor=cast.mira, merchant_ref="M-1042", need='<at user_id="all">所有人</at>', now=noon)
    tell_all(noon)
    deliver_all(noon)
    said = json.loads(receiver.taken[0].body)
    expected = hmac.new(f"{said['timestamp']}\n{secret}".encode(), b"", hashlib.sha256).digest()
    assert base64.b64decode(said["sign"]) == expected
    assert said["msg_type"] == "text"
    assert "<at" not in said["content"]["text"]


def test_wecom_takes_text_and_has_nothing_to_sign_with(cast, noon, case, receiver):
    house_endpoint(cast, noon, receiver.url("/send?key=k"), kind="wecom")
    tell_all(noon)
    deliver_all(noon)
    [taken] = receiver.taken
    assert taken.path == "/send?key=k"
    assert json.loads(taken.body)["msgtype"] == "text"


def test_a_robot_that_says_no_with_200_was_not_told(cast, noon, case, receiver):
    receiver.answers = [(200, b'{"errcode":310000,"errmsg":"sign not match"}')]
    added, _secret = house_endpoint(cast, noon, receiver.url(), kind="dingtalk")
    tell_all(noon)
    deliver_all(noon)
    dead = Delivery.objects.get(endpoint=added)
    assert (dead.state, dead.detail) == (DeliveryState.DEAD, "310000: sign not match")


def test_a_robot_is_not_flooded_and_gets_the_rest_in_one_message(cast, noon, case, receiver):
    house_endpoint(cast, noon, receiver.url(), kind="wecom")
    tell_all(noon)
    deliver_all(noon)
    for n in range(60):
        say(actor=cast.mira, number=case.number, body=f"第 {n} 句", now=noon)
    tell_all(noon)
    deliver_all(noon, until=timedelta(minutes=1))
    assert 2 <= len(receiver.taken) <= 4
    assert all(len(json.loads(taken.body)["text"]["content"].encode()) <= 2048 for taken in receiver.taken)
    assert set(Delivery.objects.filter(channel="robot").values_list("state", flat=True)) == {"sent"}


# --- who may --------------------------------------------------------------------------------------


def test_a_trial_is_tried_once(cast, noon, receiver):
    receiver.answers = [(500, b"")]
    added, _secret = house_endpoint(cast, noon, receiver.url(), kind="feishu")
    actions.try_endpoint(actor=cast.wei, endpoint=added.pk, now=noon)
    deliver_all(noon)
    assert (len(receiver.taken), state_of(endpoint=added)) == (1, DeliveryState.DEAD)


def test_a_team_s_robot_is_its_lead_s(cast, noon, unchanged):
    team = Team.objects.create(code="mira-team", name="专班", lead=cast.lin)
    wanted = {"merchant_ref": None, "team": team.pk, "language": "en", "allowed": (), "now": noon}
    added, _secret = actions.add_endpoint(actor=cast.lin, wish=wish("https://example.com/"), **wanted)
    with unchanged(), pytest.raises(Forbidden):
        actions.add_endpoint(actor=cast.otto, wish=wish("https://example.com/"), **wanted)
    with unchanged(), pytest.raises(Missing):
        actions.remove_endpoint(actor=cast.otto, endpoint=added.pk, now=noon)
    actions.remove_endpoint(actor=cast.lin, endpoint=added.pk, now=noon)
    assert not Endpoint.objects.exists()


def test_another_merchant_s_address_does_not_exist(cast, noon, unchanged):
    added, _secret = actions.add_endpoint(
        actor=cast.mira, merchant_ref="M-1042", team=None, wish=wish("https://example.com/"),
        language="en", allowed=(), now=noon,
    )  # fmt: skip
    with unchanged(), pytest.raises(Missing):
        actions.try_endpoint(actor=cast.mo, endpoint=added.pk, now=noon)
    with unchanged(), pytest.raises(Forbidden):
        actions.replay(actor=cast.mira, deliveries=None, now=noon)


def test_addresses_have_an_end(cast, noon):
    by = {"actor": cast.wei, "merchant_ref": None, "team": None, "language": "en", "allowed": (), "now": noon}
    for _n in range(10):
        actions.add_endpoint(wish=wish("https://example.com/"), **by)
    with pytest.raises(TooManyEndpoints):
        actions.add_endpoint(wish=wish("https://example.com/"), **by)
