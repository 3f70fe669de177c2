"""Read Python source that builds a spell, without running it.

A small interpreter over the syntax tree: literals, calls of the builder, and
nothing else. What is under ``if __name__ == "__main__":`` runs the workflow
and is not read.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any

from spellwork.errors import FormatInvalid, SpellworkError, WorkflowInvalid
from spellwork.library import Library
from spellwork.sketch import End, GroupHandle, Parallel, Sketch, Step, Subspell
from spellwork.spell import Spell

MAX_CHARACTERS = 8_000_000

MAX_SECONDS = 30.0
"""How long a source may take to be read: ``>>`` has ports looked up, and those of code are parsed."""

_IMPORTS = {"spellwork": {"Workflow", "Subspell"}, "spellwork.workflow": {"Workflow", "Subspell"}}
_BUILDING = frozenset(
    {
        *("node", "value", "step", "group", "note", "wire", "pipe", "parallel"),
        *("map", "reduce", "while_", "if_", "subspell", "pop", "reset", "require", "test"),
    }
)
_METHODS: tuple[tuple[type, frozenset[str]], ...] = (
    (Sketch, _BUILDING),
    (Step, frozenset({"pipe", "rename"})),
    (Parallel, frozenset({"pipe"})),
)
_HANDLES = (Step, End, Parallel, GroupHandle, Subspell)


def read_python(data: bytes | str, library: Library | None = None) -> Spell:
    """Return the spell that Python source builds. Nothing of it is executed.

    ``library`` (all installed packs, if not given) is asked where the source
    leaves it to the builder which ports a wire joins.

    Raises:
        FormatInvalid: with line and column, for whatever is no literal and no
            call of the builder, and where a call makes no sense.
    """
    try:
        text = data if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatInvalid(f"not UTF-8: {error}") from error
    if len(text) > MAX_CHARACTERS:
        raise FormatInvalid(f"over {MAX_CHARACTERS:,} characters")
    try:
        return _Reader(text, library).read()
    except SyntaxError as error:
        raise FormatInvalid(
            f"not Python: {error.msg}", line=error.lineno or 1, column=error.offset or 1
        ) from error
    except (RecursionError, MemoryError) as error:
        raise FormatInvalid("not Python that can be read: it nests too deep") from error
    except ValueError as error:
        raise FormatInvalid(f"not Python: {error}") from error


class _Reader:
    """One source. ``_names`` are what it assigned."""

    def __init__(self, text: str, library: Library | None) -> None:
        self._lines = text.split("\n")
        self._tree = ast.parse(text)
        self._library = library
        self._names: dict[str, Any] = {}
        self._known: set[str] = set()
        self._sketch: Sketch | None = None
        self._until = monotonic() + MAX_SECONDS

    def read(self) -> Spell:
        self._do_all(self._tree.body)
        if self._sketch is None:
            raise FormatInvalid("no Workflow is made here: wf = Workflow(...)", line=1, column=1)
        try:
            return self._sketch.to_spell()
        except SpellworkError as error:
            raise FormatInvalid(error.message, line=1, column=1) from error

    def _do_all(self, statements: Sequence[ast.stmt]) -> None:
        for statement in statements:
            self._do(statement)

    def _do(self, statement: ast.stmt) -> None:
        match statement:
            case ast.Expr(ast.Constant(str())):
                pass  # a docstring
            case ast.Expr(value):
                self._value(value)
            case ast.Assign([ast.Name(name)], value):
                self._names[name] = self._value(value)
            case ast.AnnAssign(ast.Name(name), _, ast.expr() as value):
                self._names[name] = self._value(value)
            case ast.Import() | ast.ImportFrom():
                self._import(statement)
            case ast.With():
                self._within(statement)
            case ast.If(test, _, []) if _is_main(test):
                pass
            case _:
                raise self._wrong(statement, "only calls of the builder can be read here")

    def _import(self, statement: ast.Import | ast.ImportFrom) -> None:
        plain = all(alias.asname is None for alias in statement.names)
        names = {alias.name for alias in statement.names}
        if plain and isinstance(statement, ast.Import) and names <= {"json", "spellwork"}:
            self._known |= names
            return
        if plain and isinstance(statement, ast.ImportFrom) and not statement.level:
            if statement.module == "__future__":
                return
            if names <= _IMPORTS.get(statement.module or "", set()):
                self._known |= names
                return
        raise self._wrong(statement, "only Workflow of spellwork, and json, can be imported here")

    def _within(self, statement: ast.With) -> None:
        groups = []
        for item in statement.items:
            group = self._value(item.context_expr)
            if not isinstance(group, GroupHandle):
                raise self._wrong(item.context_expr, "only a group can be entered here")
            if isinstance(item.optional_vars, ast.Name):
                self._names[item.optional_vars.id] = group
            elif item.optional_vars is not None:
                raise self._wrong(item.optional_vars, "a group has one name")
            group.__enter__()
            groups.append(group)
        self._do_all(statement.body)
        for group in reversed(groups):
            group.sketch.leave()

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant() | ast.UnaryOp():
                return self._scalar(node)
            case ast.List(items):
                return [self._value(item) for item in items]
            case ast.Tuple(items):
                return tuple(self._value(item) for item in items)
            case ast.Dict():
                return self._object(node)
            case ast.Name(name) if name in self._names:
                return self._names[name]
            case ast.Name(name):
                raise self._wrong(node, f"there is no {name!r} here")
            case ast.BinOp(left, ast.RShift(), right):
                return self._joined(node, self._value(left), self._value(right))
            case ast.Subscript(value, ast.Constant(port)):
                return self._part(node, self._value(value), port)
            case ast.Attribute(value, "then" | "otherwise" as name):
                step = self._value(value)
                if isinstance(step, Step):
                    return getattr(step, name)
            case ast.Call():
                return self._call(node)
        raise self._no_literal(node)

    def _scalar(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value) if value is None or type(value) in (str, int, float, bool):
                return value
            case ast.UnaryOp(ast.USub(), ast.Constant(int() | float() as value)):
                return -value
        raise self._no_literal(node)

    def _no_literal(self, node: ast.expr) -> FormatInvalid:
        return self._wrong(node, "only literals and calls of the builder can be read here")

    def _object(self, node: ast.Dict) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
                raise self._wrong(key or value, "a key is a text")
            if key.value in fields:
                raise self._wrong(key, f"the key {key.value!r} is there twice")
            fields[key.value] = self._value(value)
        return fields

    def _part(self, node: ast.expr, value: Any, key: Any) -> Any:
        if isinstance(value, Step) and isinstance(key, str):
            return value[key]
        if isinstance(value, Parallel) and isinstance(key, int) and 0 <= key < len(value):
            return value[key]
        raise self._wrong(node, 'only a step has ports: step["port"]')

    def _joined(self, node: ast.expr, left: Any, right: Any) -> Any:
        if not isinstance(left, (Step, End, Parallel)):
            raise self._wrong(node, "only steps and their ports can be wired by >>")
        return self._try(node, lambda: left >> right)

    def _call(self, node: ast.Call) -> Any:
        arguments = [self._value(argument) for argument in node.args]
        named: dict[str, Any] = {}
        for each in node.keywords:
            if each.arg == "gives":
                continue  # for type checkers alone
            if each.arg is None or each.arg == "library":
                raise self._wrong(each.value, "this argument cannot be read here")
            named[each.arg] = self._value(each.value)
        function = self._function(node)
        return self._try(node, lambda: function(*arguments, **named))

    def _function(self, node: ast.Call) -> Callable[..., Any]:
        match node.func:
            case ast.Name("Workflow") if "Workflow" in self._known:
                return self._workflow
            case ast.Attribute(ast.Name("spellwork"), "Workflow") if "spellwork" in self._known:
                return self._workflow
            case ast.Name("Subspell") if "Subspell" in self._known:
                return Subspell
            case ast.Attribute(ast.Name("json"), "loads") if "json" in self._known:
                return json.loads
            case ast.Attribute(value, name):
                target = self._value(value)
                for kind, names in _METHODS:
                    if isinstance(target, kind) and name in names:
                        method: Callable[..., Any] = getattr(target, name)
                        return method
        raise self._wrong(node.func, f"{ast.unparse(node.func)[:80]} cannot be called here")

    def _workflow(self, name: str | None = None) -> Sketch:
        if self._sketch is not None:
            raise ValueError("a second Workflow; a file builds one spell")
        self._sketch = Sketch(name, library=self._library)
        self._sketch.guard = self._check_time
        return self._sketch

    def _check_time(self) -> None:
        if monotonic() > self._until:
            raise WorkflowInvalid(f"it takes over {MAX_SECONDS:g} s to read")

    def _try(self, node: ast.expr, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except SpellworkError as error:
            raise self._wrong(node, error.message) from error
        except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:
            raise self._wrong(node, str(error).replace("Sketch.", "Workflow.")) from error

    def _wrong(self, node: ast.AST, message: str) -> FormatInvalid:
        line = getattr(node, "lineno", 1)
        before = self._lines[line - 1].encode()[: getattr(node, "col_offset", 0)]
        return FormatInvalid(message, line=line, column=len(before.decode("utf-8", "replace")) + 1)


def _is_main(test: ast.expr) -> bool:
    return ast.unparse(test) == "__name__ == '__main__'"


__all__ = ["read_python"]
