"""Many cases at once, as their page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from guanjia.base.errors import Missing
from guanjia.cases.actions.bulk import can_undo
from guanjia.cases.changing import change_of
from guanjia.cases.models import BulkChange, BulkRow, Macro
from guanjia.cases.phrases import change_in
from guanjia.people.models import User


@dataclass(frozen=True, slots=True)
class Done:
    """A bulk change of one's own. `left` cases are still to be done."""

    pk: int
    does: list[str]
    says: str
    every: int
    changed: int
    refused: int
    left: int
    undone: bool
    undoable: bool


def own_bulk(user: User, pk: int) -> Done:
    """Two statements. Raises Missing for somebody else's."""
    bulk = BulkChange.objects.filter(pk=pk, actor=user).first()
    if bulk is None:
        raise Missing(_("没有这次批量修改，或它是别人的。"), hint=_("请从列表里重新选。"))
    rows = list(bulk.rows.values_list("done_at", "changed", "refusal"))
    changed = sum(one[1] for one in rows)
    return Done(
        pk=pk,
        does=change_of(bulk.change["change"]).words(),
        says=bulk.change["body"],
        every=len(rows),
        changed=changed,
        refused=sum(bool(one[2]) for one in rows),
        left=sum(one[0] is None for one in rows),
        undone=bulk.undone_at is not None,
        undoable=bool(changed) and can_undo(bulk),
    )


def done_rows(bulk: int) -> list[BulkRow]:
    """At most as many as a bulk change may have."""
    return list(BulkRow.objects.filter(bulk=bulk).select_related("case").order_by("case_id"))


def both(form: Mapping[str, str], macro: Macro) -> dict[str, str]:
    """The fields of a form, and beneath them what a macro does: what is chosen in the form goes before."""
    change = change_in(macro)
    given = {
        "priority": str(change.priority or ""),
        "kind": change.kind,
        "wait": str(change.wait_days or ""),
        "solve": "1" if change.solve else "",
    }
    fields = {name: form.get(name) or value for name, value in given.items()}
    return {
        **fields,
        "tags": ",".join([form.get("tags", ""), *change.add_tags]),
        "untag": form.get("untag", ""),
    }
