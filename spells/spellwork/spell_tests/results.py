"""What a run of a test tells: how each assertion came out, small enough for a page and a terminal."""

from __future__ import annotations

import json
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

MOST_SHOWN = 2_000
"""Characters of JSON of an expected or actual value that are told."""

Outcome = Literal["passed", "failed", "error"]
"""``error``: the test could not be run, or did not end in its time."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)

    __test__: ClassVar[bool] = False
    """pytest collects classes by their names."""


class AssertionResult(_Frozen):
    """One assertion. Of a failed one ``message`` says why, ``path`` where in the output."""

    node: str
    port: str | None = Field(default=None, description="None: how the node ended.")
    op: str
    passed: bool
    path: str | None = None
    expected: JsonValue = None
    actual: JsonValue = None
    cut: bool = Field(
        default=False,
        description="``expected`` or ``actual`` is a text with the beginning of its JSON.",
    )
    message: str = ""


class TestFailure(_Frozen):
    """Why a test could not be run to its end, or which node failed in one that expects nothing."""

    code: str
    message: str
    node: str | None = None


class TestResult(_Frozen):
    """One test as it came out; ``duration`` is seconds. ``called`` are the nodes that were not recorded."""

    test: str
    name: str
    outcome: Outcome
    duration: float
    assertions: list[AssertionResult] = Field(default_factory=list)
    failure: TestFailure | None = None
    called: list[str] = Field(default_factory=list)


def shown(value: Any) -> tuple[JsonValue, bool]:
    """Return a JSON value, or the beginning of its text, and whether it is that."""
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return (value, False) if len(text) <= MOST_SHOWN else (text[:MOST_SHOWN], True)
