import pytest
from django.db import IntegrityError, transaction

from guanjia.base.actors import SYSTEM
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.people.actions import issue_token


@pytest.fixture
def event(db, noon):
    issue_token(actor=SYSTEM, user=make_user("mira", "Mira"), label="test", now=noon)
    return Event.objects.get()


def test_an_event_says_what_was_done_by_whom_to_what(event, noon):
    user = event.payload["user"]
    assert (event.kind, event.at, event.actor) == ("people.token_issued", noon, "system:guanjia")
    assert event.subject == f"user:{user}"


@pytest.mark.parametrize(
    "change",
    [
        lambda event: Event.objects.filter(pk=event.pk).update(actor="user:1"),
        lambda event: Event.objects.all().delete(),
        lambda event: event.delete(),
        lambda event: event.save(),
    ],
    ids=["update", "delete all", "delete one", "save again"],
)
def test_the_database_refuses_to_change_the_log(event, unchanged, change):
    with unchanged(), pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change(Event.objects.get(pk=event.pk))
