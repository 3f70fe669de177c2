"""The people pack: nodes that ask people, and wait for their answers."""

from .pack import pack

__all__ = ["pack"]
