"""TypeScript's types as schemas of ports, and what a cell gets where they say more than JSON can."""

from __future__ import annotations

from typing import Any

import pytest

from spellwork_code.ts.reading import read_cell

TEXT, NUMBER, TRUTH, NULL = ({"type": name} for name in ("string", "number", "boolean", "null"))
DATE = {"type": "string", "format": "date-time"}
BYTES = {"type": "string", "format": "data-url"}
A = {"type": "object", "properties": {"a": NULL}, "required": ["a"]}
ROW = {
    "type": "object",
    "properties": {"name": TEXT, "size": NUMBER},
    "required": ["name"],
}
DECLARED = (
    "interface Row { name: string; size?: number }\n"
    "interface Wide extends Row { at: Date }\n"
    "type Key = 'a' | 'b'\n"
    "type Tree = { value: number; children: Tree[] }\n"
    "interface Box<T> { item: T; readonly label: string; open(): void }\n"
    "enum Level { Low, High = 5, Higher, Name = 'x' }\n"
    "enum Computed { A = f() }\n"
)

SCHEMAS: dict[str, dict[str, Any]] = {
    "string": TEXT,
    "number": NUMBER,
    "boolean": TRUTH,
    "null": NULL,
    "any": {},
    "unknown": {},
    "never": {},
    "object": {"type": "object"},
    "bigint": {"type": "integer"},
    "'a'": {"enum": ["a"]},
    "'a' | 'b' | 3 | -1 | true": {"enum": ["a", "b", 3, -1, True]},
    "'a' | 'b' | null": {"anyOf": [{"enum": ["a", "b"]}, NULL]},
    "string | number": {"anyOf": [TEXT, NUMBER]},
    "string | (number | null)": {"anyOf": [TEXT, NUMBER, NULL]},
    "string | undefined": TEXT,
    "string | any": {},
    "`a${string}`": TEXT,
    "string[]": {"type": "array", "items": TEXT},
    "readonly string[][]": {"type": "array", "items": {"type": "array", "items": TEXT}},
    "Array<number>": {"type": "array", "items": NUMBER},
    "ReadonlyArray<any>": {"type": "array"},
    "Iterable<number>": {"type": "array", "items": NUMBER},
    "(string | null)[]": {"type": "array", "items": {"anyOf": [TEXT, NULL]}},
    "[string, number?]": {
        "type": "array",
        "items": {"anyOf": [TEXT, NUMBER]},
        "minItems": 1,
        "maxItems": 2,
    },
    "[a: string, ...b: string[]]": {"type": "array", "items": TEXT, "minItems": 1},
    "Set<string>": {"type": "array", "items": TEXT},
    "Map<string, number>": {"type": "object", "additionalProperties": NUMBER},
    "Record<string, number>": {"type": "object", "additionalProperties": NUMBER},
    "Record<Key, number>": {
        "type": "object",
        "properties": {"a": NUMBER, "b": NUMBER},
        "required": ["a", "b"],
    },
    "{ a: string; b?: number; 'c d': null; [k: string]: unknown }": {
        "type": "object",
        "properties": {"a": TEXT, "b": NUMBER, "c d": NULL},
        "required": ["a", "c d"],
    },
    "{ a: number | undefined }": {"type": "object", "properties": {"a": NUMBER}},
    "{}": {"type": "object"},
    "Row": ROW,
    "Row[]": {"type": "array", "items": ROW},
    "Wide": {
        "type": "object",
        "properties": {"name": TEXT, "size": NUMBER, "at": DATE},
        "required": ["name", "at"],
    },
    "Row & { extra: boolean }": {
        "type": "object",
        "properties": {"name": TEXT, "size": NUMBER, "extra": TRUTH},
        "required": ["name", "extra"],
    },
    "string & { brand: 'x' }": TEXT,
    "Key": {"enum": ["a", "b"]},
    "Tree": {
        "type": "object",
        "properties": {"value": NUMBER, "children": {"type": "array"}},
        "required": ["value", "children"],
    },
    "Box<string>": {
        "type": "object",
        "properties": {"item": {}, "label": TEXT},
        "required": ["item", "label"],
    },
    "Level": {"enum": [0, 5, 6, "x"]},
    "Computed": {},
    "Partial<Row>": {"type": "object", "properties": ROW["properties"]},
    "Required<Row>": ROW | {"required": ["name", "size"]},
    "Readonly<Row>": ROW,
    "Pick<Row, 'size'>": {"type": "object", "properties": {"size": NUMBER}, "required": []},
    "Omit<Row, 'size'>": {"type": "object", "properties": {"name": TEXT}, "required": ["name"]},
    "NonNullable<string | null>": TEXT,
    "Promise<string>": TEXT,
    "Date": DATE,
    "Uint8Array": BYTES,
    "ArrayBuffer": BYTES,
    "Float64Array": {"type": "array", "items": NUMBER},
    "keyof Row": {},
    "Row['name']": {},
    "T extends string ? 1 : 2": {},
    "(a: string) => void": {},
    "Foreign": {},
    "Foreign.Inner<string>": {},
}


@pytest.mark.rule("17.43")
@pytest.mark.parametrize("hint", SCHEMAS)
def test_a_type_becomes_a_schema(hint: str) -> None:
    inputs = read_cell(f"{DECLARED}declare const x: {hint}\nx").ports.inputs
    (port,) = (port for port in inputs if port.name == "x")
    assert port.schema == SCHEMAS[hint]


@pytest.mark.rule("17.43")
def test_what_may_be_undefined_need_not_be_given() -> None:
    cell = read_cell(
        "(a?: string, b: string | undefined, c = 1, d: string | null, { e, f }: { e?: 1; f: 2 }) => 1"
    )
    assert {port.name: port.required for port in cell.ports.inputs} == {
        "a": False,
        "b": False,
        "c": False,
        "d": True,
        "e": False,
        "f": True,
    }


@pytest.mark.rule("17.43")
def test_free_names_take_the_types_of_declare_lines_and_outputs_their_own() -> None:
    cell = read_cell("declare const rows: string[], k: number\nconst a: number = rows.length * k")
    assert [port.schema for port in cell.ports.inputs] == [{"type": "array", "items": TEXT}, NUMBER]
    assert [port.schema for port in cell.ports.outputs] == [NUMBER]


@pytest.mark.parametrize(
    ("code", "schema"),
    [
        ("function f(): string[] {}", {"type": "array", "items": TEXT}),
        ("async function f(): Promise<number> {}", NUMBER),
        ("const f = (): void => {}", {}),
        ("function* f(): Generator<string> {}", TEXT),
        ("function* f(): Iterable<number> {}", {"type": "array", "items": NUMBER}),
        (
            "async function* f(): AsyncGenerator<Uint8Array> {}",
            {"type": "string", "format": "binary"},
        ),
        ("function f(): AsyncIterable<string> {}", TEXT),
        ("function* f() {}", {}),
    ],
)
def test_what_a_function_gives_has_its_type(code: str, schema: dict[str, Any]) -> None:
    (port,) = read_cell(code).ports.outputs
    assert port.schema == schema


@pytest.mark.parametrize(
    ("hint", "stream", "schema"),
    [
        ("AsyncIterable<string>", True, TEXT),
        ("AsyncIterable<number>", True, {"type": "array", "items": NUMBER}),
        ("AsyncGenerator<{ a: null }, void>", True, {"type": "array", "items": A}),
        ("ReadableStream<Uint8Array>", True, {"type": "string", "format": "binary"}),
        ("AsyncIterable", True, {}),
        ("Iterable<string>", False, {"type": "array", "items": TEXT}),
        ("string", False, TEXT),
    ],
)
@pytest.mark.rule("17.45")
def test_streams_are_known_by_their_type(hint: str, stream: bool, schema: dict[str, Any]) -> None:
    (port,) = read_cell(f"(x: {hint}) => x").ports.inputs
    assert (port.stream, port.schema) == (stream, schema)
    (port,) = read_cell(f"declare const x: {hint}\nx").ports.inputs
    assert (port.stream, port.schema) == (stream, schema)


def test_types_that_grow_without_end_are_read_soon() -> None:
    chain = "\n".join(f"type T{n} = [T{n + 1}, T{n + 1}, T{n + 1}]" for n in range(200))
    (port,) = read_cell(f"{chain}\ndeclare const x: T0\nx").ports.inputs
    assert port.schema["type"] == "array"
