"""How long to wait for a model server."""

from __future__ import annotations

import httpx

TIMEOUT = httpx.Timeout(600.0, connect=5.0)
"""Seconds without a byte, as a large model may load for minutes before its first token; seconds to connect."""
