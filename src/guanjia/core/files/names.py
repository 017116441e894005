"""What a file may be called where people save it.

Steps: 1. only what follows the last slash of either kind; 2. characters that mislead or break are dropped:
controls, the ones that turn the direction of writing round (Unicode UAX #9), those that no file system or
shell takes lightly; 3. no dot or blank at either end; 4. names that Windows keeps for devices get an
underline; 5. cut to `MOST` characters, the ending kept. Ties: none. Linear.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST: Final = 120
ENDING_MOST: Final = 16
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\/`$;&\']')
_DEVICES: Final = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)")


def clean_name(name: str, otherwise: str = "file") -> str:
    """A name that is safe to show and to save under; `otherwise` where nothing is left of it."""
    name = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    name = "".join(one for one in name if unicodedata.category(one)[0] != "C")
    name = re.sub(r"\s+", " ", _FORBIDDEN.sub("_", name)).strip(". ")
    if _DEVICES.match(name):
        name = "_" + name
    if len(name) <= MOST:
        return name or otherwise
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > ENDING_MOST:
        return name[:MOST]
    return f"{stem[: MOST - len(ending) - 1]}.{ending}"
