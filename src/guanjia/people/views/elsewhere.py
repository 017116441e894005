"""Signing in by DingTalk, Feishu, WeCom or an OpenID Connect provider: out, and back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.dingtalk.views import oauth2_callback as dingtalk_callback
from allauth.socialaccount.providers.feishu.views import oauth2_callback as feishu_callback
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from requests import RequestException

from guanjia.people.adapters import next_of
from guanjia.people.providers.oidc.provider import Adapter as OidcAdapter
from guanjia.people.providers.wecom.provider import Adapter as WecomAdapter

__all__ = ["dingtalk", "feishu", "oidc", "start", "wecom"]

BAD_GATEWAY = 502

log = logging.getLogger("guanjia.sign_in")

Callback = Callable[..., HttpResponse]


def _calm(callback: Callback) -> Callback:
    """An answer of another shape than the library expects is a failed sign-in, not a fault of ours."""

    @wraps(callback)
    def view(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        try:
            return callback(request, *args, **kwargs)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("sign-in by %s failed: %s", request.path, type(error).__name__)
            return _failed(request)

    return view


def _failed(request: HttpRequest) -> HttpResponse:
    return render(request, "socialaccount/authentication_error.html", status=BAD_GATEWAY)


dingtalk = _calm(dingtalk_callback)
feishu = _calm(feishu_callback)
wecom = _calm(OAuth2CallbackView.adapter_view(WecomAdapter))


@never_cache
@require_POST
def start(request: HttpRequest, provider_id: str) -> HttpResponse:
    """On to the provider: by a page that refreshes itself, for a form's answer may not leave the house."""
    try:
        provider = get_adapter().get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    try:
        onward = provider.redirect(request, "login", next_url=next_of(request))
    except (RequestException, OAuth2Error, ValueError):
        return _failed(request)
    content = {"title": provider.app.name, "url": onward["Location"]}
    answer = render(request, "people/onward.html", content)
    answer.headers["Refresh"] = f"0; url={onward['Location']}"
    return answer


class _OidcCallback(OAuth2CallbackView):
    def _get_state(self, request, provider):  # type: ignore[no-untyped-def]
        state, answer = super()._get_state(request, provider)
        self.adapter.nonce = state and state.get("nonce")
        return state, answer


@_calm
def oidc(request: HttpRequest, provider_id: str) -> HttpResponse:
    try:
        answer: HttpResponse = _OidcCallback.adapter_view(OidcAdapter(request, provider_id))(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return answer
