"""Any OpenID Connect provider: authorization code with PKCE, state, nonce, and an id_token we verify.

The library's own would take an id_token it fetched itself without looking at the signature, and sends no
nonce; this one checks both (OpenID Connect Core 1.0, section 3.1.3.7).
"""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest, HttpResponse

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Asymmetric ones only: with HS256 the public key would do as the secret."""
LEEWAY = 60  # seconds between two clocks


class Adapter(OpenIDConnectOAuth2Adapter):
    """`nonce` is what the callback found in the state of this sign-in."""

    nonce: str | None = None

    @property
    def openid_config(self) -> dict[str, Any]:
        config: dict[str, Any] = super().openid_config
        issuer = self.get_provider().app.settings["server_url"]
        if str(config.get("issuer", "")).rstrip("/") != issuer:
            raise OAuth2Error("issuer is another than configured")
        return config

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                id_token,
                self._key(id_token),
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "iss", "aud", "sub"]},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error(type(error).__name__) from None
        if not self.nonce or claims.get("nonce") != self.nonce:
            raise OAuth2Error("nonce")
        return claims

    def _key(self, id_token: str) -> jwt.PyJWK:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self.openid_config["jwks_uri"])
            answer.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(answer.json()).keys
        kid = jwt.get_unverified_header(id_token).get("kid")
        fitting = [key for key in keys if key.key_id == kid or (kid is None and len(keys) == 1)]
        if not fitting:
            raise OAuth2Error("unknown key")
        return fitting[0]

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **about: Any) -> Any:
        """Without an id_token nobody comes in; userinfo is about the same person, or is not taken."""
        if not about["response"].get("id_token"):
            raise OAuth2Error("no id_token")
        signed = self._decode_id_token(app, about["response"]["id_token"])
        data = {"id_token": signed}
        if "userinfo_endpoint" in self.openid_config:
            data["userinfo"] = self._fetch_user_info(token.token)
            if data["userinfo"].get("sub") != signed["sub"]:
                raise OAuth2Error("userinfo of somebody else")
        return self.get_provider().sociallogin_from_response(request, data)


class OidcProvider(OpenIDConnectProvider):
    id = "oidc"
    name = "OpenID Connect"
    oauth2_adapter_class = Adapter
    pkce_enabled_default = True
    asked: ClassVar[list[str]] = ["openid", "profile", "email"]

    def get_default_scope(self) -> list[str]:
        return self.asked

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **about: Any
    ) -> HttpResponse:
        nonce = secrets.token_urlsafe(24)
        about["auth_params"] = {**self.get_auth_params(), "nonce": nonce}
        answer: HttpResponse = super().redirect(request, process, next_url, data, nonce=nonce, **about)
        return answer


provider_classes = [OidcProvider]
