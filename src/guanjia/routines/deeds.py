"""What a routine can do to a case. Each deed is one of the actions people use, and can say beforehand what
it would change."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

from guanjia.base.errors import BadInput
from guanjia.base.texts import clean
from guanjia.cases.actions import say, solve_case, wait_for_merchant
from guanjia.cases.actions.handover import hand_over
from guanjia.cases.actions.marks import set_kind, set_priority, set_tags
from guanjia.cases.actions.tasks import ask_task
from guanjia.cases.changing import GIVEN_KINDS
from guanjia.cases.events import MessageSent
from guanjia.cases.marking import tag_name
from guanjia.cases.models import Case, CaseKind, CaseState, Message, Priority
from guanjia.cases.rules import WAIT_DAYS_MOST
from guanjia.ledger.actions import Entry, record
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.routines.named import reference_of, require_named

WORD_MOST, WORK_DAYS_MOST = 2_000, 250
VARIABLES = ("number", "title", "merchant", "owner")
_VARIABLE = re.compile(r"\{(\w*)\}")
_OVER = (CaseState.SOLVED, CaseState.CLOSED)

Params = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """What a deed needs to know: `choices` for a list, `long` for a text of several lines."""

    name: str
    words: str
    choices: Sequence[tuple[str, str]] = ()
    long: bool = False
    most: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """`check` returns the parameters in their one form or raises BadInput; `would` says what would change,
    empty where nothing would; `do` does it, in the transaction it is called in."""

    key: str
    words: str
    told: str
    fields: tuple[Field, ...]
    check: Callable[[Params], Params]
    would: Callable[[Case, Params], str]
    do: Callable[[User, Case, Params, datetime], object]


def filled(text: str, case: Case) -> str:
    """The declared variables put in; whatever else stands in braces stays."""
    known = {
        "number": case.number,
        "title": case.title,
        "merchant": case.merchant.name,
        "owner": str(case.holder),
    }
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)


def _check_text(params: Params) -> Params:
    text = clean(params.get("text", ""), field=_("要写的话"), most=WORD_MOST)
    if unknown := [name for name in _VARIABLE.findall(text) if name not in VARIABLES]:
        raise BadInput(
            _("不认得 {%(name)s}。") % {"name": unknown[0]},
            hint=_("可以用的有：%(names)s。") % {"names": " ".join(f"{{{name}}}" for name in VARIABLES)},
        )
    return {"text": text}


def _note(hand: User, case: Case, params: Params, now: datetime) -> None:
    say(actor=hand, number=case.number, body=filled(params["text"], case), internal=True, now=now)


def _tell(hand: User, case: Case, params: Params, now: datetime) -> None:
    """A word of the house to the merchant, and not of a person: it stops no clock, so that an automatic
    answer never counts as the first one."""
    notice = {"kind": "routine_word", "values": {"text": filled(params["text"], case)}}
    message = Message.objects.create(case=case, notice=notice, at=now)
    sent = MessageSent(case.number, message.pk, False)
    record([Entry(now, actor_of(hand), f"case:{case.number}", sent, case.merchant_id)])


def _set_priority(hand: User, case: Case, params: Params, now: datetime) -> object:
    return set_priority(actor=hand, number=case.number, priority=int(params["priority"]), now=now)


def _set_kind(hand: User, case: Case, params: Params, now: datetime) -> object:
    return set_kind(actor=hand, number=case.number, kind=params["kind"], now=now)


def _tag(hand: User, case: Case, params: Params, now: datetime) -> object:
    return set_tags(actor=hand, number=case.number, add=params["tags"].split(), now=now)


def _untag(hand: User, case: Case, params: Params, now: datetime) -> object:
    return set_tags(actor=hand, number=case.number, remove=params["tags"].split(), now=now)


def _wait(hand: User, case: Case, params: Params, now: datetime) -> object:
    return wait_for_merchant(actor=hand, number=case.number, days=int(params["days"]), now=now)


def _check_choice(name: str, words: str, values: Sequence[str]) -> Callable[[Params], Params]:
    def check(params: Params) -> Params:
        value = params.get(name, "").strip()
        if value not in values:
            raise BadInput(_("请选“%(field)s”。") % {"field": _(words)})
        return {name: value}

    return check


def _priority_would(case: Case, params: Params) -> str:
    wanted = Priority(int(params["priority"]))
    return "" if case.priority == wanted else _moves(Priority(case.priority).label, wanted.label)


def _kind_would(case: Case, params: Params) -> str:
    wanted = CaseKind(params["kind"])
    return "" if case.kind == wanted else _moves(CaseKind(case.kind).label, wanted.label)


def _moves(before: object, after: object) -> str:
    return f"{_(str(before))} → {_(str(after))}"


def _check_tags(params: Params) -> Params:
    names = [tag_name(name) for name in re.split(r"[,，、\s]+", params.get("tags", "").strip()) if name]
    if not names:
        raise BadInput(_("请写至少一个标签。"))
    return {"tags": " ".join(dict.fromkeys(names))}


def _tags_would(case: Case, params: Params) -> str:
    there = {one.tag.name for one in case.taggings.all()}
    return " ".join(f"+ #{name}" for name in params["tags"].split() if name not in there)


def _untag_would(case: Case, params: Params) -> str:
    there = {one.tag.name for one in case.taggings.all()}
    return " ".join(f"− #{name}" for name in params["tags"].split() if name in there)


def _check_days(params: Params) -> Params:
    days = params.get("days", "").strip()
    if not (days.isascii() and days.isdecimal() and 1 <= int(days[:9]) <= WAIT_DAYS_MOST):
        raise BadInput(_("等商家的期限要在 1 到 %(most)d 天之间。") % {"most": WAIT_DAYS_MOST})
    return {"days": str(int(days))}


def _wait_would(case: Case, _params: Params) -> str:
    if case.state in (*_OVER, CaseState.WAITING_MERCHANT):
        return ""
    return _moves(CaseState(case.state).label, CaseState.WAITING_MERCHANT.label)


def _solve_would(case: Case, _params: Params) -> str:
    return "" if case.state in _OVER else _moves(CaseState(case.state).label, CaseState.SOLVED.label)


def _check_to(params: Params) -> Params:
    to = params.get("to", "").strip()
    require_named(to)
    return {"to": to, "reason": clean(params.get("reason", ""), field=_("为什么转"), most=200)}


def _hand_over_would(case: Case, params: Params) -> str:
    kind = "person" if case.person_id else "team" if case.team_id else "pool"
    held = f"{kind}:{case.person_id or case.team_id or case.pool_id}"
    return "" if held == reference_of(params["to"]) else _moves(case.holder, params["to"])


def _hand_over(hand: User, case: Case, params: Params, now: datetime) -> object:
    to = reference_of(params["to"])
    return hand_over(actor=hand, number=case.number, to=to, reason=params["reason"], now=now)


def _check_task(params: Params) -> Params:
    doer = params.get("doer", "").strip()
    if doer:
        require_named(doer)
    title = clean(params.get("title", ""), field=_("任务"), most=200)
    return {"title": title, "doer": doer, **_check_work_days(params)}


def _check_work_days(params: Params) -> Params:
    days = params.get("work_days", "").strip()
    if not (days.isascii() and days.isdecimal() and 1 <= int(days[:9]) <= WORK_DAYS_MOST):
        raise BadInput(_("工作日要在 1 到 %(most)d 之间。") % {"most": WORK_DAYS_MOST})
    return {"work_days": str(int(days))}


def _ask_task(hand: User, case: Case, params: Params, now: datetime) -> object:
    """Without a doer it is work for whoever answers for the case."""
    doer = reference_of(params["doer"]) if params["doer"] else f"person:{case.answerable.pk}"
    return ask_task(
        actor=hand,
        number=case.number,
        title=filled(params["title"], case),
        doer=doer,
        work_days=int(params["work_days"]),
        now=now,
    )


def _says(case: Case, params: Params) -> str:
    return filled(params["text"], case)


_TEXT = Field(
    "text", n_("要写的话"), long=True, most=WORD_MOST, hint=n_("可以用 {number} {title} {merchant} {owner}。")
)
_TAGS = Field("tags", n_("标签"), most=200, hint=n_("几个标签用空格分开。"))
_PRIORITIES = [(str(value), words) for value, words in Priority.choices]
_KINDS = [(value, words) for value, words in CaseKind.choices if value in GIVEN_KINDS]
_ALL = (
    Deed(
        "priority",
        n_("设优先级"),
        n_("把优先级设为“%(value)s”"),
        (Field("priority", n_("优先级"), _PRIORITIES),),
        _check_choice("priority", n_("优先级"), [value for value, _words in _PRIORITIES]),
        _priority_would,
        lambda hand, case, params, now: set_priority(
            actor=hand, number=case.number, priority=int(params["priority"]), now=now
        ),
    ),
    Deed(
        "kind",
        n_("设类型"),
        n_("把类型设为“%(value)s”"),
        (Field("kind", n_("类型"), _KINDS),),
        _check_choice("kind", n_("类型"), [value for value, _words in _KINDS]),
        _kind_would,
        lambda hand, case, params, now: set_kind(
            actor=hand, number=case.number, kind=params["kind"], now=now
        ),
    ),
    Deed(
        "tag",
        n_("加标签"),
        n_("加上标签 %(value)s"),
        (_TAGS,),
        _check_tags,
        _tags_would,
        lambda hand, case, params, now: set_tags(
            actor=hand, number=case.number, add=params["tags"].split(), now=now
        ),
    ),
    Deed(
        "untag",
        n_("去掉标签"),
        n_("去掉标签 %(value)s"),
        (_TAGS,),
        _check_tags,
        _untag_would,
        lambda hand, case, params, now: set_tags(
            actor=hand, number=case.number, remove=params["tags"].split(), now=now
        ),
    ),
    Deed(
        "hand_over",
        n_("转交"),
        n_("转交给 %(value)s"),
        (
            Field("to", n_("给谁"), most=90, hint=n_("person:用户名、team:专班代号或 pool:共享池代号。")),
            Field("reason", n_("为什么转"), most=200),
        ),
        _check_to,
        _hand_over_would,
        _hand_over,
    ),
    Deed(
        "task",
        n_("开任务"),
        n_("开任务“%(value)s”"),
        (
            Field("title", n_("任务"), most=200),
            Field("work_days", n_("几个工作日"), most=3),
            Field(
                "doer",
                n_("谁来做"),
                most=90,
                hint=n_("不写就是事项的负责人；也可以是 team:代号、line:代号。"),
            ),
        ),
        _check_task,
        lambda case, params: filled(params["title"], case),
        _ask_task,
    ),
    Deed("note", n_("记内部备注"), n_("记下内部备注“%(value)s”"), (_TEXT,), _check_text, _says, _note),
    Deed("word", n_("对商家说一句话"), n_("对商家说“%(value)s”"), (_TEXT,), _check_text, _says, _tell),
    Deed(
        "wait",
        n_("转为等商家"),
        n_("等商家答复，最多 %(value)s 天"),
        (Field("days", n_("最多几天"), most=3),),
        _check_days,
        _wait_would,
        lambda hand, case, params, now: wait_for_merchant(
            actor=hand, number=case.number, days=int(params["days"]), now=now
        ),
    ),
    Deed(
        "solve",
        n_("办结"),
        n_("办结"),
        (),
        lambda _params: {},
        _solve_would,
        lambda hand, case, _params, now: solve_case(actor=hand, number=case.number, now=now),
    ),
)
DEEDS: Mapping[str, Deed] = {deed.key: deed for deed in _ALL}
