"""The merchant's people: who may do what, added by a link, and never without an owner."""

import re

import pytest

from guanjia.merchants.models import Member, MemberRole
from guanjia.people.models import User

PEOPLE = "/door/M-1042/people/"
KIM = {"username": "kim", "name": "金店员", "email": "", "role": "staff"}


def member_of(username):
    return Member.objects.get(user__username=username)


def test_roles_are_told_in_words_from_the_table_of_rights(mira, said):
    page = said(mira.get(PEOPLE))
    assert "财务 查看全部事项和进度、参与沟通、确认或拒绝价格" in page
    assert "只读 查看全部事项和进度 我的账号" in page
    assert (
        "运营 查看全部事项和进度、提出要办的事、参与沟通、自己拟一揽子、撤回一揽子、标记办结或重开 财务"
        in page
    )


def test_a_person_is_added_and_the_link_is_shown_once(mira, said):
    answer = mira.post(PEOPLE, KIM)
    link = re.search(r"<code>([^<]+/welcome/[^<]+)</code>", answer.content.decode())
    assert link
    assert "请把这个链接交给金店员" in said(answer)
    assert (member_of("kim").role, member_of("kim").merchant.ref) == ("staff", "M-1042")
    assert "/welcome/" not in mira.get(PEOPLE).content.decode()


def test_what_is_wrong_is_said_and_what_was_typed_stays(mira, unchanged, said):
    mira.get(PEOPLE)
    with unchanged():
        answer = mira.post(PEOPLE, {**KIM, "username": "a b"})
        other = mira.post(PEOPLE, {**KIM, "role": "king"})
    assert (answer.status_code, other.status_code) == (422, 422)
    assert "登录名" in said(answer)
    assert 'value="a b"' in answer.content.decode()
    assert "没有这种身份。" in said(other)


def test_a_name_that_is_taken_leaves_nothing_behind(mira, unchanged, said):
    mira.get(PEOPLE)
    with unchanged():
        answer = mira.post(PEOPLE, {**KIM, "username": "lin"})
    assert answer.status_code == 409
    assert "这个登录名已有人使用。" in said(answer)


def test_a_role_is_changed_and_a_person_removed(mira, said):
    mira.post(PEOPLE, KIM)
    changed = mira.post(f"{PEOPLE}{member_of('kim').pk}/role", {"role": "finance"}, follow=True)
    assert "身份已改。" in said(changed)
    assert member_of("kim").role == "finance"
    mira.post(f"{PEOPLE}{member_of('kim').pk}/remove")
    assert not Member.objects.filter(user__username="kim").exists()
    assert User.objects.filter(username="kim").exists()


def test_the_last_owner_stays(mira, unchanged, said):
    owner = member_of("mira").pk
    mira.get(PEOPLE)
    with unchanged():
        for verb, posted in (("role", {"role": "viewer"}), ("remove", {})):
            answer = mira.post(f"{PEOPLE}{owner}/{verb}", posted)
            assert answer.status_code == 409
            assert "米拉 Mira是唯一的店主" in said(answer)


def test_a_lost_link_is_given_again_only_to_who_has_not_joined(mira, unchanged):
    mira.post(PEOPLE, KIM)
    kim = member_of("kim")
    assert "/welcome/" in mira.post(f"{PEOPLE}{kim.pk}/link").content.decode()
    kim.user.set_password("a long one of her own")
    kim.user.save(update_fields=["password"])
    with unchanged():
        assert mira.post(f"{PEOPLE}{kim.pk}/link").status_code == 409


@pytest.mark.parametrize("role", [MemberRole.STAFF, MemberRole.FINANCE, MemberRole.VIEWER])
def test_only_owners_manage_people(member, role, unchanged):
    client, kept = member(role)
    page = client.get(PEOPLE)
    assert page.status_code == 200
    assert "<form" not in page.content.decode().partition("<main")[2]
    with unchanged():
        assert client.post(PEOPLE, KIM).status_code == 403
        for verb in ("role", "remove", "link"):
            assert client.post(f"{PEOPLE}{kept.pk}/{verb}", {"role": "owner"}).status_code == 403


def test_another_merchants_people_are_not_ours(mira, market, unchanged):
    mo = Member.objects.get(merchant=market.mo_shop)
    mira.get(PEOPLE)
    with unchanged():
        for verb in ("role", "remove", "link"):
            assert mira.post(f"{PEOPLE}{mo.pk}/{verb}", {"role": "owner"}).status_code == 404
