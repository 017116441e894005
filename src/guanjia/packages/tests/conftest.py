"""The machine door with a caller's token in hand; these tests run by the real clock."""

import pytest
from django.utils import timezone

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import make_cast
from guanjia.people.actions import issue_token


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now)


@pytest.fixture
def call(client, now):
    """`call(user, "POST", path, body, Header="…")`; a user's token is issued at the first call."""
    tokens = {}

    def send(user, method, path, body=None, **headers):
        if user not in tokens:
            tokens[user] = issue_token(actor=SYSTEM, user=user, label="test", now=now)
        headers = {"Authorization": f"Bearer {tokens[user]}", "Accept-Language": "en"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        send_it = getattr(client, method.lower())
        return send_it(path, body, content_type="application/json", headers=headers)

    return send
