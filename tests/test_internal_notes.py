"""What is said inside the house never reaches a merchant by any door.

Every place where staff can write for themselves gets a mark; then the merchant's people open every page
they can reach, search, take their data home, call the API, and read the mail and webhooks that were sent.
The same walk made by the account manager finds every mark: a mark that nobody can find proves nothing.
"""

from __future__ import annotations

import json
import re
from collections import deque
from datetime import timedelta
from html import unescape
from urllib.parse import quote, urljoin, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from guanjia.cases.actions import (
    ask_approval,
    end_apprentice,
    merge_cases,
    open_case,
    return_reply,
    save_draft,
    say,
    set_apprentice,
    share_draft,
    split_case,
)
from guanjia.cases.actions.handover import hand_over
from guanjia.cases.actions.plans import add_to_checklist
from guanjia.cases.actions.tasks import ask_task, drop_task, say_on_task
from guanjia.cases.models import Apprentice, Attachment, Message
from guanjia.demo.cast import make_user
from guanjia.merchants.models import Member, MemberRole
from guanjia.people.actions import issue_token
from guanjia.people.models import User
from guanjia.post.composing import webhook_body
from guanjia.post.models import News, Side
from guanjia.post.tests.receivers import Postman
from guanjia.post.tests.rounds import MAIL, deliver_all, tell_all
from guanjia.search.testing import catch_up

MARK = "墨记"
PAGES_MOST = 400
LINK = re.compile(r'(?:href|hx-get|src)="([^"#]+)"')
KEPT_ASIDE = ("/sign-out", "/static/", "/demo/")


@pytest.fixture
def shop(cast, noon, settings):
    """Mira's merchant has someone of every role, and wants all news by mail."""
    settings.MAIL = MAIL
    for role in (MemberRole.STAFF, MemberRole.FINANCE, MemberRole.VIEWER):
        user = User.objects.create(username=f"m-{role}", name=f"M {role}")
        Member.objects.create(merchant=cast.mira_shop, user=user, role=role)
    for user in _members(cast.mira_shop):
        User.objects.filter(pk=user.pk).update(email=f"{user.username}@example.com")
    return cast.mira_shop


def _members(shop):
    return [member.user for member in Member.objects.filter(merchant=shop).select_related("user")]


@pytest.fixture
def planted(cast, shop, noon):
    """What the house wrote for itself, everywhere it can; the names of the marks."""
    return Plant(cast, noon).everything()


class Plant:
    def __init__(self, cast, now):
        self.cast, self.now, self.names = cast, now, []
        opened = open_case(actor=cast.mira, merchant_ref="M-1042", need="双十一首页展示位", now=now)
        self.number = opened.number

    def mark(self, name):
        self.names.append(name)
        return f"{MARK}-{name}"

    def later(self, minutes=1):
        self.now += timedelta(minutes=minutes)
        return self.now

    def everything(self):
        for step in (self.notes, self.apart, self.work, self.hands):
            step()
        say(actor=self.cast.lin, number=self.number, body="公开答复一句", now=self.later())
        self.held()
        self.unsent()
        return self.names

    def note(self, name, **more):
        return say(
            actor=self.cast.lin, number=self.number, body=self.mark(name), internal=True, now=self.later(),
            **more,
        )  # fmt: skip

    def notes(self):
        self.note("note")
        # Their names are marks as well; what is in a file nobody reads but who opens it.
        file = SimpleUploadedFile(f"{self.mark('file')}.txt", f"{self.mark('content')}".encode())
        self.note("note-with-file", files=[file])

    def work(self):
        lin, number = self.cast.lin, self.number
        about = {"title": self.mark("task"), "detail": self.mark("task-detail"), "doer": f"person:{lin.pk}"}
        task = ask_task(actor=lin, number=number, work_days=3, now=self.later(), **about)
        say_on_task(actor=lin, task=task.pk, body=self.mark("task-word"), now=self.later())
        drop_task(actor=lin, task=task.pk, reason=self.mark("task-dropped"), now=self.later())
        add_to_checklist(actor=lin, number=number, text=self.mark("checklist"), now=self.later())

    def unsent(self):
        lin, number = self.cast.lin, self.number
        share_draft(
            actor=lin, number=number, internal=True, body=self.mark("shared-draft"), read=0, now=self.later()
        )
        for internal, name in ((False, "draft"), (True, "draft-note")):
            save_draft(actor=lin, number=number, internal=internal, body=self.mark(name), now=self.later())

    def held(self):
        lin, wei = self.cast.lin, self.cast.wei
        set_apprentice(actor=wei, approver=wei, user=lin, now=self.later())
        held = ask_approval(actor=lin, number=self.number, body="先看看", now=self.later())
        return_reply(actor=wei, reply=held.pk, reason=self.mark("returned"), now=self.later())
        ask_approval(actor=lin, number=self.split, body=self.mark("held"), now=self.later())
        end_apprentice(actor=wei, apprentice=Apprentice.objects.get().pk, now=self.later())

    def apart(self):
        """A note of a case that is merged into this one, and one that a split takes along."""
        cast, now = self.cast, self.later()
        other = open_case(actor=cast.mira, merchant_ref="M-1042", need="同一件事又说了一次", now=now)
        say(actor=cast.lin, number=other.number, body=self.mark("merged"), internal=True, now=self.later())
        merge_cases(actor=cast.lin, number=other.number, into=self.number, now=self.later())
        taken = self.note("split").pk
        new = split_case(
            actor=cast.lin, number=self.number, messages=[taken], need="另一件事：仓位", now=self.later()
        )

        self.split = new.number

    def hands(self):
        """A lead gives it to a colleague, who becomes a backup with it."""
        self.lea = make_user("lea", "李雅 Lea")
        why, note = self.mark("why-handed"), self.mark("handed-note")
        to, now = f"person:{self.lea.pk}", self.later()
        hand_over(actor=self.cast.wei, number=self.number, to=to, reason=why, note=note, now=now)


def walk(user, starts, more=()):
    """Every page and file that can be reached from there by links, as text by address."""
    client = Client()
    client.force_login(user)
    todo, seen, found = deque([*starts, *more]), set(), {}
    while todo and len(seen) < PAGES_MOST:
        address = todo.popleft()
        if address in seen or address.startswith(KEPT_ASIDE):
            continue
        seen.add(address)
        answer = client.get(address)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        found[address] = unescape(body.decode("utf-8", "replace"))
        if answer.status_code in (301, 302, 303):
            todo.append(urljoin(address, answer["location"]))
        elif "html" in answer.get("content-type", ""):
            links = (urljoin(address, unescape(link)) for link in LINK.findall(body.decode()))
            todo.extend(link for link in links if not urlsplit(link).netloc)
    assert not todo, f"more than {PAGES_MOST} pages"
    return found


def marked(texts, names):
    """Which marks are in these texts, and where."""
    return {name: where for name in names for where, text in texts.items() if f"{MARK}-{name}" in text}


def test_no_page_or_download_of_a_merchant_shows_a_mark(cast, shop, planted, client):
    tell_all(timezone.now())
    for user in _members(shop):
        files = [f"/files/{pk}/" for pk in Attachment.objects.values_list("pk", flat=True)]
        found = walk(user, [f"/door/{shop.ref}/", "/news/"], files)
        client.force_login(user)
        for form in ("csv", "json"):
            found[f"export {form}"] = taken_home(client.post(f"/door/{shop.ref}/export", {"format": form}))
        assert [where for where, text in found.items() if MARK in text] == []
        assert "公开答复一句" in "".join(found.values())


def taken_home(answer):
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return body.decode()


def test_no_search_of_a_merchant_finds_a_mark(cast, shop, planted, client):
    catch_up()
    for user in _members(shop):
        client.force_login(user)
        assert (
            "/cases/GJ" in client.get(f"/door/{shop.ref}/search?q={quote('公开答复一句')}").content.decode()
        )
        for name in (*planted, ""):
            page = client.get(f"/door/{shop.ref}/search?q={quote(f'{MARK}-{name}')}").content.decode()
            assert "/cases/GJ" not in page, name


def test_staff_find_every_mark(cast, shop, planted):
    tell_all(timezone.now())
    number = Message.objects.get(body=f"{MARK}-note").case.number
    starts = [f"/desk/cases/{number}/", "/news/"]
    staff = User.objects.filter(username__in=("lin", "wei", "lea"))
    found = {(user, where): text for user in staff for where, text in walk(user, starts).items()}
    assert set(planted) - set(marked(found, planted)) == set()


def test_staff_find_a_note_by_its_words(cast, shop, planted, client):
    catch_up()
    client.force_login(cast.lin)
    assert "GJ-" in client.get(f"/desk/search?q={quote(f'{MARK}-merged')}").content.decode()


def test_no_mail_webhook_or_news_for_a_merchant_carries_a_mark(cast, shop, planted):
    postman, now = Postman(), timezone.now()
    tell_all(now)
    deliver_all(now, postman, until=timedelta(days=3))
    theirs = {f"{user.username}@example.com" for user in _members(shop)}
    letters = [f"{one.subject} {one.text}" for one in postman.letters if one.address in theirs]
    hooks = [
        webhook_body(news.pk, news.event, language).decode()
        for news in News.objects.filter(side=Side.MERCHANT)
        for language in ("zh-hans", "en")
    ]
    assert letters
    assert any("公开答复一句" in json.loads(hook)["data"].get("body", "") for hook in hooks)
    assert [text for text in letters + hooks if MARK in text or "\\u58a8\\u8bb0" in text] == []


def test_the_api_takes_no_note_of_a_merchant(cast, shop, planted, noon):
    token = issue_token(actor=cast.mira, user=cast.mira, label="ERP", now=noon)
    number = Message.objects.get(body=f"{MARK}-note").case.number
    bearer = {"headers": {"authorization": f"Bearer {token}"}, "content_type": "application/json"}
    before = Message.objects.filter(internal=True).count()
    said = Client().post(f"/api/cases/{number}/messages", {"body": "好", "internal": True}, **bearer)
    assert (said.status_code, Message.objects.filter(internal=True).count()) == (403, before)
    said = Client().post(f"/api/cases/{number}/messages", {"body": "好"}, **bearer)
    assert said.status_code == 201
    assert MARK not in said.content.decode()
