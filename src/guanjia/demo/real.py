"""The story on real merchants: a file is imported as an operator would, and one of them plays."""

from __future__ import annotations

from pathlib import Path

from guanjia.demo.telling import Teller
from guanjia.merchants.models import Merchant


def imported_merchant(
    merchants: Path | None, responsibilities: Path | None, teller: Teller
) -> Merchant | None:
    """Import the files, if given, and pick the merchant of the story."""
    if merchants is None:
        return None
    raise NotImplementedError
