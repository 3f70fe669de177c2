"""``Workflow``: draw a spell, run it, write it, read it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from spellwork.children import Spells
from spellwork.errors import WorkflowInvalid
from spellwork.events import Event
from spellwork.formats import read_python, to_python
from spellwork.library import Library
from spellwork.reading import SpellSource, read_spell
from spellwork.result import RunResult
from spellwork.sketch import Sketch
from spellwork.spell_files import spells_beside
from spellwork.standalone import run_async
from spellwork.values import to_json

Handler = Callable[[Event], object]

HERE = "spell"
"""A file of the folder that this runs in."""

EVERY = "*"
"""The kind that stands for events of every kind."""


class Workflow(Sketch):
    """A spell as a program draws it.

    ::

        wf = Workflow("Report")
        numbers = wf.value([3, 1, 2])
        total = wf.node("core.aggregate", {"operation": "sum"}, gives=float)
        numbers >> total
        print(total.of(wf.run_sync()))

    The same calls give the same spell, whatever machine they are made on. Spells
    that nodes run inside are found by ``spells``: files, relative to the folder
    that this runs in, if not given.
    """

    def __init__(
        self,
        name: str | None = None,
        *,
        library: Library | None = None,
        spells: Spells | None = None,
    ) -> None:
        super().__init__(name, library=library, spells=spells or spells_beside(HERE))
        self._handlers: list[tuple[str, Handler]] = []

    @classmethod
    def from_spell(cls, spell: SpellSource, *, library: Library | None = None) -> Self:
        """Return a workflow that draws ``spell`` (a Spell, its JSON, or a file in any form), to go on from there.

        Raises:
            SpellUnreadable: when it is none.
        """
        workflow = cls(library=library, spells=spells_beside(spell))
        workflow.take(read_spell(spell, library))
        return workflow

    @classmethod
    def from_source(cls, source: str | bytes, *, library: Library | None = None) -> Self:
        """Return the workflow that Python source builds, which is read and not run.

        Raises:
            FormatInvalid: with line and column, for whatever is no literal and
                no call of the builder.
        """
        return cls.from_spell(read_python(source, library), library=library)

    def to_source(self) -> str:
        """Return Python source that builds the same spell; ``from_source`` reads it back exactly."""
        return to_python(self.to_spell()).decode("utf-8")

    def on(self, kind: str, handler: Handler) -> Callable[[], None]:
        """Have ``handler`` called with each event of a kind (see ``events``) while this runs; ``*`` is every kind.

        Returns what ends that. What a handler raises, ``run`` raises when the
        run has ended.
        """
        if not callable(handler):
            raise WorkflowInvalid(f"a handler is called with an event; {handler!r:.100} cannot be")
        entry = (kind, handler)
        self._handlers.append(entry)

        def off() -> None:
            if entry in self._handlers:
                self._handlers.remove(entry)

        return off

    async def run(
        self, inputs: Mapping[str, Any] | None = None, *, scope: Sequence[str] | None = None
    ) -> RunResult:
        """Run what is drawn and return what it left; ``inputs`` and ``scope`` as for ``spellwork.run``.

        Raises:
            SpellInvalid: when it cannot be compiled.
            InvalidInput: for an input that it does not have.
        """
        raised: list[Exception] = []

        def tell(event: Event) -> None:
            for kind, handler in tuple(self._handlers):
                if kind in (EVERY, event.kind):
                    try:
                        handler(event)
                    except Exception as error:  # noqa: BLE001 - an edge: it must not end the run halfway
                        raised.append(error)

        result = await run_async(
            self.to_spell(),
            inputs,
            scope=scope,
            library=self.library,
            spells=self._spells,
            sink=tell if self._handlers else None,
        )
        if raised:
            raise raised[0]
        return result

    def run_sync(
        self, inputs: Mapping[str, Any] | None = None, *, scope: Sequence[str] | None = None
    ) -> RunResult:
        """Run what is drawn to its end; as ``run``, for scripts without an event loop."""
        return asyncio.run(self.run(inputs, scope=scope))

    def main(self) -> None:
        """Run what is drawn, and print its outputs as JSON. Exits with 1 when a node failed, saying why."""
        result = self.run_sync()
        outputs = json.dumps(to_json(result.outputs), indent=2, ensure_ascii=False)
        sys.stdout.write(outputs + "\n")
        if result.errors:
            sys.exit("\n".join(f"{node}: {each.message}" for node, each in result.errors.items()))
