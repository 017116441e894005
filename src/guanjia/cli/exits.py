"""Exit codes of `guanjia`, as docs/cli.md lists them."""

from enum import IntEnum


class Exit(IntEnum):
    OK = 0
    REFUSED = 1  # a rule said no, or a check found something; nothing was changed
    USAGE = 2  # the command line was not understood
    SETTINGS = 3  # a setting cannot be used
    DATABASE = 4  # no database, or it does not answer
    PROCESS = 5  # a process of the house did not start or kept dying
    STORY = 6  # the demo's story did not end as it must
    INTERRUPTED = 130
