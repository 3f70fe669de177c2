"""The names of the files of a spell's folder: the same on every machine, and apart on every file system."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

_EXTENSIONS = {
    "python": "py",
    "typescript": "ts",
    "javascript": "js",
    "sql": "sql",
    "r": "r",
    "shell": "sh",
    "bash": "sh",
    "markdown": "md",
    "html": "html",
    "css": "css",
}
"""By the last word of a node type that has code, as in ``code.python``."""

_RESERVED = frozenset(
    {"con", "prn", "aux", "nul"}
    | {f"{name}{number}" for name in ("com", "lpt") for number in range(10)}
)
"""Names that Windows keeps for devices, whatever their ending."""

_SLUG = re.compile(r"[a-z0-9_-]{1,40}")


def stems(ids: Iterable[str]) -> dict[str, str]:
    """Return for each id the name of its files, without an ending.

    It is the id. Where ids differ only in case, those with capitals get
    ``~`` and the places of their capitals as bits, in hexadecimal; what a
    system reserves gets ``~``.
    """
    ids = list(ids)
    alike = Counter(id.lower() for id in ids)
    names: dict[str, str] = {}
    for id in ids:
        capitals = sum(1 << place for place, letter in enumerate(id) if letter.isupper())
        if capitals and alike[id.lower()] > 1:
            names[id] = f"{id}~{capitals:x}"
        else:
            names[id] = f"{id}~" if id.lower() in _RESERVED else id
    return names


def code_file(stem: str, type: str) -> str:
    """Return where a node's code is."""
    words = type.lower().rpartition(".")[2].split("_")
    ending = next((_EXTENSIONS[word] for word in words if word in _EXTENSIONS), None)
    if ending is None:
        ending = "py" if type == "core.map" else "txt"
    return f"code/{stem}.{ending}"


def text_file(stem: str, port: str) -> str:
    """Return where a long text on an input is; a port whose name is no file's gets a hash of it."""
    if _SLUG.fullmatch(port):
        return f"texts/{stem}.{port}.txt"
    slug = re.sub(r"[^a-z0-9_-]+", "-", port.lower())[:40].strip("-") or "input"
    return f"texts/{stem}.{slug}~{blake2b(port.encode(), digest_size=4).hexdigest()}.txt"


def note_file(stem: str) -> str:
    """Return where a long note is."""
    return f"notes/{stem}.md"


def test_file(stem: str) -> str:
    """Return where a test is."""
    return f"tests/{stem}.yaml"
