"""`guanjia package show | list`: how packages stand, for whoever runs the house."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from guanjia.cli.exits import Exit
from guanjia.cli.house import house
from guanjia.cli.output import emit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from guanjia.packages.history import Happening
    from guanjia.packages.queries import ItemLook, PackageLine, PackageLook

LAST = 10
"""Events shown; the page of the package shows more."""


@click.group("package")
def package_group() -> None:
    """Look at packages."""


@package_group.command()
@click.argument("number")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(number: str, as_json: bool) -> int:
    """State, items, clocks and last events of one package, and the link to its page."""
    with house():
        from guanjia.packages.history import history
        from guanjia.packages.links import package_link
        from guanjia.packages.queries import look, package_by_number

        package = package_by_number(number)
        seen, happened, link = look(package), history(package)[:LAST], package_link(package)
        data = {**asdict(seen), "history": [asdict(one) for one in happened], "link": link}
        emit(data, _shown(seen, happened, link), as_json=as_json)
    return Exit.OK


@package_group.command("list")
@click.option("--merchant", "ref", required=True, help="The merchant's reference.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def list_packages(ref: str, as_json: bool) -> int:
    """The newest packages of a merchant."""
    with house():
        from guanjia.packages.queries import packages_of

        found = packages_of(ref)
        emit([asdict(line) for line in found], _listed(found), as_json=as_json)
    return Exit.OK


def _shown(seen: PackageLook, happened: Sequence[Happening], link: str) -> str:
    return "\n".join([*_head(seen), *_items(seen), *_history(happened), link])


def _head(seen: PackageLook) -> Iterator[str]:
    from guanjia.base.moments import moment, money

    yield f"{seen.number}  {seen.state_text}"
    yield f"{seen.merchant} {seen.merchant_name} · {seen.case} · {seen.mode_text}"
    yield f"{money(seen.total, seen.currency)} · {moment(seen.created_at)}"
    yield seen.next
    yield ""


def _items(seen: PackageLook) -> Iterator[str]:
    for item in seen.items:
        yield f"{item.position:>3}. {item.line_title} › {item.title}  {item.state_text}"
        details = [_price(seen, item), item.reason, item.next, item.reference]
        yield from (f"     {detail}" for detail in details if detail)
    yield ""


def _price(seen: PackageLook, item: ItemLook) -> str:
    from guanjia.base.moments import money

    return "" if item.quote is None else money(item.quote, seen.currency)


def _history(happened: Sequence[Happening]) -> Iterator[str]:
    from guanjia.base.moments import moment

    for one in reversed(happened):
        yield f"{moment(one.at)}  {one.who}  {one.text}"
    yield ""


def _listed(found: Sequence[PackageLine]) -> str:
    from django.utils.translation import gettext as _

    from guanjia.base.moments import moment

    lines = [f"{one.number}  {moment(one.created_at)}  {one.state_text}" for one in found]
    return "\n".join(lines) or _("这家商家还没有一揽子。")
