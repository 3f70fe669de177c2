"""What is promised of the store holds on a file as on PostgreSQL."""

from __future__ import annotations

from tests.server.storage.databases import kept_url

__all__ = ["kept_url"]
