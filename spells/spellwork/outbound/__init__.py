"""Where nodes may connect to, and an httpx transport that keeps to it. For packs; ``import spellwork`` does not load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .destinations import ALLOW, Destinations

if TYPE_CHECKING:
    from .transport import AddressDenied, GuardedTransport

__all__ = ["ALLOW", "AddressDenied", "Destinations", "GuardedTransport"]


def __getattr__(name: str) -> Any:
    """Import httpx with the first transport: a server whose nodes ask nobody needs none."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import transport  # noqa: PLC0415 - see above

    return getattr(transport, name)
