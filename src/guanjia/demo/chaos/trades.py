"""The four lines of the chaos run: what they sell, and how long and by whom it is decided."""

from __future__ import annotations

from dataclasses import dataclass

from guanjia.lines.protocol.messages import NEVER_DECIDES, DecisionRule, Rule, Silence, Texts

WITHIN_SECONDS, GRACE_SECONDS = 6, 3
SEATS = 6
"""Capacity of each slot; popular ones are sold out long before the end."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One line. `price` in fen."""

    slug: str
    titles: Texts
    hold_ttl_seconds: int
    price: int | None = None
    decision: DecisionRule = NEVER_DECIDES


# 90 s: short enough for renewals during a run. 900 s: a hold that is lost stays in sight of the auditor.
TRADES = (
    Trade("stalls", {"zh-Hans": "摊位", "en": "Stalls"}, 900),
    Trade("banners", {"zh-Hans": "横幅", "en": "Banners"}, 90, price=120_000),
    Trade(
        "prizes",
        {"zh-Hans": "奖品", "en": "Prizes"},
        90,
        decision=DecisionRule(Rule.ALWAYS, WITHIN_SECONDS, GRACE_SECONDS, Silence.CONSENT),
    ),
    Trade(
        "halls",
        {"zh-Hans": "展厅", "en": "Halls"},
        900,
        price=80_000,
        decision=DecisionRule(Rule.ALWAYS, WITHIN_SECONDS, GRACE_SECONDS, Silence.REFUSAL),
    ),
)


def by_slug(slug: str) -> Trade:
    return next(trade for trade in TRADES if trade.slug == slug)
