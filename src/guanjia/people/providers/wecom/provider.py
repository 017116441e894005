"""WeCom (企业微信): its web sign-in looks like OAuth 2 and is not.

The browser goes to its page with the corporation's id and the agent's; the code that comes back is good
for one question, asked with a token of the *corporation*: which of its members is this?
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.oauth2.views import OAuth2Adapter
from django.http import HttpRequest
from django.utils.http import urlencode


class Client(OAuth2Client):
    agent_id = ""

    def get_redirect_url(self, authorization_url: str, scope: Any, extra_params: Mapping[str, str]) -> str:
        asked = {
            "login_type": "CorpApp",
            "appid": self.consumer_key,
            "agentid": self.agent_id,
            "redirect_uri": self.callback_url,
            "state": self.state,
        }
        return f"{authorization_url}?{urlencode(asked)}"

    def get_access_token(
        self, code: str, pkce_code_verifier: Any = None, extra_data: Any = None
    ) -> dict[str, Any]:
        """The corporation's token. Errors never show the address: the secret is in it."""
        found = ask(self.access_token_url, {"corpid": self.consumer_key, "corpsecret": self.consumer_secret})
        return {"access_token": found["access_token"], "expires_in": found["expires_in"], "code": code}


class Adapter(OAuth2Adapter):
    provider_id = "wecom"
    client_class = Client
    authorize_url = "https://login.work.weixin.qq.com/wwlogin/sso/login"
    access_token_url = "https://qyapi.weixin.qq.com/cgi-bin/gettoken"  # noqa: S105 - an address
    profile_url = "https://qyapi.weixin.qq.com/cgi-bin/auth/getuserinfo"

    def get_client(self, request: HttpRequest, app: Any) -> Client:
        client: Client = super().get_client(request, app)
        client.agent_id = app.settings["agent_id"]
        return client

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **about: Any) -> Any:
        data = ask(self.profile_url, {"access_token": token.token, "code": about["response"]["code"]})
        if not data.get("userid"):
            raise OAuth2Error("not a member of the corporation")
        return self.get_provider().sociallogin_from_response(request, {"userid": data["userid"]})


def ask(url: str, params: Mapping[str, str]) -> dict[str, Any]:
    try:
        with get_adapter().get_requests_session() as session:
            found = session.get(url, params=params).json()
    except (requests.RequestException, ValueError) as error:
        raise OAuth2Error(type(error).__name__) from None
    if not isinstance(found, dict) or found.get("errcode") != 0:
        code = found.get("errcode") if isinstance(found, dict) else "none"
        raise OAuth2Error(f"errcode {code}")
    return found


class Account(ProviderAccount):
    def to_str(self) -> str:
        return str(self.account.extra_data["userid"])


class WecomProvider(OAuth2Provider):
    id = "wecom"
    name = "WeCom"
    account_class = Account
    oauth2_adapter_class = Adapter

    def extract_uid(self, data: Mapping[str, str]) -> str:
        return data["userid"]

    def extract_common_fields(self, data: Mapping[str, str]) -> dict[str, str]:
        return {"username": data["userid"]}


provider_classes = [WecomProvider]
