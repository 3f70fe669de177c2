"""A host as it is granted: a name or an address, ``*.`` before it for all below it, a port behind it."""

from __future__ import annotations

from dataclasses import dataclass

from spellwork.workers.addresses import as_address, is_public, normal_host
from spellwork.workers.broker import WEB

MAX_LENGTH = 300


@dataclass(frozen=True, slots=True)
class HostPattern:
    """What a grant names. ``below``: hosts below this name, and not itself. Without ``port`` it is that of HTTPS."""

    host: str
    port: int | None = None
    below: bool = False

    @classmethod
    def parse(cls, text: str) -> HostPattern:
        """Read ``api.example.org``, ``*.example.org:443``, ``10.0.0.5:5432``, ``[::1]:80``.

        Raises:
            ValueError: it is none of these, with words for who wrote it.
        """
        text = text.strip()
        if "://" in text or "/" in text or "@" in text or len(text) > MAX_LENGTH:
            raise ValueError(
                f"{text[:80]!r} is no host: write a name like api.example.org, without a path"
            )
        host, port = _split(text)
        below = host.startswith("*.")
        name = normal_host(host[2:] if below else host)
        if "*" in name or (below and ("." not in name or as_address(name) is not None)):
            raise ValueError(
                f"{text!r} is too wide: * stands before a name with a dot in it, such as *.example.org"
            )
        return cls(name, port, below)

    def covers(self, host: str, port: int) -> bool:
        """Say whether a connection to a host (in its one spelling) and port is granted by this."""
        if port != (WEB if self.port is None else self.port):
            return False
        return host.endswith(f".{self.host}") if self.below else host == self.host

    @property
    def private(self) -> bool:
        """Whether it names an address that is not one of the internet at large, or this machine."""
        address = as_address(self.host)
        return address is not None and not is_public(address)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host and self.port is not None else self.host
        return f"{'*.' if self.below else ''}{host}{'' if self.port is None else f':{self.port}'}"


def _split(text: str) -> tuple[str, int | None]:
    """Return host and port; an address with colons has a port only in brackets."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no host")
        return host, _port(rest[1:]) if rest else None
    if as_address(text) is not None:
        return text, None
    host, colon, port = text.partition(":")
    return host, _port(port) if colon else None


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65_536:
        raise ValueError(f"{text!r} is no port: it is a number from 1 to 65535")
    return int(text)
