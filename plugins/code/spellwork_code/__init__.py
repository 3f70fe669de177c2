"""The code pack: nodes whose behaviour is written on the canvas."""

from .pack import pack

__all__ = ["pack"]
