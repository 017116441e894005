"""Packages brought to where a test needs them, by the same actions and signals as in life."""

from datetime import timedelta

from django.db import transaction

from guanjia.base.actors import SYSTEM
from guanjia.cases.actions import open_case
from guanjia.core.package import Confirmed, Held, Mode, Pending, Refused, Released
from guanjia.packages.actions import request_package
from guanjia.packages.composing import ItemDraft
from guanjia.packages.settle import settle_and_wake

PRICE = 120_000
LATER = timedelta(minutes=15)
BANNER = ItemDraft("display-slots", "home-banner", {"day": "2026-11-11"})
BOXES = ItemDraft("warehousing", "storage-space", {"boxes": 30})


def a_case(cast, now, actor=None):
    return open_case(
        actor=actor or cast.mira, merchant_ref=cast.mira_shop.ref, need="双十一要一个首页展示位", now=now
    )


def ask(
    cast, now, *, items=(BANNER, BOXES), accept_total=PRICE, mode=Mode.ALL_OR_NOTHING, actor=None, **more
):
    """A package of a banner and boxes, asked for by Mira; priced, unless she says yes, it waits for her."""
    number = more.pop("case", None) or a_case(cast, now).number
    return request_package(
        actor=actor or cast.mira,
        case_number=number,
        mode=mode,
        items=items,
        accept_total=accept_total,
        now=now,
        **more,
    )


def holds(package):
    """The hold ids of the package's items, by position."""
    return [item.hold_id for item in package.items.order_by("position")]


def lines_say(package, *signals, now):
    with transaction.atomic():
        settle_and_wake(package.pk, signals, now, actor=SYSTEM)
    package.refresh_from_db()
    return package


def pending(cast, now, **more):
    """The banner's line decides by hand, the boxes are held."""
    package = ask(cast, now, **more)
    banner, boxes = holds(package)
    waits = Pending(banner, now + LATER, now + timedelta(hours=4), PRICE)
    return lines_say(package, waits, Held(boxes, now + LATER, 0, "CN-2210"), now=now)


def dearer(cast, now):
    """All held, but the banner costs 1,500.00 instead of 1,200.00: the merchant is asked again."""
    package = ask(cast, now)
    banner, boxes = holds(package)
    return lines_say(package, Held(banner, now + LATER, 150_000), Held(boxes, now + LATER, 0), now=now)


def confirming(cast, now):
    package = ask(cast, now)
    banner, boxes = holds(package)
    return lines_say(package, Held(banner, now + LATER, PRICE), Held(boxes, now + LATER, 0), now=now)


def done(cast, now):
    package = confirming(cast, now)
    return lines_say(package, *(Confirmed(hold, "TB-88231") for hold in holds(package)), now=now)


def refused(cast, now):
    """The banner is refused, the boxes are given back: nothing stays."""
    package = pending(cast, now)
    banner, boxes = holds(package)
    why = {"zh-Hans": "这一天已经排满", "en": "That day is full"}
    lines_say(package, Refused(banner, "sold_out", why), now=now)
    return lines_say(package, Released(boxes), now=now)


def needs_hand(cast, now):
    """Past the point of no return the banner's line refuses: a person has to settle item 1."""
    package = confirming(cast, now)
    banner, boxes = holds(package)
    why = {"zh-Hans": "系统故障", "en": "A fault of the line"}
    return lines_say(package, Refused(banner, "fault", why), Confirmed(boxes), now=now)
