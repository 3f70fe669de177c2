"""``spellwork test``: the tests of spells in files, told to people, to programs, and to CI."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from spellwork import read_spell
from spellwork.spell_tests import AssertionResult, TestResult, run_spell_tests
from spellwork.standalone import MakesEnvironment

from .writing import write_file

LONGEST = 300
"""Characters of a value that are shown."""

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

SIGNS = {"passed": ".", "failed": "F", "error": "E"}


@dataclass(frozen=True, slots=True)
class Tested:
    """A spell's file, and how its tests came out."""

    file: Path
    results: list[TestResult]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "file": str(self.file),
            "tests": [each.model_dump(mode="json") for each in self.results],
        }


def run_file(
    file: Path, tests: Sequence[str], environment: MakesEnvironment | None = None
) -> Tested:
    """Run the tests of one file or folder: all, or those whose id or name is among ``tests``.

    Raises SpellworkError where it cannot be read.
    """
    spell = read_spell(file)
    wanted = None
    if tests:
        wanted = [id for id, test in spell.tests.items() if {id, test.name} & set(tests)]
    return Tested(file, asyncio.run(run_spell_tests(file, wanted, environment=environment)))


def unknown_among(tests: Sequence[str], done: Sequence[Tested]) -> list[str]:
    """Return the names that no test of any file has."""
    known = {name for each in done for test in each.results for name in (test.test, test.name)}
    return [name for name in tests if name not in known]


def told(done: Sequence[Tested]) -> Iterator[str]:
    """Give the lines in which it is told: a sign for each test, then what did not pass, then the counts."""
    for each in done:
        yield f"{each.file} {''.join(SIGNS[test.outcome] for test in each.results)}"
    for each in done:
        for test in each.results:
            if test.outcome != "passed":
                yield ""
                yield from _test(each.file, test)
    yield ""
    yield _counts([test for each in done for test in each.results])


def _test(file: Path, test: TestResult) -> Iterator[str]:
    word = "ERROR" if test.outcome == "error" else "FAILED"
    name = f" {_line(test.name)}" if test.name else ""
    yield f"{word} {file}::{test.test}{name}"
    yield from _reasons(test)


def _reasons(test: TestResult) -> Iterator[str]:
    if test.failure is not None:
        node = f"{test.failure.node}: " if test.failure.node else ""
        yield f"  {node}{_line(test.failure.message)} ({test.failure.code})"
    for each in test.assertions:
        if not each.passed:
            yield from _assertion(each)


def _assertion(each: AssertionResult) -> Iterator[str]:
    place = each.node if each.port is None else f"{each.node}.{each.port}"
    path = "" if each.path in (None, "$") else f" at {each.path}"
    yield f"  {place} {each.op}{path}: {_line(each.message)}"
    yield f"    expected {_value(each.expected)}"
    yield f"    actual   {_value(each.actual)}"


def _counts(tests: Sequence[TestResult]) -> str:
    counted = [
        f"{count} {word}"
        for outcome, word in (("failed", "failed"), ("error", "in error"), ("passed", "passed"))
        if (count := sum(test.outcome == outcome for test in tests))
    ]
    return f"{', '.join(counted) or 'no tests'} in {sum(test.duration for test in tests):.2f} s"


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _line(text if len(text) <= LONGEST else text[:LONGEST] + " ...")


def _line(text: str) -> str:
    """Return a text as one line in which nothing steers a terminal."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def write_junit(path: Path, done: Sequence[Tested]) -> None:
    """Write the results as JUnit's XML, as CI servers read it. Raises FileUnwritable."""
    root = ET.Element("testsuites")
    for each in done:
        suite = ET.SubElement(
            root,
            "testsuite",
            name=_xml(str(each.file)),
            tests=str(len(each.results)),
            failures=str(sum(test.outcome == "failed" for test in each.results)),
            errors=str(sum(test.outcome == "error" for test in each.results)),
            time=f"{sum(test.duration for test in each.results):.3f}",
        )
        for test in each.results:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=_xml(str(each.file)),
                name=_xml(f"{test.test} {test.name}".strip()),
                time=f"{test.duration:.3f}",
            )
            if test.outcome != "passed":
                kind = "failure" if test.outcome == "failed" else "error"
                lines = list(_reasons(test))
                reason = ET.SubElement(case, kind, message=_xml(lines[0].strip()))
                reason.text = _xml("\n".join(lines))
    ET.indent(root)
    write_file(path, ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
