"""Another of Mira's people, who may look and nothing else."""

import pytest
from django.test import Client

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import make_user
from guanjia.merchants.actions import add_member
from guanjia.merchants.models import MemberRole


@pytest.fixture
def viewer(market, now):
    vera = make_user("vera", "薇拉 Vera")
    add_member(actor=SYSTEM, merchant=market.mira_shop, user=vera, role=MemberRole.VIEWER, now=now)
    client = Client()
    client.force_login(vera)
    client.get("/")
    return client
