"""What goes on beside the story in a marketplace that is left running, so that each home has something
to show. All of it happens through the actions; a second run changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from guanjia.base.actors import SYSTEM
from guanjia.cases.actions import open_case, say, solve_case, wait_for_merchant
from guanjia.core.package import Mode
from guanjia.coverage.actions import assign
from guanjia.coverage.models import ResponsibilityRole
from guanjia.demo.cast import (
    make_lin,
    make_merchant,
    make_mo,
    make_pool,
    make_user,
    make_wei,
    make_yan,
    put_in_charge,
)
from guanjia.merchants.models import Merchant
from guanjia.packages.actions import accept_package, request_package
from guanjia.packages.composing import ItemDraft
from guanjia.people.actions import grant_role
from guanjia.people.models import Role, Team, User

MANAGED = (
    # merchant, name, its manager, what it says, what becomes of it
    ("M-2101", "南山茶业", "lin", "主图被同行盗用，想申诉", "answered"),
    ("M-2102", "青禾童装", "lin", "春装想上预售，还差什么材料？", "waits"),
    ("M-2103", "老陈瓷器", "lin", "仓里破损了一批，怎么赔付？", "noted"),
    ("M-2104", "渔人码头海鲜", "lin", "冷链仓周末能不能收货？", "new"),
    ("M-2105", "山野户外", "su", "十二月的品牌日想排一个主题席位", "answered"),
    ("M-2106", "一木家居", "su", "大件送装的时效能写进详情页吗？", "new"),
    ("M-2107", "花间护肤", "su", "旗舰店换主体，报名资格会不会断？", "waits"),
    ("M-2108", "万合广场", "team", "商场周年庆，想把三层的店一起报团购", "answered"),
    ("M-2109", "阿婆酱菜", "pool", "第一次报活动，从哪里开始？", "new"),
    ("M-2110", "星河数码", "pool", "发票抬头开错了，能不能重开？", "solved"),
    ("M-2111", "木棉布艺", "pool", "展示位的图片尺寸是多少？", "solved"),
)
REPLY = "收到，我来跟。材料和时间今天给您回话。"


@dataclass(frozen=True, slots=True)
class Staff:
    lin: User
    su: User
    wei: User
    mo: User
    team: Team


def bustle(now: datetime) -> None:
    """A dozen merchants with a second manager, a team and the pool, and their cases in all states."""
    staff = _staff(now)
    pool = make_pool(staff.wei)
    make_merchant("M-2077", "墨白文具", owner=staff.mo, pool=pool, now=now)
    if not Merchant.objects.filter(ref=MANAGED[-1][0]).exists():
        for number, (ref, name, who, need, then) in enumerate(MANAGED):
            owner = make_user(f"owner-{ref.lower()}", f"{name}店主")
            merchant = make_merchant(ref, name, owner=owner, pool=pool, now=now)
            manager = _charge(staff, merchant, who, now)
            _goes_on(owner, manager, merchant, need, then, now + timedelta(seconds=number))
        _asks_for_more(staff, now)


def _staff(now: datetime) -> Staff:
    su, wei = make_user("su", "苏晴 Su"), make_wei(now)
    grant_role(actor=SYSTEM, user=su, role=Role.ACCOUNT_MANAGER, now=now)
    team, _new = Team.objects.get_or_create(code="mall", defaults={"name": "万合专班", "lead": su})
    lin = make_lin(now)
    team.members.add(su, lin)
    make_yan(now)
    return Staff(lin, su, wei, make_mo(), team)


def _charge(staff: Staff, merchant: Merchant, who: str, now: datetime) -> User:
    """Who answers for it from now on; for the pool, its lead."""
    if who == "team":
        role = ResponsibilityRole.ACCOUNT_MANAGER
        assign(actor=SYSTEM, merchant=merchant, role=role, holder=staff.team, reason="demo", now=now)
    elif who != "pool":
        put_in_charge(staff.lin if who == "lin" else staff.su, merchant, now)
    return {"lin": staff.lin, "pool": staff.wei}.get(who, staff.su)


def _goes_on(owner: User, manager: User, merchant: Merchant, need: str, then: str, now: datetime) -> None:
    number = open_case(actor=owner, merchant_ref=merchant.ref, need=need, now=now).number
    if then == "new":
        return
    say(actor=manager, number=number, body=REPLY, now=now)
    if then == "noted":
        say(actor=manager, number=number, body="仓里说监控要三天才能调，先催着。", internal=True, now=now)
    elif then == "waits":
        say(actor=manager, number=number, body="还差营业执照副本，传上来就能往下办。", now=now)
        wait_for_merchant(actor=manager, number=number, days=2, now=now)
    elif then == "solved":
        say(actor=owner, number=number, body="明白了，谢谢。", now=now)
        solve_case(actor=manager, number=number, now=now)


def _asks_for_more(staff: Staff, now: datetime) -> None:
    """A price that waits for the merchant's yes, and a session that waits for the line's."""
    supplies = ItemDraft("wholesale", "supply", {"category": "kitchen", "lots": 1})
    session = ItemDraft("group-buying", "session", {"day": "2026-11-29", "product": "青花瓷碗"})
    banner = ItemDraft("display-slots", "banner", {"page": "home", "day": "2026-11-29"})
    _package(staff.lin, "M-2103", "想在月底办一场瓷器团购", [session, supplies], now, accepts=True)
    _package(staff.lin, "M-2101", "秋茶上市，想要首页展示位", [banner, supplies], now, accepts=False)


def _package(
    manager: User, ref: str, need: str, items: Sequence[ItemDraft], now: datetime, *, accepts: bool
) -> None:
    owner = User.objects.get(username=f"owner-{ref.lower()}")
    number = open_case(actor=owner, merchant_ref=ref, need=need, now=now).number
    package = request_package(
        actor=manager, case_number=number, mode=Mode.ALL_OR_NOTHING, items=items, now=now
    )
    if accepts and package.accept_due_at:
        total = sum(amount or 0 for amount in package.items.values_list("quote_amount", flat=True))
        accept_package(actor=owner, number=package.number, total=total, now=now)
