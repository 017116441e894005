"""A real pair of mail servers: SMTP by aiosmtpd, which also plays the world's, and IMAP by Dovecot."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from guanjia.config.mail import Mail, Server
from guanjia.core.mail import read

DOVECOT = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
PASSWORD = "oolong-tea"
HELP = "help@desk.example"
AUTHSERV = "mx.desk.example"
GONE = "gone@shop.example"
STARTED_WITHIN = 20.0

CONFIG = """
protocols = imap
listen = 127.0.0.1
base_dir = {dir}/run
state_dir = {dir}/run
log_path = {dir}/log
ssl = yes
ssl_cert = <{dir}/cert.pem
ssl_key = <{dir}/key.pem
default_internal_user = {internal}
default_login_user = {login}
default_internal_group = {group}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={dir}/home
}}
mail_location = maildir:~/Maildir
first_valid_uid = 1
"""


@dataclass
class World:
    """`sent` is what left for the outside; `answer` makes the SMTP server refuse with that line."""

    dir: Path
    imap: int
    smtp: int = 0
    sent: list[bytes] = field(default_factory=list)
    answer: str = ""
    arrived: int = 0

    def setting(self, **more: object) -> Mail:
        """As an operator's file would say it."""
        ca = str(self.dir / "cert.pem")
        return Mail(
            address=HELP,
            name="云市管家",
            smtp=Server("localhost", self.smtp, "starttls", "guanjia", PASSWORD, ca),
            imap=Server("localhost", self.imap, "starttls", "help", PASSWORD, ca),
            authserv=AUTHSERV,
            signature={"zh-Hans": "云市商家服务", "en": "Cloud Market merchant services"},
            **more,  # type: ignore[arg-type]
        )

    def post(self, raw: bytes, envelope: str | None = None) -> None:
        """Somebody out there sends a mail to the desk; `envelope` where it is not who From says."""
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=20) as session:
            sender = read(raw).sender if envelope is None else envelope
            lines = re.sub(rb"\r?\n", b"\r\n", raw)
            session.sendmail(sender, [HELP], lines, mail_options=["BODY=8BITMIME"])

    def keep(self, raw: bytes, sender: str) -> None:
        """As a mail server of ours would: stamped, and into the mailbox."""
        domain = sender.rpartition("@")[2]
        passed = "pass" if domain and domain == read(raw[:20_000]).domain else "fail"
        stamps = (
            f"Return-Path: <{sender}>\r\n"
            f"Delivered-To: {HELP}\r\n"
            f"Authentication-Results: {AUTHSERV}; spf={passed} smtp.mailfrom={domain}\r\n"
        )
        self.arrived += 1
        new = self.dir / "home" / "Maildir" / "new"
        draft = self.dir / "home" / "Maildir" / "tmp" / str(self.arrived)
        draft.write_bytes(stamps.encode() + raw)
        if os.geteuid() == 0:
            os.chown(draft, *_owner())
        draft.rename(new / f"{self.arrived:06d}.test")


class _Post:
    """What the SMTP server does with what it is given."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self._world.answer:
            return self._world.answer
        if address == GONE:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            if address.endswith("@desk.example"):
                self._world.keep(envelope.content, envelope.mail_from or "")
            else:
                self._world.sent.append(envelope.content)
        return "250 OK"


@contextmanager
def mail_servers(dir: Path, port: int) -> Iterator[World]:
    """Both, on this port of IMAP; they stop with the block."""
    _certificate(dir)
    world = World(dir, port)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(dir / "cert.pem", dir / "key.pem")
    with _dovecot(dir, port):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            world.smtp = free.getsockname()[1]
        smtp = Controller(
            _Post(world), hostname="127.0.0.1", port=world.smtp, tls_context=context,
            authenticator=_checked, auth_require_tls=True, data_size_limit=80 * 1024 * 1024,
        )  # fmt: skip
        smtp.start()
        try:
            yield world
        finally:
            smtp.stop()


def _checked(server, session, envelope, mechanism, data):
    return AuthResult(success=data.password == PASSWORD.encode())


def _owner() -> tuple[int, int]:
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


@contextmanager
def _dovecot(dir: Path, port: int) -> Iterator[None]:
    uid, gid = _owner()
    root = os.geteuid() == 0
    own = pwd.getpwuid(os.geteuid()).pw_name
    for name in ("run", "home/Maildir/tmp", "home/Maildir/new", "home/Maildir/cur"):
        (dir / name).mkdir(parents=True, exist_ok=True)
    for name in ("home", "home/Maildir", "home/Maildir/tmp", "home/Maildir/new", "home/Maildir/cur"):
        if root:
            os.chown(dir / name, uid, gid)
    dir.chmod(0o755)
    values = {"dir": dir, "port": port, "password": PASSWORD, "uid": uid, "gid": gid}
    users = {"internal": "dovecot" if root else own, "login": "dovenull" if root else own}
    users["group"] = "dovecot" if root else str(gid)
    (dir / "dovecot.conf").write_text(CONFIG.format(**values, **users))
    assert DOVECOT is not None
    running = subprocess.Popen([DOVECOT, "-F", "-c", str(dir / "dovecot.conf")])
    try:
        _wait(port, running)
        yield
    finally:
        running.terminate()
        running.wait(timeout=STARTED_WITHIN)


def _wait(port: int, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < end and running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)  # a server that starts says nothing when it is ready
        else:
            return
    raise RuntimeError("Dovecot did not start")


def _certificate(dir: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (dir / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (dir / "key.pem").write_bytes(private)
