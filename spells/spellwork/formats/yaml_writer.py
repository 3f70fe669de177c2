"""Write JSON values as YAML that merges well, byte for byte the same with any YAML library.

An emitter of its own, for PyYAML's depends on its version, and it writes
U+0085 into a block, from where it comes back as a line feed. What is written
here reads back exactly with every YAML 1.1 and 1.2 reader: only texts that
cannot be mistaken stand plain, texts of several lines are literal blocks
(which a version control system may give other line ends), and whatever a
reader might fold, normalise or refuse is escaped.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./-]+)*")
_RESERVED = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})

_ODD = re.compile(
    "[^\t\n\x20-\x7e\xa0-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What no reader gives back as it stands, and what turns the direction of writing, so that a text reads otherwise than it is."""

_LONGEST_KEY = 800
"""Bytes of a key that still stands before its colon; readers look 1,024 ahead."""

_SHORT = 4
"""Items of a list of scalars that is written in one line."""


def write_yaml(value: dict[str, Any]) -> bytes:
    """Return an object of JSON values as YAML. The keys keep their order.

    Raises:
        ValueError: for what has no form: half a surrogate pair, a number of thousands of digits.
    """
    return ("\n".join(_object(value, "") or ["{}"]) + "\n").encode("utf-8")


def _object(value: dict[str, Any], indent: str) -> list[str]:
    lines: list[str] = []
    for key, item in value.items():
        name = _scalar(key)
        if len(name) > _LONGEST_KEY:
            lines.append(f"{indent}? {name}")
            name = ""
        lines.extend(_entry(f"{indent}{name}:", item, indent))
    return lines


def _entry(start: str, item: Any, indent: str) -> list[str]:
    """Return the lines of what follows a key."""
    inner = indent + "  "
    if isinstance(item, dict) and item:
        return [start, *_object(item, inner)]
    if isinstance(item, list) and item and not _is_short(item):
        return [start, *_list(item, inner)]
    if isinstance(item, str) and (block := _block(item, inner)):
        return [f"{start} {block[0]}", *block[1:]]
    return [f"{start} {_inline(item)}"]


def _list(items: list[Any], indent: str) -> list[str]:
    lines: list[str] = []
    inner = indent + "  "
    for item in items:
        if isinstance(item, dict) and item:
            first, *rest = _object(item, inner)
            lines += [f"{indent}- {first[len(inner) :]}", *rest]
        elif isinstance(item, list) and item and not _is_short(item):
            first, *rest = _list(item, inner)
            lines += [f"{indent}- {first[len(inner) :]}", *rest]
        else:
            lines.extend(_entry(f"{indent}-", item, indent))
    return lines


def _is_short(items: list[Any]) -> bool:
    return len(items) <= _SHORT and not any(isinstance(item, (list, dict)) for item in items)


def _inline(item: Any) -> str:
    if isinstance(item, dict):
        return "{}"
    if isinstance(item, list):
        return f"[{', '.join(map(_scalar, item))}]"
    return _scalar(item)


def _block(text: str, indent: str) -> list[str] | None:
    """Return a text of several lines as a literal block, or None when it has no such form."""
    if "\n" not in text or text[0] in " \t\n" or _ODD.search(text):
        return None
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    header = ("|-", "|")[ends] if ends < 2 else "|+"
    lines = [indent + line if line else "" for line in body.split("\n")]
    return [header, *lines, *[""] * (ends - 1)]


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
    number = repr(value)
    return number if "." in number else number.replace("e", ".0e")


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _RESERVED:
        return text
    return _ODD.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    if "\ud800" <= found[0] <= "\udfff":
        raise ValueError("half a surrogate pair is in a text: it has no UTF-8 form")
    return f"\\u{ord(found[0]):04X}"
