"""A provider on loopback: real HTTP, real keys, and what it was asked."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

SECRET = "of-the-stub-provider"
Answer = Callable[["Asked"], Any]


class Asked:
    """One request: its path, query or form or JSON, and headers."""

    def __init__(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        self.path, self.headers = parts.path, handler.headers
        self.values = {key: value[0] for key, value in parse_qs(parts.query).items()}
        if body.startswith("{"):
            self.values |= json.loads(body)
        else:
            self.values |= {key: value[0] for key, value in parse_qs(body).items()}


class Stub:
    """Answers each path with what `routes` makes of the question; keeps all questions."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.asked: list[Asked] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = Asked(self)
                stub.asked.append(asked)
                found = stub.routes[asked.path](asked) if asked.path in stub.routes else None
                content = json.dumps(found).encode()
                self.send_response(200 if found is not None else 400)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @contextmanager
    def open(self):
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self.server.shutdown()
            thread.join()
            self.server.server_close()


class OpenIdProvider(Stub):
    """An issuer with one person. Change `claims`, `key` or `userinfo` to make it lie."""

    def __init__(self) -> None:
        super().__init__()
        self.key = self.published = rsa.generate_private_key(65537, 2048)
        self.claims: dict[str, Any] = {"sub": "u-17", "preferred_username": "mira"}
        self.without: set[str] = set()
        self.userinfo: dict[str, Any] = {"sub": "u-17", "name": "Mira"}
        self.codes: dict[str, dict[str, str]] = {}
        self.algorithm = "RS256"
        self.routes = {
            "/.well-known/openid-configuration": self._configuration,
            "/keys": self._keys,
            "/token": self._token,
            "/userinfo": lambda asked: self.userinfo,
        }

    def _configuration(self, _asked: Asked) -> Any:
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }

    def _keys(self, _asked: Asked) -> Any:
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.published.public_key()))
        return {"keys": [{**key, "kid": "k1", "use": "sig", "alg": "RS256"}]}

    def authorize(self, url: str) -> dict[str, str]:
        """What the person's browser would bring back: code and state."""
        asked = {key: value[0] for key, value in parse_qs(urlsplit(url).query).items()}
        code = f"code-{len(self.codes)}"
        self.codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def _token(self, asked: Asked) -> Any:
        given = self.codes.pop(asked.values.get("code", ""), None)
        if given is None or asked.values.get("client_secret") != SECRET:
            return None
        verifier = asked.values.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        if given["code_challenge_method"] != "S256" or given["code_challenge"] != challenge:
            return None
        return {"access_token": "t", "token_type": "Bearer", "id_token": self._signed(given)}

    def _signed(self, given: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": given["client_id"],
            "iat": now,
            "exp": now + 300,
            "nonce": given["nonce"],
            **self.claims,
        }
        kept = {key: value for key, value in claims.items() if key not in self.without}
        if self.algorithm == "none":
            return jwt.encode(kept, "", algorithm="none", headers={"kid": "k1"})
        return jwt.encode(kept, self.key, algorithm="RS256", headers={"kid": "k1"})
