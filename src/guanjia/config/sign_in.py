"""By whom else people may sign in: a TOML file with one [[provider]] for each. Read without Django.

[[provider]]
kind = "oidc"                    # or dingtalk, feishu, wecom
id = "group"                     # in addresses; for oidc only, the others are called as their kind
title = "集团账号"
issuer = "https://id.example"    # oidc
agent_id = "1000002"             # wecom
client_id = "guanjia"            # app key, app id, corp id
secret_file = "/run/secrets/group"
claim = "preferred_username"     # its value is the login name here
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CLAIMS = {"oidc": "preferred_username", "dingtalk": "unionId", "feishu": "user_id", "wecom": "userid"}
TITLES = {"dingtalk": "钉钉", "feishu": "飞书", "wecom": "企业微信"}
NEEDED = {"oidc": ("id", "issuer", "title"), "wecom": ("agent_id",)}
MEMBERS = {"kind", "id", "title", "issuer", "agent_id", "client_id", "secret_file", "claim"}
ID = re.compile(r"[a-z][a-z0-9-]{1,30}")
LOCAL = ("127.0.0.1", "::1", "localhost")


class UnusableProviderError(ValueError):
    """The text says which provider and what is wrong; never a secret."""


@dataclass(frozen=True, slots=True)
class Provider:
    """One way in besides the password. `claim` names the member of its answer that is the login name here."""

    kind: str
    id: str
    title: str
    client_id: str
    claim: str
    secret: str = field(repr=False)
    issuer: str = ""
    agent_id: str = ""


def read_providers(file: Path) -> tuple[Provider, ...]:
    """In the order of the file. Raises UnusableProviderError."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableProviderError(str(error)) from None
    given = content.get("provider", [])
    if set(content) - {"provider"} or not isinstance(given, list):
        raise UnusableProviderError("something else than [[provider]]")
    found = tuple(_provider(number, one) for number, one in enumerate(given, start=1))
    names = [one.id for one in found]
    if len(set(names)) < len(names):
        raise UnusableProviderError("two providers of one id")
    return found


def _provider(number: int, given: Mapping[str, Any]) -> Provider:
    def wrong(what: str) -> UnusableProviderError:
        return UnusableProviderError(f"provider {number}: {what}")

    if unknown := sorted(set(given) - MEMBERS):
        raise wrong(f"unknown member {unknown[0]}")
    kind = given.get("kind")
    if kind not in CLAIMS:
        raise wrong(f"kind must be one of {', '.join(CLAIMS)}")
    needed = ["client_id", "secret_file", *NEEDED.get(kind, ())]
    for name in needed:
        if not isinstance(given.get(name), str) or not given[name]:
            raise wrong(f"{name} is missing")
    if kind == "oidc" and (not ID.fullmatch(given["id"]) or given["id"] in TITLES):
        raise wrong("id must be lower-case letters, digits and hyphens, and not the name of another kind")
    if kind == "oidc" and not _is_safe(given["issuer"]):
        raise wrong("issuer must be an https address")
    return Provider(
        kind=kind,
        id=given["id"] if kind == "oidc" else kind,
        title=given.get("title") or TITLES[kind],
        client_id=given["client_id"],
        claim=given.get("claim") or CLAIMS[kind],
        secret=_secret(given["secret_file"], wrong),
        issuer=given.get("issuer", "").rstrip("/"),
        agent_id=given.get("agent_id", ""),
    )


def _is_safe(issuer: str) -> bool:
    parts = urlsplit(issuer)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)


def _secret(path: str, wrong: Any) -> str:
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise wrong("secret_file cannot be read") from None
    if not secret:
        raise wrong("secret_file is empty")
    return secret


def providers_of(configured: Sequence[Provider]) -> dict[str, Any]:
    """The same for allauth's setting."""
    found: dict[str, Any] = {}
    for one in configured:
        app = {
            "provider_id": one.id,
            "name": one.title,
            "client_id": one.client_id,
            "secret": one.secret,
            "settings": {"server_url": one.issuer, "agent_id": one.agent_id},
        }
        found.setdefault(one.kind, {"APPS": []})["APPS"].append(app)
    return found
