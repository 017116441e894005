import os

import pytest

from guanjia.base.processes.cpus import own_cpu

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two CPUs to choose from",
)


@pytest.fixture
def cpus():
    """Two CPUs to choose from, whatever the machine has."""
    allowed = os.sched_getaffinity(0)
    two = set(sorted(allowed)[:2])
    os.sched_setaffinity(0, two)
    yield two
    os.sched_setaffinity(0, allowed)


def test_each_takes_a_cpu_that_is_free_and_gives_it_back(tmp_path, cpus):
    first, second = sorted(cpus)
    with own_cpu(tmp_path):
        assert os.sched_getaffinity(0) == {first}
        os.sched_setaffinity(0, cpus)  # as another process would begin
        with own_cpu(tmp_path):
            assert os.sched_getaffinity(0) == {second}
    assert os.sched_getaffinity(0) == cpus
    with own_cpu(tmp_path):
        assert os.sched_getaffinity(0) == {first}


def test_one_too_many_shares(tmp_path, cpus):
    with own_cpu(tmp_path):
        os.sched_setaffinity(0, cpus)
        with own_cpu(tmp_path):
            os.sched_setaffinity(0, cpus)
            with own_cpu(tmp_path):
                assert len(os.sched_getaffinity(0)) == 1


def test_houses_do_not_share_their_locks(tmp_path, cpus):
    with own_cpu(tmp_path / "one"):
        os.sched_setaffinity(0, cpus)
        with own_cpu(tmp_path / "other"):
            assert os.sched_getaffinity(0) == {min(cpus)}
