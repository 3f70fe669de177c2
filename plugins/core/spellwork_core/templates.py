"""Text with named places.

``{name}`` is a place, ``{{name}}`` the text ``{name}``; any other brace is text, so that
JSON can stand in a template. Places are names only: no attribute, index or format
of a value is ever looked up.
"""

from __future__ import annotations

import json
import re
from typing import Any

from spellwork import Node, NodeError, Port, Ports, node

from .bounds import check_length
from .types import LongText

MAX_PLACES = 100
"""Places of a template that become inputs on the node; further ones are filled by inputs of their name too."""

_PLACE = re.compile(r"\{\{[^\W\d]\w*\}\}|\{([^\W\d]\w*)\}")


def places(text: str) -> list[str]:
    """Return the names of a template's places, each once, in order; the first MAX_PLACES."""
    names: dict[str, None] = {}
    for match in _PLACE.finditer(text):
        if match[1]:
            names[match[1]] = None
            if len(names) == MAX_PLACES:
                break
    return list(names)


def fill(text: str, values: dict[str, Any]) -> str:
    """Return the template with its places filled; KeyError names a place without a value, NodeError is too long a text."""
    parts: list[str] = []
    texts: dict[str, str] = {}
    size = end = 0
    for match in _PLACE.finditer(text):
        name = match[1]
        if name and name not in texts:
            texts[name] = as_text(values[name])
        parts += (text[end : match.start()], texts[name] if name else match[0][1:-1])
        size += len(parts[-1]) + len(parts[-2])
        check_length(size, "template")
        end = match.end()
    return "".join((*parts, text[end:]))


def as_text(value: Any) -> str:
    """Return a value as people write it: text as it is, nothing for None, JSON for the rest."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str)


def ports_of(template_node: Node) -> Ports:
    """Return an input per place; further inputs are taken too, for a template that comes by wire."""
    text = template_node.inputs.get("template")
    named = places(text) if isinstance(text, str) else []
    return Ports(
        inputs=(
            *template.inputs,
            *(Port(name, required=True) for name in named if name != "template"),
        ),
        outputs=template.outputs,
        extra_inputs=True,
    )


@node(
    "core.template",
    title="Template",
    category="Text",
    output="text",
    resolve=ports_of,
    keywords=("prompt", "format", "text", "string"),
    example={"template": "Hello {name}"},
)
async def template(template: LongText, **inputs: Any) -> str:
    """Text with {places} that its inputs fill."""
    known = {"template": template, **inputs}
    try:
        return fill(template, known)
    except KeyError as error:
        missing = [name for name in places(template) if name not in known] or [error.args[0]]
        raise NodeError(
            f"the template has no value for {', '.join(missing)}; it was given {', '.join(inputs) or 'nothing'}",
            code="missing_input",
            port=missing[0],
            retryable=False,
        ) from None
