"""Durable flows: what must happen although processes die.

A flow is a row "look at `key` when `due_at` comes", written in the same transaction as what it is
about. A worker claims due rows and takes turns: *settle* decides from the room's own rows in one
transaction, *perform* makes the calls that were decided, and their answers go into the next settle.
Performing is at least once; settling is exactly once, because it commits together with the rows it
decides on. One exception remains: when the connection breaks so late that nobody knows whether the
commit happened, the same answers are settled again, so a repeated answer must be no news to a flow.
Decision record 0003 says why this and not a workflow library.
"""

from guanjia.base.flows.crew import Crew, crew
from guanjia.base.flows.engine import Engine, Turn
from guanjia.base.flows.queue import wake

__all__ = ["Crew", "Engine", "Turn", "crew", "wake"]
