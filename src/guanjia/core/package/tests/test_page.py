"""The page about the states is equal to the code, and `settle` is pure."""

from guanjia.core.package import (
    Accepted,
    Cancelled,
    Confirmed,
    HandSettled,
    Mode,
    Package,
    Refused,
    Rejected,
    Released,
    Signal,
    Submitted,
    moves,
    settle,
)
from guanjia.core.package.tests.scenes import (
    BANNER,
    FLASH,
    NOON,
    PAGE,
    P,
    S,
    answers,
    documented_moves,
    held,
    make_item,
    make_package,
    pending,
    two,
)

COLUMNS = (S.HOLDING, S.PENDING_DECISION, S.HELD, S.CONFIRMING, S.RELEASING)


def item_table():
    """The table of docs/package-states.md: what each answer makes of an item in each active state."""
    rows = ["| answer | " + " | ".join(f"`{state}`" for state in COLUMNS) + " |", "|---" * 6 + "|"]
    for name in answers(make_item()):
        cells = [_cell(make_item(state=state), name) for state in COLUMNS]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _cell(item, name):
    after = moves.apply(item, answers(item)[name], NOON)
    if after.generation > item.generation:
        return f"`{after.state}`, a new hold"
    if after.state is not item.state:
        return f"`{after.state}`"
    return "↻" if after.attempts else "new terms"


def test_the_page_shows_what_the_table_does():
    assert item_table() in PAGE.read_text()


def _all_moves():
    """A way to make each move of a package that there is."""
    drafts = [make_item(accepted_amount=None)]
    one = make_package
    hand = make_item(state=S.FAILED_NEEDS_HAND, reason_code="confirmed_unasked")
    best = {"mode": Mode.BEST_EFFORT}
    ways: list[tuple[Package, Signal]] = [
        (one(P.DRAFTED, *drafts), Submitted()),
        (one(P.DRAFTED, *drafts), Submitted({BANNER: 100})),
        (one(P.DRAFTED, *drafts), Cancelled()),
        (one(P.SUBMITTED, *drafts), Accepted({BANNER: 100})),
        (one(P.SUBMITTED, *drafts), Cancelled()),
        (one(P.HOLDING, make_item(state=S.HOLDING)), pending(make_item())),
        (one(P.HOLDING, make_item(state=S.HOLDING)), held(make_item())),
        (one(P.HOLDING, make_item(state=S.HOLDING)), Cancelled()),
        (one(P.HOLDING, make_item(state=S.HOLDING)), Refused(BANNER, "sold_out")),
        (one(P.HOLDING, hand, make_item(FLASH, S.REFUSED), **best), HandSettled(BANNER, "confirmed")),
        (one(P.DECIDING, make_item(state=S.HELD)), Rejected(BANNER, "hold_lapsed")),
        (one(P.DECIDING, make_item(state=S.PENDING_DECISION)), held(make_item())),
        (one(P.DECIDING, make_item(state=S.PENDING_DECISION)), Cancelled()),
        (one(P.DECIDING, make_item(state=S.PENDING_DECISION)), Refused(BANNER, "no")),
        (one(P.DECIDING, hand), HandSettled(BANNER, "confirmed")),
        (one(P.CONFIRMING, make_item(state=S.CONFIRMING)), Confirmed(BANNER)),
        (one(P.CONFIRMING, hand), HandSettled(BANNER, "waived")),
        (one(P.RELEASING, make_item(state=S.RELEASING)), Released(BANNER)),
    ]
    return {(package.state, settle(package, [signal], NOON).package.state) for package, signal in ways}


def test_the_page_knows_every_move_of_a_package_and_each_can_happen():
    assert documented_moves() == _all_moves()


def test_deciding_changes_nothing_but_what_it_returns():
    package = two().package
    signals = [held(package.items[0]), held(package.items[1])]
    assert settle(package, signals, NOON) == settle(package, signals, NOON)
    assert package == two().package


def test_settling_again_without_news_repeats_the_calls_and_changes_nothing():
    play = two()
    first = play(held(play.item(BANNER)), held(play.item(FLASH)))
    again = play()
    assert (again.package, again.calls, again.notices) == (first.package, first.calls, ())
