"""Write the client's TypeScript types from the server's own models, or check that they are current.

    python -m tools.protocol_types            write client/src/protocol/generated.ts
    python -m tools.protocol_types --check    exit 1, with the difference, when it is out of date

The registry of services is the one source: every operation's request and answer, and every event
that the server announces.
"""

from __future__ import annotations

import difflib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from spellwork.spell import NodeLimits, NodeSettings
from spellwork_server.app import make_parts
from spellwork_server.services.registry import Registry
from spellwork_server.settings import Settings

from . import client

GENERATED = client.CLIENT / "src" / "protocol" / "generated.ts"

BANNER = """/**
 * What goes over the wire, from the server's models. Written by `make types`: do not edit.
 */
"""

BYTES = "(ArrayBuffer | Uint8Array)"
"""What Socket.IO gives for bytes: the first in a browser, the second in Node."""

REFERENCED = r"( \* This interface was referenced by (?:(?!\*/).)*?\n)(?= \*/)"
"""What json2ts says of every definition, which nobody wants to read."""

PLAIN = {"integer", "number", "string", "boolean"}
"""Types of settings that one field shows."""

SAYS = {
    *("type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
    *("minLength", "maxLength", "pattern"),
}
"""What a field needs to know of a setting."""

Mode = Literal["validation", "serialization"]
Schema = dict[str, Any]


class WireSchema(GenerateJsonSchema):
    """Schemas that know which fields of an answer are always there: all but those left out when unset."""

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Say whether a field is always there."""
        if self.mode == "serialization" and "serialization_exclude_if" not in field:
            return True
        return super().field_is_required(field, total)


def registry() -> Registry:
    """Return the registry of a server that is put together and never started."""
    with tempfile.TemporaryDirectory() as folder:
        return make_parts(Settings(data=Path(folder))).registry


def protocol_schema(source: Registry) -> Schema:
    """Return one JSON Schema of everything on the wire, with the models as its definitions.

    Its two properties are maps: ``Operations`` from event to ``{request, response}``, and
    ``Announcements`` from event to what it carries.
    """
    models: list[tuple[type[BaseModel], Mode]] = []
    for operation in source.operations.values():
        models.append((operation.request, "validation"))
        if operation.response is not None:
            models.append((operation.response, "serialization"))
    models += [(each.model, "serialization") for each in source.announcements.values()]
    unique = list(dict.fromkeys(models))
    references, schema = models_json_schema(
        unique, ref_template="#/definitions/{model}", schema_generator=WireSchema
    )

    def shape(model: type[BaseModel] | None, mode: Mode) -> Schema:
        return dict(references[model, mode]) if model else {"type": "object"}

    operations = {
        name: _object(
            {
                "request": shape(operation.request, "validation"),
                "response": shape(operation.response, "serialization"),
            },
            operation.summary,
        )
        for name, operation in sorted(source.operations.items())
    }
    announcements = {
        name: shape(each.model, "serialization")
        for name, each in sorted(source.announcements.items())
    }
    definitions: Schema = {
        name: _plain(part) for name, part in sorted(schema.get("$defs", {}).items())
    }
    definitions["Operations"] = _object(operations, "What a client may ask, by event.")
    definitions["Announcements"] = _object(announcements, "What the server says, by event.")
    references_to = {
        name: {"$ref": f"#/definitions/{name}"} for name in ("Operations", "Announcements")
    }
    return {"title": "Protocol", **_object(references_to, "Both ways."), "definitions": definitions}


def _object(properties: Mapping[str, Schema], description: str) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _plain(schema: Any, *, names: bool = False) -> Any:
    """Drop the titles (each would become a type of its own) and say what bytes are.

    ``names`` tells that the keys are names of fields, of which one may well be ``title``.
    """
    if isinstance(schema, list):
        return [_plain(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if not names and schema.get("format") == "binary":
        return {"tsType": BYTES}
    if not names and schema.keys() <= {"title", "description", "default"}:
        return {"tsType": "unknown", "description": schema.get("description", "")}
    return {
        key: _plain(part, names=not names and key in ("properties", "$defs"))
        for key, part in schema.items()
        if names or key not in ("title", "default", "examples")
    }


def typescript(schema: Schema) -> str:
    """Return the schema as TypeScript."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "protocol.json", Path(folder) / "protocol.ts"
        source.write_text(json.dumps(schema))
        files = ["--input", str(source), "--output", str(target)]
        options = [
            "--unreachableDefinitions",
            "--no-additionalProperties",
            "--bannerComment",
            BANNER,
        ]
        client.npm(["exec", "--no", "--", "json2ts", *files, *options])
        text = re.sub(REFERENCED, "", target.read_text(), flags=re.DOTALL)
        return re.sub(r" \*\n(?= \*/)|/\*\*\n \*/\n", "", text)


def setting_bounds() -> str:
    """Return, as TypeScript, what the fields of a node's settings and limits may be: form fields say the same."""
    bounds = {
        "settings": _bounds(NodeSettings),
        "limits": _bounds(NodeLimits),
    }
    about = "/** What each setting and limit of a node may be, as JSON Schema. */"
    return f"\n{about}\nexport const SETTING_BOUNDS = {json.dumps(bounds, indent=2)} as const;\n"


def _bounds(model: type[BaseModel]) -> Schema:
    """Return the schema of each field that is one plain value."""
    found: Schema = {}
    for name, field in model.model_json_schema()["properties"].items():
        branches = [part for part in field.get("anyOf", [field]) if part.get("type") != "null"]
        if len(branches) == 1 and ("enum" in branches[0] or branches[0].get("type") in PLAIN):
            found[name] = {key: branches[0][key] for key in branches[0] if key in SAYS}
    return found


def difference(before: str, after: str) -> Iterable[str]:
    """Yield the lines of a unified difference between what is written and what should be."""
    return difflib.unified_diff(
        before.splitlines(), after.splitlines(), "generated.ts", "the server's models", lineterm=""
    )


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; return the exit status."""
    text = typescript(protocol_schema(registry())) + setting_bounds()
    before = GENERATED.read_text() if GENERATED.is_file() else ""
    if before == text:
        return 0
    if "--check" in arguments:
        print("\n".join(difference(before, text)))
        print("The client's types differ from the server's models: run `make types`.")
        return 1
    GENERATED.write_text(text)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except subprocess.CalledProcessError as failure:
        sys.exit(failure.returncode)
