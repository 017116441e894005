"""Settings from the environment: read once, typed, loud.

A secret may come from a file instead: `NAME_FILE` holds its path, as containers mount them.
Every name below is described in docs/settings.md; a test fails on one that is not.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from guanjia.base.postgres.place import stored_url
from guanjia.config.files import Files, UnusableFilesError, read_files
from guanjia.config.mail import Mail, UnusableMailError, read_mail
from guanjia.config.sign_in import Provider, UnusableProviderError, read_providers

SECRETS = ("DATABASE_URL", "GUANJIA_SECRET_KEY")
NAMES = (
    *SECRETS,
    "GUANJIA_HOME",
    "GUANJIA_URL",
    "GUANJIA_DEBUG",
    "GUANJIA_DEMO",
    "GUANJIA_LANGUAGE",
    "GUANJIA_LINE_NETWORKS",
    "GUANJIA_SIGN_IN",
    "GUANJIA_FILE_MB",
    "GUANJIA_MESSAGE_MB",
    "GUANJIA_FILE_TYPES",
    "GUANJIA_MAIL",
    "GUANJIA_REOPEN_WITHIN",
    "GUANJIA_CLOSE_AFTER",
    "GUANJIA_HOOK_NETWORKS",
    "GUANJIA_NOTICE_DAYS",
    "GUANJIA_DELIVERY_DAYS",
)
LANGUAGES = ("zh-Hans", "en")
SHORTEST_KEY = 32  # characters
SWITCH = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}

Network = IPv4Network | IPv6Network


class SettingError(ValueError):
    """A setting that cannot be used. The text names the variable and says what is expected."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        super().__init__(f"{name}: expected {expected}; got {got}. See docs/settings.md.")
        self.name = name


@dataclass(frozen=True)
class DatabaseAddress:
    """The parts of a `postgresql://user:password@host:port/name?option=value` address."""

    host: str
    port: int
    name: str
    user: str
    password: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, url: str) -> DatabaseAddress:
        """Errors never show the address: it contains the password."""
        expected = "postgresql://user:password@host:port/name"
        try:
            parts = urlsplit(url)
            port = parts.port or 5432
        except ValueError:
            raise SettingError("DATABASE_URL", expected, "a malformed address") from None
        name = unquote(parts.path.removeprefix("/"))
        if parts.scheme not in ("postgres", "postgresql"):
            raise SettingError("DATABASE_URL", expected, f"the scheme {parts.scheme!r}")
        if not parts.hostname or not name or "/" in name:
            raise SettingError("DATABASE_URL", expected, "an address without host or name")
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return cls(parts.hostname, port, name, user, password, tuple(parse_qsl(parts.query)))


@dataclass(frozen=True)
class Env:
    """Everything the house takes from outside. `database_url` is None until a database exists."""

    home: Path
    database_url: str | None
    secret_key: str
    debug: bool
    demo: bool
    base_url: str
    line_networks: tuple[Network, ...]
    language: str
    sign_in: tuple[Provider, ...] = ()
    files: Files = field(default_factory=lambda: read_files({}))
    mail: Mail | None = None
    reopen_within: timedelta | None = timedelta(days=14)
    close_after: timedelta | None = timedelta(days=14)
    hook_networks: tuple[Network, ...] = ()
    notices_kept: timedelta | None = timedelta(days=90)
    deliveries_kept: timedelta | None = timedelta(days=30)

    @property
    def database(self) -> DatabaseAddress | None:
        """The database address in parts, or None when there is no database yet."""
        return DatabaseAddress.parse(self.database_url) if self.database_url else None


def load(environ: Mapping[str, str] = os.environ) -> Env:
    """Read all settings; generate the secret key into `home` on first use.

    Raises SettingError for the first setting that cannot be used.
    """
    home = _home(environ)
    url = _secret(environ, "DATABASE_URL")
    if url is not None:
        DatabaseAddress.parse(url)
    return Env(
        home=home,
        database_url=url if url is not None else stored_url(home),
        secret_key=_secret_key(environ, home),
        debug=_switch(environ, "GUANJIA_DEBUG"),
        demo=_switch(environ, "GUANJIA_DEMO"),
        base_url=_base_url(environ),
        line_networks=_networks(environ, "GUANJIA_LINE_NETWORKS"),
        language=_language(environ),
        sign_in=_sign_in(environ),
        files=_files(environ),
        mail=_mail(environ),
        hook_networks=_networks(environ, "GUANJIA_HOOK_NETWORKS"),
        notices_kept=_days(environ, "GUANJIA_NOTICE_DAYS", without="always", usual="90"),
        deliveries_kept=_days(environ, "GUANJIA_DELIVERY_DAYS", without="always", usual="30"),
        reopen_within=_days(environ, "GUANJIA_REOPEN_WITHIN", without="always"),
        close_after=_days(environ, "GUANJIA_CLOSE_AFTER", without="never"),
    )


def home_from(environ: Mapping[str, str] = os.environ) -> Path:
    """Only the home directory, for commands that run before a database or a key exists."""
    return _home(environ)


def _home(environ: Mapping[str, str]) -> Path:
    given = environ.get("GUANJIA_HOME")
    if given is None:
        return _default_home(environ)
    home = Path(given).expanduser()
    if not home.is_absolute():
        raise SettingError("GUANJIA_HOME", "an absolute directory", repr(given))
    return home


def _default_home(environ: Mapping[str, str]) -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/guanjia")
    data = Path(environ.get("XDG_DATA_HOME", ""))
    # The XDG base directory specification: a relative path is to be ignored.
    return (data if data.is_absolute() else Path.home() / ".local" / "share") / "guanjia"


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    value, file = environ.get(name), environ.get(f"{name}_FILE")
    if value is not None and file is not None:
        raise SettingError(name, f"{name} or {name}_FILE", "both")
    if file is not None:
        try:
            value = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingError(f"{name}_FILE", "a readable text file", str(error)) from error
    if value == "":
        raise SettingError(name, "a value, or no such variable at all", "an empty text")
    return value


def _secret_key(environ: Mapping[str, str], home: Path) -> str:
    key = _secret(environ, "GUANJIA_SECRET_KEY") or _kept_key(home / "secret-key")
    if len(key) < SHORTEST_KEY:
        raise SettingError(
            "GUANJIA_SECRET_KEY", f"at least {SHORTEST_KEY} characters", f"{len(key)} characters"
        )
    return key


def _kept_key(file: Path) -> str:
    try:
        if not file.exists():
            _create_key(file)
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        expected = f"the key in the environment, or a {file} we can read and create"
        raise SettingError("GUANJIA_SECRET_KEY", expected, str(error)) from error


def _create_key(file: Path) -> None:
    file.parent.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    # mkstemp is 0600 from the start, and link() refuses to replace: of two first starts at once
    # one key wins and both read it.
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix=".secret-key-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(secrets.token_urlsafe(48) + "\n")
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)


def _switch(environ: Mapping[str, str], name: str) -> bool:
    given = environ.get(name, "")
    try:
        return SWITCH[given.lower()]
    except KeyError:
        raise SettingError(name, "1 or 0", repr(given)) from None


def _base_url(environ: Mapping[str, str]) -> str:
    given = environ.get("GUANJIA_URL", "http://127.0.0.1:8700")
    expected = "http(s)://host or http(s)://host:port, without a path"
    try:
        parts = urlsplit(given)
        usable = parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        raise SettingError("GUANJIA_URL", expected, repr(given)) from None
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not usable or rest:
        raise SettingError("GUANJIA_URL", expected, repr(given))
    return f"{parts.scheme}://{parts.netloc}"


def _networks(environ: Mapping[str, str], name: str) -> tuple[Network, ...]:
    found = []
    for text in environ.get(name, "").replace(",", " ").split():
        try:
            found.append(ip_network(text))
        except ValueError as error:
            expected = "networks such as 127.0.0.0/8,10.2.0.0/16"
            raise SettingError(name, expected, str(error)) from error
    return tuple(found)


def _language(environ: Mapping[str, str]) -> str:
    given = environ.get("GUANJIA_LANGUAGE", "zh-Hans")
    if given not in LANGUAGES:
        raise SettingError("GUANJIA_LANGUAGE", " or ".join(LANGUAGES), repr(given))
    return given


def _days(environ: Mapping[str, str], name: str, *, without: str, usual: str = "14") -> timedelta | None:
    """A number of days, None for the word that says there is no limit."""
    given = environ.get(name, usual)
    if given == without:
        return None
    if not (given.isascii() and given.isdecimal() and len(given) <= len("9999")):
        raise SettingError(name, f"a number of days up to 9999, or {without}", repr(given))
    return timedelta(days=int(given))


def _sign_in(environ: Mapping[str, str]) -> tuple[Provider, ...]:
    given = environ.get("GUANJIA_SIGN_IN")
    if given is None:
        return ()
    try:
        return read_providers(Path(given))
    except UnusableProviderError as error:
        raise SettingError("GUANJIA_SIGN_IN", "a TOML file of sign-in providers", str(error)) from None


def _files(environ: Mapping[str, str]) -> Files:
    try:
        return read_files(environ)
    except UnusableFilesError as error:
        raise SettingError(*error.args) from None


def _mail(environ: Mapping[str, str]) -> Mail | None:
    given = environ.get("GUANJIA_MAIL")
    if given is None:
        return None
    try:
        return read_mail(Path(given))
    except UnusableMailError as error:
        raise SettingError("GUANJIA_MAIL", "a TOML file of mail servers", str(error)) from None
