"""Which column of a file tells what about a merchant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from guanjia.base.errors import BadInput
from guanjia.merchants.importing.files import separator_hint
from guanjia.merchants.rules import KEY

FACT = "fact."


class BadMapping(BadInput):
    code = "bad_mapping"


@dataclass(frozen=True, slots=True)
class Columns:
    """Targets and the columns they are read from: `indexes[target]` counts the file's columns from 0."""

    header: tuple[str, ...]
    indexes: Mapping[str, int]

    def texts(self) -> tuple[str, ...]:
        """As `--map` would say it."""
        return tuple(f"{target}={self.header[index]}" for target, index in self.indexes.items())

    def facts(self) -> dict[str, int]:
        """Fact keys and their columns."""
        return {t.removeprefix(FACT): i for t, i in self.indexes.items() if t.startswith(FACT)}


@dataclass(frozen=True, slots=True)
class Targets:
    """What a kind of file can tell. `guesses` are columns we know by name, `open_facts` allows `fact.KEY`."""

    needed: tuple[str, ...]
    optional: tuple[str, ...]
    guesses: Mapping[str, str]
    open_facts: bool = False


MERCHANTS = Targets(
    needed=("ref",),
    optional=("name", "pool"),
    guesses={
        "ref": "ref",
        "seller_id": "ref",
        "name": "name",
        "home_pool": "pool",
        # The sellers of the Brazilian marketplace data that Olist published.
        "seller_zip_code_prefix": "fact.zip",
        "seller_city": "fact.city",
        "seller_state": "fact.state",
    },
    open_facts=True,
)
TITLES = {
    "zip": {"zh-Hans": "邮政编码", "en": "Postal code"},
    "city": {"zh-Hans": "城市", "en": "City"},
    "state": {"zh-Hans": "州/省", "en": "State"},
}


def read_mapping(header: tuple[str, ...], told: Sequence[str], targets: Targets) -> Columns:
    """The columns to read: those of `told` (`target=column` texts), or, without any, a guess.

    A needed target that `told` leaves out is guessed as well. Raises BadMapping.
    """
    asked = dict(_parse(text, targets) for text in told)
    if len(asked) < len(told):
        raise BadMapping(_("同一个目标写了两次。"), hint=_("每个 --map 目标只写一次。"))
    guessed = _guess(header, targets)
    if not told:
        asked = guessed
    for target in targets.needed:
        if target not in asked and target in guessed:
            asked = {target: guessed[target], **asked}
    missing = [target for target in targets.needed if target not in asked]
    if missing:
        raise BadMapping(
            _("不知道哪一列是 %(missing)s；文件里有这些列：%(header)s。")
            % {"missing": ", ".join(missing), "header": _shown(header)},
            hint=separator_hint(header) or _("请用 --map %(target)s=列名 指明。") % {"target": missing[0]},
        )
    return Columns(header, {target: _index(header, column) for target, column in asked.items()})


def _parse(text: str, targets: Targets) -> tuple[str, str]:
    target, equals, column = text.partition("=")
    target, column = target.strip(), column.strip()
    known = (*targets.needed, *targets.optional)
    is_fact = targets.open_facts and target.startswith(FACT) and KEY.fullmatch(target.removeprefix(FACT))
    if not equals or not column or not (target in known or is_fact):
        allowed = (*known, f"{FACT}KEY") if targets.open_facts else known
        raise BadMapping(
            _("看不懂 --map %(text)s。") % {"text": text[:120]},
            hint=_("写成 目标=列名，目标可以是 %(allowed)s。") % {"allowed": ", ".join(allowed)},
        )
    return target, column


def _guess(header: tuple[str, ...], targets: Targets) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in header:
        target = targets.guesses.get(name)
        if target is None and targets.open_facts and name.startswith(FACT):
            target = name if KEY.fullmatch(name.removeprefix(FACT)) else None
        if target is not None:
            found.setdefault(target, name)
    return found


def _index(header: tuple[str, ...], column: str) -> int:
    if header.count(column) > 1:
        raise BadMapping(
            _("有 %(n)d 列都叫“%(column)s”。") % {"n": header.count(column), "column": column[:60]},
            hint=_("请在文件里给它们不同的列名。"),
        )
    if column not in header:
        raise BadMapping(
            _("没有名为“%(column)s”的列；文件里有这些列：%(header)s。")
            % {"column": column[:60], "header": _shown(header)},
            hint=separator_hint(header) or _("请核对 --map 里的列名。"),
        )
    return header.index(column)


def _shown(header: tuple[str, ...]) -> str:
    names = ", ".join(name[:40] for name in header[:20])
    return f"{names}, …" if len(header) > 20 else names
