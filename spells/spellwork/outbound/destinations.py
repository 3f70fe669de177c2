"""Which addresses a request may go to: public ones, and those the operator allows.

A spell is written by many and runs inside the operator's network. So each
address a host resolves to is checked, for the first request and for every redirect, and the
connection is made to the address that was checked, not to the name again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from .lookups import THREADS, Lookups

ALLOW = "SPELLWORK_HTTP_ALLOW"
"""The environment variable that lists what else may be reached: hosts, ``.domains``, addresses, CIDR blocks."""

Address = IPv4Address | IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Returns the addresses of a host, for a port; raises OSError."""

_NAT64 = ip_network("64:ff9b::/96")
_UNICAST = ip_network("2000::/3")
"""Where public IPv6 addresses are; all else is of some network's own, or leads on to an IPv4 address."""


@dataclass(frozen=True, slots=True)
class Destinations:
    """The rule: public addresses, allowed hosts by name, allowed blocks by address."""

    hosts: frozenset[str] = frozenset()
    blocks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Destinations:
        """Return the rule that ``SPELLWORK_HTTP_ALLOW`` tells; public addresses only without it."""
        hosts: set[str] = set()
        blocks: list[IPv4Network | IPv6Network] = []
        for entry in filter(None, map(str.strip, environment.get(ALLOW, "").split(","))):
            try:
                blocks.append(ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry.lower().rstrip("."))
        return cls(frozenset(hosts), tuple(blocks))

    def allows(self, host: str, address: str) -> bool:
        """Whether a request for this host may go to this address."""
        name = host.lower().rstrip(".")
        if name in self.hosts or any(
            name.endswith(entry) for entry in self.hosts if entry.startswith(".")
        ):
            return True
        found = _plain(ip_address(address.partition("%")[0]))
        if any(found.version == block.version and found in block for block in self.blocks):
            return True
        if found.version == 6 and found not in _UNICAST:
            return False
        return found.is_global and not found.is_multicast


def _plain(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address only carries."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    carried = address.ipv4_mapped or address.sixtofour
    return carried or (address.teredo[1] if address.teredo else address)


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the addresses of a host as the system knows them, each once."""
    return await _lookups().find(host, port)


@cache
def _lookups() -> Lookups:
    return Lookups(most=THREADS)
