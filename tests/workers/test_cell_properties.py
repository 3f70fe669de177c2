"""What a cell is said to take in is what Python raises NameError for when it is not there, and nothing else."""

from __future__ import annotations

import contextlib
import keyword
import random
from collections.abc import Iterator
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spellwork_worker.cells import CellError, mentions, read_cell
from tests.seeds import examples, seeds


class Anything:
    """A value that can be called, iterated, entered, matched and calculated with."""

    __match_args__ = ("m",)
    m = 1

    def __call__(self, *values: Any, **named: Any) -> Any:
        return values[0] if values and callable(values[0]) else self

    def __iter__(self) -> Iterator[Anything]:
        return iter((self,))

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def __add__(self, other: object) -> Anything:
        return self

    __radd__ = __iadd__ = __getitem__ = __add__

    def __setitem__(self, key: object, value: object) -> None:
        pass

    def __format__(self, how: str) -> str:
        return "x"


FAULTS = (UnboundLocalError, TypeError, AttributeError, IndexError)
NAMES = ("a", "b", "c", "d", "größe")


class Writer:
    """Writes cells that run all they hold: no branch is left out, and each function is called at the end."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def program(self) -> str:
        parts = [self._statement(2) for _ in range(self._random.randint(1, 5))]
        functions = self._random.randint(0, 2)
        for number in range(functions):
            body = _indented([self._statement(1) for _ in range(self._random.randint(1, 3))])
            declared = self._random.choice(["", "", "    global c\n"])
            text = f"def _f{number}(p={self._expression(1)}):\n{declared}    p\n{body}"
            place = len(parts) if declared else self._random.randint(0, len(parts))
            parts.insert(place, text)
        return "\n".join(parts + [f"_f{number}()" for number in range(functions)])

    def _name(self) -> str:
        return self._random.choice(NAMES)

    def _expression(self, depth: int = 2) -> str:
        if depth == 0:
            return self._name()
        one, two = self._expression(depth - 1), self._expression(depth - 1)
        local, name = self._random.choice("uv"), self._name()
        return self._random.choice(
            [
                one,
                f"({one} + {two})",
                f"{one}({two}, k={name})",
                f"W([{local} + {one} for {local} in {two}])",
                f"W({{{local}: {one} for {local} in [1] if [{two}]}})",
                f"({name} := {one})",
                f"W(f'{{{one}}} {{{name}!r}}')",
                f"W((lambda {local}, w={one}: [{local}, w])(1))",
                f"W([({name} := {local}) for {local} in {one}])",
                f"{one}.field[{two}]",
                f"W([{name} for {name} in {one}])",
            ]
        )

    def _statement(self, depth: int) -> str:
        one, name, other = self._expression(), self._name(), self._name()
        simple = [
            one,
            f"{name} = {one}",
            f"{name}, *{other} = {one}",
            f"{name}: Hint = {one}",
            f"{name} += {one}",
            f"{name}.field = {one}",
            f"{name}[0] = {one}",
            f"import math as {name}",
        ]
        if depth == 0:
            return self._random.choice(simple)
        inner = [self._statement(depth - 1) for _ in range(self._random.randint(1, 2))]
        body = _indented(inner)
        members = _indented([self._statement(0) for _ in range(self._random.randint(1, 3))])
        blocks = [
            f"for {name} in {one}:\n{body}",
            f"with {one} as {name}:\n{body}",
            f"if [{one}]:\n{body}",
            f"match [{one}, 1]:\n    case [{name}, *_]:\n{_indented([body])}",
            f"try:\n    raise ValueError\nexcept ValueError as h:\n    h\n{body}",
            f"class {name}:\n{members}",
            f"class _C({one}.field and object):\n    def m(self):\n        return {one}",
        ]
        return self._random.choice([*simple, *blocks, *blocks])


def _indented(lines: list[str]) -> str:
    return "\n".join("    " + line for text in lines for line in text.split("\n"))


def missing_name(code: str, given: dict[str, Any]) -> str | None:
    """Return which name Python lacks when the cell runs, or None; raise what else is wrong with it."""
    try:
        exec(compile("from __future__ import annotations\n" + code, "cell", "exec"), dict(given))
    except UnboundLocalError:
        raise
    except NameError as error:
        if "free variable" in str(error):
            raise UnboundLocalError from error  # of a function around
        return error.name
    return None


@pytest.mark.rule("17.2")
def test_what_is_free_is_what_raises_a_name_error() -> None:
    looked_at = 0
    for seed in seeds(600):
        code = Writer(seed).program()
        try:
            names = {port.name: Anything() for port in read_cell(code).inputs}
        except CellError:
            continue  # a combination that is no Python
        with contextlib.suppress(*FAULTS):  # of the code itself
            told = missing_name(code, names)
            assert told is None, f"seed {seed}: {told} is free, and no input\n{code}"
            for name in names:
                lacking = {each: value for each, value in names.items() if each != name}
                found = missing_name(code, lacking)
                assert found == name, f"seed {seed}: {name} is an input; lacks {found}\n{code}"
            looked_at += 1
    assert looked_at > 80


@pytest.mark.rule("17.7")
def test_every_mention_of_a_name_is_found_where_it_stands() -> None:
    for seed in seeds(60):
        code = Writer(seed).program()
        lines = code.split("\n")
        for name in NAMES:
            try:
                places = mentions(code, name)
            except CellError:
                break
            for line, column, end in places:
                assert lines[line - 1][column - 1 : end - 1] == name, f"seed {seed}"


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=examples(200), deadline=None)
def test_any_text_is_read_or_refused(code: str) -> None:
    try:
        cell = read_cell(code)
    except CellError:
        return
    names = [*(port.name for port in cell.inputs), *(port.name for port in cell.outputs)]
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)
