"""Read a spell in a process of its own: ``python -m spellwork.formats NAME FORM < FILE``.

For a server, whose other work must not wait: Python's own parser holds the
interpreter while it reads. Prints ``{"spell": ...}`` or ``{"error": {code,
message, details}}`` as JSON, and limits what it may take.
"""

from __future__ import annotations

import sys
from typing import Any, cast

import msgspec

from spellwork.errors import SpellworkError
from spellwork.formats import Form
from spellwork.reading import read_bytes

try:
    import resource
except ImportError:  # Windows has no such limits
    resource = None  # type: ignore[assignment]

MAX_MEMORY = 2 << 30
"""Bytes of address space."""

MAX_SECONDS = 60
"""Of the processor."""


def answer(data: bytes, name: str, form: Form) -> dict[str, Any]:
    """Return the spell's JSON, or why there is none."""
    try:
        return {"spell": read_bytes(data, name, form).to_json()}
    except SpellworkError as error:
        return {"error": {"code": error.code, "message": error.message, "details": error.details}}


def main() -> None:
    """Read what comes in, and print the answer."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MAX_SECONDS, MAX_SECONDS))
    name, form = sys.argv[1:]
    found = answer(sys.stdin.buffer.read(), name, cast("Form", form))
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
