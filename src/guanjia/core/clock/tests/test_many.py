from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guanjia.core.clock import Calendar, Schedule
from guanjia.core.clock.many import due_many
from guanjia.core.clock.tests.test_calendar import SHANGHAI, at, calendars

FIRST = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
pairs = st.lists(
    st.tuples(st.integers(FIRST, FIRST + 90 * 86400), st.integers(0, 40 * 3600)), min_size=1, max_size=8
)


def arrays(pairs):
    return (np.array([row[column] for row in pairs], dtype=np.int64) for column in (0, 1))


@given(calendars, pairs)
def test_many_deadlines_are_those_of_each(calendar, pairs):
    schedule = Schedule.of(calendar)
    try:
        each = [schedule.due(datetime.fromtimestamp(start, UTC), target) for start, target in pairs]
    except OverflowError:
        return
    assert due_many(schedule, *arrays(pairs)).tolist() == [int(due.timestamp()) for due in each]


def test_an_edit_counts_from_its_instant():
    edited = Schedule(
        ((at("2026-01-01 00:00"), SHANGHAI), (at("2026-11-11 00:00"), Calendar("UTC", ((),) * 7)))
    )
    start = int(at("2026-11-10 17:00").timestamp())
    assert due_many(edited, *arrays([(start, 3600)])).tolist() == [start + 3600]
    with pytest.raises(OverflowError, match="too little"):
        due_many(edited, *arrays([(start, 3601)]))


def test_no_clocks_have_no_deadlines_and_shapes_must_agree():
    none = np.array([], dtype=np.int64)
    assert due_many(Schedule.of(SHANGHAI), none, none).tolist() == []
    with pytest.raises(ValueError, match="one length"):
        due_many(Schedule.of(SHANGHAI), none, np.array([1], dtype=np.int64))
