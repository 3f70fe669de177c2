"""What names a value that a run left on a port."""

from __future__ import annotations

from typing import Any

import msgspec

SMALL_BYTES = 1024
"""Bytes of JSON of a value that is kept with whoever names it, at most."""


class OutputRef(msgspec.Struct, frozen=True, gc=False):
    """What a run's record knows of a value: where it is, how large, its head when large, and itself when small."""

    node: str
    port: str
    hash: str
    size: int
    preview: Any
    body: bytes | None = None


def ref_to(node: str, port: str, key: str, body: bytes, preview: Any = None) -> OutputRef:
    """Return what names a value that was left on a port: JSON under its hash. ``preview`` is the head of a large one."""
    return OutputRef(node, port, key, len(body), preview, body if is_small(body) else None)


def is_small(body: bytes) -> bool:
    """Say whether a value is kept with whoever names it: what stands for one in a worker is asked for by its hash."""
    return len(body) <= SMALL_BYTES and not body.startswith(b'{"$handle"')
