"""Where nodes may connect to, and an httpx transport that keeps to it. For packs; ``import spellwork`` does not load it."""

from .destinations import ALLOW, Destinations
from .transport import AddressDenied, GuardedTransport

__all__ = ["ALLOW", "AddressDenied", "Destinations", "GuardedTransport"]
