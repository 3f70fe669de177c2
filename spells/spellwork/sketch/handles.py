"""What a sketch hands out: its steps, their ends, and groups, to wire and to wrap."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, cast, overload

from typing_extensions import TypeVar

from spellwork.result import RunResult

if TYPE_CHECKING:
    from .sketch import Sketch

T = TypeVar("T", default=Any)


class Wirable:
    """What stands left of ``>>``."""

    @overload
    def __rshift__(self, target: Step[T]) -> Step[T]: ...

    @overload
    def __rshift__(self, target: End) -> Step[Any]: ...

    @overload
    def __rshift__(
        self, target: Parallel | list[Step[Any]] | tuple[Step[Any], ...]
    ) -> Parallel: ...

    def __rshift__(self, target: Any) -> Any:
        """Wire this to ``target``, and return the step that it leads to (a Parallel of several)."""
        if not isinstance(target, (Step, End, Parallel, list, tuple)):
            return NotImplemented
        return self._sketch().join(self, target)

    def _sketch(self) -> Sketch:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class Step(Wirable, Generic[T]):
    """A node of a sketch. ``T`` is the type of its main output, for type checkers alone.

    ``step["port"]`` is an end of it, for a wire; ``step >> other`` wires what
    fits by name, then by type.
    """

    sketch: Sketch = field(repr=False)
    id: str
    renames: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __getitem__(self, port: str) -> End:
        """Return one port of this step; an output or an input, as the other end of the wire is."""
        if not isinstance(port, str):
            raise TypeError(f"a port is named by a text, not {type(port).__name__}")
        return End(self.sketch, self.id, port)

    def rename(self, names: Mapping[str, str] | None = None, /, **more: str) -> Step[T]:
        """Return this step, its outputs wired to inputs of other names: ``{output: input}``.

        ``a.rename(text="prompt") >> b`` wires ``a.text -> b.prompt`` and nothing else.
        """
        return Step(self.sketch, self.id, {**self.renames, **(names or {}), **more})

    def pipe(self, *stages: Any) -> Step[Any]:
        """Wire this to a first stage, that to the next, and so on; return the last step. See ``Workflow.pipe``."""
        return self.sketch.pipe(self, *stages)

    def of(self, result: RunResult) -> T:
        """Return what this step's main output was in a run. Raises KeyError when it brought nothing."""
        outputs = result.outputs[self.id]
        main = next((name for name in ("value", "result") if name in outputs), None)
        return cast("T", outputs[next(iter(outputs)) if main is None else main])

    @property
    def then(self) -> End:
        """The output ``then`` of an if."""
        return self["then"]

    @property
    def otherwise(self) -> End:
        """The output ``else`` of an if."""
        return self["else"]

    def _sketch(self) -> Sketch:
        return self.sketch


@dataclass(frozen=True, eq=False)
class End(Wirable):
    """One port of a step, where a wire begins or ends."""

    sketch: Sketch = field(repr=False)
    node: str
    port: str

    def _sketch(self) -> Sketch:
        return self.sketch


@dataclass(frozen=True, eq=False)
class Parallel(Wirable):
    """Steps beside each other: all are wired from what comes before, and to what comes after."""

    sketch: Sketch = field(repr=False)
    steps: tuple[Step[Any], ...]

    def __iter__(self) -> Iterator[Step[Any]]:
        return iter(self.steps)

    def __getitem__(self, index: int) -> Step[Any]:
        return self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def pipe(self, *stages: Any) -> Step[Any]:
        """Wire all of these to a first stage, that to the next, and so on; return the last step."""
        return self.sketch.pipe(self, *stages)

    def _sketch(self) -> Sketch:
        return self.sketch


@dataclass(frozen=True, eq=False)
class GroupHandle:
    """A group: nodes and notes made within ``with`` it are in it. It can be the body of a map, reduce or while."""

    sketch: Sketch = field(repr=False)
    id: str

    def __enter__(self) -> Self:
        self.sketch.enter(self.id)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.sketch.leave()


@dataclass(frozen=True)
class Subspell:
    """Another spell, as the body of a node: the id of a canvas, or a file."""

    spell: str
