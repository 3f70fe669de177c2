"""Which addresses of the network a connection that somebody asked for may go to."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MAX_HOST = 253


def as_address(host: str) -> Address | None:
    """Return the address that a host's name is written as; None for a name."""
    try:
        return ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None


def normal_host(host: str) -> str:
    """Return a host's name or address in its one spelling. Raises ValueError for what is none."""
    host = host.strip()
    if (address := as_address(host)) is not None:
        return str(address)
    name = host.rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError(f"{host!r} is no name of a host") from error
    labels = name.split(".")
    if (
        not name
        or len(name) > _MAX_HOST
        or not all(label and label.replace("-", "").replace("_", "").isalnum() for label in labels)
    ):
        raise ValueError(f"{host!r} is no name of a host")
    return name


def is_public(address: Address) -> bool:
    """Say whether an address is one of the internet at large, and not one of this machine.

    Loopback, link-local, private, shared, multicast and reserved ones are none, in
    whatever they are wrapped.
    """
    inner = _unwrapped(address)
    if inner is not None:
        return is_public(inner)
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not _is_own(address)
    )


def choose(found: Iterable[str], named: Address | None) -> Address | None:
    """Return the first address that may be connected to; ``named`` is one that was granted itself."""
    for text in found:
        address = as_address(text)
        if address is not None and (address == named or is_public(address)):
            return address
    return None


def _unwrapped(address: Address) -> ipaddress.IPv4Address | None:
    """Return the older address that a newer one stands for."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_own(address: Address) -> bool:
    """Say whether it is an address of this machine: only such can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trial:
        trial.bind((str(address), 0))
        return True
    return False
