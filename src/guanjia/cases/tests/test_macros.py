"""Macros: texts with variables, and what is done along with them; shared drafts."""

import threading

import pytest
from django.db import connection

from guanjia.base.errors import BadInput, Forbidden, Missing
from guanjia.cases.actions import Wording, delete_macro, save_macro, say, share_draft
from guanjia.cases.changing import Change, change_of, read_change
from guanjia.cases.models import CaseState, Draft, Macro, Message, SharedDraft
from guanjia.cases.phrases import change_in, filled, macros_for, values_for
from guanjia.cases.rules import DraftMoved, WaitsAlready
from guanjia.merchants.models import Merchant
from guanjia.packages.tests import stories
from guanjia.people.models import Team

ALL = Change(priority=1, kind="question", add_tags=("大促",), wait_days=3)


@pytest.fixture
def case(cast, noon):
    return stories.a_case(cast, noon)


def saved(actor, noon, **more):
    wording = Wording(**{"name": "缺执照", "body": "{merchant} 您好，还差执照。", **more})
    return save_macro(actor=actor, wording=wording, now=noon)


# --- variables ------------------------------------------------------------------------------------


def test_variables_are_filled_once_and_nothing_is_evaluated(cast, case, noon):
    Merchant.objects.filter(pk=cast.mira_shop.pk).update(name="{number} <b>店</b>")
    values = values_for(case, cast.lin, noon)
    text = "{merchant}：{number}（{title}），{manager}／{me}，{today}。{{x}} {merchant.__class__} {0}"
    assert filled(text, values) == (
        f"{{number}} <b>店</b>：{case.number}（{case.title}），林晓 Lin／林晓 Lin，11月10日。"
        "{{x}} {merchant.__class__} {0}"
    )


@pytest.mark.parametrize("body", ["{nobody}", "{merchant.name}", "{}", "{ merchant }", "好 {a} {b}"])
def test_a_variable_that_there_is_not_is_refused_when_saving(cast, noon, unchanged, body):
    with unchanged(), pytest.raises(BadInput) as refusal:
        saved(cast.lin, noon, body=body)
    assert "{merchant}" in refusal.value.hint


# --- keeping them ---------------------------------------------------------------------------------


def test_a_macro_is_saved_changed_and_deleted(cast, noon):
    macro = saved(cast.lin, noon, then=ALL)
    assert change_in(Macro.objects.get()) == ALL
    again = save_macro(
        actor=cast.lin, macro=macro.pk, wording=Wording("缺执照", "好", internal=True), now=noon
    )
    assert (again.pk, again.body, again.internal, change_in(again)) == (macro.pk, "好", True, Change())
    delete_macro(actor=cast.lin, macro=macro.pk, now=noon)
    assert not Macro.objects.exists()


def test_each_sees_their_own_their_teams_and_everyones(cast, noon):
    team = Team.objects.create(code="t", name="专班", lead=cast.lin)
    saved(cast.lin, noon, name="a")
    saved(cast.lin, noon, name="b", team=team.pk)
    saved(cast.wei, noon, name="c", everyone=True)
    saved(cast.wei, noon, name="d")
    seen = {user: [one.name for one in macros_for(user, teams)] for user, teams in (
        (cast.lin, [team.pk]), (cast.otto, [team.pk]), (cast.wei, []),
    )}  # fmt: skip
    assert seen == {cast.lin: ["a", "b", "c"], cast.otto: ["b", "c"], cast.wei: ["c", "d"]}


def test_only_a_lead_words_it_for_everyone_and_only_a_member_for_a_team(cast, noon, unchanged):
    team = Team.objects.create(code="t", name="专班", lead=cast.wei)
    with unchanged(), pytest.raises(Forbidden):
        saved(cast.lin, noon, everyone=True)
    with unchanged(), pytest.raises(Missing):
        saved(cast.lin, noon, team=team.pk)
    with unchanged(), pytest.raises(BadInput):
        saved(cast.wei, noon, team=team.pk, everyone=True)
    everyones = saved(cast.wei, noon, everyone=True)
    for act in (
        lambda: delete_macro(actor=cast.lin, macro=everyones.pk, now=noon),
        lambda: save_macro(actor=cast.lin, macro=everyones.pk, wording=Wording("x", "y"), now=noon),
    ):
        with unchanged(), pytest.raises(Missing):
            act()


@pytest.mark.parametrize("more", [{"name": ""}, {"body": " "}, {"name": "长" * 41}, {"body": "a\x00"}])
def test_what_cannot_be_kept_is_refused(cast, noon, unchanged, more):
    with unchanged(), pytest.raises(BadInput):
        saved(cast.lin, noon, **more)


def test_a_name_is_used_once(cast, noon, unchanged):
    saved(cast.lin, noon)
    with unchanged(), pytest.raises(BadInput):
        saved(cast.lin, noon)
    saved(cast.wei, noon)


# --- what is done along with a word ---------------------------------------------------------------


def test_a_change_is_read_from_a_form_and_kept_as_data():
    form = {"priority": "1", "kind": "question", "tags": "大促", "wait": "3", "solve": ""}
    assert read_change(form) == ALL
    assert change_of(ALL.as_json()) == ALL
    assert change_of({}) == Change()
    assert not Change()
    assert ALL.words() == ["优先级改为“紧急”", "类型改为“问题”", "加标签 大促", "等商家 3 天"]


@pytest.mark.parametrize(
    "form",
    [{"priority": "9"}, {"kind": "major"}, {"wait": "0"}, {"wait": "31"}, {"wait": "3", "solve": "1"}],
)
def test_what_cannot_be_done_is_refused(form):
    with pytest.raises(BadInput):
        read_change(form)


def test_it_happens_with_the_word_or_neither_does(cast, case, noon, unchanged):
    by = {"actor": cast.lin, "number": case.number, "now": noon}
    word = say(body="还差执照", then=ALL, **by)
    case.refresh_from_db()
    assert (word.body, case.priority, case.kind) == ("还差执照", 1, "question")
    assert case.state == CaseState.WAITING_MERCHANT
    assert case.taggings.get().tag.name == "大促"
    with unchanged(), pytest.raises(WaitsAlready):
        say(body="再说一遍", then=Change(priority=4, wait_days=2), **by)
    say(body="办好了", then=Change(solve=True), **by)
    case.refresh_from_db()
    assert case.state == CaseState.SOLVED


# --- shared drafts --------------------------------------------------------------------------------


def shared(actor, case, noon, body, read, **more):
    return share_draft(
        actor=actor, number=case.number, internal=False, body=body, read=read, now=noon, **more
    )


def test_a_colleague_goes_on_and_nobody_overwrites_what_they_have_not_seen(cast, case, noon, unchanged):
    team = Team.objects.create(code="t", name="专班", lead=cast.lin)
    team.members.add(cast.otto)
    cast.mira_shop.responsibilities.update(person=None, team=team)
    assert shared(cast.lin, case, noon, "您好", 0).version == 1
    assert shared(cast.otto, case, noon, "您好，请", 1).version == 2
    for read in (0, 1, 3):
        with unchanged(), pytest.raises(DraftMoved):
            shared(cast.lin, case, noon, "我的", read)
    draft = SharedDraft.objects.get()
    assert (draft.body, draft.version, draft.written_by) == ("您好，请", 2, cast.otto)
    with unchanged(), pytest.raises(DraftMoved):
        say(actor=cast.lin, number=case.number, body="您好", shared=1, now=noon)
    say(actor=cast.lin, number=case.number, body="您好，请放心", shared=2, now=noon)
    assert not SharedDraft.objects.exists()
    assert Message.objects.get().body == "您好，请放心"


def test_sharing_ends_ones_own_draft_and_a_word_beside_it_leaves_it(cast, case, noon):
    Draft.objects.create(case=case, author=cast.lin, internal=False, body="您", saved_at=noon)
    shared(cast.lin, case, noon, "您好", 0)
    assert not Draft.objects.exists()
    say(actor=cast.lin, number=case.number, body="另一句", now=noon)
    assert SharedDraft.objects.get().body == "您好"


@pytest.mark.parametrize(("who", "refusal"), [("wei", Forbidden), ("mo", Missing), ("otto", Missing)])
def test_who_may_not_speak_shares_no_reply(cast, case, noon, unchanged, who, refusal):
    with unchanged(), pytest.raises(refusal):
        shared(getattr(cast, who), case, noon, "x", 0)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_share_at_once_the_second_sees_the_first(cast, case, noon):
    told, together = [], threading.Barrier(4)

    def write(n):
        together.wait(timeout=30)
        try:
            told.append(shared(cast.lin, case, noon, f"第 {n}", 0).version)
        except DraftMoved:
            told.append("moved")
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(told, key=str) == [1, "moved", "moved", "moved"]
