"""Every numbered rule of server/SPEC.md and spells/SPEC.md has a test, and every test that cites one cites one that exists.

A Python test cites by a mark, ``@pytest.mark.rule("C6", "R1")``; a test of the client at the end
of its name, ``"... (C6, R1)"``.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]

SPECIFICATIONS = {
    ROOT / "server/SPEC.md": re.compile(r"^- \*\*([A-Z]\d+)\*\* ", re.MULTILINE),
    ROOT / "spells/SPEC.md": re.compile(r"^(\d+\.\d+) ", re.MULTILINE),
}
"""How a rule begins in each."""

CLIENT = (ROOT / "client/src", ROOT / "client/tests")

CITED_IN_NAME = re.compile(r'\(\s*"[^"\n]* \(([A-Z]\d+(?:, [A-Z]\d+)*)\)",')
"""The end of a string that is a call's first argument, as a test's name is."""


def rules() -> list[str]:
    return [
        rule for path, begins in SPECIFICATIONS.items() for rule in begins.findall(path.read_text())
    ]


def cited() -> dict[str, set[str]]:
    """Return the rules that tests cite, each with the files that do."""
    found: dict[str, set[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        for rule in _by_marks(ast.parse(file.read_text())):
            found.setdefault(rule, set()).add(str(file.relative_to(ROOT)))
    for folder in CLIENT:
        for file in sorted(folder.rglob("*.test.ts*")):
            for names in CITED_IN_NAME.findall(file.read_text()):
                for rule in names.split(", "):
                    found.setdefault(rule, set()).add(str(file.relative_to(ROOT)))
    return found


def _by_marks(module: ast.Module) -> Iterator[str]:
    for node in ast.walk(module):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if not node.name.startswith("test_"):
            continue  # a mark elsewhere marks nothing that runs
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.rule":
                yield from (ast.literal_eval(argument) for argument in mark.args)


def test_no_number_is_given_twice() -> None:
    assert [rule for rule, count in Counter(rules()).items() if count > 1] == []


def test_every_rule_has_a_test() -> None:
    known = cited()
    assert [rule for rule in rules() if rule not in known] == []


def test_every_citation_names_a_rule() -> None:
    known = set(rules())
    assert {rule: files for rule, files in cited().items() if rule not in known} == {}
