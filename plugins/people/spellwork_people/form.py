"""``people.form``: somebody fills in fields, each an output."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from spellwork import SKIP, Context, Node, NodeError, Port, Ports, node

from .asking import Assignee, Due, Reminder, Text, Title, answer, question

MAX_FIELDS = 50

RESERVED = frozenset({"all", "by"})
"""Outputs of every form, so no names of fields."""


class FormField(BaseModel):
    """One field. ``least`` and ``most`` bound a number, or the characters of a text."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[^\W\d]\w{0,63}$", description="Also the name of its output")
    type: Literal["text", "number", "boolean", "choice", "date"] = "text"
    label: str = Field(default="", max_length=1_000, description="What people see; else its name")
    help: str = Field(default="", max_length=1_000)
    required: bool = True
    default: Any = None
    options: list[str] = Field(default_factory=list, max_length=1_000, description="Of a choice")
    least: float | None = None
    most: float | None = None
    multiline: bool = Field(default=False, description="A text of several lines")


ALL = Port("all", {"type": "object"}, description="All fields by name")
BY = Port("by", {"type": ["object", "null"]}, description="Who filled it in: {id, name, email}")

_FIELDS = TypeAdapter(list[FormField])
_SCHEMAS: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "choice": {"type": "string"},
    "date": {"type": "string", "format": "date"},
}


def form_ports(form_node: Node) -> Ports:
    """Return an output per field that is typed in, and those of every form."""
    try:
        fields = _FIELDS.validate_python(form_node.inputs.get("fields"))
    except ValidationError:
        fields = []
    named = {field.name: field for field in fields if field.name not in RESERVED}
    outputs = tuple(
        Port(name, _SCHEMAS[field.type], description=field.label or field.help)
        for name, field in named.items()
    )
    return Ports(inputs=form.inputs, outputs=(*outputs, ALL, BY))


@node(
    "people.form",
    title="Form",
    category="People",
    outputs=(ALL, BY),
    returns="ports",
    resolve=form_ports,
    cache="none",
    keywords=("input", "fields", "human", "fill in", "ask", "enter", "questions"),
    example={"title": "Who is it for?", "fields": [{"name": "customer"}]},
)
async def form(
    ctx: Context,
    fields: Annotated[
        list[FormField],
        Field(
            min_length=1,
            max_length=MAX_FIELDS,
            description="Typed in on the node: each gets an output of its name",
        ),
    ],
    *,
    title: Title = "Please fill this in",
    text: Text = "",
    assignee: Assignee = "",
    due: Due = None,
    reminder: Reminder = None,
    on_timeout: Annotated[
        Literal["fail", "default", "reject"],
        Field(description="When nobody answered in time; reject skips the node"),
    ] = "fail",
) -> dict[str, Any]:
    """What somebody fills in, by field and all together; until then it waits."""
    takes: Any = UNSET if on_timeout == "fail" else None
    if on_timeout == "default":
        takes = {"values": {}}
    asked = question(
        ctx,
        kind="form",
        title=title,
        text=text,
        schema=_schema([_field(each) for each in fields]),
        assignee=assignee,
        due=due,
        reminder=reminder,
        takes=takes,
    )
    found = await answer(ctx, asked)
    values: dict[str, Any] = found["values"]
    parts = {name: SKIP if value is None else value for name, value in values.items()}
    return {**parts, "all": values, "by": found["by"]}


def _field(given: Any) -> FormField:
    return given if isinstance(given, FormField) else FormField.model_validate(given)


def _schema(fields: list[FormField]) -> dict[str, Any]:
    """Return the fields as a question has them. Raises NodeError for names that cannot be."""
    names = [field.name for field in fields]
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            raise NodeError(
                f"no field can be named {name!r}: it is an output already",
                port="fields",
                retryable=False,
            )
    return {
        "type": "object",
        "properties": {field.name: _property(field) for field in fields},
        "required": [field.name for field in fields if field.required],
    }


def _property(field: FormField) -> dict[str, Any]:
    schema = dict(_SCHEMAS[field.type])
    if field.type == "choice":
        schema["enum"] = field.options
    if field.multiline and field.type == "text":
        schema["format"] = "multiline"
    texts = field.type == "text"
    bounds = ("minLength", "maxLength") if texts else ("minimum", "maximum")
    for name, bound in zip(bounds, (field.least, field.most), strict=True):
        if bound is not None:
            schema[name] = int(bound) if texts else bound
    said = {"title": field.label, "description": field.help}
    schema |= {name: words for name, words in said.items() if words}
    if field.default is not None:
        schema["default"] = field.default
    return schema
