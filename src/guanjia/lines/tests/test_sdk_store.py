from datetime import UTC, datetime
from uuid import uuid4

from guanjia.lines.protocol.fence import Held, opened
from guanjia.lines.protocol.messages import HoldRequest, ServiceSpec
from guanjia.lines.sdk.store import SqliteStore

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SPEC = ServiceSpec("s", {"zh-Hans": "服务", "en": "Service"}, {"type": "object"}, 900)


def test_a_hold_as_large_as_the_wire_carries_can_be_read_back(tmp_path):
    deep: object = "x" * 250_000
    for _ in range(58):
        deep = [deep]
    request = HoldRequest(uuid4(), "s", {"deep": deep}, "M-1", "店", "PK-1", 1, 900)
    record = opened(request, request.digest(), SPEC, Held(), NOW)
    store = SqliteStore(tmp_path / "line.db")
    with store.transaction():
        store.save(record)
    with store.transaction():
        assert store.load(record.hold_id) == record
