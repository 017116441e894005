"""Where Guanjia connects to, and where it does not."""

import asyncio
import socket
from contextlib import asynccontextmanager
from ipaddress import ip_network

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver

from guanjia.lines.ssrf import (
    LOOPBACK,
    DestinationRefused,
    GuardedResolver,
    check_address,
    check_url,
    guarded_session,
)

ONE = (ip_network("127.0.0.1/32"),)


class Answers(AbstractResolver):
    """A name server that gives one prepared answer after the other, and counts the questions."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(self, host, port=0, family=socket.AF_INET):
        self.asked.append(host)
        return [
            {
                "hostname": host,
                "host": address,
                "port": port,
                "family": socket.AF_INET6 if ":" in address else socket.AF_INET,
                "proto": 0,
                "flags": 0,
            }
            for address in self.answers.pop(0)
        ]

    async def close(self):
        pass


@asynccontextmanager
async def listening(host: str = "127.0.0.1", port: int = 0, handler=None):
    """A server that counts its requests; yields (port, list of request paths)."""
    seen: list[str] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(request.path)
        return await handler(request) if handler else web.Response(text="hello")

    server = web.Server(answer)
    runner = web.ServerRunner(server)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    try:
        yield runner.addresses[0][1], seen
    finally:
        await runner.cleanup()


async def status_of(session: aiohttp.ClientSession, url: str) -> int:
    async with session.get(url, allow_redirects=False) as response:
        return response.status


# --- the text of a URL ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://lines.example.com", "https://lines.example.com"),
        ("https://lines.example.com:8443/lp/v1", "https://lines.example.com:8443/lp/v1"),
        ("https://93.184.216.34/", "https://93.184.216.34/"),
        ("https://[2606:2800:220:1::1]/", "https://[2606:2800:220:1::1]/"),
        ("https://[64:ff9b::5db8:d822]/", "https://[64:ff9b::5db8:d822]/"),
        ("https://例子.example/", "https://xn--fsqu00a.example/"),
    ],
)
def test_a_public_https_url_is_accepted(url, target):
    assert str(check_url(url)) == target


@pytest.mark.parametrize(
    "url",
    [
        "ftp://lines.example.com/",
        "file:///etc/passwd",
        "//lines.example.com/",
        "lines.example.com",
        "http://",
        "https:///holds",
        "",
    ],
)
def test_only_http_and_https_with_a_host_are_accepted(url):
    with pytest.raises(DestinationRefused, match="only http and https"):
        check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://me@lines.example.com/",
        "https://me:word@lines.example.com/",
        "https://:word@lines.example.com/",
        "https://@lines.example.com/",
        "https://lines.example.com\\@evil.example/",
        "https://lines.example.com/a b",
        "https://lines.example.com/\r\nHost: evil.example",
        "https://lines\n.example.com/",
        "https://lines.example.com/\x00",
    ],
)
def test_userinfo_and_confusing_characters_are_refused(url):
    with pytest.raises(DestinationRefused, match="user name"):
        check_url(url)


@pytest.mark.parametrize("url", ["https://lines.example.com:0/", "http://127.0.0.1:0/"])
def test_port_zero_is_refused(url):
    with pytest.raises(DestinationRefused, match="port"):
        check_url(url, allowed=LOOPBACK)


@pytest.mark.parametrize("url", ["https://lines.example.com:70000/", "https://[::1/"])
def test_an_unreadable_url_is_refused(url):
    with pytest.raises(DestinationRefused, match="cannot be read"):
        check_url(url)


@pytest.mark.parametrize("host", ["a%2eb", "a!b", "a..b", ".a", "a_b.example%00"])
def test_a_host_that_is_not_a_dns_name_is_refused(host):
    with pytest.raises(DestinationRefused):
        check_url(f"https://{host}/")


@pytest.mark.parametrize(
    "host",
    ["0x7f000001", "0x7f.0.0.1", "127.1", "2130706433", "017700000001", "127.0.0.01", "127.0.0.1."],
)
def test_an_ipv4_address_has_one_spelling_even_where_it_is_allowed(host):
    with pytest.raises(DestinationRefused, match="canonical"):
        check_url(f"https://{host}/", allowed=LOOPBACK)


def test_full_width_digits_do_not_hide_an_address():
    with pytest.raises(DestinationRefused, match="not a public address"):
        check_url("https://１２７.0.0.1/")


# --- addresses -----------------------------------------------------------------------------------

PRIVATE = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "2606:2800::1%1",
]


@pytest.mark.parametrize("address", PRIVATE)
@pytest.mark.parametrize("plain", [False, True])
def test_an_address_outside_public_space_is_refused(address, plain):
    with pytest.raises(DestinationRefused, match="not a public address"):
        check_address(address, plain=plain, allowed=())


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "172.32.0.1", "100.128.0.1", "2606:2800:220:1::1", "64:ff9b::5db8:d822"],
)
def test_a_public_address_needs_https(address):
    check_address(address, plain=False, allowed=())
    with pytest.raises(DestinationRefused, match="https is needed"):
        check_address(address, plain=True, allowed=())


@pytest.mark.parametrize("plain", [False, True])
def test_a_trusted_network_may_be_private_and_plain(plain):
    trusted = (ip_network("10.7.0.0/16"), ip_network("fd12::/16"))
    for address in ("10.7.3.3", "fd12::1", "::ffff:10.7.3.3"):
        check_address(address, plain=plain, allowed=trusted)
    for address in ("10.8.0.1", "fd13::1", "64:ff9b::a07:303", "127.0.0.1"):
        with pytest.raises(DestinationRefused):
            check_address(address, plain=plain, allowed=trusted)


# --- names ---------------------------------------------------------------------------------------


async def resolve(answers: Answers, allowed=()):
    return await GuardedResolver(allowed, answers).resolve("line.example", 443)


def test_every_address_of_an_answer_is_checked():
    mixed = Answers(["127.0.0.1", "10.0.0.1"])
    with pytest.raises(DestinationRefused, match=r"10\.0\.0\.1"):
        asyncio.run(resolve(mixed, LOOPBACK))


def test_a_name_for_a_trusted_address_is_reached_with_one_question():
    async def main():
        answers = Answers(["127.0.0.1"])
        async with listening() as (port, seen), guarded_session(ONE, resolver=answers) as session:
            assert await status_of(session, f"http://line.example:{port}/a") == 200
            assert await status_of(session, f"http://line.example:{port}/b") == 200
            assert seen == ["/a", "/b"]
        assert answers.asked == ["line.example"]  # the second call reused the connection

    asyncio.run(main())


def test_a_public_name_over_plain_http_is_refused():
    async def main():
        answers = Answers(["93.184.216.34"])
        async with guarded_session(ONE, resolver=answers) as session:
            with pytest.raises(DestinationRefused, match="https is needed"):
                await status_of(session, "http://line.example/")

    asyncio.run(main())


def test_an_answer_that_changes_between_connections_is_checked_again():
    """DNS rebinding: a good answer first, an inner address for the next connection."""

    async def main():
        answers = Answers(["127.0.0.1"], ["127.0.0.2"])
        async with (
            listening() as (port, _),
            listening("127.0.0.2", port) as (_, inner),
            guarded_session(ONE, resolver=answers) as session,
        ):
            url = f"http://line.example:{port}/"
            async with session.get(url, headers={"Connection": "close"}) as response:
                assert response.status == 200
            with pytest.raises(DestinationRefused):
                await status_of(session, url)
            assert inner == []

    asyncio.run(main())


def test_a_second_question_between_check_and_connection_is_never_asked():
    """The bad answer is ready, but the connection uses the very answer that was checked."""

    async def main():
        answers = Answers(["127.0.0.1"], ["127.0.0.2"])
        async with (
            listening() as (port, good),
            listening("127.0.0.2", port) as (_, inner),
            guarded_session(ONE, resolver=answers) as session,
        ):
            assert await status_of(session, f"http://line.example:{port}/") == 200
            assert (good, inner) == (["/"], [])
            assert len(answers.answers) == 1

    asyncio.run(main())


# --- literal addresses, which aiohttp connects to without a resolver -----------------------------


@pytest.mark.parametrize("host", ["127.0.0.2", "[::1]", "[::ffff:127.0.0.2]", "[64:ff9b::7f00:1]"])
def test_a_literal_address_is_checked_at_the_socket(host):
    async def main():
        async with (
            listening("127.0.0.2") as (port, seen),
            guarded_session(ONE, resolver=Answers()) as session,
        ):
            with pytest.raises(DestinationRefused):
                await status_of(session, f"http://{host}:{port}/")
            assert seen == []

    asyncio.run(main())


@pytest.mark.parametrize("host", ["127.1", "2130706433", "017700000001"])
def test_a_literal_in_an_odd_spelling_never_reaches_a_socket(host):
    async def main():
        async with (
            listening() as (port, seen),
            guarded_session(ONE, resolver=Answers()) as session,
        ):
            with pytest.raises(aiohttp.InvalidURL):
                await status_of(session, f"http://{host}:{port}/")
            assert seen == []

    asyncio.run(main())


def test_a_hexadecimal_host_is_resolved_and_then_refused():
    async def main():
        async with guarded_session() as session:  # the system's resolver reads 0x7f000001
            with pytest.raises(DestinationRefused, match="not a public address"):
                await status_of(session, "https://0x7f000001/")

    asyncio.run(main())


def test_a_trusted_literal_is_reached():
    async def main():
        async with listening() as (port, seen), guarded_session(ONE) as session:
            assert await status_of(session, f"http://127.0.0.1:{port}/x") == 200
            assert seen == ["/x"]

    asyncio.run(main())


# --- what a session does not do ------------------------------------------------------------------


def test_proxies_of_the_environment_are_ignored(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:9/")
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9/")

    async def main():
        async with listening() as (port, _), guarded_session(ONE) as session:
            assert await status_of(session, f"http://127.0.0.1:{port}/") == 200

    asyncio.run(main())


def test_even_a_followed_redirect_is_checked():
    async def main():
        async def away(request):
            raise web.HTTPFound("http://127.0.0.2:1/secret")

        async with (
            listening(handler=away) as (port, _),
            guarded_session(ONE) as session,
        ):
            with pytest.raises(DestinationRefused):
                await session.get(f"http://127.0.0.1:{port}/")

    asyncio.run(main())


def test_cookies_are_not_kept():
    async def main():
        received = []

        async def bake(request):
            received.append(dict(request.cookies))
            answer = web.Response()
            answer.set_cookie("who", "me")
            return answer

        async with listening(handler=bake) as (port, _), guarded_session(ONE) as session:
            for _ in range(2):
                await status_of(session, f"http://127.0.0.1:{port}/")
        assert received == [{}, {}]

    asyncio.run(main())
