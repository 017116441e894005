"""Guard for URLs that somebody else gave us: where Guanjia may connect to, and where not.

The URL of a line or of a webhook receiver is typed in by a person, so it may point at our own
database, at a cloud's metadata service or at a name whose answer changes between the check and the
connection. Three checks, each in the only place where it cannot be bypassed:

1. `check_url` reads the text: scheme, no userinfo, port, host spelt one way only.
2. `GuardedResolver` checks every address of one DNS answer; aiohttp connects to that very
   answer (no second look-up, no DNS cache), so a changing answer is checked each time it is used.
3. A socket factory checks the address of each socket before it is connected. aiohttp skips the
   resolver for literal addresses; nothing skips the socket.

Addresses outside the public unicast space are refused unless they lie in `allowed`; plain http is
for `allowed` only. Special-purpose ranges: IANA registries of RFC 6890, and RFC 6052 for NAT64.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from contextvars import ContextVar
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

if TYPE_CHECKING:
    from aiohttp.connector import Connection

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# Not taken from ipaddress.is_global: its answer differs between Python patch releases, and it calls
# multicast global.
_REFUSED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # a cloud's host agent, on a public number
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, among them Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4 carries any IPv4 address, private ones too
        "3fff::/20",
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")

_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f\\]")
# A last label that is a number makes the host an IPv4 address for inet_aton (127.1, 0x7f000001).
_NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?$")

# Whether the connection being made is plain http. The resolver and the socket factory are told the
# address only; connect() runs in the same context and knows the scheme.
_plain: ContextVar[bool] = ContextVar("guanjia_ssrf_plain", default=True)


class DestinationRefused(Exception):  # noqa: N818 - named for what happened, like our other refusals
    """We do not connect there. Not an OSError: aiohttp would report it as a network fault."""


def check_url(url: str, *, allowed: Sequence[Network] = ()) -> URL:
    """`url` as an absolute http(s) URL, or `DestinationRefused`.

    Checks the text only, with literal addresses; names are checked when they are resolved.
    """
    if _UNPRINTABLE.search(url) or "@" in url:
        raise DestinationRefused("the URL has a user name, a space, a backslash or control characters")
    try:
        parsed = URL(url)
    except ValueError as error:
        raise DestinationRefused("the URL cannot be read") from error
    if parsed.scheme not in {"http", "https"} or not parsed.raw_host:
        raise DestinationRefused("only http and https URLs with a host are accepted")
    if not parsed.port or parsed.port < 1:
        raise DestinationRefused("the port must be between 1 and 65535")
    _check_host(parsed.raw_host, plain=parsed.scheme == "http", allowed=allowed)
    return parsed


def _check_host(host: str, *, plain: bool, allowed: Sequence[Network]) -> None:
    if ":" in host or _NUMERIC_END.search(host):
        check_address(host, plain=plain, allowed=allowed)
    elif not re.fullmatch(r"[0-9A-Za-z_-]+(\.[0-9A-Za-z_-]+)*\.?", host):
        raise DestinationRefused("the host is not a DNS name")


def check_address(text: str, *, plain: bool, allowed: Sequence[Network]) -> None:
    """Refuse `text` unless it is an address we may connect to, in its one canonical spelling.

    `plain` tells that the connection is not encrypted: then only `allowed` will do.
    """
    try:
        address = ip_address(text)
    except ValueError:
        raise DestinationRefused(f"{text!r} is not an address in canonical form") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address in network for network in allowed):
        return
    if not _is_public(address):
        raise DestinationRefused(f"{text} is not a public address")
    if plain:
        raise DestinationRefused(f"{text} is outside the trusted networks: https is needed")


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    if address in _NAT64:  # RFC 6052 §2.1: the last 32 bits are where the packet really goes
        return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    if address.scope_id is not None or address not in _PUBLIC_V6:
        return False
    return not any(address in network for network in _REFUSED_V6)


class GuardedResolver(AbstractResolver):
    """Resolves through `inner` and refuses an answer that contains one forbidden address.

    One bad address spoils the whole answer: nobody has an honest reason to mix them.
    """

    def __init__(self, allowed: Sequence[Network], inner: AbstractResolver) -> None:
        self._allowed = tuple(allowed)
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The answer of `inner`, checked; raises OSError or `DestinationRefused`."""
        answer = await self._inner.resolve(host, port, family)
        for entry in answer:
            check_address(entry["host"], plain=_plain.get(), allowed=self._allowed)
        return answer

    async def close(self) -> None:
        """Close `inner`."""
        await self._inner.close()


class GuardedConnector(aiohttp.TCPConnector):
    """A TCP connector that only ever connects to addresses that pass `check_address`."""

    def __init__(
        self,
        allowed: Sequence[Network],
        *,
        resolver: AbstractResolver | None = None,
        limit: int = 100,
    ) -> None:
        self._networks = tuple(allowed)
        super().__init__(
            resolver=GuardedResolver(allowed, resolver or aiohttp.ThreadedResolver()),
            use_dns_cache=False,
            limit=limit,
            socket_factory=self._open_socket,
        )

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[aiohttp.tracing.Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's signature
    ) -> Connection:
        """Connect for `req`; raises `DestinationRefused` besides aiohttp's own errors."""
        _plain.set(not req.is_ssl())
        return await super().connect(req, traces, timeout)

    def _open_socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = info
        check_address(str(address[0]), plain=_plain.get(), allowed=self._networks)
        return socket.socket(family, kind, protocol)


def guarded_session(
    allowed: Sequence[Network] = (),
    *,
    resolver: AbstractResolver | None = None,
    limit: int = 100,
) -> aiohttp.ClientSession:
    """A session for untrusted URLs; call it inside a running loop and close it.

    No proxies or netrc from the environment, no cookies, no transparent decompression (a small
    answer could unpack to gigabytes). Pass `allow_redirects=False` on each call: aiohttp has no
    such default for a session. Redirects that are followed would pass the same checks.
    """
    return aiohttp.ClientSession(
        connector=GuardedConnector(allowed, resolver=resolver, limit=limit),
        trust_env=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
