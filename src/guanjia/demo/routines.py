"""Three rules of work that the demo marketplace starts with: two are on, one waits for its lead."""

from __future__ import annotations

from datetime import datetime

from guanjia.people.models import User
from guanjia.routines.actions import activate_routine, save_routine
from guanjia.routines.conditions import Condition
from guanjia.routines.facts import Comparison
from guanjia.routines.models import Routine, RoutineKind
from guanjia.routines.rhythm import Days, Rhythm
from guanjia.routines.rule import Office, Rule, Step

MONEY_FIRST = Rule(
    RoutineKind.TRIGGER,
    occasions=("opened",),
    every=(Condition("subject", Comparison.CONTAINS, ("退款", "货款", "结算", "refund", "payout")),),
    again_hours=None,
    steps=(
        Step("priority", {"priority": "2"}),
        Step("tag", {"tags": "货款"}),
        Step("note", {"text": "{merchant} 提到钱款，请 {owner} 先看这一件。"}),
    ),
)
AFTER_HOURS = Rule(
    RoutineKind.TRIGGER,
    occasions=("opened",),
    office=Office.OUTSIDE,
    again_hours=None,
    steps=(Step("word", {"text": "收到了，事项编号 {number}。现在是下班时间，上班后由 {owner} 答复您。"}),),
)
QUIET_MERCHANTS = Rule(
    RoutineKind.SCHEDULE,
    rhythm=Rhythm(0, 9, 30, Days.BUSINESS),
    every=(
        Condition("state", Comparison.ANY_OF, ("waiting_merchant",)),
        Condition("merchant_quiet", Comparison.AT_LEAST, ("48",)),
    ),
    again_hours=72,
    steps=(Step("word", {"text": "{merchant} 您好，{number} 还等您一句话；有问题直接在这里写。"}),),
)


def lay_down_routines(lead: User, now: datetime) -> None:
    """Those that are not there yet."""
    for name, rule, on in (
        ("提到钱款，先办", MONEY_FIRST, True),
        ("下班时间先回一句", AFTER_HOURS, True),
        ("两天没有回音，提醒商家", QUIET_MERCHANTS, False),
    ):
        if Routine.objects.filter(name=name).exists():
            continue
        version = save_routine(actor=lead, name=name, rule=rule, now=now)
        if on:
            activate_routine(actor=lead, routine=version.routine_id, version=version.number, now=now)
