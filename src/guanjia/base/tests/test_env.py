from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from guanjia.base.postgres.place import Cluster, folder, write_cluster, write_private
from guanjia.config import env

ROOT = Path(__file__).parents[4]
KEY = "k" * 32


def load(home: Path, **values: str) -> env.Env:
    return env.load({"GUANJIA_HOME": str(home), **values})


def test_defaults(tmp_path):
    loaded = load(tmp_path, GUANJIA_SECRET_KEY=KEY)
    assert loaded == env.Env(
        home=tmp_path,
        database_url=None,
        secret_key=KEY,
        debug=False,
        demo=False,
        base_url="http://127.0.0.1:8700",
        line_networks=(),
        language="zh-Hans",
    )
    assert loaded.database is None
    assert list(tmp_path.iterdir()) == []


def test_every_value_is_typed(tmp_path):
    loaded = load(
        tmp_path,
        DATABASE_URL="postgresql://gu:p%40ss@db.example:6000/door?sslmode=require",
        GUANJIA_SECRET_KEY=KEY,
        GUANJIA_DEBUG="true",
        GUANJIA_URL="https://door.example:8443/",
        GUANJIA_LINE_NETWORKS="127.0.0.0/8, ::1/128",
        GUANJIA_LANGUAGE="en",
        GUANJIA_REOPEN_WITHIN="always",
        GUANJIA_CLOSE_AFTER="30",
    )
    assert (loaded.reopen_within, loaded.close_after) == (None, timedelta(days=30))
    assert loaded.database == env.DatabaseAddress(
        "db.example", 6000, "door", "gu", "p@ss", (("sslmode", "require"),)
    )
    assert loaded.debug is True
    assert loaded.base_url == "https://door.example:8443"
    assert loaded.line_networks == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert loaded.language == "en"


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("GUANJIA_HOME", "relative/home", "absolute"),
        ("GUANJIA_DEBUG", "maybe", "1 or 0"),
        ("GUANJIA_URL", "door.example", "http(s)://"),
        ("GUANJIA_URL", "http://door.example/path", "without a path"),
        ("GUANJIA_URL", "http://door.example:port", "http(s)://"),
        ("GUANJIA_LINE_NETWORKS", "10.0.0.1/8", "host bits"),
        ("GUANJIA_LANGUAGE", "fr", "zh-Hans or en"),
        ("GUANJIA_REOPEN_WITHIN", "never", "or always"),
        ("GUANJIA_CLOSE_AFTER", "-1", "or never"),
        ("GUANJIA_SECRET_KEY", "short", "at least 32"),
        ("GUANJIA_SECRET_KEY", "", "empty"),
        ("GUANJIA_SECRET_KEY_FILE", "/nowhere/key", "readable"),
        ("DATABASE_URL", "mysql://u@h/n", "postgresql://"),
        ("DATABASE_URL", "postgresql://u@h", "postgresql://"),
        ("DATABASE_URL", "postgresql://u:p@h:port/n", "postgresql://"),
    ],
)
def test_an_unusable_value_is_refused_by_name(tmp_path, name, value, part):
    with pytest.raises(env.SettingError) as caught:
        load(tmp_path, **{"DATABASE_URL": "postgresql://u@h/n", name: value})
    assert str(caught.value).startswith(f"{name}: expected ")
    assert part in str(caught.value)


def test_an_error_never_shows_the_database_password(tmp_path):
    with pytest.raises(env.SettingError) as caught:
        load(tmp_path, DATABASE_URL="postgresql://u:hunter2@h:port/n")
    assert "hunter2" not in str(caught.value)


def test_a_secret_can_come_from_a_file_but_not_from_both(tmp_path):
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    assert load(tmp_path, GUANJIA_SECRET_KEY_FILE=str(file)).secret_key == KEY
    with pytest.raises(env.SettingError, match="got both"):
        load(tmp_path, GUANJIA_SECRET_KEY_FILE=str(file), GUANJIA_SECRET_KEY=KEY)


def test_the_key_is_made_once_and_private(tmp_path):
    home = tmp_path / "new" / "home"
    with ThreadPoolExecutor(4) as pool:
        keys = set(pool.map(lambda _: load(home).secret_key, range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert stat.S_IMODE((home / "secret-key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["secret-key"]


def test_the_address_of_the_embedded_database_is_found_from_home(tmp_path):
    folder(tmp_path).mkdir()
    write_private(folder(tmp_path) / "password", "word")
    write_cluster(tmp_path, Cluster(data=tmp_path / "data", port=15999))
    url = "postgresql://guanjia:word@127.0.0.1:15999/guanjia"
    assert load(tmp_path).database_url == url


def test_the_default_home(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert env.home_from({}) == Path("/var/lib/guanjia")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert env.home_from({"XDG_DATA_HOME": "/data"}) == Path("/data/guanjia")
    assert env.home_from({"XDG_DATA_HOME": "data"}) == Path.home() / ".local/share/guanjia"


def test_every_setting_is_documented_and_nothing_else_is():
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"\b(?:GUANJIA_[A-Z_]+|DATABASE_URL\w*)", page))
    assert documented == {*env.NAMES, *(f"{name}_FILE" for name in env.SECRETS)}


def test_no_code_reads_a_setting_of_its_own():
    known = {*env.NAMES, *(f"{name}_FILE" for name in env.SECRETS)}
    for file in (ROOT / "src").rglob("*.py"):
        if "tests" not in file.parts:
            used = set(re.findall(r"\bGUANJIA_[A-Z_]+\b", file.read_text(encoding="utf-8")))
            assert used <= known, file


def test_settings_database_and_processes_work_without_django():
    modules = "guanjia.config.env, guanjia.base.postgres.program, guanjia.base.processes"
    text = f"import sys, {modules}; sys.exit('django' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text], check=False).returncode == 0
