"""The door in a real browser: password, code, passkey, invitation, and how it looks."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.people.actions import invite

PASSWORD = "quiet-celadon-river"


@pytest.fixture
def mira(people):
    people.mira.set_password(PASSWORD)
    people.mira.save()
    return people.mira


def code_of(secret: str, step: int = 0) -> str:
    """RFC 6238, by hand; `step` periods from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def enter(page, username="mira", password=PASSWORD):
    page.goto("/sign-in")
    page.fill("[name=login]", username)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")


def confirm(page):
    """Changing a way in asks once more, even right after signing in."""
    page.get_by_role("heading", name="Confirm it is you").wait_for()
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def leave(page):
    page.context.clear_cookies(name="sessionid")


def signed_in(page):
    page.locator("details.menu > summary").first.wait_for()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_entrance(sign_in, people, axe, shoot, weigh, width, language, dark):
    page = sign_in(None, language=language, width=width, dark=dark)
    page.goto("/sign-in")
    axe(page)
    shoot(page, f"sign-in-{width}-{language}-{'dark' if dark else 'light'}")
    weigh(page)


def test_a_password_without_scripts(sign_in, mira, shoot, axe):
    page = sign_in(None, scripts=False, language="en", width=390)
    enter(page, password="wrong-password-1")
    assert "The login name or password is wrong." in page.inner_text("[role=alert]")
    shoot(page, "sign-in-wrong-en")
    enter(page)
    signed_in(page)


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_my_account(sign_in, mira, axe, shoot, weigh, width, language, dark):
    page = sign_in(mira, language=language, width=width, dark=dark)
    page.goto("/account/")
    axe(page)
    shoot(page, f"account-{width}-{language}-{'dark' if dark else 'light'}")
    weigh(page)
    page.fill("#id_label", "ERP")
    page.locator("#tokens form.fields button").click()
    assert re.fullmatch(r"gj_[\w-]{43}", page.inner_text(".fresh-token code"))
    axe(page)


def test_an_authenticator_and_its_recovery_codes(sign_in, mira, axe, shoot):
    page = sign_in(None, language="en", width=390)
    enter(page)
    signed_in(page)
    page.goto("/account/")
    page.locator("#factors").get_by_text("Turn on").click()
    confirm(page)
    secret = page.inner_text("code")
    axe(page)
    shoot(page, "authenticator-en")
    page.fill("[name=code]", code_of(secret))
    page.press("[name=code]", "Enter")
    page.wait_for_url("**/recovery-codes/")
    codes = page.locator(".codes li").all_inner_texts()
    assert len(codes) == 10
    axe(page)
    shoot(page, "recovery-codes-en")

    leave(page)
    enter(page)
    axe(page)
    shoot(page, "second-step-en")
    page.fill("[name=code]", "000000")
    page.press("[name=code]", "Enter")
    assert page.locator("[role=alert]").first.is_visible()
    page.fill("[name=code]", code_of(secret, 1))
    page.press("[name=code]", "Enter")
    signed_in(page)

    leave(page)
    enter(page)
    page.fill("[name=code]", codes[0])
    page.press("[name=code]", "Enter")
    signed_in(page)
    page.goto("/account/")
    assert "9 left" in page.inner_text("#factors")

    leave(page)
    enter(page)
    page.fill("[name=code]", codes[0])
    page.press("[name=code]", "Enter")
    assert page.locator("[role=alert]").first.is_visible()


@pytest.fixture
def device():
    """`device(page)` gives the browser a fingerprint reader that always says yes."""

    def attach(page):
        session = page.context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return session

    return attach


def test_a_passkey_is_added_opens_the_door_and_can_be_removed(sign_in, mira, device, axe, shoot):
    page = sign_in(None, language="en")
    device(page)
    enter(page)
    signed_in(page)
    page.goto("/account/")
    page.locator("#passkeys").get_by_text("Add a passkey").click()
    confirm(page)
    page.fill("[name=name]", "Shop computer")
    axe(page)
    shoot(page, "passkey-en")
    page.click("main button.primary")
    page.wait_for_url("**/recovery-codes/")
    page.goto("/account/")
    assert "Shop computer" in page.inner_text("#passkeys")
    shoot(page, "account-passkey-en")

    leave(page)
    page.goto("/sign-in?next=/account/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.wait_for_url("**/account/")

    page.get_by_role("link", name="Rename “Shop computer”").click()
    confirm(page)
    page.fill("[name=name]", "Counter")
    page.click("main button.primary")
    page.wait_for_url("**/account/")
    page.get_by_role("link", name="Remove “Counter”").click()
    axe(page)
    page.click("main button.danger")
    page.wait_for_url("**/account/")
    assert "None yet." in page.inner_text("#passkeys")


def test_a_passkey_that_is_not_given_says_so_calmly(sign_in, mira, device):
    page = sign_in(None, language="en")
    device(page)
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    page.get_by_text("The passkey was not used.").wait_for()


def test_changing_a_factor_asks_again_who_it_is(sign_in, mira, axe, shoot):
    page = sign_in(mira, language="en", width=390)
    page.goto("/account/factors/totp/activate/")
    axe(page)
    shoot(page, "confirm-en")
    confirm(page)
    page.wait_for_url("**/totp/activate/")


def test_an_invitation(sign_in, people, axe, shoot):
    invited = invite(actor=SYSTEM, username="nan", name="小南 Nan", now=timezone.now())
    page = sign_in(None, language="zh-hans", width=390)
    page.goto(invited.url[invited.url.index("/welcome") :])
    axe(page)
    shoot(page, "welcome-zh")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.press("[name=again]", "Enter")
    signed_in(page)


def test_the_demo_s_cast(sign_in, people, settings, axe, shoot):
    settings.DEMO = True
    page = sign_in(None, language="zh-hans", width=390)
    page.goto("/sign-in")
    axe(page)
    shoot(page, "sign-in-demo-zh")
    page.get_by_role("button", name=people.lin.name).click()
    signed_in(page)
    assert people.lin.name in page.inner_text("details.menu > summary")
