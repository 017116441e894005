"""Things that happen at the same time, each on a database connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connection

WAIT_SECONDS = 30


def at_once(*acts):
    """Start all acts together and return what each returned or raised, in their order."""
    start = Barrier(len(acts))

    def run(act):
        start.wait(WAIT_SECONDS)
        try:
            return act()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
