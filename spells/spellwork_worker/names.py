"""Finds which names a cell reads from outside and which it binds, by reading its syntax tree.

The cell's top level is read in the order in which Python runs it, so that
``rows = clean(rows)`` both takes ``rows`` in and gives ``rows`` out. The bodies of
functions run later: a name they read counts as bound if the top level binds it
anywhere. Type hints are not evaluated when the cell runs, and so read nothing.
Nothing is executed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

KNOWN = frozenset(dir(builtins)) | {
    "__name__",
    "__file__",
    "__doc__",
    "__builtins__",
    "__annotations__",
    "__class__",
    "__module__",
    "__qualname__",
}
"""Names that exist without anybody binding them."""

ScopeKind = Literal["cell", "function", "class", "comprehension"]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Names:
    """The names of a cell, each in the order of its first appearance.

    ``read``: taken from outside. ``bound``: values that the top level keeps (not
    imports, functions, classes, loop variables and the like). ``annotated``: the
    annotation of ``name: type`` lines, which say what an input should be.
    """

    read: list[str]
    bound: list[str]
    annotated: dict[str, ast.expr]


def names_of(tree: ast.Module) -> Names:
    """Return the names that the cell reads and binds."""
    reader = _Reader()
    for statement in tree.body:
        reader.visit(statement)
    top = reader.top
    read = dict.fromkeys(top.read)
    for name in reader.later:
        if name not in top.ever and name not in KNOWN:
            read[name] = None
    bound = [name for name in top.kept if not name.startswith("_")]
    return Names(read=list(read), bound=bound, annotated=reader.annotated)


@dataclass(slots=True)
class _Scope:
    """What one scope has read and bound so far."""

    kind: ScopeKind
    read: dict[str, None] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    kept: dict[str, None] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    """Names declared ``global``."""


class _Reader(ast.NodeVisitor):
    """Walks a cell in the order of evaluation and keeps the scopes' books."""

    def __init__(self) -> None:
        self.top = _Scope("cell")
        self.scopes = [self.top]
        self.later: dict[str, None] = {}
        self.annotated: dict[str, ast.expr] = {}

    # Reading and binding

    def _read(self, name: str) -> None:
        scope = self.scopes[-1]
        if scope.kind == "cell" and (name in scope.bound or name in KNOWN):
            return
        scope.read[name] = None

    def _bind(self, name: str, *, keep: bool = False) -> None:
        scope = self.scopes[-1]
        if name in scope.outer:
            scope = self.top
        scope.bound.add(name)
        scope.ever.add(name)
        if keep:
            scope.kept[name] = None

    def _unbind(self, name: str) -> None:
        scope = self.scopes[-1]
        if scope.kind == "cell":
            scope.bound.discard(name)
            scope.kept.pop(name, None)

    def _target(self, target: ast.expr, *, keep: bool) -> None:
        """Bind every name in an assignment's target; read what its other parts need."""
        if isinstance(target, ast.Name):
            self._bind(target.id, keep=keep)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for item in target.elts:
                self._target(item, keep=keep)
        elif isinstance(target, ast.Starred):
            self._target(target.value, keep=keep)
        else:
            self.visit(target)

    # Scopes

    def _leave(self) -> None:
        """Close a scope: what it read and did not bind is read around it, now or later."""
        scope = self.scopes.pop()
        free = [name for name in scope.read if name not in scope.bound or name in scope.outer]
        around = self.scopes[-1]
        if scope.kind == "function":
            around = next(s for s in reversed(self.scopes) if s.kind != "class")
            if around.kind == "cell":
                self.later.update(dict.fromkeys(free))
                return
        for name in free:
            if around is self.scopes[-1]:
                self._read(name)
            else:
                around.read[name] = None

    def _function(
        self,
        arguments: ast.arguments,
        body: list[ast.stmt] | list[ast.expr],
        names: Iterable[str] = (),
    ) -> None:
        scope = _Scope("function", bound=set(names))
        self.scopes.append(scope)
        for argument in every_argument(arguments):
            scope.bound.add(argument.arg)
        for statement in body:
            self.visit(statement)
        self._leave()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read its defaults now, and its body later."""
        self._define(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Read like any function."""
        self._define(node)

    def _define(self, node: _Function) -> None:
        for decorator in node.decorator_list:
            self.visit(decorator)
        self._defaults(node.args)
        self._bind(node.name)
        self._function(node.args, node.body, _type_parameters(node))

    def _defaults(self, arguments: ast.arguments) -> None:
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read its defaults now, and its body later."""
        self._defaults(node.args)
        self._function(node.args, [node.body])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read its body now: a class runs when it is defined."""
        for expression in [
            *node.decorator_list,
            *node.bases,
            *(word.value for word in node.keywords),
        ]:
            self.visit(expression)
        self.scopes.append(_Scope("class", bound=set(_type_parameters(node))))
        for statement in node.body:
            self.visit(statement)
        self._leave()
        self._bind(node.name)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """Keep its loop variables inside."""
        self._comprehension(node, [node.elt])

    def visit_SetComp(self, node: ast.SetComp) -> None:
        """Keep its loop variables inside."""
        self._comprehension(node, [node.elt])

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """Keep its loop variables inside."""
        self._comprehension(node, [node.elt])

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """Keep its loop variables inside."""
        self._comprehension(node, [node.key, node.value])

    def _comprehension(self, node: _Comprehension, results: list[ast.expr]) -> None:
        self.visit(node.generators[0].iter)
        self.scopes.append(_Scope("comprehension"))
        for place, generator in enumerate(node.generators):
            if place:
                self.visit(generator.iter)
            self._target(generator.target, keep=False)
            for condition in generator.ifs:
                self.visit(condition)
        for result in results:
            self.visit(result)
        self._leave()

    # Statements and expressions that read or bind

    def visit_Name(self, node: ast.Name) -> None:
        """Count a plain name by its use."""
        if isinstance(node.ctx, ast.Load):
            self._read(node.id)
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id)
        else:
            self._unbind(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        """Read the value before the targets are bound. A lambda is a function, not a value to keep."""
        self.visit(node.value)
        for target in node.targets:
            self._target(target, keep=not isinstance(node.value, ast.Lambda))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Read the target as well: ``n += 1`` needs an ``n``."""
        if isinstance(node.target, ast.Name):
            self._read(node.target.id)
        self.visit(node.value)
        self._target(node.target, keep=True)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Bind only when there is a value; a bare annotation says what an input is."""
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target, keep=True)
        elif isinstance(node.target, ast.Name) and self.scopes[-1] is self.top:
            self.annotated[node.target.id] = node.annotation

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Bind outside a comprehension, where Python binds it."""
        self.visit(node.value)
        inner = []
        while self.scopes[-1].kind == "comprehension":
            self.scopes[-1].bound.add(node.target.id)
            inner.append(self.scopes.pop())
        self._bind(node.target.id, keep=True)
        self.scopes.extend(reversed(inner))

    def visit_For(self, node: ast.For) -> None:
        """Bind the loop variable, which is no value to keep."""
        self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """Bind like any loop."""
        self._loop(node)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._target(node.target, keep=False)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    def visit_withitem(self, node: ast.withitem) -> None:
        """Bind ``with ... as name``, which is no value to keep."""
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._target(node.optional_vars, keep=False)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Bind ``except ... as name`` for the handler only."""
        if node.type is not None:
            self.visit(node.type)
        if node.name:
            self._bind(node.name)
        for statement in node.body:
            self.visit(statement)
        if node.name:
            self._unbind(node.name)

    def visit_Import(self, node: ast.Import) -> None:
        """Bind the imported modules' names."""
        for alias in node.names:
            self._bind(alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind the imported names."""
        for alias in node.names:
            self._bind(alias.asname or alias.name)

    def visit_Global(self, node: ast.Global) -> None:
        """Send later bindings of these names to the top level."""
        self.scopes[-1].outer.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Leave these names to the enclosing function, which binds them."""

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """Bind a pattern's name."""
        if node.pattern is not None:
            self.visit(node.pattern)
        if node.name:
            self._bind(node.name)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """Bind a pattern's rest."""
        if node.name:
            self._bind(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Bind a mapping pattern's rest."""
        self.generic_visit(node)
        if node.rest:
            self._bind(node.rest)


def _type_parameters(node: _Function | ast.ClassDef) -> list[str]:
    """Return the names in the brackets of ``def f[T](...)``, which Python 3.12 brought."""
    return [parameter.name for parameter in getattr(node, "type_params", [])]


def every_argument(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function, ``*args`` and ``**kwargs`` included."""
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred]
