"""The story on real merchants: files are imported through the operator's door, and one of them plays."""

from __future__ import annotations

import subprocess
from pathlib import Path

from guanjia.cli.running import me
from guanjia.coverage.models import Responsibility, ResponsibilityRole
from guanjia.demo.telling import StoryError, Teller
from guanjia.merchants.models import Merchant

IMPORT_SECONDS = 600


def import_files(merchants: Path | None, responsibilities: Path | None, teller: Teller) -> dict[str, int]:
    """Import the files that are given; how many merchants, responsibilities and managers there are now."""
    for kind, file in (("merchants", merchants), ("responsibilities", responsibilities)):
        if file is not None:
            teller.tell(f"导入 {file.name}", f"Importing {file.name}")
            _import(kind, file)
    managing = Responsibility.objects.filter(role=ResponsibilityRole.ACCOUNT_MANAGER)
    return {
        "merchants": Merchant.objects.count(),
        "responsibilities": managing.count(),
        "managers": managing.values("person").distinct().count(),
    }


def _import(kind: str, file: Path) -> None:
    done = subprocess.run(
        me("import", kind, str(file.resolve()), "--apply", "--json"),
        capture_output=True,
        text=True,
        timeout=IMPORT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise StoryError(f"import {kind}: {done.stdout or done.stderr}")


def merchant_of_the_story() -> Merchant | None:
    """The first imported merchant that somebody looks after in person, else the first; or None."""
    found = Merchant.objects.order_by("pk")
    looked_after = Responsibility.objects.filter(person__isnull=False).values("merchant")
    return found.filter(pk__in=looked_after).first() or found.first()
