"""Judge what a node gave by what a test says of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spellwork.paths import PathError, pick, read_path
from spellwork.result import RunResult
from spellwork.spell_test import Assertion, Contains, Equals, Expectation, Length, Matches, OfType
from spellwork.values import to_json

from .conforming import TooMuchToCheckError, departure, is_type, schema_fault
from .equality import ABSENT, equal, first_difference
from .results import AssertionResult, shown


@dataclass(frozen=True, slots=True)
class _Verdict:
    passed: bool
    message: str = ""
    path: str | None = None
    expected: Any = None
    actual: Any = None


def judge_node(node: str, expected: Expectation, result: RunResult) -> list[AssertionResult]:
    """Return how each assertion about one node came out: that on its end first, then those on ports, by name."""
    status, actual, message = _end_of(node, result)
    code = result.errors[node].code if status == "failed" else None
    fits = status == expected.status and expected.code in (None, code)
    wanted = expected.status if expected.code is None else f"{expected.status} ({expected.code})"
    verdict = _Verdict(fits, "" if fits else message, None, wanted, actual)
    if status != "done" or expected.status != "done" or not expected.outputs:
        return [_told(node, None, "status", verdict)]
    outputs = result.outputs[node]
    return [
        _told(node, port, each.op, _judge_port(each, outputs, port))
        for port, each in sorted(expected.outputs.items())
    ]


def _end_of(node: str, result: RunResult) -> tuple[str, str, str]:
    """Return how a node ended, in one word, in one with its code, and in a sentence."""
    if node in result.outputs:
        return "done", "done", "it gave outputs"
    failure = result.errors.get(node)
    if failure is not None:
        return "failed", f"failed ({failure.code})", f"it failed: {failure.message[:500]}"
    if node in result.skipped:
        return "skipped", "skipped", f"it was skipped: {result.skipped[node]}"
    return "absent", "not run", "it was not run"


def _judge_port(assertion: Assertion, outputs: dict[str, Any], port: str) -> _Verdict:
    if port not in outputs:
        there = ", ".join(map(repr, sorted(outputs))) or "nothing"
        return _Verdict(False, f"nothing came out of {port!r}; there is {there}")
    value, root = to_json(outputs[port]), "$"
    if assertion.path is not None:
        try:
            parts = read_path(assertion.path)
            value, root = pick(value, parts), assertion.path
        except PathError as error:
            return _Verdict(False, str(error), assertion.path)
    verdict = _judge(assertion, value)
    where = None if verdict.passed else _joined(root, verdict.path or "$")
    return _Verdict(verdict.passed, verdict.message, where, verdict.expected, verdict.actual)


def _joined(root: str, path: str) -> str:
    return path if root == "$" else root + path.removeprefix("$")


def _judge(assertion: Assertion, value: Any) -> _Verdict:
    match assertion:
        case Equals():
            found = first_difference(assertion.value, value, assertion.tolerance)
            if found is None:
                return _Verdict(True, "", None, assertion.value, value)
            return _Verdict(False, _differ(found), found.path, found.expected, found.actual)
        case Matches():
            return _judge_schema(assertion, value)
        case Contains():
            return _contains(assertion.value, value)
        case OfType():
            fits = is_type(value, assertion.value)
            said = "" if fits else f"it is no {assertion.value}"
            return _Verdict(fits, said, None, assertion.value, value)
        case Length():
            size = len(value) if isinstance(value, str | list | dict) else None
            fits = size == assertion.value
            said = "" if fits else "it has no length" if size is None else f"it has {size}"
            return _Verdict(fits, said, None, assertion.value, value if size is None else size)


def _differ(found: Any) -> str:
    if found.expected is ABSENT:
        return "it is there, and should not be"
    if found.actual is ABSENT:
        return "it is not there"
    return "it differs"


def _judge_schema(assertion: Matches, value: Any) -> _Verdict:
    fault = schema_fault(assertion.value)
    if fault is not None:
        return _Verdict(False, f"the schema is wrong: {fault}", None, assertion.value, value)
    try:
        found = departure(assertion.value, value)
    except (TooMuchToCheckError, RecursionError):
        return _Verdict(False, "the schema takes too long to check", None, assertion.value)
    if found is None:
        return _Verdict(True, "", None, assertion.value, value)
    return _Verdict(False, found[1], found[0], assertion.value, value)


def _contains(wanted: Any, value: Any) -> _Verdict:
    if isinstance(value, str):
        fits = isinstance(wanted, str) and wanted in value
        return _Verdict(fits, "" if fits else "it is not in the text", None, wanted, value)
    if isinstance(value, list):
        fits = any(equal(wanted, item) for item in value)
        return _Verdict(fits, "" if fits else "it is not in the list", None, wanted, value)
    if isinstance(value, dict) and isinstance(wanted, dict):
        there = {name: value[name] for name in wanted if name in value}
        found = first_difference(wanted, there)
        if found is None:
            return _Verdict(True, "", None, wanted, value)
        return _Verdict(False, _differ(found), found.path, found.expected, found.actual)
    return _Verdict(False, "nothing can be in it", None, wanted, value)


def _told(node: str, port: str | None, op: str, verdict: _Verdict) -> AssertionResult:
    expected, one = shown(None if verdict.expected is ABSENT else verdict.expected)
    actual, other = shown(None if verdict.actual is ABSENT else verdict.actual)
    return AssertionResult(
        node=node,
        port=port,
        op=op,
        passed=verdict.passed,
        path=verdict.path,
        expected=expected,
        actual=actual,
        cut=one or other,
        message=verdict.message,
    )
