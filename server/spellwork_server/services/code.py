"""Help for whoever writes code on a canvas. Nothing is run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import msgspec
from pydantic import Field, StringConstraints

from spellwork import Spell
from spellwork.analysis import Analysis, Part
from spellwork.library import Libraries
from spellwork.spell import Id, PortName
from spellwork_server.cells.completion import Completer, Suggestions, typescript
from spellwork_server.cells.fields import Input
from spellwork_server.cells.formatting import Formatter
from spellwork_server.cells.renaming import Renaming, as_written
from spellwork_server.cells.unfinished import being_written
from spellwork_server.errors import BadRequest
from spellwork_server.identity import CanvasAccess, require
from spellwork_server.identity.actor import Actor
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.outputs import OutputStore

from .canvases import Rooms
from .service import Call, Request, Service, View, operation

MAX_CODE = 100_000
"""Characters of a cell."""

MOST_BYTES = 64 * 1024
"""JSON of a value whose fields are told; a larger one is not read for that."""

CanvasId = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Code = Annotated[str, StringConstraints(max_length=MAX_CODE)]


class CodeToFormat(Request):
    """Code in a language."""

    language: Literal["python", "typescript"]
    code: Code


class FormattedView(View):
    """The code as the language's formatter writes it."""

    code: str
    changed: bool


class CodeToComplete(Request):
    """The code of a node as it is being written, and where the cursor stands: both count from 1, columns characters."""

    canvas: CanvasId
    node: Id
    code: Code
    line: int = Field(ge=1, le=MAX_CODE)
    column: int = Field(ge=1, le=MAX_CODE)


class CompletionView(View):
    """Something that may be written; ``kind`` is ``variable``, ``function``, ``property``, ... ."""

    label: str
    kind: str
    detail: str


class CompletionsView(View):
    """What may be written in the place of the ``length`` characters before the cursor, the best first."""

    items: list[CompletionView]
    length: int
    superseded: bool = Field(description="A later question of yours took the place of this one.")


class NameToChange(Request):
    """An input or output of a node's code, and what it is to be called wherever it is read by name."""

    canvas: CanvasId
    node: Id
    name: PortName
    to: PortName
    preview: bool = Field(
        default=False,
        description="Edit nothing: the caller makes the edit, which its undo takes back.",
    )


class WireEnds(View):
    """The ports between which a wire lies."""

    output: str
    input: str


class RenamedView(View):
    """The nodes whose code was edited, or would be: their code, and the ends of wires, that are others then."""

    nodes: list[str]
    name: str = Field(description="The new name, as it is written in code.")
    code: dict[str, str]
    edges: dict[str, WireEnds]


class CodeService(Service):
    """Formats, completes and renames. Python is read by a worker where it takes packages to do so."""

    name = "code"

    def __init__(
        self,
        completer: Completer,
        libraries: Libraries,
        access: Callable[[str], Awaitable[CanvasAccess]],
        rooms: Rooms,
        outputs: OutputStore,
    ) -> None:
        self._completer = completer
        self._formatter = Formatter()
        self._libraries = libraries
        self._access = access
        self._rooms = rooms
        self._outputs = outputs
        self._asked: dict[tuple[str, str], int] = {}

    @operation(
        summary="Format code", rest=("POST", "/v1/code/format"), errors=("code_error",), cost=3
    )
    async def format(self, call: Call, request: CodeToFormat) -> FormattedView:
        """Answer the code as the language's formatter writes it; what does not parse is refused."""
        require(call.actor, "nodes.read")
        code = await self._formatter.format(request.language, request.code)
        return FormattedView(code=code, changed=code != request.code)

    @operation(summary="Complete code", rest=("POST", "/v1/code/complete"), cost=2)
    async def complete(self, call: Call, request: CodeToComplete) -> CompletionsView:
        """Answer what may be written next; of questions that wait for a worker, the latest of each user and node counts."""
        actor = require(call.actor, "canvas.read", await self._access(request.canvas))
        async with self._rooms.visit(request.canvas) as room:
            spell = room.spell()
        part, inputs = await self._inputs(actor, spell, request)
        assert part.type.language is not None
        column = request.column - 1
        if part.type.language == "typescript":
            return _told(typescript(request.code, request.line, column, inputs))
        key = (actor.user_id, request.node)
        number = self._asked[key] = self._asked.get(key, 0) + 1
        async with self._completer.turns:
            if self._asked.get(key) != number:
                return CompletionsView(items=[], length=0, superseded=True)
            found = await self._completer.python(
                request.canvas, request.code, request.line, column, inputs
            )
            if self._asked.get(key) == number:
                del self._asked[key]
        return _told(found)

    @operation(
        summary="Rename an input or output of code",
        rest=("POST", "/v1/code/rename"),
        errors=("name_in_use",),
    )
    async def rename(self, call: Call, request: NameToChange) -> RenamedView:
        """Rename in the cell, in all cells that read it by name, and on the wires, as one edit that every tab sees."""
        actor = require(call.actor, "canvas.edit", await self._access(request.canvas))
        told: list[RenamedView] = []

        def renamed(spell: Spell) -> Spell:
            if request.node not in spell.nodes:
                raise BadRequest.field("node", f"the canvas has no node {request.node!r}")
            library = self._libraries.of(request.canvas)
            renaming = Renaming(spell, library, request.node, request.name)
            after = renaming.renamed(request.to)
            told[:] = [_renamed(spell, after, renaming.nodes, request.to)]
            return after

        async with self._rooms.visit(request.canvas) as room:
            if request.preview:
                await asyncio.to_thread(renamed, room.spell())
            else:
                await room.change_spell(actor, renamed)
        return told[0]

    # What is known of a cell's inputs

    async def _inputs(
        self, actor: Actor, spell: Spell, request: CodeToComplete
    ) -> tuple[Part, dict[str, Input]]:
        """Return the node, and its inputs with what may come, and last came, to them."""
        node = spell.nodes.get(request.node)
        if node is None:
            raise BadRequest.field("node", f"the canvas has no node {request.node!r}")
        library = self._libraries.of(request.canvas)
        declared = library.get(node.type, node.version)
        if declared is None or declared.language is None:
            raise BadRequest.field("node", f"the node {request.node!r} has no code")
        written = being_written(declared, node, request.code, request.line, request.column - 1)
        spell = spell.model_copy(update={"nodes": {**spell.nodes, request.node: written}})
        analysis = await asyncio.to_thread(Analysis, spell, library)
        parts = analysis.parts
        if request.node not in parts:  # a spell too large to be looked at
            raise BadRequest.field("canvas", "the canvas is too large")
        part = parts[request.node]
        inputs: dict[str, Input] = {}
        wanted: dict[str, tuple[str, str]] = {}
        for name, port in part.inputs.items():
            links = part.links.get(name)
            if links and not links[0].transform:
                wanted[name] = links[0].source, links[0].output
                source = parts.get(links[0].source)
                output = None if source is None else source.outputs.get(links[0].output)
                inputs[name] = Input(port.schema or (output.schema if output else {}))
            else:
                inputs[name] = Input(port.schema, node.inputs.get(name))
        values = await self._last_values(actor, request.canvas, wanted)
        for name, value in values.items():
            inputs[name].value = value
        return part, inputs

    async def _last_values(
        self, actor: Actor, canvas: str, wanted: dict[str, tuple[str, str]]
    ) -> dict[str, Any]:
        """Return what these outputs last were in runs that the actor may read, small ones only."""
        if not wanted:
            return {}
        nodes = sorted({node for node, _ in wanted.values()})
        found: dict[tuple[str, str], OutputRef] = {}
        for stream in (f"canvas:{canvas}", f"canvas:{canvas}:user:{actor.user_id}"):
            for ref in await self._outputs.last_of(stream, nodes):
                if ref.size <= MOST_BYTES:
                    found[ref.node, ref.port] = ref
        refs = {name: found[place] for name, place in wanted.items() if place in found}
        bodies = await self._outputs.values(refs.values())
        return {
            name: msgspec.json.decode(bodies[ref.hash])
            for name, ref in refs.items()
            if ref.hash in bodies
        }


def _renamed(before: Spell, after: Spell, nodes: list[str], to: str) -> RenamedView:
    edges = {
        id: WireEnds(output=edge.output, input=edge.input)
        for id, edge in after.edges.items()
        if edge is not before.edges[id]
    }
    code = {id: after.nodes[id].code or "" for id in nodes}
    return RenamedView(nodes=nodes, name=as_written(to), code=code, edges=edges)


def _told(found: Suggestions) -> CompletionsView:
    items = [
        CompletionView(label=each.label, kind=each.kind, detail=each.detail) for each in found.items
    ]
    return CompletionsView(items=items, length=found.length, superseded=False)
