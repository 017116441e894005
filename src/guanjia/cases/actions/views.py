"""Lists that people keep for themselves or their team. One verb, one transaction, one event."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput, Missing
from guanjia.base.texts import clean
from guanjia.cases.events import ViewDeleted, ViewRenamed, ViewSaved
from guanjia.cases.marking import tag_name
from guanjia.cases.models import SavedView, Tag
from guanjia.cases.rules import VIEWS
from guanjia.ledger.actions import Entry, Payload, record
from guanjia.lines.models import Line
from guanjia.people.actors import actor_of
from guanjia.people.models import User
from guanjia.people.queries import groups_of

NAME_MOST, WORDS_MOST, VIEWS_MOST = 40, 60, 20


@dataclass(frozen=True, slots=True)
class Marks:
    """By which marks a list is narrowed; nothing where nothing is said."""

    priority: int | None = None
    kind: str = ""
    tag: str = ""


@transaction.atomic
def save_view(
    *,
    actor: User,
    name: str,
    base: str,
    now: datetime,
    line: str = "",
    words: str = "",
    team: int | None = None,
    marks: Marks | None = None,
) -> SavedView:
    """A list under a name: one of the views every desk has, narrowed. Raises BadInput, Missing."""
    marks = marks or Marks()
    name = _free_name(actor, name)
    words = clean(words, field=_("标题里的字"), most=WORDS_MOST, least=0)
    if base not in VIEWS:
        raise BadInput(_("没有这种列表。"), hint=_("请从列出的里面选。"))
    if actor.saved_views.count() >= VIEWS_MOST:
        raise BadInput(_("最多保存 %(most)d 个视图。") % {"most": VIEWS_MOST}, hint=_("请先删掉不用的。"))
    if team is not None and team not in groups_of(actor)[0]:
        raise Missing(_("您不在这个专班里。"), hint=_("请从列出的里面选。"))
    about = {"owner": actor, "name": name, "base": base, "line": _line(line), "words": words}
    about |= {"priority": marks.priority, "kind": marks.kind, "tag": _tag(marks.tag)}
    view = SavedView.objects.create(**about, team_id=team)
    _log(actor, view, ViewSaved(view.pk, base, team), now)
    return view


@transaction.atomic
def rename_view(*, actor: User, view: int, name: str, now: datetime) -> SavedView:
    """Raises Missing for a view of somebody else, BadInput."""
    found = _own(actor, view)
    if found.name == name.strip():
        return found
    found.name = _free_name(actor, name)
    found.save(update_fields=["name"])
    _log(actor, found, ViewRenamed(found.pk), now)
    return found


@transaction.atomic
def delete_view(*, actor: User, view: int, now: datetime) -> None:
    """Raises Missing for a view of somebody else."""
    found = _own(actor, view)
    _log(actor, found, ViewDeleted(found.pk), now)
    found.delete()


def _own(actor: User, view: int) -> SavedView:
    found = SavedView.objects.select_for_update().filter(pk=view, owner=actor).first()
    if found is None:
        raise Missing(_("没有这个视图，或它是别人的。"), hint=_("请刷新后重试。"))
    return found


def _free_name(actor: User, name: str) -> str:
    """One person saves one view at a time: the row of the person is the lock of the names."""
    name = clean(name, field=_("视图名"), most=NAME_MOST)
    User.objects.select_for_update(no_key=True).get(pk=actor.pk)
    if actor.saved_views.filter(name=name).exists():
        raise BadInput(_("您已经有一个叫“%(name)s”的视图。") % {"name": name}, hint=_("请换一个名字。"))
    return name


def _line(slug: str) -> Line | None:
    if not slug:
        return None
    line = Line.objects.filter(slug=slug).first()
    if line is None:
        raise BadInput(_("没有这条业务线。"), hint=_("请从列出的里面选。"))
    return line


def _tag(name: str) -> Tag | None:
    if not name.strip():
        return None
    tag = Tag.objects.filter(name=tag_name(name)).first()
    if tag is None:
        raise BadInput(_("没有“%(name)s”这个标签。") % {"name": name[:30]}, hint=_("请从列出的里面选。"))
    return tag


def _log(actor: User, view: SavedView, payload: Payload, now: datetime) -> None:
    record([Entry(now, actor_of(actor), f"view:{view.pk}", payload)])
