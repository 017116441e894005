"""Rules for the tests, switched on with two words."""

from guanjia.base.flows import queue
from guanjia.base.sql import rows
from guanjia.cases.actions import open_case
from guanjia.cases.models import Case
from guanjia.routines.actions import activate_routine, save_routine
from guanjia.routines.conditions import Condition
from guanjia.routines.facts import Comparison
from guanjia.routines.flows import ScheduleFlow, TriggerFlow
from guanjia.routines.models import Heard, Routine, RoutineKind
from guanjia.routines.rhythm import Rhythm
from guanjia.routines.rule import Rule, Step

URGENT = Step("priority", {"priority": "1"})
QUARTER = Rhythm(minutes=15)


def is_(fact, *value, how=Comparison.ANY_OF, key=""):
    return Condition(fact, Comparison(how), tuple(map(str, value)), key)


def trigger(*occasions, steps=(URGENT,), **more):
    return Rule(RoutineKind.TRIGGER, occasions=occasions, steps=steps, **{"again_hours": 0, **more})


def schedule(*, steps=(URGENT,), rhythm=QUARTER, **more):
    return Rule(RoutineKind.SCHEDULE, rhythm=rhythm, steps=steps, **{"again_hours": 0, **more})


def switch_on(cast, rule, now, name="规则"):
    version = save_routine(actor=cast.wei, name=name, rule=rule, now=now)
    return activate_routine(actor=cast.wei, routine=version.routine_id, version=version.number, now=now)


def a_case(cast, now, need="首页换一张图"):
    return open_case(actor=cast.mira, merchant_ref=cast.mira_shop.ref, need=need, now=now)


def hear(now, *, rounds=10):
    """Let the trigger flow look at all that has been heard, and at what comes of it."""
    flow = TriggerFlow()
    for _ in range(rounds):
        events = list(Heard.objects.order_by("event").values_list("event", flat=True))
        if not events:
            return
        flow.settle([(event, ()) for event in events], now)
    raise AssertionError("it goes on for ever")


def tick(routine: Routine, now):
    """Let the schedule flow work on a routine until it waits. Returns when it comes again."""
    flow = ScheduleFlow()
    while True:
        [turn] = flow.settle([(routine.pk, ())], now)
        if turn.wake_at is None or turn.wake_at > now:
            return turn.wake_at


def woken(name):
    return sorted(key for (key,) in rows("SELECT key FROM base_flow WHERE name = %s", [name]))


def priority(case):
    return Case.objects.get(pk=case.pk).priority


__all__ = ["URGENT", "a_case", "hear", "is_", "priority", "queue", "schedule", "switch_on", "tick", "trigger"]
