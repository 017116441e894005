"""Links, merges and splits at the desk: looked at first, done once, and nobody else's."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from guanjia.cases import actions
from guanjia.cases.actions import fanout, major
from guanjia.cases.models import Case, CaseLink, CaseState, LinkKind, Recipient
from guanjia.cases.recipients import Criteria
from guanjia.demo.cast import make_cast
from guanjia.packages.tests import stories


@pytest.fixture
def now():
    return timezone.now()


@pytest.fixture
def market(db, now):
    return make_cast(now - timedelta(days=1))


@pytest.fixture
def pair(market, now):
    return stories.a_case(market, now), stories.a_case(market, now)


@pytest.fixture
def lin(market, client):
    client.force_login(market.lin)
    return client


def text_of(answer):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def page_of(case, path=""):
    return f"/desk/cases/{case.number}/{path}"


def loose(case):
    return case.number.lower().replace("-", " ")


def test_two_cases_are_linked_and_unlinked(lin, pair):
    one, two = pair
    answer = lin.post(page_of(one, "links"), {"other": loose(two), "kind": "duplicate"})
    assert answer.status_code == 303
    assert f"与 {two.number} 重复。" in text_of(lin.get(page_of(one)))
    assert f"{one.number} 与这件重复。" in text_of(lin.get(page_of(two)))
    assert lin.post(page_of(two, "unlink"), {"other": one.number}).status_code == 303
    assert not CaseLink.objects.exists()
    lin.post(page_of(one, "links"), {"other": two.number, "kind": "whole"})
    link = CaseLink.objects.get()
    assert (link.kind, link.source, link.target) == (LinkKind.PART, two, one)


def test_a_wrong_link_keeps_what_was_typed(lin, pair, unchanged):
    with unchanged():
        for typed in ({"other": "毛毯", "kind": "related"}, {"other": pair[1].number, "kind": "merged"}):
            answer = lin.post(page_of(pair[0], "links"), typed)
            assert answer.status_code == 422
            assert typed["other"] in answer.content.decode()


def test_a_merge_is_looked_at_before_it_is_done(lin, pair, unchanged):
    one, two = pair
    with unchanged():
        look = lin.get(page_of(one, "merge"), {"into": loose(two)})
    assert f"{one.number} 并入 {two.number}" in text_of(look)
    answer = lin.post(page_of(one, "merge"), {"into": two.number})
    assert answer.headers["Location"] == page_of(two)
    one.refresh_from_db()
    assert one.state == CaseState.CLOSED


def test_a_merged_number_finds_the_case_that_goes_on(market, client, lin, pair, now):
    one, two = pair
    actions.say(actor=market.mira, number=one.number, body="快一点", now=now)
    actions.say(actor=market.lin, number=one.number, body="仓库满了", internal=True, now=now)
    lin.post(page_of(one, "merge"), {"into": two.number})
    assert lin.get(page_of(one)).headers["Location"] == page_of(two)
    joined = text_of(lin.get(page_of(two)))
    assert "快一点" in joined
    assert "仓库满了" in joined
    assert f"说在 {one.number}" in joined
    client.force_login(market.mira)
    answer = client.get(f"/door/M-1042/cases/{one.number}/")
    assert answer.headers["Location"] == f"/door/M-1042/cases/{two.number}/"
    hers = text_of(client.get(f"/door/M-1042/cases/{two.number}/"))
    assert "快一点" in hers
    assert "仓库满了" not in hers
    assert f"{one.number} 并了进来。" in hers


def test_a_merge_is_taken_back_from_the_links(lin, pair, market, now):
    one, two = pair
    lin.post(page_of(one, "merge"), {"into": two.number})
    assert lin.post(page_of(two, "unmerge"), {"other": one.number}).headers["Location"] == page_of(one)
    assert lin.get(page_of(one)).status_code == 200
    lin.post(page_of(one, "merge"), {"into": two.number})
    actions.say(actor=market.mira, number=two.number, body="好", now=now)
    answer = lin.post(page_of(two, "unmerge"), {"other": one.number})
    assert answer.status_code == 409
    assert "不能撤销了" in text_of(answer)


def test_a_refused_merge_says_why(lin, market, pair, now, unchanged):
    package = stories.pending(market, now)
    with unchanged():
        look = lin.get(page_of(package.case, "merge"), {"into": pair[0].number})
    assert look.status_code == 409
    assert package.number in text_of(look)


def test_a_split_is_looked_at_before_it_is_done(lin, market, pair, now, unchanged):
    case, _other = pair
    word = actions.say(actor=market.mira, number=case.number, body="还要开发票", now=now)
    note = actions.say(actor=market.lin, number=case.number, body="税号不对", internal=True, now=now)
    about = {"need": "开发票", "word": [word.pk, note.pk]}
    with unchanged():
        look = lin.post(page_of(case, "split"), {**about, "look": "1"})
        assert "带着 2 条话" in text_of(look)
        empty = lin.post(page_of(case, "split"), {"need": "开发票"})
        assert empty.status_code == 422
        assert "开发票" in empty.content.decode()
    answer = lin.post(page_of(case, "split"), about)
    new = Case.objects.get(need="开发票")
    assert answer.headers["Location"] == page_of(new)
    shown = text_of(lin.get(page_of(new)))
    assert "还要开发票" in shown
    assert "税号不对" in shown
    lin.force_login(market.mira)
    hers = text_of(lin.get(f"/door/M-1042/cases/{new.number}/"))
    assert "还要开发票" in hers
    assert "税号不对" not in hers
    assert f"从 {case.number} 拆出。" in hers


def test_nobody_else_links_merges_or_splits(market, client, lin, pair, now, unchanged):
    other = actions.open_case(actor=market.mo, merchant_ref="M-2077", need="?", now=now)
    about = {"other": other.number, "kind": "related"}
    with unchanged():
        assert lin.post(page_of(pair[0], "links"), about).status_code == 404
        assert lin.get(page_of(pair[0], "merge"), {"into": other.number}).status_code == 404
        for path in ("links", "merge", "split"):
            assert lin.get(page_of(other, path)).status_code == 404
    client.force_login(market.mira)
    with unchanged():
        for path in ("links", "merge", "split"):
            assert client.get(page_of(pair[0], path)).status_code == 403


def test_a_number_is_found_however_it_is_typed(lin, pair):
    serial = int(pair[0].number.rpartition("-")[2])
    year = pair[0].number.split("-")[1]
    answer = lin.get(f"/desk/cases/gj {year} {serial}/")
    assert answer.headers["Location"] == page_of(pair[0])
    assert lin.get("/desk/cases/毛毯/").status_code == 404


def test_a_child_of_a_major_case_is_kept_open(lin, market, now):
    found = major.open_major(
        actor=market.wei, title="停电", said="仓库停电", criteria=Criteria(refs=("M-1042",)), days=3, now=now
    )
    while fanout.advance_major(major=found.pk, now=now):
        pass
    child = Recipient.objects.get(major=found)
    assert "重大事项 停电" in text_of(lin.get(page_of(child.case)))
    assert lin.post(page_of(child.case, "keep"), {"keep": "1"}).status_code == 303
    child.refresh_from_db()
    assert child.kept_open is True


def statements(client, url):
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_pages_cost_the_same_with_one_link_and_with_three(lin, market, pair, now):
    case, first = pair
    link = {"actor": market.lin, "number": case.number, "now": now}
    actions.link_cases(other=first.number, kind=LinkKind.RELATED, **link)
    pages = [page_of(case), page_of(case, "links"), page_of(case, "merge"), page_of(case, "split")]
    costs = [statements(lin, url) for url in pages]
    for kind in (LinkKind.RELATED, LinkKind.DUPLICATE):
        other = stories.a_case(market, now)
        actions.link_cases(other=other.number, kind=kind, **link)
    merged = stories.a_case(market, now)
    actions.merge_cases(actor=market.lin, number=merged.number, into=case.number, now=now)
    assert [statements(lin, url) for url in pages] == costs
