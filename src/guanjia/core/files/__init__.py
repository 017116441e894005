"""What a file is, by its first bytes, and what it may be called. Pure.

Neither the name nor the media type that came with a file is believed: both are somebody else's words.
"""

from guanjia.core.files.kinds import HEAD, kind_of
from guanjia.core.files.names import clean_name

__all__ = ["HEAD", "clean_name", "kind_of"]
