"""The http pack: requests to servers that the operator has not closed off."""

from .pack import pack

__all__ = ["pack"]
