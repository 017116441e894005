"""The API of cases."""

from __future__ import annotations

from django.http import HttpResponse

from guanjia.base.http import created
from guanjia.cases import actions
from guanjia.cases.queries import look, message_look
from guanjia.people.door import Call, api


@api("POST")
def open_case(call: Call) -> HttpResponse:
    """`POST /api/cases`: what a merchant says; one case per Idempotency-Key."""
    content = call.content()
    case = actions.open_case(
        actor=call.user,
        merchant_ref=content.text("merchant"),
        need=content.text("need"),
        idempotency_key=call.key,
        now=call.now,
    )
    return created(look(case), replayed=case.opened_at != call.now)


@api("POST")
def say(call: Call, number: str) -> HttpResponse:
    """`POST /api/cases/{number}/messages`: a word on a case, or (`internal`) a note for staff; said once per
    Idempotency-Key."""
    content = call.content()
    message = actions.say(
        actor=call.user,
        number=number,
        body=content.text("body"),
        internal=content.flag("internal", default=False),
        idempotency_key=call.key,
        now=call.now,
    )
    return created(message_look(message), replayed=message.at != call.now)
