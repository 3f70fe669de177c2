"""Takes secrets out of what others may read: as they are, and as the usual encodings make them look."""

from __future__ import annotations

import base64
import json
import urllib.parse
from collections.abc import Iterable
from typing import Any

import msgspec

from spellwork.context import SecretSource
from spellwork.events import Event

MASK = "***"
_SHORTEST_ENCODED = 6


class Masks:
    """The secrets that were used somewhere. False while there are none."""

    def __init__(self) -> None:
        self._traces: dict[str, list[bytes]] = {}

    def __bool__(self) -> bool:
        return bool(self._traces)

    def add(self, value: str) -> str:
        """Mask a secret from now on; return it."""
        if value and value not in self._traces:
            self._traces[value] = sorted(_traces(value), key=len, reverse=True)
        return value

    def adding(self, source: SecretSource) -> SecretSource:
        """Return a source of secrets by name whose secrets are masked from then on."""

        async def secret(name: str) -> str:
            return self.add(await source(name))

        return secret

    def content(self, content: bytes) -> bytes:
        """Return bytes without secrets."""
        for traces in self._traces.values():
            for trace in traces:
                content = content.replace(trace, MASK.encode())
        return content

    def text(self, text: str) -> str:
        """Return text without secrets."""
        return self.content(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def plain(self, value: Any) -> Any:
        """Return plain JSON without secrets, the same object where there were none."""
        if isinstance(value, str):
            masked = self.text(value)
            return value if masked == value else masked
        if isinstance(value, bytes):
            return self.content(value)
        if isinstance(value, dict):
            return {self.plain(key): self.plain(each) for key, each in value.items()}
        if isinstance(value, list):
            return [self.plain(each) for each in value]
        return value

    def event(self, event: Event) -> Event:
        """Return an event without secrets."""
        changed = {
            name: self.plain(getattr(event, name))
            for name in ("outputs", "value", "message", "error", "data")
            if getattr(event, name) is not None
        }
        return msgspec.structs.replace(event, **changed)


def _traces(value: str) -> set[bytes]:
    """Return the forms in which a secret may come back."""
    plain = value.encode()
    encoded: Iterable[bytes] = {_within_base64(plain, before) for before in range(3)}
    return {
        plain,
        urllib.parse.quote(value, safe="").encode(),
        urllib.parse.quote_plus(value).encode(),
        json.dumps(value)[1:-1].encode(),
        json.dumps(value, ensure_ascii=False)[1:-1].encode(),
        plain.hex().encode(),
        *(each for each in encoded if len(each) >= _SHORTEST_ENCODED),
    }


def _within_base64(plain: bytes, before: int) -> bytes:
    """Return what of base64 is certain when so many bytes stand before ``plain``."""
    text = base64.b64encode(b"\0" * before + plain)
    start = (0, 2, 3)[before]
    return text[start : len(text) - (0, 3, 2)[(before + len(plain)) % 3]]
