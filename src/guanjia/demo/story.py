"""The story: a merchant asks once for four lines, things break, and it takes effect on all or none.

Everything happens through the actions, the processes and the wire that production uses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from guanjia.base.processes import kill
from guanjia.cases.actions import open_case, say
from guanjia.cases.models import Case
from guanjia.core.package import ItemState, Mode, PackageState
from guanjia.demo.evidence import bookings
from guanjia.demo.market import Market
from guanjia.demo.seed import Seeded
from guanjia.demo.telling import Teller, wait_until
from guanjia.lines.actions.hosted import decide_hold
from guanjia.lines.models import Mandate, MandateUse
from guanjia.packages.actions import accept_package, request_package
from guanjia.packages.composing import ItemDraft
from guanjia.packages.links import package_link
from guanjia.packages.models import Item, Package

DAY = "2026-11-27"


@dataclass
class Story:
    market: Market
    people: Seeded
    teller: Teller

    def play(self) -> dict[str, Any]:
        """All of it, and the facts for the summary. Raises StoryError when it gets stuck."""
        case = self.say_it_once()
        package = self.compose(case)
        self.accept(package, "listed")
        self.all_lines_but_one(package)
        self.kill_in_the_middle(package)
        self.decide_by_hand(package)
        self.accept(package, "quoted")
        self.takes_effect(package)
        second = self.refused_by_one(case)
        return self.summary(case, package, second)

    # --- the first package ------------------------------------------------------------------------

    def say_it_once(self) -> Case:
        who = self.people
        need = f"{DAY} 想上聚划算，同时要淘宝女装页展示位和天猫秋上新席位，再请菜鸟华东仓备 60 托。"
        case = open_case(actor=who.owner, merchant_ref=who.merchant.ref, need=need, now=_now())
        self.teller.tell(
            f"商家“{who.merchant.name}”说了一次：{need}",
            f"Merchant “{who.merchant.name}” says it once: four things, on four lines",
        )
        clock = case.clocks.get(kind="first_answer")
        self.teller.check(
            "case_has_number_owner_clock",
            bool(case.number and case.answerable and clock.due_at),
            f"事项 {case.number}，负责人 {case.answerable.name}，最迟 {clock.due_at:%H:%M} 首次答复",
            f"Case {case.number}, owned by {case.answerable.name}, first answer due {clock.due_at:%H:%M} UTC",
        )
        return case

    def compose(self, case: Case) -> Package:
        who = self.people
        say(actor=who.manager, number=case.number, body="收到，四条线我一起办。", now=_now())
        package = request_package(
            actor=who.manager,
            case_number=case.number,
            mode=Mode.ALL_OR_NOTHING,
            items=[
                ItemDraft("display-slots", "banner", {"page": "womenswear", "day": DAY}),
                ItemDraft("brand-promotions", "theme-place", {"theme": "autumn-new"}),
                ItemDraft("group-buying", "session", {"day": DAY, "product": "羊绒开衫"}),
                ItemDraft("warehousing", "pallets", {"region": "east", "quantity": 60}),
            ],
            now=_now(),
            idempotency_key=f"demo-{case.number}",
        )
        self.teller.tell(
            f"{who.manager.name} 组成一揽子 {package.number}：四条线，全部办成或全部不占用",
            f"{who.manager.name} composes {package.number}: four lines, all or nothing",
        )
        shop = package.items.get(position=1).params.get("shop")
        self.teller.check(
            "known_facts_are_prefilled",
            shop == who.merchant.facts["shop_name"],
            f"店铺名“{shop}”不用再填：平台已经知道",
            f"The shop's name “{shop}” was not asked again: the marketplace knows it",
        )
        return package

    def accept(self, package: Package, what: str) -> None:
        wait_until(f"a {what} price to accept", lambda: bool(_fresh(package).accept_due_at))
        total = sum(
            item.quote_amount or 0
            for item in package.items.filter(state__in=[ItemState.DRAFTED, ItemState.HELD])
        )
        accept_package(actor=self.people.owner, number=package.number, total=total, now=_now())
        zh, en = ("价目", "listed") if what == "listed" else ("报价", "quoted")
        self.teller.tell(
            f"商家确认{zh}总价 ¥{total / 100:,.2f}",
            f"The merchant accepts the {en} total of CNY {total / 100:,.2f}",
        )

    def all_lines_but_one(self, package: Package) -> None:
        held = [ItemState.HELD] * 2 + [ItemState.PENDING_DECISION, ItemState.HELD]
        wait_until("three lines held and one waiting", lambda: _states(package) == held)
        self.teller.tell(
            "展位、品牌活动在授权内立即预留，菜鸟已报价；聚划算超出授权，等对接人答复",
            "Display slot and promotion held at once within the mandate, warehousing has quoted;"
            " group buying is beyond the mandate and waits for its specialist",
        )
        self.teller.check(
            "nothing_is_final_yet",
            [b.state for b in bookings(self.market, package.number)].count("confirmed") == 0,
            "现在还没有任何一条线生效",
            "So far nothing has taken effect on any line",
        )

    def kill_in_the_middle(self, package: Package) -> None:
        killed = [kill(self.market.home, name) for name in ("worker", "display-slots")]
        self.teller.check(
            "worker_and_line_were_killed",
            all(killed),
            "kill -9：后台进程和淘宝展位系统",
            "kill -9: the worker and the display slots line",
        )
        del package

    def decide_by_hand(self, package: Package) -> None:
        hold = package.items.get(position=3).hold_id
        decide_hold(actor=self.people.specialist, hold_id=hold, approve=True, reason=None, now=_now())
        self.teller.tell(
            f"聚划算对接人 {self.people.specialist.name} 人工答复：同意",
            f"{self.people.specialist.name} of group buying decides by hand: yes",
        )
        wait_until("the killed worker and line to be back", lambda: _states(package) == [ItemState.HELD] * 4)
        self.teller.tell(
            "后台进程和展位系统已自行恢复", "The worker and the line have come back by themselves"
        )

    def takes_effect(self, package: Package) -> None:
        wait_until("the package to take effect", lambda: _fresh(package).state == PackageState.DONE)
        found = sorted((b.line, b.state) for b in bookings(self.market, package.number))
        expected = [
            (line, "confirmed")
            for line in ("brand-promotions", "display-slots", "group-buying", "warehousing")
        ]
        self.teller.check(
            "in_effect_on_all_four_lines",
            found == expected,
            "四条线自己的数据库都写着：已确认，各一笔",
            "The four lines' own databases all say: confirmed, once each",
        )
        case = Case.objects.get(pk=package.case_id)
        self.teller.check(
            "case_is_solved_and_clocks_stopped",
            case.state == "solved" and not case.clocks.filter(stopped_at=None).exists(),
            f"事项 {case.number} 已办结，时钟已停",
            f"Case {case.number} is solved, its clocks have stopped",
        )

    # --- the second package -----------------------------------------------------------------------

    def refused_by_one(self, first: Case) -> Package:
        who = self.people
        case = open_case(
            actor=who.owner,
            merchant_ref=who.merchant.ref,
            need="再要晚八点抢购场、展示位和托盘。",
            now=_now(),
        )
        package = request_package(
            actor=who.manager,
            case_number=case.number,
            mode=Mode.ALL_OR_NOTHING,
            items=[
                ItemDraft("flash-sales", "hour", {"day": DAY, "hour": "20:00", "quantity": 2}),
                ItemDraft("display-slots", "banner", {"page": "home", "day": DAY}),
                ItemDraft("wholesale", "supply", {"category": "kitchen", "lots": 2}),
                ItemDraft("warehousing", "pallets", {"region": "south", "quantity": 10}),
            ],
            now=_now(),
        )
        self.teller.tell(
            f"第二个一揽子 {package.number}：晚八点抢购 + 展示位 + 货源 + 托盘",
            f"A second package {package.number}: flash sale at eight, banner, supplies, pallets",
        )
        self.accept(package, "listed")
        wait_until("the second package to end", lambda: _fresh(package).state == PackageState.RELEASED)
        refused = package.items.get(position=1)
        self.teller.tell(
            f"淘抢购：{refused.reason.get('zh-Hans')}；其余三条线全部撤回",
            f"Flash sales: {refused.reason.get('en')}; the other three lines have given back",
        )
        self.leaves_nothing_behind(package)
        del first
        return package

    def leaves_nothing_behind(self, package: Package) -> None:
        self.teller.check(
            "refused_package_leaves_nothing",
            bookings(self.market, package.number) == [],
            "各业务线数据库里没有留下任何占用",
            "No line's database holds anything of it",
        )
        uids: list[UUID] = list(package.items.values_list("uid", flat=True))
        uses = MandateUse.objects.filter(item__in=uids)
        self.teller.check(
            "mandate_is_given_back",
            uses.exists() and not uses.filter(returned_at=None).exists(),
            "用掉的授权额度已退回",
            "What it had used of the mandate is given back",
        )

    def summary(self, case: Case, package: Package, second: Package) -> dict[str, Any]:
        return {
            "merchant": self.people.merchant.ref,
            "case": case.number,
            "packages": [_facts(package), _facts(second)],
            "mandates": Mandate.objects.count(),
            "checks": dict(self.teller.checks),
            "ok": self.teller.all_hold,
        }


def _facts(package: Package) -> dict[str, Any]:
    package = _fresh(package)
    return {
        "number": package.number,
        "state": package.state,
        "link": package_link(package),
        "items": [
            {"line": item.service.line.slug, "state": item.state, "reason": item.reason_code}
            for item in _items(package)
        ],
    }


def _items(package: Package) -> list[Item]:
    return list(package.items.select_related("service__line").order_by("position"))


def _states(package: Package) -> list[str]:
    return [item.state for item in _items(package)]


def _fresh(package: Package) -> Package:
    return Package.objects.get(pk=package.pk)


def _now() -> datetime:
    return datetime.now(UTC)
