"""Type hints of a cell as JSON Schema: read, never evaluated."""

from __future__ import annotations

import ast
import sys
import time
from typing import Any

import pytest

from spellwork_worker.annotations import Hints
from spellwork_worker.cells import read_cell

TEXT = {"type": "string"}
INTEGER = {"type": "integer"}
NUMBER = {"type": "number"}
NULL = {"type": "null"}

HINTS: list[tuple[str, dict[str, Any]]] = [
    ("int", INTEGER),
    ("float", NUMBER),
    ("str", TEXT),
    ("bool", {"type": "boolean"}),
    ("None", NULL),
    ("Any", {}),
    ("object", {}),
    ("Unknown", {}),
    ("list", {"type": "array"}),
    ("list[int]", {"type": "array", "items": INTEGER}),
    ("typing.List[int]", {"type": "array", "items": INTEGER}),
    ("Sequence[str]", {"type": "array", "items": TEXT}),
    ("set[int]", {"type": "array", "uniqueItems": True, "items": INTEGER}),
    ("tuple", {"type": "array"}),
    ("tuple[int, ...]", {"type": "array", "items": INTEGER}),
    (
        "tuple[int, str]",
        {"type": "array", "prefixItems": [INTEGER, TEXT], "minItems": 2, "maxItems": 2},
    ),
    ("tuple[()]", {"type": "array", "minItems": 0, "maxItems": 0}),
    ("dict", {"type": "object"}),
    ("dict[str, int]", {"type": "object", "additionalProperties": INTEGER}),
    ("Mapping[str, Any]", {"type": "object"}),
    ("int | None", {"anyOf": [INTEGER, NULL]}),
    ("Optional[int]", {"anyOf": [INTEGER, NULL]}),
    ("Union[int, str, None]", {"anyOf": [INTEGER, TEXT, NULL]}),
    ("int | int", INTEGER),
    ("int | Unknown", {}),
    ("Literal['a', 'b']", {"enum": ["a", "b"]}),
    ("Literal[1, -1, True, None]", {"enum": [1, -1, True, None]}),
    ("Annotated[int, 'note']", INTEGER),
    ("Annotated[int, Field(ge=1, lt=5)]", INTEGER | {"minimum": 1, "exclusiveMaximum": 5}),
    ("Annotated[str, Field(description='who')]", TEXT | {"description": "who"}),
    ("Annotated[int, Ge(2)]", INTEGER | {"minimum": 2}),
    ("Annotated[int, Field(ge='x')]", INTEGER),
    ("'list[int]'", {"type": "array", "items": INTEGER}),
    ("'not ( python'", {}),
    ("Final[int]", INTEGER),
    ("bytes", {"type": "string", "format": "binary"}),
    ("date", {"type": "string", "format": "date"}),
    ("datetime.datetime", {"type": "string", "format": "date-time"}),
    ("timedelta", NUMBER),
    ("Decimal", NUMBER),
    ("UUID", {"type": "string", "format": "uuid"}),
    ("Path", {"type": "string", "format": "path"}),
    ("pd.DataFrame", {"type": "array", "items": {"type": "object"}, "format": "table"}),
    ("pl.LazyFrame", {"type": "array", "items": {"type": "object"}, "format": "table"}),
    ("np.ndarray", {"type": "array", "format": "ndarray"}),
    ("NDArray[np.float64]", {"type": "array", "format": "ndarray"}),
    ("pd.Series", {"type": "array"}),
    ("Callable[[int], str]", {}),
    ("type[int]", {}),
    ("1 + 2", {}),
    ("f()", {}),
]


@pytest.mark.rule("17.5")
@pytest.mark.parametrize(("hint", "schema"), HINTS)
def test_a_hint_is_this_schema(hint: str, schema: dict[str, Any]) -> None:
    assert read_cell(f"def f(a: {hint}): ...").inputs[0].schema == schema
    assert read_cell(f"def f(a) -> {hint}: ...").outputs[0].schema == schema
    assert read_cell(f"a: {hint} = b").outputs[0].schema == schema
    assert read_cell(f"a: {hint}\nb = a").inputs[0].schema == schema


ROW = {
    "title": "Row",
    "type": "object",
    "properties": {"a": INTEGER, "b": TEXT},
    "required": ["a"],
}

CLASSES = {
    "a dataclass": "@dataclass\nclass Row:\n    a: int\n    b: str = ''\n    k: ClassVar[int] = 1",
    "a dataclass with a factory": "@dataclass(frozen=True)\nclass Row:\n    a: int\n    b: str = field(default_factory=str)",
    "a named tuple": "class Row(NamedTuple):\n    a: int\n    b: str = ''",
    "a TypedDict": "class Row(TypedDict):\n    a: int\n    b: NotRequired[str]",
    "a TypedDict that is not total": "class Row(TypedDict, total=False):\n    a: Required[int]\n    b: str",
    "a pydantic model": "class Row(BaseModel):\n    model_config = {}\n    a: int\n    b: str = Field(default='')",
    "a pydantic model, required by dots": "class Row(pydantic.BaseModel):\n    a: int = Field(...)\n    b: str = 'x'\n    def m(self): ...",
    "a model that extends another": "class _Base(BaseModel):\n    a: int\nclass Row(_Base):\n    b: str = ''",
    "an import under another name": "from pydantic import BaseModel as B\nclass Row(B):\n    a: int\n    b: str = ''",
}


@pytest.mark.rule("17.5")
@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_the_cell_is_a_record(name: str) -> None:
    cell = read_cell(f"{CLASSES[name]}\ndef f(row: Row) -> list[Row]: ...")
    assert cell.form == "function"
    assert cell.inputs[0].schema == {"$ref": "#/$defs/Row", "$defs": {"Row": ROW}}
    assert cell.outputs[0].schema == {
        "type": "array",
        "items": {"$ref": "#/$defs/Row"},
        "$defs": {"Row": ROW},
    }


MORE = [
    ("class E(Enum):\n    A = 'a'\n    B = 'b'", "E", {"enum": ["a", "b"]}),
    ("class E(StrEnum):\n    A = auto()\n    B = auto()", "E", {"enum": ["a", "b"]}),
    ("class E(Enum):\n    A = object()", "E", {}),
    ("class C:\n    a: int", "C", {}),
    ("Ids: TypeAlias = list[int]", "Ids", {"type": "array", "items": INTEGER}),
    ("Id = NewType('Id', int)", "list[Id]", {"type": "array", "items": INTEGER}),
    ("_Ids = list[int]", "_Ids", {"type": "array", "items": INTEGER}),
    ("A: TypeAlias = 'A'", "A", {}),
    ("A: TypeAlias = 'list[A]'", "A", {"type": "array"}),
    ("from pandas import DataFrame as DF", "DF", {"type": "array", "items": {"type": "object"}, "format": "table"}),
    ("class int_(BaseModel): ...", "date", {"type": "string", "format": "date"}),
    ("if TYPE_CHECKING:\n    class R(TypedDict):\n        a: int", "dict[str, R] | None", {
        "anyOf": [{"type": "object", "additionalProperties": {"$ref": "#/$defs/R"}}, NULL],
        "$defs": {"R": {"title": "R", "type": "object", "properties": {"a": INTEGER}, "required": ["a"]}},
    }),
    ("class R(BaseModel):\n    a: int = Field(ge=0)\n    next: 'R | None' = None", "R", {
        "$ref": "#/$defs/R",
        "$defs": {"R": {"title": "R", "type": "object", "required": ["a"], "properties": {
            "a": INTEGER | {"minimum": 0}, "next": {"anyOf": [{"$ref": "#/$defs/R"}, NULL]}}}},
    }),
]  # fmt: skip


@pytest.mark.rule("17.5")
@pytest.mark.parametrize(("code", "hint", "schema"), MORE)
def test_names_in_hints_are_looked_up_in_the_cell(
    code: str, hint: str, schema: dict[str, Any]
) -> None:
    assert read_cell(f"{code}\ndef f(a: {hint}): ...").inputs[0].schema == schema


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the syntax came with Python 3.12")
def test_a_type_statement_is_an_alias() -> None:
    cell = read_cell("type Ids = list[int]\ndef f(a: Ids): ...")
    assert cell.inputs[0].schema == {"type": "array", "items": INTEGER}


def test_aliases_that_double_without_end_are_anything() -> None:
    aliases = "\n".join(f"_A{n + 1} = tuple[_A{n}, _A{n}]" for n in range(60))
    started = time.process_time()
    cell = read_cell(f"_A0 = int\n{aliases}\ndef f(a: _A60): ...")
    assert cell.inputs[0].schema == {}
    assert time.process_time() - started < 10


def test_a_hint_of_any_shape_is_read_without_harm() -> None:
    deep = "list[" * 90 + "int" + "]" * 90
    assert Hints().schema(ast.parse(deep, mode="eval").body)["type"] == "array"
