"""A test of a spell, as it is kept with the spell: what goes in, what stands for calls, and what must come out.

A closed set of assertions, no expressions: a test is data, and whoever opens
somebody's spell may run its tests without running somebody's code for it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, StringConstraints, model_validator

from .part import Id, Part, PortName

MAX_TESTS = 200
"""Tests of one spell."""

MAX_NODES = 1_000
"""Nodes that one test records, or expects something of."""

MAX_PORTS = 200
MAX_SECONDS = 3_600

InputKey = Annotated[str, StringConstraints(min_length=1, max_length=400)]
"""An input as a run takes it: ``NODE.PORT``, or ``NODE``."""


class _Assertion(Part):
    """``path`` leads to what is asserted inside of the output, like ``rows[0].name``; all of it without one."""

    path: str | None = Field(default=None, min_length=1, max_length=1_000)


class Equals(_Assertion):
    """The output equals ``value`` as JSON does: 1 is 1.0, and no true. ``tolerance``: numbers may differ by so much."""

    op: Literal["equals"]
    value: JsonValue
    tolerance: float | None = Field(default=None, ge=0)


class Matches(_Assertion):
    """The output is what the JSON Schema in ``value`` says."""

    op: Literal["matches"]
    value: dict[str, JsonValue]


class Contains(_Assertion):
    """``value`` is in the output: a text in a text, an item in a list, fields (with these values) in an object."""

    op: Literal["contains"]
    value: JsonValue


class OfType(_Assertion):
    """The output is of this JSON type."""

    op: Literal["type"]
    value: Literal["string", "number", "integer", "boolean", "array", "object", "null"]


class Length(_Assertion):
    """The output, a text, list or object, has so many characters, items or fields."""

    op: Literal["length"]
    value: int = Field(ge=0)


Assertion = Annotated[Equals | Matches | Contains | OfType | Length, Field(discriminator="op")]
"""What must hold of one output."""


class RecordedFailure(Part):
    """A failure that stands for a node's call."""

    code: str = Field(default="exception", min_length=1, max_length=100)
    message: str = Field(default="It failed when this was recorded", max_length=10_000)


class Recorded(Part):
    """What stands for a node's call: its outputs, or that it failed. One is given."""

    outputs: dict[PortName, JsonValue] | None = Field(default=None, max_length=MAX_PORTS)
    failure: RecordedFailure | None = None

    @model_validator(mode="after")
    def _one(self) -> Recorded:
        if (self.outputs is None) == (self.failure is None):
            raise ValueError("give outputs or a failure")
        return self


class Expectation(Part):
    """How a node must have ended, and what must hold of its outputs. ``code`` is that of its failure."""

    status: Literal["done", "failed", "skipped"] = "done"
    code: str | None = Field(default=None, min_length=1, max_length=100)
    outputs: dict[PortName, Assertion] = Field(default_factory=dict, max_length=MAX_PORTS)

    @model_validator(mode="after")
    def _possible(self) -> Expectation:
        if self.status != "done" and self.outputs:
            raise ValueError("a node that does not end as done has no outputs to assert")
        if self.status != "failed" and self.code is not None:
            raise ValueError("only a node that is to fail has a code")
        return self


class SpellTest(Part):
    """One test of a spell.

    ::

        {"name": "adds up", "inputs": {"rows.value": [1, 2]},
         "record": {"ask": {"outputs": {"answer": "four"}}},
         "expect": {"sum": {"outputs": {"value": {"op": "equals", "value": 3}}}}}

    ``record``: nodes that are not called, with what stands for them. What is
    expected is run with all it needs; a test that expects nothing runs the
    whole spell, and no node may fail. ``timeout`` is seconds. ``live``: nodes
    that have side effects or cost money, and are not recorded, are called.
    """

    name: str = Field(default="", max_length=200)
    inputs: dict[InputKey, JsonValue] = Field(default_factory=dict, max_length=MAX_NODES)
    record: dict[Id, Recorded] = Field(default_factory=dict, max_length=MAX_NODES)
    expect: dict[Id, Expectation] = Field(default_factory=dict, max_length=MAX_NODES)
    timeout: float | None = Field(default=None, gt=0, le=MAX_SECONDS)
    live: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the test as plain JSON values, without what is as by default. A null in a value stays."""
        return self.model_dump(mode="json", exclude_defaults=True)
