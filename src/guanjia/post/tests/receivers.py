"""A receiver of webhooks and robots' messages on this machine, and a mail system that keeps its letters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from guanjia.post.letters import Letter, Outcome


@dataclass(frozen=True)
class Taken:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answers` are given one after the other, the last again and again."""

    port: int
    answers: list[tuple[int, bytes]] = field(default_factory=lambda: [(200, b'{"errcode":0,"code":0}')])
    taken: list[Taken] = field(default_factory=list)

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@contextmanager
def receiving(port: int) -> Iterator[Receiver]:
    receiver = Receiver(port)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.taken.append(Taken(self.path, headers, body))
            status, said = receiver.answers.pop(0) if len(receiver.answers) > 1 else receiver.answers[0]
            self.send_response(status)
            self.send_header("content-length", str(len(said)))
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Postman:
    """Carries letters; `outcomes` are given one after the other, then they are all sent."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.letters: list[Letter] = []
        self._outcomes = list(outcomes)

    def __call__(self, letter: Letter) -> Outcome:
        self.letters.append(letter)
        return self._outcomes.pop(0) if self._outcomes else Outcome("sent", reference="<1@here>")
