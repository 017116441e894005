"""Signing in by somebody else's word: whom we believe, and whom we let in."""

import json
import logging
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.dingtalk.views import DingTalkOAuth2Adapter
from allauth.socialaccount.providers.feishu.client import FeishuOAuth2Client
from allauth.socialaccount.providers.feishu.views import FeishuOAuth2Adapter
from cryptography.hazmat.primitives.asymmetric import rsa

from guanjia.config.sign_in import CLAIMS, Provider, providers_of
from guanjia.ledger.models import Event
from guanjia.people.providers.wecom.provider import Adapter as WecomAdapter
from guanjia.people.tests.idp import SECRET, OpenIdProvider, Stub

HOST = "http://testserver"


def configure(settings, kind, issuer="", claim=""):
    name = "group" if kind == "oidc" else kind
    one = Provider(kind, name, "集团账号", "client-1", claim or CLAIMS[kind], SECRET, issuer, "1000002")
    settings.SIGN_IN_PROVIDERS = (one,)
    settings.SOCIALACCOUNT_PROVIDERS = providers_of([one])


@pytest.fixture
def idp(settings, cast):
    with OpenIdProvider().open() as provider:
        configure(settings, "oidc", provider.url)
        yield provider


def leave(client, name="group", **more):
    """Press the button; where the browser goes."""
    answer = client.post(f"/sign-in/with/{name}/", more)
    assert answer.status_code == 200
    return answer.headers["Refresh"].removeprefix("0; url=")


def come_back(client, idp, **more):
    return client.get("/sign-in/with/group/callback/", {**idp.authorize(leave(client, **more))})


def who(client):
    return client.session.get("_auth_user_id")


# --- OpenID Connect -------------------------------------------------------------------------------


def test_the_button_is_there_and_leads_out_with_state_nonce_and_pkce(idp, client):
    page = client.get("/sign-in").content.decode()
    assert "用集团账号登录" in page
    url = urlsplit(leave(client))
    asked = parse_qs(url.query)
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{idp.url}/authorize"
    assert asked["redirect_uri"] == [f"{HOST}/sign-in/with/group/callback/"]
    assert asked["code_challenge_method"] == ["S256"]
    assert set(asked["scope"][0].split()) == {"openid", "profile", "email"}
    assert len(asked["nonce"][0]) == 32
    assert asked["state"]


def test_a_known_person_is_in_and_linked_once(idp, client, cast):
    assert come_back(client, idp, next="/account/")["Location"] == "/account/"
    assert who(client) == str(cast.mira.pk)
    client.post("/sign-out")
    idp.claims["preferred_username"] = "renamed-there"
    come_back(client, idp)
    assert who(client) == str(cast.mira.pk)
    assert SocialAccount.objects.get(user=cast.mira).uid == "u-17"
    linked = Event.objects.get(kind="people.way_linked")
    assert linked.payload == {"user": cast.mira.pk, "provider": "group"}
    assert "集团账号" in client.get("/account/").content.decode()


def test_it_leads_on_inside_the_house_only(idp, client):
    assert come_back(client, idp, next="https://elsewhere.example/")["Location"] == "/"


@pytest.mark.parametrize("username", ["nobody", "", "MIRA", None, 17])
def test_somebody_without_an_account_is_refused_calmly(idp, client, username):
    idp.claims["preferred_username"] = username
    answer = come_back(client, idp)
    assert answer.status_code == 403
    assert "这里还没有您的账号" in answer.content.decode()
    assert who(client) is None
    assert SocialAccount.objects.count() == 0


def test_somebody_who_left_is_not_linked(idp, client, cast):
    cast.mira.is_active = False
    cast.mira.save()
    assert come_back(client, idp).status_code == 403


@pytest.mark.parametrize(("verified", "status"), [(True, 302), (False, 403), ("true", 403), (None, 403)])
def test_a_mail_address_counts_only_when_it_is_verified(idp, client, cast, settings, verified, status):
    configure(settings, "oidc", idp.url, claim="email")
    cast.mira.username = "mira@example.com"
    cast.mira.save()
    idp.claims |= {"email": "mira@example.com", "email_verified": verified}
    assert come_back(client, idp).status_code == status


def lie_about_key(idp):
    idp.key = rsa.generate_private_key(65537, 2048)


def lie_about(**claims):
    return lambda idp: idp.claims.update(claims)


def leave_out(name):
    return lambda idp: idp.without.add(name)


@pytest.mark.parametrize(
    "lie",
    [
        lie_about_key,
        lambda idp: setattr(idp, "algorithm", "none"),
        lie_about(iss="https://elsewhere.example"),
        lie_about(aud="another-client"),
        lie_about(exp=1_000_000),
        lie_about(nonce="of-another-sign-in"),
        leave_out("nonce"),
        leave_out("exp"),
        lambda idp: idp.userinfo.update(sub="u-18"),
        lambda idp: idp.routes.update({"/keys": lambda _asked: None}),
        lambda idp: idp.routes.update({"/token": lambda _asked: {"access_token": "t"}}),
        lambda idp: idp.routes.update({"/token": lambda _asked: ["no", "object"]}),
    ],
    ids=[
        "another key", "no signature", "issuer", "audience", "expired", "nonce", "no nonce", "no expiry",
        "userinfo of another", "no keys", "no id_token", "no object",
    ],
)  # fmt: skip
def test_a_token_that_does_not_hold_lets_nobody_in(idp, client, lie, unchanged):
    lie(idp)
    answer = come_back(client, idp)
    assert answer.status_code in (200, 401, 502)
    assert "没有登录成功" in answer.content.decode()
    assert who(client) is None
    assert SocialAccount.objects.count() == 0


def test_an_answer_to_a_question_we_did_not_ask_is_refused(idp, client):
    brought = idp.authorize(leave(client))
    client.cookies.clear()
    answer = client.get("/sign-in/with/group/callback/", brought)
    assert "没有登录成功" in answer.content.decode()
    assert client.get("/sign-in/with/group/callback/", {"code": "x", "state": "x"}).status_code in (200, 401)
    assert who(client) is None


def test_a_code_is_good_once(idp, client):
    brought = idp.authorize(leave(client))
    client.get("/sign-in/with/group/callback/", brought)
    client.post("/sign-out")
    client.get("/sign-in/with/group/callback/", brought)
    assert who(client) is None


def test_an_issuer_that_calls_itself_otherwise_is_not_asked(idp, client):
    idp.routes["/.well-known/openid-configuration"] = lambda asked: {
        **idp._configuration(asked),
        "issuer": "https://elsewhere.example",
    }
    assert client.post("/sign-in/with/group/").status_code == 502


def test_cancelling_there_changes_nothing_here(idp, client):
    state = idp.authorize(leave(client))["state"]
    answer = client.get(
        "/sign-in/with/group/callback/", {"error": "access_denied", "state": state}, follow=True
    )
    assert "已取消登录" in answer.content.decode()
    assert who(client) is None


def test_secrets_are_not_in_the_log(idp, client, caplog):
    idp.routes["/token"] = lambda _asked: None
    with caplog.at_level(logging.DEBUG):
        come_back(client, idp)
    told = caplog.text.replace(str(caplog.handler), "")
    assert "OAuth2Error" in told
    assert SECRET not in told
    assert "code-0" not in [
        word for line in told.splitlines() if "guanjia.sign_in" in line for word in line.split()
    ]


def test_only_what_is_configured_has_a_door(idp, client):
    SocialApp.objects.create(provider="dingtalk", name="x", client_id="x", secret="x")
    assert client.post("/sign-in/with/dingtalk/").status_code == 404
    assert client.post("/sign-in/with/nobody/").status_code == 404
    assert client.get("/sign-in/with/nobody/callback/").status_code == 404
    assert client.get("/sign-in/with/group/").status_code == 405


# --- the three of the house -----------------------------------------------------------------------


@pytest.fixture
def stub(cast):
    with Stub().open() as server:
        yield server


def test_dingtalk(stub, client, cast, settings, monkeypatch):
    configure(settings, "dingtalk", claim="unionId")
    monkeypatch.setattr(DingTalkOAuth2Adapter, "access_token_url", f"{stub.url}/token")
    monkeypatch.setattr(DingTalkOAuth2Adapter, "profile_url", f"{stub.url}/me")
    stub.routes = {
        "/token": lambda _asked: {"accessToken": "t", "refreshToken": "r", "expireIn": 7200},
        "/me": lambda asked: {"nick": "米拉", "unionId": "mira", "openId": "o1"},
    }
    url = leave(client, "dingtalk")
    assert url.startswith("https://login.dingtalk.com/oauth2/auth?")
    [state] = parse_qs(urlsplit(url).query)["state"]
    client.get("/sign-in/with/dingtalk/callback/", {"authCode": "c1", "state": state})
    assert who(client) == str(cast.mira.pk)
    assert stub.asked[0].values["clientSecret"] == SECRET
    assert stub.asked[1].headers["x-acs-dingtalk-access-token"] == "t"


def test_feishu(stub, client, cast, settings, monkeypatch):
    configure(settings, "feishu")
    monkeypatch.setattr(FeishuOAuth2Adapter, "access_token_url", f"{stub.url}/token")
    monkeypatch.setattr(FeishuOAuth2Adapter, "user_info_url", f"{stub.url}/me")
    monkeypatch.setattr(FeishuOAuth2Client, "app_access_token_url", f"{stub.url}/app")
    stub.routes = {
        "/app": lambda _asked: {"app_access_token": "a"},
        "/token": lambda _asked: {"data": {"access_token": "t"}},
        "/me": lambda _asked: {"code": 0, "data": {"open_id": "o1", "user_id": "mira", "name": "米拉"}},
    }
    url = leave(client, "feishu")
    [state] = parse_qs(urlsplit(url).query)["state"]
    client.get("/sign-in/with/feishu/callback/", {"code": "c1", "state": state})
    assert who(client) == str(cast.mira.pk)


def wecom(stub, settings, monkeypatch, member):
    configure(settings, "wecom")
    monkeypatch.setattr(WecomAdapter, "access_token_url", f"{stub.url}/gettoken")
    monkeypatch.setattr(WecomAdapter, "profile_url", f"{stub.url}/getuserinfo")
    stub.routes = {
        "/gettoken": lambda asked: {"errcode": 0, "access_token": "corp-token", "expires_in": 7200},
        "/getuserinfo": lambda asked: member,
    }


def test_wecom_asks_with_the_corporation_s_token_who_brought_the_code(
    stub, client, cast, settings, monkeypatch
):
    wecom(stub, settings, monkeypatch, {"errcode": 0, "userid": "mira"})
    asked = parse_qs(urlsplit(leave(client, "wecom")).query)
    assert (asked["login_type"], asked["appid"], asked["agentid"]) == (["CorpApp"], ["client-1"], ["1000002"])
    assert asked["redirect_uri"] == [f"{HOST}/sign-in/with/wecom/callback/"]
    client.get("/sign-in/with/wecom/callback/", {"code": "c1", "state": asked["state"][0]})
    assert who(client) == str(cast.mira.pk)
    assert stub.asked[0].values == {"corpid": "client-1", "corpsecret": SECRET}
    assert stub.asked[1].values == {"access_token": "corp-token", "code": "c1"}


@pytest.mark.parametrize(
    "member", [{"errcode": 0, "openid": "a-stranger"}, {"errcode": 40029, "errmsg": "invalid code"}, {}, None]
)
def test_wecom_lets_in_members_only_and_keeps_its_secret(stub, client, settings, monkeypatch, caplog, member):
    wecom(stub, settings, monkeypatch, member)
    [state] = parse_qs(urlsplit(leave(client, "wecom")).query)["state"]
    with caplog.at_level(logging.INFO):
        answer = client.get("/sign-in/with/wecom/callback/", {"code": "c1", "state": state})
    assert "没有登录成功" in unescape(answer.content.decode())
    assert who(client) is None
    assert SECRET not in caplog.text


def test_a_provider_that_does_not_answer_is_not_waited_for(settings):
    assert settings.SOCIALACCOUNT_REQUESTS_TIMEOUT == 5


def test_nothing_secret_is_in_a_provider_s_text(settings):
    configure(settings, "wecom")
    assert SECRET not in repr(settings.SIGN_IN_PROVIDERS)
    assert not re.search(SECRET, json.dumps([one.id for one in settings.SIGN_IN_PROVIDERS]))
