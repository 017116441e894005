"""The marketplace's own ids in addresses: whatever they are made of, they stay one part of the path."""

from __future__ import annotations


class Reference:
    """`<ref:…>` in a path: a slash and a lone dot are written `~2F` and `~2E`, since servers and browsers
    would take even their percent forms for the path's own."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value.replace("~2F", "/").replace("~2E", ".").replace("~7E", "~")

    def to_url(self, value: str) -> str:
        if value in (".", ".."):
            return value.replace(".", "~2E")
        return value.replace("~", "~7E").replace("/", "~2F")
