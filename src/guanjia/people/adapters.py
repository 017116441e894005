"""Where the sign-in library asks the house: who may come in, what is counted, what it says.

The library signs people in and keeps their factors; the house's rules are these answers.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guanjia.base.seal import seal, unseal
from guanjia.people.actions.sign_in import LockedOut, begin_try, forget_tries, link_way_in, note_wrong_try
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.people.queries import person_to_link

log = logging.getLogger("guanjia.sign_in")

COOKIE_AGE = 365 * 24 * 3600  # seconds


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up of one's own; a lock on passwords; the person's language after signing in."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("登录名或密码不对。"),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        try:
            begin_try(username=credentials["username"], now=timezone.now())
        except LockedOut as refusal:
            raise ValidationError([refusal.message, refusal.hint], code=refusal.code) from None

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        user = super().authenticate(request, **credentials)
        if user is not None:
            forget_tries(username=credentials["username"])
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        note_wrong_try(username=credentials["username"], now=timezone.now())

    def _rollback_login_failed_rl_usage(self) -> None:
        """Nothing to take back: tries are counted by `begin_try`."""

    def post_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **about)
        if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
            speak(response, user.language)
        return response

    def add_message(self, request: HttpRequest, level: int, *args: Any, **about: Any) -> None:
        """Signing in and out say nothing: the page that opens says it."""
        template = args[0] if args else about.get("message_template")
        if template not in ("account/messages/logged_in.txt", "account/messages/logged_out.txt"):
            super().add_message(request, level, *args, **about)

    def get_client_ip(self, request: HttpRequest) -> str:
        return str(request.META.get("REMOTE_ADDR") or "0.0.0.0")  # noqa: S104 - says "unknown", binds nothing


def speak(response: HttpResponse, language: str) -> None:
    """This browser's pages are in that language from now on."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=COOKIE_AGE,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )


class FactorAdapter(DefaultMFAAdapter):
    """Seeds are sealed at rest, as the secrets of lines are."""

    def encrypt(self, text: str) -> str:
        return seal(text).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text.encode("ascii"))


class LinkAdapter(DefaultSocialAccountAdapter):
    """Who comes from elsewhere is an active person of the house already, or is not let in."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        return False

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> Any:
        """From the settings alone: a row in a table must not open a door."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        if sociallogin.is_existing:
            return
        user = _person_of(sociallogin)
        if user is None:
            raise ImmediateHttpResponse(_nobody(request, sociallogin))
        link_way_in(actor=actor_of(user), user=user, account=sociallogin.account, now=timezone.now())
        sociallogin.user = user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Only the kinds: an exception's text may hold an address with a code or a secret in it."""
        log.warning("sign-in by %s failed: %s %s", provider, error, type(exception).__name__)


def _person_of(sociallogin: Any) -> User | None:
    """By the configured claim; an address counts only when the provider says that it is verified."""
    name = sociallogin.account.provider
    configured = next(one for one in settings.SIGN_IN_PROVIDERS if one.id == name)
    data = claims_of(sociallogin.account.extra_data)
    value = data.get(configured.claim)
    if not isinstance(value, str) or not value:
        return None
    if configured.claim == "email" and configured.kind == "oidc" and data.get("email_verified") is not True:
        return None
    return person_to_link(value)


def claims_of(data: dict[str, Any]) -> dict[str, Any]:
    """What a provider says of a person; of OpenID Connect the signed token, completed by userinfo."""
    if "id_token" in data:
        return {**data.get("userinfo", {}), **data["id_token"]}
    return data


def _nobody(request: HttpRequest, sociallogin: Any) -> HttpResponse:
    title = sociallogin.provider.name
    return render(request, "people/not_linked.html", {"title": title}, status=403)


def next_of(request: HttpRequest) -> str | None:
    """Where a form asks to go on to, if that is in this house."""
    url = request.POST.get("next", "")
    return url if url and AccountAdapter(request).is_safe_url(url) else None
