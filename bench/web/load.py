"""Closed-loop load in a process of its own: each user asks, waits for the whole answer, checks it.

Reads a job as JSON from its input, writes what it saw as JSON to its output.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

FAULTS_MOST = 3
"""Wrong answers that are shown; one is enough to fail a job."""


@dataclass
class Seen:
    """Seconds of each answer that came within the measured time; `wrong` counts others than expected."""

    waits: list[float] = field(default_factory=list)
    wrong: int = 0
    faults: list[str] = field(default_factory=list)
    bytes: int = 0


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of one HTTP/1.1 answer."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head[9:12])
    if b"transfer-encoding: chunked" in head:
        return status, await _chunks(reader)
    _before, _name, rest = head.partition(b"content-length:")
    return status, await reader.readexactly(int(rest.split(b"\r\n", 1)[0]) if rest else 0)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return found


def request(job: dict[str, Any], target: dict[str, Any], n: int) -> bytes:
    """`{n}` in headers becomes a number that no other request of this job has."""
    headers = {"Host": f"127.0.0.1:{job['port']}", "Accept-Language": "en", **target["headers"]}
    body = target.get("body", "").encode()
    if body:
        headers["Content-Length"] = str(len(body))
    lines = [f"{target['method']} {target['path']} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).replace("{n}", f"{job['run']}-{n}").encode() + b"\r\n\r\n" + body


async def user(job: dict[str, Any], number: int, begin: float, end: float, seen: Seen) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", job["port"], limit=2**22)
    targets, n = job["targets"], number
    while time.monotonic() < end:
        target = targets[n % len(targets)]
        began = time.monotonic()
        writer.write(request(job, target, n))
        status, body = await answer(reader)
        n += job["users"]
        if status != target["status"] or target["holds"].encode() not in body:
            seen.wrong += 1
            if len(seen.faults) < FAULTS_MOST:
                seen.faults.append(f"{target['path']}: {status} {body[:200]!r}")
        ended = time.monotonic()
        if begin <= ended <= end:
            seen.waits.append(ended - began)
            seen.bytes = len(body)
    writer.close()


async def run(job: dict[str, Any]) -> Seen:
    seen = Seen()
    begin = time.monotonic() + job["warm"]
    end = begin + job["seconds"]
    print("go", flush=True)
    await asyncio.sleep(0)
    await asyncio.gather(*(user(job, number, begin, end, seen) for number in range(job["users"])))
    return seen


if __name__ == "__main__":
    print(json.dumps(vars(asyncio.run(run(json.loads(sys.stdin.readline()))))), flush=True)
