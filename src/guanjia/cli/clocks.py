"""`guanjia clocks recompute`: deadlines, counted anew."""

from __future__ import annotations

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit, say


@click.group("clocks")
def clocks_group() -> None:
    """Deadlines and the calendars they follow."""


@clocks_group.command()
@click.option("--all", "everything", is_flag=True, help="All live clocks, from their histories.")
@click.option("--after", default=0, show_default=True, help="Go on after the clock with this id.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def recompute(everything: bool, after: int, as_json: bool) -> int:
    """Count deadlines anew after an edit of a calendar: in chunks, and again from where it stopped."""
    with house():
        from django.utils import timezone
        from django.utils.translation import gettext as _

        from guanjia.cases.actions.recounting import recount_clocks

        seen = moved = 0
        done = False
        while not done:
            found = recount_clocks(now=timezone.now(), after=after, everything=everything)
            after, done = found.at, found.done
            seen, moved = seen + found.seen, moved + found.moved
            say(_("算到时钟 %(at)d，期限改变 %(moved)d 个。") % {"at": after, "moved": moved})
        data = {"seen": seen, "moved": moved, "at": after}
        emit(data, _("看过 %(seen)d 个时钟，期限改变 %(moved)d 个。") % data, as_json=as_json)
    return Exit.OK
