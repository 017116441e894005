"""What is told of which event, to whom and in which words: one declaration for each kind of news.

A new kind of event is told by adding it to TELLINGS, and to the list of a new migration after
`post/0002_events_wake_the_post` (a test compares the two). Of the tellings of an event the first that
fits a person counts, so that nobody is told twice: the most personal goes first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.utils.translation import gettext_noop as n_

from guanjia.people.news import KINDS
from guanjia.post.circles import (
    all_of,
    answerable,
    deciding,
    desk,
    holders,
    leads,
    line_people,
    mandated,
    merchant_deciders,
    merchant_people,
    named,
)
from guanjia.post.facts import Circle, Fact
from guanjia.post.models import Side

Words = str | Callable[[Mapping[str, Any]], str]
FORGETTING = "merchants.member_removed"
"""Who leaves a merchant leaves its news behind."""


@dataclass(frozen=True, slots=True)
class Telling:
    """`code` is stable: news that was told keeps it. `words` is a text of the catalogue, or chooses one by
    the values; `keeps` are the members of the payload that it uses. `link` names the thing to open. `shows`:
    with the words of the message. `personal`: nothing for a group's robot or a program."""

    code: str
    side: Side
    news: str
    to: Circle
    words: Words
    when: Callable[[Fact], bool] = lambda _fact: True
    keeps: tuple[str, ...] = ()
    link: str = "case"
    shows: bool = False
    personal: bool = False


def _merchant(code: str, news: str, to: Circle, words: Words, **more: Any) -> Telling:
    return Telling(f"{code}.merchant", Side.MERCHANT, news, to, words, **more)


def _house(code: str, news: str, to: Circle, words: Words, **more: Any) -> Telling:
    return Telling(f"{code}.house", Side.HOUSE, news, to, words, **more)


def _line(code: str, news: str, to: Circle, words: Words, **more: Any) -> Telling:
    return Telling(f"{code}.line", Side.LINE, news, to, words, **{"link": "console", **more})


def _ours(fact: Fact) -> bool:
    return not fact.by_merchant


def _theirs(fact: Fact) -> bool:
    return fact.by_merchant


def _public(fact: Fact) -> bool:
    return fact.message is not None and not fact.internal


def _internal(fact: Fact) -> bool:
    return fact.internal


def _notices(kind: str) -> Callable[[Fact], bool]:
    return lambda fact: kind in fact.payload.get("notices", ())


def _ended(fact: Fact) -> bool:
    after = fact.payload.get("after")
    return after in ("done", "released") and after != fact.payload.get("before")


def _is(member: str, value: object) -> Callable[[Fact], bool]:
    return lambda fact: fact.payload.get(member) == value


def _ending(values: Mapping[str, Any]) -> str:
    if values.get("after") == "released":
        return n_("一揽子 %(package)s 没有办成，已全部撤回，没有留下任何占用")
    return n_("一揽子 %(package)s 办好了")


def _handed(values: Mapping[str, Any]) -> str:
    words = {
        "accepted": n_("交接的事项已接手"),
        "declined": n_("交接没有被接受，事项退了回来"),
        "pulled_back": n_("没有人接手，事项已收回"),
    }
    return words.get(values.get("outcome", ""), n_("交接有了结果"))


def _tasks(code: str, news: str, words: str, *members: str, **more: Any) -> tuple[Telling, ...]:
    """Work is told to whoever does it, of the house or of a line."""
    to = named(*members)
    return (
        _house(code, news, to, words, personal=True, **more),
        _line(code, news, to, words, personal=True, **more),
    )


TELLINGS: Mapping[str, tuple[Telling, ...]] = {
    "cases.opened": (
        _merchant("opened", "case", merchant_people, n_("%(who)s 替您提出了一件事"), when=_ours),
        _house("opened", "case", all_of(holders, desk), n_("%(merchant)s有一件新的事")),
    ),
    "cases.message_sent": (
        _merchant(
            "said",
            "answer",
            merchant_people,
            n_("%(who)s 回复了您"),
            shows=True,
            when=lambda fact: _public(fact) and _ours(fact),
        ),
        _house(
            "heard",
            "answer",
            desk,
            n_("%(merchant)s的 %(who)s 说话了"),
            shows=True,
            when=lambda fact: _public(fact) and _theirs(fact),
        ),
        _house(
            "said",
            "note",
            desk,
            n_("%(who)s 回复了%(merchant)s"),
            shows=True,
            when=lambda fact: _public(fact) and _ours(fact),
        ),
        _house(
            "noted", "note", desk, n_("%(who)s 留下内部备注"), shows=True, when=lambda fact: fact.internal
        ),
    ),
    "cases.mentioned": (
        _house("mentioned", "mention", named("users"), n_("%(who)s 提到了您"), shows=True, personal=True),
    ),
    "cases.approval_asked": (
        _house("held", "approval", named("approver"), n_("%(who)s 的一段回复等您审"), personal=True),
    ),
    "cases.approval_given": (
        _house("approved", "approval", named("author"), n_("%(who)s 审过了，您的回复已发出"), personal=True),
    ),
    "cases.approval_returned": (
        _house("returned", "approval", named("author"), n_("%(who)s 退回了您的回复"), personal=True),
    ),
    "cases.solved": (
        _merchant("solved", "outcome", merchant_people, n_("这件事已办结；回一句话就会重新打开"), when=_ours),
        _house("solved", "outcome", desk, n_("%(who)s 办结了这件事")),
    ),
    "cases.reopened": (
        _merchant("reopened", "outcome", merchant_people, n_("这件事重新打开了"), when=_ours),
        _house("reopened", "case", desk, n_("%(merchant)s的一件事重新打开了")),
    ),
    "cases.wait_begun": (
        _merchant("wait", "turn", merchant_people, n_("我们在等您答复，最迟 %(due_at)s"), keeps=("due_at",)),
    ),
    "cases.promised": (
        _merchant(
            "promised", "answer", merchant_people, n_("%(who)s 答应在 %(due_at)s 找您"), keeps=("due_at",)
        ),
    ),
    "cases.rated": (_house("rated", "outcome", desk, n_("%(merchant)s给了 %(score)s 分"), keeps=("score",)),),
    "cases.merged": (
        _merchant("merged", "change", merchant_people, n_("这件事并入了 %(into)s"), keeps=("into",)),
    ),
    "cases.task_opened": _tasks(
        "task", "task", n_("有任务给您：%(task_kind)s"), "assignee", keeps=("task_kind",)
    ),
    "cases.task_asked": _tasks(
        "asked", "task", n_("有任务给您，最迟 %(due_at)s"), "assignee", keeps=("due_at",)
    ),
    "cases.task_given": _tasks("given", "task", n_("有任务转给了您"), "assignee"),
    "cases.task_freed": _tasks("freed", "task", n_("您的任务可以开始了"), "assignee"),
    "cases.task_said": _tasks("word", "task", n_("%(who)s 在任务里留了话"), "assignee", "asked_by"),
    "cases.task_overdue": _tasks("late", "overdue", n_("任务没有按时办完"), "assignee", "to"),
    "cases.handed_over": (
        _house("handed", "change", named("answerable"), n_("%(who)s 把这件事交给了您"), personal=True),
    ),
    "cases.handover_answered": (
        _house("handover", "change", desk, _handed, keeps=("outcome",)),
        _merchant(
            "handover", "change", merchant_people, n_("这件事换了负责人"), when=_is("outcome", "accepted")
        ),
    ),
    "cases.clock_warned": (
        _house(
            "warned",
            "soon",
            all_of(answerable, named("owner")),
            n_("快到时限了：%(clock_kind)s，最迟 %(due_at)s"),
            keeps=("clock_kind", "due_at"),
        ),
        _line(
            "warned",
            "soon",
            named("owner"),
            n_("快到时限了：%(clock_kind)s，最迟 %(due_at)s"),
            keeps=("clock_kind", "due_at"),
            when=lambda fact: fact.payload.get("line") is not None,
        ),
    ),
    "cases.clock_breached": (
        _house(
            "breached",
            "overdue",
            all_of(answerable, named("owner"), leads),
            n_("超过了时限：%(clock_kind)s"),
            keeps=("clock_kind",),
        ),
        _line(
            "breached",
            "overdue",
            named("owner"),
            n_("超过了时限：%(clock_kind)s"),
            keeps=("clock_kind",),
            when=lambda fact: fact.payload.get("line") is not None,
        ),
    ),
    "packages.moved": (
        _merchant(
            "priced",
            "proposal",
            merchant_deciders,
            n_("一揽子 %(package)s 的价格等您确认"),
            keeps=("package",),
            link="package",
            when=_notices("acceptance_needed"),
        ),
        _merchant(
            "ended",
            "outcome",
            merchant_people,
            _ending,
            keeps=("package", "after"),
            link="package",
            when=_ended,
        ),
        _house("ended", "outcome", desk, _ending, keeps=("package", "after"), when=_ended),
        _house(
            "undecided",
            "overdue",
            desk,
            n_("业务线到点没有答复，已升级给其负责人"),
            when=_notices("decision_overdue"),
        ),
        _line(
            "decide",
            "decision",
            deciding,
            n_("有一项申请等您决定（%(package)s）"),
            keeps=("package",),
            when=_notices("decision_needed"),
        ),
    ),
    "packages.accepted": (
        _house(
            "accepted", "answer", desk, n_("%(merchant)s确认了一揽子 %(package)s 的价格"), keeps=("package",)
        ),
    ),
    "packages.answered": (
        _house("answered", "answer", desk, n_("%(merchant)s答复了一揽子 %(package)s"), keeps=("package",)),
    ),
    "routines.turned_off": (
        _house("off", "change", leads, n_("一条规则自己停用了，请看原因"), link="routines", personal=True),
    ),
    "lines.mandate_granted": (
        _house(
            "mandate", "line", mandated, n_("您在“%(line)s”有了新的授权额度"), link="mandates", personal=True
        ),
    ),
    "lines.mandate_revoked": (
        _house("revoked", "line", mandated, n_("您的一项授权额度已收回"), link="mandates", personal=True),
    ),
    "lines.conformance_finished": (
        _line("kit", "line", line_people, n_("“%(line)s”的联调检查做完了"), personal=True),
    ),
    "post.letter_returned": (
        _house(
            "letter",
            "channel",
            all_of(answerable, desk),
            n_("写给商家的信被退了回来，没有送到"),
            when=_is("for_good", True),
            personal=True,
        ),
    ),
    "post.endpoint_disabled": (
        _merchant(
            "endpoint",
            "channel",
            named("owners"),
            n_("一个通知地址一直送不到，已停用"),
            link="endpoints",
            personal=True,
            when=lambda fact: fact.merchant is not None,
        ),
        _house(
            "endpoint",
            "channel",
            named("owners"),
            n_("一个通知地址一直送不到，已停用"),
            link="endpoints",
            personal=True,
            when=lambda fact: fact.merchant is None,
        ),
    ),
}
BY_CODE: Mapping[str, Telling] = {telling.code: telling for telling in chain.from_iterable(TELLINGS.values())}
WAKING = (*TELLINGS, FORGETTING)
"""The kinds of events that wake the post."""


def kinds_for(sides: set[Side], *, personal: bool = True) -> list[str]:
    """The kinds of news that these sides ever get, in the order of `people.news`; without the `personal`
    ones, what goes to groups and programs."""
    told = {
        telling.news
        for telling in BY_CODE.values()
        if telling.side in sides and (personal or not telling.personal)
    }
    return [kind for kind in KINDS if kind in told]
