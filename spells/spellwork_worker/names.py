"""Finds which names a cell reads from outside and which it binds, by reading its syntax tree.

The cell's top level is read in the order in which Python runs it, so that
``rows = clean(rows)`` both takes ``rows`` in and gives ``rows`` out. The bodies of
functions run later: a name they read counts as bound if the top level binds it
anywhere. A name that is bound on one way through the code counts as bound behind
it. Type hints are not evaluated when the cell runs, and so read nothing; neither
does what is under ``if TYPE_CHECKING``. Nothing is executed.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from .spots import Spot, spot_after, spot_of

_NEWER = {"PythonFinalizationError", "ExceptionGroup", "BaseExceptionGroup", "EncodingWarning"}
"""Builtins that the interpreter of a cell may have and the one that reads it may lack."""

KNOWN = (
    frozenset(dir(builtins))
    | _NEWER
    | {
        "__name__",
        "__file__",
        "__doc__",
        "__builtins__",
        "__spec__",
        "__package__",
        "__loader__",
        "__annotations__",
    }
)
"""Names that exist without anybody binding them."""

_IN_CLASS = frozenset({"__module__", "__qualname__"})
_IN_METHOD = frozenset({"__class__"})

ScopeKind = Literal["cell", "function", "class", "comprehension"]
_Function = ast.FunctionDef | ast.AsyncFunctionDef
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass(slots=True)
class Names:
    """The names of a cell, each with the place of its first mention, in the order of these.

    ``read``: taken from outside. ``bound``: what the top level keeps: values,
    functions and classes (not imports, loop variables and the like).
    ``annotated``: the annotations of ``name: type`` lines. ``mentions``: every
    place in which a name of the top level stands, taken from outside or not.
    """

    read: dict[str, Spot]
    bound: dict[str, Spot]
    annotated: dict[str, ast.expr]
    mentions: dict[str, list[Spot]]


def names_of(tree: ast.Module) -> Names:
    """Return the names that the cell reads and binds."""
    reader = _Reader()
    for statement in tree.body:
        reader.visit(statement)
    top = reader.top
    read = {name: spots[0] for name, spots in top.read.items()}
    for name, spots in reader.later.items():
        bound = reader.own if name in reader.early else top.ever
        if name not in bound and name not in KNOWN:
            read.setdefault(name, spots[0])
        top.mentions.setdefault(name, []).extend(spots)
    kept = {
        name: spot
        for name, spot in top.kept.items()
        if not name.startswith("_") and name not in reader.imported
    }
    return Names(read, kept, reader.annotated, top.mentions)


@dataclass(slots=True)
class _Scope:
    """What one scope has read and bound so far."""

    kind: ScopeKind
    read: dict[str, list[Spot]] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    kept: dict[str, Spot] = field(default_factory=dict)
    mentions: dict[str, list[Spot]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    """Names declared ``global``."""
    passed: set[str] = field(default_factory=set)
    """Names that a comprehension has bound around itself so far, by ``:=``."""


class _Reader(ast.NodeVisitor):
    """Walks a cell in the order of evaluation and keeps the scopes' books."""

    def __init__(self) -> None:
        self.top = _Scope("cell")
        self.scopes = [self.top]
        self.later: dict[str, list[Spot]] = {}
        self.early: set[str] = set()
        """Names that a function reads before it binds them itself, at the top level."""
        self.own: set[str] = set()
        """Names that the top level binds, and not only functions by ``global``."""
        self.annotated: dict[str, ast.expr] = {}
        self.imported: set[str] = set()
        self.text: Spot | None = None
        """Where the f-string begins that is being read."""
        self.before: frozenset[str] = frozenset()
        """What was bound before the branch or loop that is being read."""
        self.branches = 0

    # Reading and binding

    def _read(self, name: str, spot: Spot) -> None:
        scope = self.scopes[-1]
        if scope.kind == "cell":
            scope.mentions.setdefault(name, []).append(spot)
            if name in scope.bound or name in KNOWN:
                return
        elif scope.kind == "class" and name in scope.bound and name not in scope.outer:
            return  # a class's body runs in order: what it binds later is read around it
        elif name in scope.passed or (name in scope.outer and name in scope.bound):
            return
        scope.read.setdefault(name, []).append(spot)

    def _bind(self, name: str, spot: Spot, *, keep: bool = False) -> None:
        scope = self.scopes[-1]
        if name in scope.outer:
            scope.bound.add(name)
            scope = self.top
        elif scope is self.top:
            self.own.add(name)
        scope.bound.add(name)
        scope.ever.add(name)
        if scope.kind == "cell":
            scope.mentions.setdefault(name, []).append(spot)
        if keep:
            scope.kept.setdefault(name, spot)

    def _delete(self, name: str, spot: Spot) -> None:
        """Forget a name, unless a branch deletes what was bound before it."""
        self._read(name, spot)
        scope = self.scopes[-1]
        if scope.kind == "function" and name not in scope.outer:
            scope.bound.add(name)  # what a function deletes is a local name of its own
        if scope.kind in ("cell", "class") and not (self.branches and name in self.before):
            scope.bound.discard(name)
            scope.kept.pop(name, None)

    def _target(self, target: ast.expr, *, keep: bool) -> None:
        """Bind every name in an assignment's target; read what its other parts need."""
        if isinstance(target, ast.Name):
            self._bind(target.id, self._spot(target), keep=keep)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for item in target.elts:
                self._target(item, keep=keep)
        elif isinstance(target, ast.Starred):
            self._target(target.value, keep=keep)
        else:
            self.visit(target)

    def _spot(self, node: ast.expr) -> Spot:
        return spot_of(node) if self.text is None else Spot(*spot_of(node)[:2], self.text[:2])

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Note where an f-string begins: before Python 3.12 what is in it has no sure place."""
        around, self.text = self.text, self.text or spot_of(node)
        self.generic_visit(node)
        self.text = around

    # Scopes

    def _leave(self) -> None:
        """Close a scope: what it read and did not bind is read around it, now or later."""
        scope = self.scopes.pop()
        local = scope.bound - scope.outer if scope.kind != "class" else frozenset()
        free = {name: spots for name, spots in scope.read.items() if name not in local}
        around = self.scopes[-1]
        if scope.kind == "function":
            self.early |= scope.outer & scope.bound & free.keys()
        if scope.kind in ("function", "comprehension"):
            around = next(s for s in reversed(self.scopes) if s.kind != "class")
        if scope.kind == "function" and around.kind == "cell":
            for name, spots in free.items():
                self.later.setdefault(name, []).extend(spots)
            return
        for name, spots in free.items():
            if name in scope.outer and around.kind != "cell":
                self.later.setdefault(name, []).extend(spots)
            elif name in around.passed:
                continue
            elif around.kind == "cell":
                for spot in spots:
                    self._read_at(around, name, spot)
            else:
                around.read.setdefault(name, []).extend(spots)

    def _read_at(self, top: _Scope, name: str, spot: Spot) -> None:
        """Read a name at the top level for a class or comprehension in it."""
        top.mentions.setdefault(name, []).append(spot)
        if name not in top.bound and name not in KNOWN:
            top.read.setdefault(name, []).append(spot)

    def _function(
        self,
        arguments: ast.arguments,
        body: list[ast.stmt] | list[ast.expr],
        names: Iterable[str] = (),
    ) -> None:
        scope = _Scope("function", bound=set(names))
        if self.scopes[-1].kind == "class":
            scope.bound |= _IN_METHOD
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
        self._bind(node.name, spot_of(node), keep=True)
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
        for decorator in node.decorator_list:
            self.visit(decorator)
        parameters = _type_parameters(node)
        if parameters:  # its bases are read where its type parameters are known
            self.scopes.append(_Scope("comprehension", bound=set(parameters)))
        for expression in [*node.bases, *(word.value for word in node.keywords)]:
            self.visit(expression)
        self.scopes.append(_Scope("class", bound=set(_IN_CLASS)))
        before, branches = self.before, self.branches
        self.branches = 0
        for statement in node.body:
            self.visit(statement)
        self.before, self.branches = before, branches
        self._leave()
        if parameters:
            self._leave()
        self._bind(node.name, spot_of(node), keep=True)

    def visit_TypeAlias(self, node: ast.AST) -> None:
        """Bind the name of ``type Name = ...``, whose value is evaluated only when asked for."""
        name: ast.Name = node.name  # type: ignore[attr-defined]  # Python 3.12
        self._bind(name.id, spot_of(name))

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
            self._read(node.id, self._spot(node))
        elif isinstance(node.ctx, ast.Store):
            self._bind(node.id, self._spot(node))
        else:
            self._delete(node.id, self._spot(node))

    def visit_Assign(self, node: ast.Assign) -> None:
        """Read the value before the targets are bound."""
        self.visit(node.value)
        for target in node.targets:
            self._target(target, keep=True)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Read the target as well: ``n += 1`` needs an ``n``."""
        if isinstance(node.target, ast.Name):
            self._read(node.target.id, spot_of(node.target))
        self.visit(node.value)
        self._target(node.target, keep=True)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Bind only when there is a value; a bare annotation says what an input is."""
        if isinstance(node.target, ast.Name) and self.scopes[-1] is self.top:
            self.annotated[node.target.id] = node.annotation
        if node.value is not None:
            self.visit(node.value)
            self._target(node.target, keep=True)
        elif not isinstance(node.target, ast.Name):
            self.visit(node.target)
        elif self.scopes[-1].kind == "function":
            self.scopes[-1].bound.add(node.target.id)  # it is a local name from now on

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Bind outside a comprehension, where Python binds it."""
        self.visit(node.value)
        inner = []
        while self.scopes[-1].kind == "comprehension":
            self.scopes[-1].passed.add(node.target.id)
            inner.append(self.scopes.pop())
        for scope in inner:  # what they read of that name was read before it was bound
            for spot in scope.read.pop(node.target.id, ()):
                self._read(node.target.id, spot)
        self._bind(node.target.id, self._spot(node.target), keep=True)
        self.scopes.extend(reversed(inner))

    # Branches and loops

    def _branch(self, statements: Iterable[ast.AST]) -> None:
        """Read what may run or not."""
        before = self.before
        self.before = frozenset(self.scopes[-1].bound)
        self.branches += 1
        for statement in statements:
            self.visit(statement)
        self.branches -= 1
        self.before = before

    def visit_If(self, node: ast.If) -> None:
        """Read both ways; what only a type checker sees is not run."""
        self.visit(node.test)
        if _is_type_checking(node.test):
            for statement in node.body:
                self._note_hints(statement)
        else:
            self._branch(node.body)
        self._branch(node.orelse)

    def _note_hints(self, statement: ast.stmt) -> None:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            self.annotated[statement.target.id] = statement.annotation

    def visit_While(self, node: ast.While) -> None:
        """Read its body once."""
        self.visit(node.test)
        self._branch([*node.body, *node.orelse])

    def visit_For(self, node: ast.For) -> None:
        """Bind the loop variable, which is no value to keep."""
        self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """Bind like any loop."""
        self._loop(node)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self._target(node.target, keep=False)
        self._branch([*node.body, *node.orelse])

    def visit_Match(self, node: ast.Match) -> None:
        """Read each case as a branch."""
        self.visit(node.subject)
        for case in node.cases:
            self._branch([case])

    def visit_withitem(self, node: ast.withitem) -> None:
        """Bind ``with ... as name``, which is no value to keep."""
        self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._target(node.optional_vars, keep=False)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        """Bind ``except ... as name`` for the handler only."""
        if node.type is not None:
            self.visit(node.type)
        scope = self.scopes[-1]
        had = node.name is not None and node.name in scope.bound
        if node.name:
            self._bind(node.name, spot_after(node.type or node, node))
        self._branch(node.body)
        if node.name and not had and scope.kind in ("cell", "class"):
            scope.bound.discard(node.name)

    def visit_Import(self, node: ast.Import) -> None:
        """Bind the imported modules' names."""
        for alias in node.names:
            self._import(alias, alias.asname or alias.name.partition(".")[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Bind the imported names."""
        for alias in node.names:
            self._import(alias, alias.asname or alias.name)

    def _import(self, alias: ast.alias, name: str) -> None:
        self._bind(name, spot_of(alias))
        if self.scopes[-1] is self.top:
            self.imported.add(name)

    def visit_Global(self, node: ast.Global) -> None:
        """Send later bindings of these names to the top level."""
        self.scopes[-1].outer.update(node.names)
        for name in node.names:
            self.top.mentions.setdefault(name, []).append(spot_of(node))

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        """Leave these names to the enclosing function, which binds them."""

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """Bind a pattern's name."""
        if node.pattern is not None:
            self.visit(node.pattern)
        if node.name:
            self._bind(node.name, spot_after(node.pattern, node) if node.pattern else spot_of(node))

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """Bind a pattern's rest."""
        if node.name:
            self._bind(node.name, spot_of(node))

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Bind a mapping pattern's rest."""
        self.generic_visit(node)
        if node.rest:
            last = node.patterns[-1] if node.patterns else None
            self._bind(node.rest, spot_after(last, node) if last else spot_of(node))


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _type_parameters(node: _Function | ast.ClassDef) -> list[str]:
    """Return the names in the brackets of ``def f[T](...)``, which Python 3.12 brought."""
    return [parameter.name for parameter in getattr(node, "type_params", [])]


def every_argument(arguments: ast.arguments) -> list[ast.arg]:
    """Return all parameters of a function, ``*args`` and ``**kwargs`` included."""
    starred = [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *starred]
