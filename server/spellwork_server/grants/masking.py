"""Takes secrets out of what others may read: as they are, and as the usual encodings make them look."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from spellwork.context import SecretSource
from spellwork.events import Event

MASK = "***"
_SHORTEST_ENCODED = 6


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
        self._traces: dict[str, list[re.Pattern[bytes]]] = {}

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

    def content(self, content: bytes) -> bytes:
        """Return bytes without secrets."""
        for traces in self._traces.values():
            for trace in traces:
                content = trace.sub(MASK.encode(), content)
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


def _traces(value: str) -> list[re.Pattern[bytes]]:
    """Return what finds a secret: each of its characters as it is, or as addresses, JSON or HTML write it."""
    plain = value.encode()
    whole = [re.compile(b"".join(map(_written, value))), re.compile(_hex(plain), re.IGNORECASE)]
    encoded = {_within_base64(plain, before) for before in range(3)}
    parts = [each for each in encoded if len(each) >= _SHORTEST_ENCODED]
    # in an address the signs of base64 are written otherwise, too
    return [*whole, *(re.compile(b"".join(map(_written, each.decode()))) for each in parts)]


def _written(sign: str) -> bytes:
    """Return an expression for the ways in which a character is written."""
    bytes_of = sign.encode()
    ways = [
        re.escape(bytes_of),
        b"".join(b"%%(?i:%02x)" % byte for byte in bytes_of),
        *(b"\\\\(?i:u%04x)" % unit for unit in ([ord(sign)] if ord(sign) < 0x10000 else [])),
        re.escape(json.dumps(sign)[1:-1].encode()),
        re.escape(html.escape(sign).encode()),
        b"&#0*%d;" % ord(sign),
    ]
    if sign == " ":
        ways.append(rb"\+")
    elif sign == "/":
        ways += [rb"\\/", b"_"]  # as some write JSON; and base64 in an address
    elif sign == "+":
        ways.append(b"-")
    return b"(?:" + b"|".join(dict.fromkeys(ways)) + b")"


def _hex(plain: bytes) -> bytes:
    return re.escape(plain.hex().encode())


def _within_base64(plain: bytes, before: int) -> bytes:
    """Return what of base64 is certain when so many bytes stand before ``plain``."""
    text = base64.b64encode(b"\0" * before + plain)
    start = (0, 2, 3)[before]
    return text[start : len(text) - (0, 3, 2)[(before + len(plain)) % 3]]
