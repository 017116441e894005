"""Reading a file that says who looks after which merchant, and since when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.base.texts import clean
from guanjia.coverage.models import ResponsibilityRole
from guanjia.merchants.importing.files import TableFile, UnusableFile
from guanjia.merchants.importing.findings import BadRow, BadRows
from guanjia.merchants.importing.mapping import BadMapping, Columns, Targets, read_mapping
from guanjia.merchants.importing.records import records
from guanjia.merchants.rules import clean_ref, short, unguard
from guanjia.people.models import Pool, Team

MOST = 1_000_000  # rows; they are held in memory
KINDS = ("person", "team", "pool")
AM = ResponsibilityRole.ACCOUNT_MANAGER

TARGETS = Targets(
    needed=("merchant", "since"),
    optional=(*KINDS, "person_name", "role", "until"),
    guesses={
        **{name: name for name in ("merchant", *KINDS, "role", "since", "until")},
        # The closed deals of the Brazilian marketplace data that Olist published.
        "seller_id": "merchant",
        "sr_id": "person",
        "won_date": "since",
    },
)
FORMATS = {"won_date": "%m/%d/%Y %H:%M"}


def columns_of(header: tuple[str, ...], maps: Sequence[str]) -> tuple[Columns, str | None]:
    """The columns to read, and the date format if the file is of a kind we know. Raises BadMapping."""
    columns = read_mapping(header, maps, TARGETS)
    if not any(kind in columns.indexes for kind in KINDS):
        raise BadMapping(_("不知道哪一列是负责人。"), hint=_("请用 --map person=列名 指明，或 team、pool。"))
    return columns, FORMATS.get(header[columns.indexes["since"]])


@dataclass(frozen=True, slots=True)
class DateReader:
    """Reads instants. `zone` is that of times which name none; `format` None means ISO 8601."""

    format: str | None
    zone: ZoneInfo

    @classmethod
    def of(cls, format_: str | None, zone: str | None) -> DateReader:
        name = zone or settings.TIME_ZONE
        try:
            return cls(format_, ZoneInfo(name))
        except (KeyError, ValueError, OSError) as error:  # unknown, no name, a directory
            raise BadInput(
                _("没有时区“%(name)s”。") % {"name": name[:60]},
                hint=_("请写成 Asia/Shanghai、America/Sao_Paulo 这样的名字。"),
            ) from error

    def read(self, text: str, column: str) -> datetime:
        """Raises BadInput for a text that is not a date in this format."""
        try:
            read = datetime.fromisoformat(text) if self.format is None else self._parse(text, self.format)
            zone: tzinfo = read.tzinfo or self.zone
            return read.replace(tzinfo=zone).astimezone(ZoneInfo("UTC"))
        except (ValueError, OverflowError):
            raise BadInput(
                _("“%(column)s”的“%(text)s”不是 %(format)s 格式的日期")
                % {"column": column[:60], "text": text[:40], "format": self.format or "ISO 8601"}
            ) from None

    @staticmethod
    def _parse(text: str, format_: str) -> datetime:
        return datetime.strptime(text, format_)  # noqa: DTZ007 - the caller adds the zone


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row of the file. `holder` is a username or the code of a team or pool; times are in UTC."""

    line: int
    merchant: str
    kind: str
    holder: str
    name: str
    role: ResponsibilityRole
    since: datetime
    until: datetime | None


def read_rows(table: TableFile, columns: Columns, dates: DateReader, bad: BadRows) -> list[Wanted]:
    found: list[Wanted] = []
    for batch in records(table, bad):
        for line, row in zip(*batch, strict=True):
            cells = {t: unguard(row[i].strip()) for t, i in columns.indexes.items()}
            try:
                found.append(_wanted(line, cells, columns, dates))
            except BadInput as refusal:
                bad.add([BadRow(line, refusal.message)])
        if len(found) > MOST:
            raise UnusableFile(_("行数超过 %(most)d。") % {"most": MOST}, hint=_("请分成几个文件导入。"))
    table.check_unchanged()
    return found


def _wanted(line: int, cells: Mapping[str, str], columns: Columns, dates: DateReader) -> Wanted:
    kinds = [kind for kind in KINDS if cells.get(kind)]
    if len(kinds) != 1:
        raise BadInput(_("负责人应是一个人、一个专班或一个共享池，这里有 %(n)d 个") % {"n": len(kinds)})
    holder = clean(cells[kinds[0]], field=columns.header[columns.indexes[kinds[0]]][:60], most=80)
    role = cells.get("role") or AM.value
    if role not in ResponsibilityRole.values:
        raise BadInput(_("没有“%(role)s”这种职责") % {"role": role[:40]})
    since = dates.read(cells["since"], columns.header[columns.indexes["since"]])
    until = (
        dates.read(cells["until"], columns.header[columns.indexes["until"]]) if cells.get("until") else None
    )
    if until is not None and until <= since:
        raise BadInput(_("结束时间不在开始时间之后"))
    return Wanted(
        line=line,
        merchant=clean_ref(cells["merchant"]),
        kind=kinds[0],
        holder=holder,
        name=clean(cells.get("person_name") or f"客户经理 {short(holder)}", field=_("姓名"), most=120),
        role=ResponsibilityRole(role),
        since=since,
        until=until,
    )


def in_known_groups(wanted: list[Wanted], bad: BadRows) -> list[Wanted]:
    """Teams and pools are not made by an import: each needs a lead."""
    known = {("team", code) for code in Team.objects.values_list("code", flat=True)}
    known |= {("pool", code) for code in Pool.objects.values_list("code", flat=True)}
    lost = [w for w in wanted if w.kind != "person" and (w.kind, w.holder) not in known]
    names = {"team": _("专班"), "pool": _("共享池")}
    bad.add(
        BadRow(w.line, _("没有代码为“%(code)s”的%(kind)s") % {"code": w.holder, "kind": names[w.kind]})
        for w in lost
    )
    gone = {w.line for w in lost}
    return [w for w in wanted if w.line not in gone]


def without_clashes(wanted: list[Wanted], bad: BadRows) -> list[Wanted]:
    """Rows of the file that contradict each other: the one further down is bad, and names the other."""
    groups: dict[tuple[str, ...], list[Wanted]] = defaultdict(list)
    for want in wanted:
        whose = () if want.role == AM else (want.kind, want.holder)
        groups[(want.merchant, want.role, *whose)].append(want)
    kept: list[Wanted] = []
    for group in groups.values():
        kept += _chain(group, bad)
    return kept


def _chain(group: list[Wanted], bad: BadRows) -> list[Wanted]:
    """Those of one merchant and role that follow each other in time."""
    chain: list[Wanted] = []
    for want in sorted(group, key=lambda w: (w.since, w.line)):
        if not chain or (chain[-1].until is not None and chain[-1].until <= want.since):
            chain.append(want)
            continue
        first, second = sorted((chain[-1], want), key=lambda w: w.line)
        chain[-1] = first
        text = _("商家 %(ref)s 在第 %(line)d 行已经有了同一时间的“%(role)s”")
        values = {"ref": want.merchant, "line": first.line, "role": want.role.label}
        bad.add([BadRow(second.line, text % values)])
    return chain
