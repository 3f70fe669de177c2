"""The core pack: values, text, JSON, lists, flow, tables and what shows them."""

from .pack import pack

__all__ = ["pack"]
