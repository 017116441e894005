"""Mail that waits for a person: taken in as somebody's, as a note, or not at all; and forgotten in time."""

from datetime import timedelta

import pytest

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.base.models import Piece
from guanjia.cases.actions import open_case
from guanjia.cases.models import Case, Message
from guanjia.config.mail import Mail
from guanjia.core.mail.tests.mails import mail, with_files
from guanjia.ledger.models import Event
from guanjia.post.mail.actions import SettledAlready, drop_mail, take_in_as
from guanjia.post.mail.flows import MailFlow
from guanjia.post.mail.storing import purge, store
from guanjia.post.mail.tokens import Bound, read_token, reply_token
from guanjia.post.models import IncomingMail


@pytest.fixture
def case(cast, noon):
    return open_case(actor=cast.mira, merchant_ref="M-1042", need="备货", now=noon)


@pytest.fixture
def held(cast, noon):
    return came(with_files(("a.txt", b"abc"), From="stranger@x.example", Subject="急"), noon)


def came(raw, noon):
    found = store(raw, now=noon)
    MailFlow().settle([(found.pk, ())], noon)
    found.refresh_from_db()
    return found


def test_a_stranger_waits_and_the_log_does_not_name_them(held):
    assert (held.state, held.reason, held.sender) == ("held", "unknown", "stranger@x.example")
    event = Event.objects.get(kind="post.mail_judged")
    assert event.payload == {"mail": held.pk, "state": "held", "reason": "unknown", "case": ""}


def test_it_is_taken_in_as_somebody(cast, noon, case, held):
    take_in_as(actor=cast.wei, mail=held.pk, person="mira", number=case.number, now=noon)
    word = Message.objects.get(author=cast.mira)
    assert (word.body, word.internal, word.files.get().name) == ("见附件", False, "a.txt")
    held.refresh_from_db()
    assert (held.state, held.reason, held.judged_by) == ("taken", "by_hand", cast.wei)
    with pytest.raises(SettledAlready):
        take_in_as(actor=cast.wei, mail=held.pk, person="mira", number=case.number, now=noon)


def test_it_is_taken_in_as_a_note_that_the_merchant_does_not_see(cast, noon, case, held):
    take_in_as(actor=cast.wei, mail=held.pk, number=case.number, now=noon)
    word = Message.objects.get(author=cast.wei)
    assert (word.internal, word.body) == (True, "stranger@x.example 来信：\n\n见附件")


def test_it_is_taken_in_as_a_new_case(cast, noon, held):
    taken = take_in_as(actor=cast.wei, mail=held.pk, person="mira", merchant="M-1042", now=noon)
    assert (taken.opened_by, taken.title) == (cast.mira, "急")
    assert taken.files.get().name == "a.txt"


def test_it_is_dropped(cast, noon, held):
    drop_mail(actor=cast.wei, mail=held.pk, now=noon)
    held.refresh_from_db()
    assert held.state == "dropped"


def test_nobody_else_may_and_nothing_is_guessed(cast, noon, case, held, unchanged):
    with unchanged():
        for name in ("lin", "mira", "yan"):
            with pytest.raises(Forbidden):
                take_in_as(actor=getattr(cast, name), mail=held.pk, number=case.number, now=noon)
        with pytest.raises(Missing):
            take_in_as(actor=cast.wei, mail=held.pk + 1, number=case.number, now=noon)
        with pytest.raises(Missing):
            take_in_as(actor=cast.wei, mail=held.pk, number="GJ-2026-999999", now=noon)
        with pytest.raises(BadInput):
            take_in_as(actor=cast.wei, mail=held.pk, merchant="M-1042", now=noon)
        with pytest.raises(BadInput):
            take_in_as(actor=cast.wei, mail=held.pk, number=case.number, person="nobody", now=noon)
        with pytest.raises(Missing):  # Mo has nothing to say on Mira's case
            take_in_as(actor=cast.wei, mail=held.pk, number=case.number, person="mo", now=noon)


def test_raw_mail_is_forgotten_in_time_and_what_waits_later(cast, noon, held, settings):
    settings.MAIL = Mail("help@desk.example", keep_days=30)
    noted = came(mail(Auto_Submitted="auto-generated"), noon)
    assert purge(noon + timedelta(days=29)) == 0
    assert purge(noon + timedelta(days=31)) == 1
    noted.refresh_from_db()
    assert (noted.blob, noted.sender, noted.subject, noted.state) == (None, "", "", "noted")
    assert purge(noon + timedelta(days=121)) == 1
    assert not Piece.objects.exists()
    assert IncomingMail.objects.count() == 2


def test_a_mail_that_trips_a_fault_waits_for_a_person(noon, cast, monkeypatch):
    def fail(*_args, **_more):
        raise ValueError("a fault of ours")

    monkeypatch.setattr("guanjia.post.mail.taking.known", fail)
    assert came(mail(), noon).reason == "unreadable"
    assert Case.objects.count() == 0


def test_a_word_too_long_for_a_message_comes_along_whole(cast, noon, case, settings):
    settings.MAIL = Mail("help@desk.example")
    cast.mira.email = "mira@shop.example"
    cast.mira.save(update_fields=["email"])
    token = reply_token(case=case.pk, user=cast.mira.pk)
    text = "长" * 30_000
    assert came(mail(text, To=f"help+{token}@desk.example"), noon).state == "taken"
    word = Message.objects.get(author=cast.mira)
    assert len(word.body) == 20_000
    assert word.files.get().size == 90_000


def test_a_token_says_its_case_and_person_and_no_other():
    token = reply_token(case=123_456_789, user=42)
    assert read_token(token.upper()) == Bound(123_456_789, 42)
    assert len(token) == 27
    assert read_token(token.replace("c", "d", 1)) is None
    other = reply_token(case=123_456_788, user=42)
    assert read_token(other.rpartition(".")[0] + "." + token.rpartition(".")[2]) is None
    assert read_token("") is None
