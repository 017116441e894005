"""Rules as an operator writes them, for one session, before anybody knows whether they are lawful.

"At least 20 seats for small merchants, at most 30 for each category" is a draft: bounds over any set of
leaves. Only bounds on a leaf, on a whole category or on the session can become `Rules`; for every
other draft `check_draft` says why not, and `nearest_draft` gives one that can be opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from guanjia.core.allocation.problems import NO_LABELS, Code, Labels, Problem, Unlawful, texts
from guanjia.core.allocation.rules import Rules, check_rules, make_rules


class Precedence(StrEnum):
    RESERVE_FIRST = "reserve_first"  # floors are filled first, then the open seats
    OPEN_FIRST = "open_first"  # the open seats first, then "over and above" the floors


@dataclass(frozen=True, slots=True)
class Bound:
    """At least `floor` (soft) and at most `cap` (hard) seats for merchants of these leaves."""

    name: str
    leaves: frozenset[int]
    floor: int = 0
    cap: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What an operator wants of one session. `category` has the category of each leaf."""

    seats: int
    category: tuple[int, ...]
    bounds: tuple[Bound, ...] = ()
    precedence: Precedence = Precedence.RESERVE_FIRST


def check_draft(draft: Draft, labels: Labels = NO_LABELS) -> list[Problem]:
    """Why this draft cannot be opened; empty if it can. O(bounds · T).

    1. Precedence: reserve-first only.
    2. Every bound is on one leaf, one whole category or the whole session: others cross categories, or
       are a level that the engine does not have.
    3. The numbers, as `check_rules` sees them.

    Raises ValueError for a bound over no leaf or over one that does not exist.
    """
    problems = [*_precedence(draft), *_levels(draft, labels)]
    return problems or check_rules(_one(draft), labels)


def compile_rules(drafts: Sequence[Draft]) -> Rules:
    """The rules of a round from one draft per session, all over the same leaves. Raises Unlawful."""
    problems = [
        replace(problem, session=session)
        for session, draft in enumerate(drafts)
        for problem in [*_precedence(draft), *_levels(draft, NO_LABELS)]
    ]
    if problems:
        raise Unlawful(problems)
    [category] = {draft.category for draft in drafts}
    rows = [_row(draft) for draft in drafts]
    rules = make_rules(
        [row.seats for row in rows],
        category,
        leaf_floor=[row.leaf_floor for row in rows],
        leaf_cap=[row.leaf_cap for row in rows],
        category_floor=[row.category_floor for row in rows],
        category_cap=[row.category_cap for row in rows],
    )
    if found := check_rules(rules):
        raise Unlawful(found)
    return rules


def nearest_draft(draft: Draft) -> Draft:
    """A lawful draft as near to this one as a simple repair comes. Steps:

    1. reserve-first;
    2. a bound that is on no level is split over its parts: whole categories where it has them, leaves
       elsewhere, as evenly as there is room;
    3. no floor above its cap, and none above what is left of its category's cap or of the seats.
    """
    draft = replace(draft, seats=max(0, draft.seats), precedence=Precedence.RESERVE_FIRST)
    parts = tuple(part for bound in draft.bounds for part in _split(draft, bound))
    bounds = [_above_zero(bound) for bound in _joined(replace(draft, bounds=parts))]
    return replace(draft, bounds=tuple(_fitting(draft, bounds)))


# --- precedence and levels --------------------------------------------------------------------------


def _precedence(draft: Draft) -> Iterator[Problem]:
    if draft.precedence is Precedence.RESERVE_FIRST:
        return
    nearest = texts("先分保底席位，再分公开席位。", "Fill the floors first, then the open seats.")
    if any(bound.cap is not None for bound in draft.bounds):
        yield Problem(
            Code.OPEN_FIRST_WITH_CAPS,
            texts(
                "先分公开席位再分保底、同时又设上限：一位商家落选与否会取决于别人怎样报名，谎报志愿可能得利。",
                "Open seats first, floors after, and caps as well: whether a merchant is rejected then"
                " depends on how others apply, and misstating one's list can pay.",
            ),
            nearest,
        )
    else:
        yield Problem(
            Code.OPEN_FIRST,
            texts(
                "先分公开席位再分保底是另一种结果：同样的保底会多给席位。本平台只用一种顺序。",
                "Open seats first gives another outcome: the same floor then gives more seats."
                " The house has one order.",
            ),
            nearest,
        )


def _levels(draft: Draft, labels: Labels) -> Iterator[Problem]:
    for bound in draft.bounds:
        known = frozenset(range(len(draft.category)))
        if not bound.leaves or not bound.leaves <= known:
            raise ValueError(f"“{bound.name}” must be over one or more of {len(known)} leaves")
        if _on_a_level(draft, bound.leaves):
            continue
        nearest = _in_words(draft, _split(draft, bound), labels)
        if _crosses(draft, bound.leaves):
            yield _crossing(bound, nearest)
        else:
            yield _no_level(bound, nearest)


def _crossing(bound: Bound, nearest: Mapping[str, str]) -> Problem:
    return Problem(
        Code.CROSSING,
        texts(
            f"“{bound.name}”只取了几个类目中的一部分，与类目交叉。交叉的保底与上限并用时，可能没有公平的结果："
            "关键值更高的商家反而落选，谎报志愿可能得利。",
            f"“{bound.name}” takes only a part of several categories: it crosses them. With crossing floors"
            " and caps there may be no fair outcome: a merchant with a higher key stays outside, and"
            " misstating one's list can pay.",
        ),
        nearest,
    )


def _no_level(bound: Bound, nearest: Mapping[str, str]) -> Problem:
    return Problem(
        Code.NOT_A_LEVEL,
        texts(
            f"“{bound.name}”既不是一类、一个类目，也不是整个场次：规则只有这三层。",
            f"“{bound.name}” is neither one leaf, nor one category, nor the whole session:"
            " rules have these three levels.",
        ),
        nearest,
    )


def _on_a_level(draft: Draft, leaves: frozenset[int]) -> bool:
    return len(leaves) == 1 or leaves in _groups(draft).values() or len(leaves) == len(draft.category)


def _crosses(draft: Draft, leaves: frozenset[int]) -> bool:
    """Whether it takes a part of a category and something outside that category."""
    return any(0 < len(leaves & group) < len(group) and leaves - group for group in _groups(draft).values())


def _groups(draft: Draft) -> dict[int, frozenset[int]]:
    """The leaves of each category that has any."""
    return {
        group: frozenset(leaf for leaf, its in enumerate(draft.category) if its == group)
        for group in sorted(set(draft.category))
    }


# --- repair -----------------------------------------------------------------------------------------


def _split(draft: Draft, bound: Bound) -> list[Bound]:
    """The bound itself if it is on a level, else one bound for each of its parts."""
    if _on_a_level(draft, bound.leaves):
        return [bound]
    parts = list(_parts(draft, bound.leaves))
    rooms = [min(draft.seats, *_caps_over(draft, part)) for part in parts]
    floors = _dealt(bound.floor, rooms)
    caps = _dealt(bound.cap, [draft.seats] * len(parts)) if bound.cap is not None else [None] * len(parts)
    return [
        replace(bound, leaves=part, floor=floor, cap=cap)
        for part, floor, cap in zip(parts, floors, caps, strict=True)
    ]


def _parts(draft: Draft, leaves: frozenset[int]) -> Iterator[frozenset[int]]:
    for group in _groups(draft).values():
        if group <= leaves:
            yield group
        else:
            yield from (frozenset({leaf}) for leaf in sorted(leaves & group))


def _caps_over(draft: Draft, part: frozenset[int]) -> list[int]:
    """Every cap on a level that a floor on this part must keep to; the seats are one."""
    return [draft.seats] + [
        bound.cap
        for bound in draft.bounds
        if bound.cap is not None and part <= bound.leaves and _on_a_level(draft, bound.leaves)
    ]


def _dealt(seats: int, rooms: Sequence[int]) -> list[int]:
    """Seats shared as evenly as the rooms allow; those for which there is no room are left."""
    dealt, left = [0] * len(rooms), max(0, seats)
    for served, part in enumerate(sorted(range(len(rooms)), key=rooms.__getitem__)):
        dealt[part] = min(max(0, rooms[part]), left // (len(rooms) - served))
        left -= dealt[part]
    return dealt


def _above_zero(bound: Bound) -> Bound:
    return replace(bound, floor=max(0, bound.floor), cap=None if bound.cap is None else max(0, bound.cap))


def _fitting(draft: Draft, bounds: Sequence[Bound]) -> Iterator[Bound]:
    """The bounds, small ones first, with floors lowered to what their caps and the seats leave."""
    within = replace(draft, bounds=tuple(bounds))
    promised: dict[frozenset[int], int] = {}
    for bound in sorted(bounds, key=lambda bound: len(bound.leaves)):
        inside = sum(floor for leaves, floor in promised.items() if leaves < bound.leaves)
        room = min(_caps_over(within, bound.leaves))
        for above in _above(draft, bound.leaves):
            others = sum(
                floor for leaves, floor in promised.items() if leaves < above and not leaves < bound.leaves
            )
            room = min(room, min(_caps_over(within, above)) - others)
        floor = max(inside, min(bound.floor, room))
        promised = {leaves: has for leaves, has in promised.items() if not leaves < bound.leaves}
        promised[bound.leaves] = floor
        yield replace(bound, floor=floor)


def _above(draft: Draft, leaves: frozenset[int]) -> list[frozenset[int]]:
    """The levels above a set of leaves: its category, and the session."""
    whole = frozenset(range(len(draft.category)))
    return [group for group in (*_groups(draft).values(), whole) if leaves < group]


def _in_words(draft: Draft, parts: Sequence[Bound], labels: Labels) -> Mapping[str, str]:
    zh, en = [], []
    for part in parts:
        name = _name(draft, part.leaves, labels)
        if part.floor:
            zh.append(f"“{name}”至少 {part.floor} 席")
            en.append(f"at least {part.floor} for “{name}”")
        if part.cap is not None:
            zh.append(f"“{name}”最多 {part.cap} 席")
            en.append(f"at most {part.cap} for “{name}”")
    return texts(
        "改为分别设在每一类之内：" + "，".join(zh) + "。" if zh else "删去这一条。",
        "Put it inside each part instead: " + ", ".join(en) + "." if en else "Leave it out.",
    )


def _name(draft: Draft, leaves: frozenset[int], labels: Labels) -> str:
    for group, members in _groups(draft).items():
        if members == leaves and len(leaves) > 1:
            return labels.category(group)
    return labels.leaf(min(leaves))


# --- rows of the arrays -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Row:
    seats: int
    leaf_floor: list[int]
    leaf_cap: list[int]
    category_floor: list[int]
    category_cap: list[int]


def _row(draft: Draft) -> _Row:
    """One session's line of the arrays. A floor on the whole session says nothing: every seat is its own."""
    whole = frozenset(range(len(draft.category)))
    found = {bound.leaves: bound for bound in _joined(draft)}
    over = found.get(whole, Bound("", whole))
    seats = draft.seats if over.cap is None else min(draft.seats, over.cap)

    def line(sets: Sequence[frozenset[int]]) -> tuple[list[int], list[int]]:
        bounds = [found.get(leaves, Bound("", leaves)) for leaves in sets]
        return [b.floor for b in bounds], [seats if b.cap is None else b.cap for b in bounds]

    groups = _groups(draft)
    floors, caps = line([frozenset({leaf}) for leaf in range(len(draft.category))])
    category_floors, category_caps = line(
        [groups.get(group, frozenset()) for group in range(max(groups) + 1)]
    )
    return _Row(seats, floors, caps, category_floors, category_caps)


def _joined(draft: Draft) -> Iterator[Bound]:
    """One bound per set of leaves, as written: a number below 0 stays one."""
    by_leaves: dict[frozenset[int], list[Bound]] = {}
    for bound in draft.bounds:
        by_leaves.setdefault(bound.leaves, []).append(bound)
    for leaves, same in by_leaves.items():
        caps = [bound.cap for bound in same if bound.cap is not None]
        yield Bound(same[0].name, leaves, max(bound.floor for bound in same), min(caps, default=None))


def _one(draft: Draft) -> Rules:
    row = _row(draft)
    return make_rules(
        [row.seats],
        draft.category,
        leaf_floor=[row.leaf_floor],
        leaf_cap=[row.leaf_cap],
        category_floor=[row.category_floor],
        category_cap=[row.category_cap],
    )
