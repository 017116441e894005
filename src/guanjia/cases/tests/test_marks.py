"""Priority, kind, tags, watchers and mentions."""

from datetime import timedelta

import pytest

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases.actions import say, set_kind, set_priority, set_tags, unwatch_case, watch_case
from guanjia.cases.colleagues import Colleague, colleagues, watchers
from guanjia.cases.marking import named_in, tag_name, tag_names
from guanjia.cases.models import CaseKind, Mention, Priority, Tag, Watch
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.coverage.rules import MEMBERS, relations
from guanjia.demo.cast import make_user
from guanjia.ledger.models import Event
from guanjia.packages.tests import stories
from guanjia.people.models import Team, User


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


@pytest.fixture
def by_lin(cast, case, noon):
    return {"actor": cast.lin, "number": case.number, "now": noon}


def told(case):
    """Kinds and contents of the case's events after its opening."""
    events = Event.objects.filter(subject=f"case:{case.number}").exclude(kind="cases.opened").order_by("pk")
    return [(event.kind, {k: v for k, v in event.payload.items() if k != "case"}) for event in events]


# --- priority and kind ----------------------------------------------------------------------------


def test_a_priority_is_set_and_told_once(case, by_lin, unchanged):
    assert set_priority(priority=Priority.URGENT, **by_lin)
    with unchanged():
        assert not set_priority(priority=Priority.URGENT, **by_lin)
    case.refresh_from_db()
    assert case.priority == Priority.URGENT
    assert ("cases.priority_set", {"before": 3, "after": 1}) in told(case)


def test_a_kind_is_set_and_a_major_case_is_not_made_here(case, by_lin, unchanged):
    assert set_kind(kind=CaseKind.COMPLAINT, **by_lin)
    case.refresh_from_db()
    assert case.kind == CaseKind.COMPLAINT
    assert told(case) == [("cases.kind_set", {"before": "need", "after": "complaint"})]
    with unchanged(), pytest.raises(BadInput):
        set_kind(kind=CaseKind.MAJOR, **by_lin)


@pytest.mark.parametrize("value", [0, 5, -1])
def test_there_are_four_priorities(by_lin, unchanged, value):
    with unchanged(), pytest.raises(BadInput):
        set_priority(priority=value, **by_lin)


@pytest.mark.parametrize(("who", "refusal"), [("mira", Forbidden), ("mo", Missing), ("otto", Missing)])
def test_who_may_not_write_notes_may_not_mark(cast, case, noon, unchanged, who, refusal):
    by = {"actor": getattr(cast, who), "number": case.number, "now": noon}
    acts = (
        lambda: set_priority(priority=1, **by),
        lambda: set_kind(kind="question", **by),
        lambda: set_tags(add=["x"], **by),
        lambda: watch_case(**by),
        lambda: unwatch_case(**by),
    )
    for act in acts:
        with unchanged(), pytest.raises(refusal):
            act()


# --- tags -----------------------------------------------------------------------------------------


def names(case):
    return sorted(case.taggings.values_list("tag__name", flat=True))


@pytest.mark.parametrize(
    ("typed", "tag"),
    [
        ("＃Ｓｐｒｉｎｇ", "spring"),
        (" 双  11 ", "双 11"),
        ("SPRING", "spring"),
        ("#大促", "大促"),
        ("straße", "strasse"),
    ],
)
def test_all_spellings_are_one_tag(typed, tag):
    assert tag_name(typed) == tag


def test_tags_are_read_from_a_line_each_once():
    assert tag_names("大促，春装, 大促;  、#急") == ["大促", "春装", "急"]
    assert tag_names(" ,, ") == []


def test_tags_are_put_on_and_taken_off(case, by_lin, unchanged):
    assert set_tags(add=["大促", "Spring"], **by_lin)
    assert set_tags(add=["SPRING"], remove=["大促"], **by_lin)
    with unchanged():
        assert not set_tags(add=["spring"], remove=["没有过"], **by_lin)
    assert names(case) == ["spring"]
    first, second = (Tag.objects.get(name=name).pk for name in ("大促", "spring"))
    assert told(case) == [
        ("cases.tagged", {"added": [first, second], "removed": []}),
        ("cases.tagged", {"added": [], "removed": [first]}),
    ]


def test_a_case_has_twenty_tags_at_most(case, by_lin, unchanged):
    set_tags(add=[f"t{n}" for n in range(20)], **by_lin)
    with unchanged(), pytest.raises(BadInput):
        set_tags(add=["one more"], **by_lin)
    assert set_tags(add=["one more"], remove=["t0"], **by_lin)


@pytest.mark.parametrize("text", ["", "  # ", "长" * 31, "a\x00b"])
def test_what_cannot_be_a_tag_is_refused(by_lin, unchanged, text):
    with unchanged(), pytest.raises(BadInput):
        set_tags(add=[text], **by_lin)


# --- who is of the house --------------------------------------------------------------------------


def everybody_may_see(merchant, at):
    """By the table of rights, one by one."""
    found = {user.pk for user in User.objects.all() if relations(user, merchant, at=at)}
    return found - set(merchant.members.values_list("user_id", flat=True))


def test_colleagues_are_those_whom_the_rules_let_in(cast, noon):
    team = Team.objects.create(code="t", name="专班", lead=cast.yan)
    team.members.add(cast.otto, make_user("kim", "Kim"), cast.mira)
    cast.pool.members.add(make_user("pat", "Pat"))
    Responsibility.objects.create(
        merchant=cast.mo_shop, team=team, role=ResponsibilityRole.BACKUP, during=(noon, None), reason="x"
    )
    for shop in (cast.mira_shop, cast.mo_shop):
        for at in (noon, noon - timedelta(days=400)):
            found = colleagues(shop.pk, now=at)
            assert {one.pk for one in found} == everybody_may_see(shop, at)
            assert [one.name for one in found] == sorted(one.name for one in found)
    assert not MEMBERS & relations(cast.lin, cast.mira_shop, at=noon)


def test_a_colleague_who_may_not_sign_in_is_none(cast, noon):
    User.objects.filter(pk=cast.lin.pk).update(is_active=False)
    assert [one.name for one in colleagues(cast.mira_shop.pk, now=noon)] == ["魏岚 Wei"]


# --- watchers -------------------------------------------------------------------------------------


def test_one_follows_a_case_and_has_a_colleague_follow_it(cast, case, by_lin, noon, unchanged):
    assert watch_case(**by_lin)
    assert watch_case(who=cast.wei.pk, **by_lin)
    with unchanged():
        assert not watch_case(**by_lin)
    assert {one.pk for one in watchers(case, now=noon)} == {cast.lin.pk, cast.wei.pk}
    assert unwatch_case(**by_lin)
    with unchanged():
        assert not unwatch_case(**by_lin)
    assert told(case) == [
        ("cases.watched", {"user": cast.lin.pk}),
        ("cases.watched", {"user": cast.wei.pk}),
        ("cases.unwatched", {"user": cast.lin.pk}),
    ]


@pytest.mark.parametrize("who", ["mira", "mo", "otto"])
def test_nobody_follows_who_may_not_see_the_merchant(cast, by_lin, unchanged, who):
    with unchanged(), pytest.raises(Missing):
        watch_case(who=getattr(cast, who).pk, **by_lin)


def test_a_watcher_who_lost_the_merchant_is_told_nothing(cast, case, by_lin, noon):
    watch_case(**by_lin)
    Responsibility.objects.filter(person=cast.lin).update(during=(noon - timedelta(days=9), noon))
    assert watchers(case, now=noon) == []
    assert Watch.objects.count() == 1


# --- mentions -------------------------------------------------------------------------------------

LIN, LINA, WEI = (
    Colleague(1, "lin", "林晓 Lin"),
    Colleague(2, "lina", "林娜"),
    Colleague(3, "wei", "魏岚 Wei"),
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@lin 看一下", [LIN]),
        ("请@林晓看一下", [LIN]),
        ("＠林晓 Lin 和 @WEI。", [LIN, WEI]),
        ("@lina 不是 @linas", [LINA]),
        ("ask @lin.", [LIN]),
        ("mail lin@lin.example and @lin.example", []),
        ("@@lin @lin", [LIN]),
        ("lin, 林晓", []),
        ("@ lin", []),
    ],
)
def test_whom_a_text_names(text, named):
    assert named_in(text, [LIN, LINA, WEI]) == named


def test_a_handle_of_two_names_neither():
    other = Colleague(4, "lx", "林晓 Two")
    assert named_in("@林晓 @lx", [LIN, other]) == [other]


@pytest.mark.parametrize("internal", [True, False])
def test_a_colleague_is_named_in_a_word(cast, case, by_lin, internal):
    word = say(body="@魏岚 请看，@lin", internal=internal, **by_lin)
    assert list(Mention.objects.values_list("message", "user", "case")) == [(word.pk, cast.wei.pk, case.pk)]
    assert told(case)[-1] == (
        "cases.mentioned",
        {"message": word.pk, "users": [cast.wei.pk], "internal": internal},
    )


def test_no_note_names_the_merchants_people_nor_strangers(cast, case, by_lin, noon):
    Responsibility.objects.create(
        merchant=cast.mira_shop,
        person=cast.mira,
        role=ResponsibilityRole.BACKUP,
        during=(noon, None),
        reason="x",
    )
    say(body="@mira @米拉 @otto @mo", internal=True, **by_lin)
    assert not Mention.objects.exists()
    assert [kind for kind, _payload in told(case)] == ["cases.message_sent"]
