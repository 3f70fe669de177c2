"""Takes secrets out of what others may read: as they are, and as the usual encodings make them look."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

from spellwork.context import SecretSource
from spellwork.events import Event

from .written import Unescaped

MASK = "***"
_SHORTEST_ENCODED = 6
_ESCAPED = 12
"""Bytes in which one of its own may be written, as in \\u0041 or &#x0000041;."""

_URL_SAFE = bytes.maketrans(b"+/", b"-_")


@dataclass(frozen=True, slots=True)
class RunSecrets:
    """What the nodes of a run get their secrets from, and what takes these out of all that the run tells."""

    source: SecretSource | None
    masks: Masks


def no_secrets(_canvas: str | None, _user: str) -> RunSecrets:
    """Return what a run without secrets has."""
    return RunSecrets(None, Masks())


class Masks:
    """The secrets that were used somewhere. False while there are none."""

    def __init__(self) -> None:
        self._traces: dict[str, frozenset[bytes]] = {}

    def __bool__(self) -> bool:
        return bool(self._traces)

    def add(self, value: str) -> str:
        """Mask a secret from now on; return it."""
        if value and value not in self._traces:
            self._traces[value] = _traces(value)
        return value

    def adding(self, source: SecretSource) -> SecretSource:
        """Return a source of secrets by name whose secrets are masked from then on."""

        async def secret(name: str) -> str:
            return self.add(await source(name))

        return secret

    @property
    def longest(self) -> int:
        """Bytes that any of them takes at most, as it is or encoded."""
        traces = (trace for each in self._traces.values() for trace in each)
        return max((_ESCAPED * len(trace) for trace in traces), default=0)

    def are_in(self, content: bytes) -> bool:
        """Say whether any of them can be read there."""
        return self.content(content) != content

    def content(self, content: bytes) -> bytes:
        """Return bytes without secrets."""
        if not self._traces:
            return content
        meant = Unescaped(content)
        spans: list[tuple[int, int]] = []
        for traces in self._traces.values():
            for trace in traces:
                spans += _spans(content, trace)
                if meant.content is not content:
                    spans += (meant.span(*each) for each in _spans(meant.content, trace))
        return _masked(content, spans) if spans else content

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


def _traces(value: str) -> frozenset[bytes]:
    """Return what finds a secret in text as it is meant: itself, and as forms, hexadecimal digits or base64 write it."""
    plain = value.encode()
    encoded = [_within_base64(plain, before) for before in range(3)]
    parts = [each for each in encoded if len(each) >= _SHORTEST_ENCODED]
    whole = [plain, Unescaped(plain).content, plain.replace(b" ", b"+")]
    digits = plain.hex().encode()
    in_addresses = [each.translate(_URL_SAFE) for each in parts]
    return frozenset((*whole, digits, digits.upper(), *parts, *in_addresses))


def _spans(content: bytes, trace: bytes) -> Iterator[tuple[int, int]]:
    start = content.find(trace)
    while start >= 0:
        end = start + len(trace)
        yield start, end
        start = content.find(trace, end)


def _masked(content: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    """Return bytes with these places masked; those that overlap are masked as one."""
    parts: list[bytes] = []
    taken = -1
    for start, end in sorted(spans):
        if start >= taken:
            parts += (content[max(taken, 0) : start], MASK.encode())
        taken = max(taken, end)
    return b"".join([*parts, content[max(taken, 0) :]])


def _within_base64(plain: bytes, before: int) -> bytes:
    """Return what of base64 is certain when so many bytes stand before ``plain``."""
    text = base64.b64encode(b"\0" * before + plain)
    start = (0, 2, 3)[before]
    return text[start : len(text) - (0, 3, 2)[(before + len(plain)) % 3]]
