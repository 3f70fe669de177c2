"""Reads literals: the values that a cell's text tells without running it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tree_sitter import Node

    from .syntax import Source

_NUMBER = re.compile(r"(\d[\d_]*)?(\.[\d_]*)?([eE][+-]?\d+)?")
_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]+\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|\r\n|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_WORDS = {"true": True, "false": False, "null": None}


class NotLiteralError(ValueError):
    """An expression is no literal of a JSON value."""


def literal(source: Source, node: Node) -> Any:
    """Return the JSON value of a literal: of an array or object literal too.

    Raises:
        NotLiteralError: it is something else.
    """
    kind = node.type
    if kind in _WORDS:
        return _WORDS[kind]
    if kind == "number":
        return _number(source.text(node))
    if kind == "string" or (kind == "template_string" and _is_plain(node)):
        return unquoted(source.text(node))
    if kind == "unary_expression" and (operand := node.child_by_field_name("argument")) is not None:
        value = literal(source, operand)
        if source.text(node)[0] == "-" and isinstance(value, (int, float)):
            return -value
        raise NotLiteralError
    if kind == "parenthesized_expression" and node.named_child_count == 1:
        return literal(source, node.named_children[0])
    if kind in ("as_expression", "satisfies_expression"):
        return literal(source, node.named_children[0])
    if kind == "array":
        return [literal(source, each) for each in _parts(node)]
    if kind == "object":
        return dict(_pair(source, each) for each in _parts(node))
    raise NotLiteralError


def key(source: Source, node: Node | None) -> str:
    """Return a property's name.

    Raises:
        NotLiteralError: it is computed.
    """
    if node is None:
        raise NotLiteralError
    if node.type == "string":
        return unquoted(source.text(node))
    if node.type in ("property_identifier", "identifier", "number"):
        return source.text(node)
    raise NotLiteralError


def unquoted(text: str) -> str:
    """Return what a quoted text says."""
    return _ESCAPE.sub(_escaped, text[1:-1])


def _parts(node: Node) -> list[Node]:
    return [each for each in node.named_children if each.type != "comment"]


def _pair(source: Source, node: Node) -> tuple[str, Any]:
    value = node.child_by_field_name("value")
    if node.type != "pair" or value is None:
        raise NotLiteralError
    return key(source, node.child_by_field_name("key")), literal(source, value)


def _number(text: str) -> int | float:
    plain = text.replace("_", "").lower()
    if plain.startswith(("0x", "0o", "0b")) and not plain.endswith("n"):
        return int(plain, 0)
    if not plain or _NUMBER.fullmatch(plain) is None or plain == ".":
        raise NotLiteralError  # a bigint
    value = json.loads(plain) if re.fullmatch(r"[1-9]\d*|0", plain) else float(plain)
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_plain(node: Node) -> bool:
    return all(each.type != "template_substitution" for each in node.named_children)


def _escaped(match: re.Match[str]) -> str:
    what = match[1]
    if what[0] in "ux" and len(what) > 1:
        code = int(what[1:].strip("{}"), 16)
        return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else "\ufffd"
    return "" if what == "\r\n" else _SIMPLE.get(what, what)
