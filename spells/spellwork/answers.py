"""What counts as an answer to a ``Question``: checked against it, whoever carries it to people.

An answer is plain JSON:

========  =========================================================
approval  ``{approved: true or false, comment?: text}``
form      ``{values: {field: value}}``
choice    ``{choice: option}``, with ``several`` ``{choice: [option]}``
========  =========================================================

The schema of a form is flat: ``{type: object, properties: {field: schema}, required: [field]}``, where a field is a
string (also ``format: date``, ``format: multiline``, or one of ``enum``), a number, an integer or a boolean, with
``title``, ``description``, ``default``, ``minimum``, ``maximum``, ``minLength``, ``maxLength``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Literal

import msgspec

from .asking import Question

MAX_ANSWER_TEXT = 20_000
"""Characters of any one text that people answer with."""

MAX_FIELDS = 50
MAX_OPTIONS = 1_000

_NAME = re.compile(r"[^\W\d]\w{0,63}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ALLOWED = {"approval": ("approved", "comment"), "form": ("values",), "choice": ("choice",)}

Words = Annotated[str, msgspec.Meta(max_length=1_000)]


class AnswerInvalid(ValueError):
    """It is no answer to the question. ``errors``: ``{field, message, allowed?}`` for each thing that is wrong."""

    def __init__(self, errors: Iterable[dict[str, Any]]) -> None:
        self.errors = list(errors)
        super().__init__("; ".join(f"{each['field']}: {each['message']}" for each in self.errors))


class FormField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The schema of one field."""

    type: Literal["string", "number", "integer", "boolean"]
    title: Words = ""
    description: Words = ""
    default: Any = None
    format: Literal["date", "multiline"] | None = None
    enum: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_OPTIONS)] | None = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = msgspec.field(name="minLength", default=None)
    max_length: int | None = msgspec.field(name="maxLength", default=None)


class FormSchema(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The schema of a form."""

    type: Literal["object"]
    properties: Annotated[dict[str, FormField], msgspec.Meta(min_length=1, max_length=MAX_FIELDS)]
    required: list[str] = []
    additional: Literal[False] = msgspec.field(name="additionalProperties", default=False)


def read_form(schema: Any) -> FormSchema:
    """Return the fields of a form. Raises ValueError, naming what is wrong, for what people could not fill in."""
    form = msgspec.convert(schema, FormSchema)
    for name, field in form.properties.items():
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name of a field: letters, digits and _, at most 64, no digit first"
            )
        if field.enum is not None and len(set(field.enum)) < len(field.enum):
            raise ValueError(f"the field {name!r} has an option twice")
        if field.default is not None and (wrong := _fault(field, field.default)):
            raise ValueError(f"the default of the field {name!r} {wrong[0]}")
    if unknown := [name for name in form.required if name not in form.properties]:
        raise ValueError(f"{unknown[0]!r} is required, but no field")
    return form


def check_question(question: Question) -> None:
    """Raise ValueError for a question that nobody could answer, or whose default is no answer."""
    if question.kind == "form":
        read_form(question.schema)
    if question.on_timeout == "default" and question.default is not None:
        try:
            check_answer(question, question.default)
        except AnswerInvalid as error:
            raise ValueError(f"the default is no answer: {error}") from error


def check_answer(question: Question, answer: Any) -> dict[str, Any]:
    """Return the answer with what it leaves out filled in. Raises AnswerInvalid with everything that is wrong."""
    if not isinstance(answer, Mapping):
        raise AnswerInvalid([_wrong("answer", "must be an object")])
    allowed = _ALLOWED[question.kind]
    errors = [
        _wrong(str(key), "is not known here", list(allowed)) for key in answer if key not in allowed
    ]
    checked: dict[str, Any] = {}
    if question.kind == "approval":
        errors += _check_approval(answer, checked)
    elif question.kind == "form":
        errors += _check_form(read_form(question.schema), answer.get("values"), checked)
    else:
        errors += _check_choice(question, answer.get("choice"), checked)
    if errors:
        raise AnswerInvalid(errors)
    return checked


def _check_approval(answer: Mapping[str, Any], checked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    approved, comment = answer.get("approved"), answer.get("comment", "")
    if not isinstance(approved, bool):
        yield _wrong("approved", "must be true or false", [True, False])
    if not isinstance(comment, str) or len(comment) > MAX_ANSWER_TEXT:
        yield _wrong("comment", f"must be text of at most {MAX_ANSWER_TEXT:,} characters")
    checked |= {"approved": approved, "comment": comment}


def _check_form(form: FormSchema, values: Any, checked: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if not isinstance(values, Mapping):
        yield _wrong("values", "must be an object of fields")
        return
    names = list(form.properties)
    for name in values:
        if name not in names:
            yield _wrong(f"values.{name}", "is no field of this form", names)
    found: dict[str, Any] = {}
    for name, field in form.properties.items():
        value = values.get(name)
        if value is None or value == "":
            value = _left_out(field)
        found[name] = value
        if value is None:
            if name in form.required:
                yield _wrong(f"values.{name}", "is required")
        elif wrong := _fault(field, value):
            yield _wrong(f"values.{name}", *wrong)
    checked["values"] = found


def _left_out(field: FormField) -> Any:
    """Return what a field is that nobody filled in: its default; else of a boolean false."""
    return False if field.default is None and field.type == "boolean" else field.default


def _check_choice(
    question: Question, choice: Any, checked: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    options = list(question.choices)
    checked["choice"] = choice
    if not question.several:
        if choice not in options:
            yield _wrong("choice", "must be one of the options", options)
    elif not isinstance(choice, list) or any(each not in options for each in choice):
        yield _wrong("choice", "must be a list of options", options)
    elif len(set(choice)) < len(choice):
        yield _wrong("choice", "has an option twice", options)


def _fault(field: FormField, value: Any) -> tuple[Any, ...] | None:
    """Return what is wrong with a value, and what is allowed where that is a list."""
    if field.enum is not None:
        return None if value in field.enum else ("must be one of the options", field.enum)
    if field.type == "boolean":
        return None if isinstance(value, bool) else ("must be true or false", [True, False])
    if field.type == "string":
        return _text_fault(field, value)
    if not _is_number(value):
        return ("must be a number",)
    if field.type == "integer" and value != int(value):
        return ("must be a whole number",)
    return _bounds(value, field.minimum, field.maximum, "")


def _text_fault(field: FormField, value: Any) -> tuple[Any, ...] | None:
    if not isinstance(value, str):
        return ("must be text",)
    if len(value) > MAX_ANSWER_TEXT:
        return (f"has more than {MAX_ANSWER_TEXT:,} characters",)
    if field.format == "date" and not _is_date(value):
        return ("must be a day, as 2031-05-17",)
    return _bounds(len(value), field.min_length, field.max_length, " characters")


def _bounds(
    value: float, least: float | None, most: float | None, unit: str
) -> tuple[Any, ...] | None:
    if least is not None and value < least:
        return (f"must be at least {least:g}{unit}",)
    if most is not None and value > most:
        return (f"must be at most {most:g}{unit}",)
    return None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _is_date(value: str) -> bool:
    if not _DATE.fullmatch(value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True


def _wrong(field: str, message: str, allowed: Any = None) -> dict[str, Any]:
    error: dict[str, Any] = {"field": field, "message": message}
    if allowed is not None:
        error["allowed"] = allowed
    return error
