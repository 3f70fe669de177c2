"""The library of node types, and what it says about nodes and spells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from pydantic import Field

from spellwork import Library, Node, NodeType, NodeUpgrade, Port, Ports, Spell, validate
from spellwork.analysis import Analysis
from spellwork.autoconnect import suggest_edges
from spellwork.bodies import Spells
from spellwork.choosing import choices_of
from spellwork.library import Libraries
from spellwork.spell import Id, PortName
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import BadRequest, NotFound
from spellwork_server.identity import CanvasAccess, require

from .canvases import Rooms
from .service import Call, Request, Service, View, operation


class Elsewhere(Protocol):
    """Asks the places that have the node types which are not here."""

    async def choices(self, canvas: str, declared: NodeType, node: Node, port: Port) -> list[Any]:
        """Return the values that an input may have; none where any may do, or nobody answers."""


class PackView(View):
    """A pack of node types that is installed."""

    name: str
    title: str
    version: str


class LibraryView(View):
    """Every node type, by id; ``problems`` says which packs did not load, and why."""

    items: list[dict[str, Any]]
    older: list[dict[str, Any]] = Field(description="Versions before the newest, by id.")
    packs: list[PackView]
    problems: dict[str, str]


CanvasOfLibrary = Field(
    default=None,
    min_length=1,
    max_length=64,
    description="With the packs of this canvas's worker, too; without it, those of the server.",
)


class LibraryOf(Request):
    """Whose library."""

    canvas: str | None = CanvasOfLibrary


class NodeToDescribe(Request):
    """A node, whose ports may depend on its code and inputs."""

    node: Node
    canvas: str | None = CanvasOfLibrary


class PortsView(View):
    """The ports of one node."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    extra_inputs: bool


class InputToChoose(Request):
    """A node, and one of its inputs."""

    node: Node
    port: PortName
    canvas: str | None = CanvasOfLibrary


class ChoicesView(View):
    """The values that an input (of a list: its items) may have; none where any value may do."""

    choices: list[Any]


class NodeToConnect(Request):
    """A node of a canvas that wires are wanted for: from ``source``, else from the nodes before it."""

    canvas: str = Field(min_length=1, max_length=64)
    node: Id
    source: Id | None = None


class WiresView(View):
    """Wires worth drawing, as a spell has them; nothing is drawn."""

    wires: list[dict[str, Any]]


class NodesToUpgrade(Request):
    """Nodes of a canvas to bring to the newest versions of their types; all old ones unless named."""

    canvas: str = Field(min_length=1, max_length=64)
    nodes: list[Id] | None = Field(default=None, max_length=10_000)


class UpgradesView(View):
    """What became of each old node: {node, type, version, newest, wires?}; of those that stay as they are, with reason."""

    upgraded: list[dict[str, Any]]
    failed: list[dict[str, Any]]


class SpellToCheck(Request):
    """A spell to look over."""

    spell: Spell
    canvas: str | None = CanvasOfLibrary


class ProblemsView(View):
    """What is wrong with a spell; nothing, when it is empty."""

    problems: list[dict[str, Any]]


class NodeService(Service):
    """Node types. Code is parsed to find its ports, and never run here."""

    name = "nodes"

    def __init__(
        self,
        libraries: Libraries,
        access: Callable[[str], Awaitable[CanvasAccess]],
        rooms: Rooms,
        children: ChildSpells,
        elsewhere: Elsewhere,
    ) -> None:
        self._libraries = libraries
        self._views: LibraryView | None = None
        self._children = children
        self._elsewhere = elsewhere
        self._access = access
        self._rooms = rooms

    @operation(summary="List the node types", rest=("GET", "/v1/nodes"))
    async def find(self, call: Call, request: LibraryOf) -> LibraryView:
        """Answer the library: each type with its ports as JSON Schema."""
        library = await self._library_for(call, request.canvas)
        if library is not self._libraries.of(None):
            return _view(library)
        if self._views is None:
            self._views = _view(library)
        return self._views

    @operation(
        summary="Find the ports of a node",
        rest=("POST", "/v1/nodes/ports"),
        errors=("unknown_node_type",),
    )
    async def ports(self, call: Call, request: NodeToDescribe) -> PortsView:
        """Answer a node's own ports, which may depend on its code and inputs."""
        library = await self._library_for(call, request.canvas)
        actor = require(call.actor, "nodes.read")
        alone = Spell.model_construct(nodes={"node": request.node})
        found = await self._children.for_actor(alone, actor.user_id, actor)
        return PortsView(**_ports(library, request.node, found.spells.get).describe())

    @operation(
        summary="Find what an input may be",
        rest=("POST", "/v1/nodes/choices"),
        errors=("unknown_node_type",),
    )
    async def choices(self, call: Call, request: InputToChoose) -> ChoicesView:
        """Answer the values that an input may have, which may depend on the node's other inputs.

        Inputs that come by wires may be given as if they were typed in.
        """
        library = await self._library_for(call, request.canvas)
        port = _ports(library, request.node).input(request.port)
        if port is None:
            raise BadRequest.field("port", f"the node has no input {request.port!r}")
        declared = library.get(request.node.type, request.node.version)
        assert declared is not None
        if declared.target is not None and request.canvas is not None and port.choices:
            found = await self._elsewhere.choices(request.canvas, declared, request.node, port)
            return ChoicesView(choices=found)
        return ChoicesView(choices=choices_of(declared, request.node, port))

    @operation(summary="Find wires that a node lacks", rest=("POST", "/v1/nodes/suggest"))
    async def suggest(self, call: Call, request: NodeToConnect) -> WiresView:
        """Answer wires worth drawing into a node: by name, then by type, then looking back."""
        actor = require(call.actor, "canvas.read", await self._access(request.canvas))
        async with self._rooms.visit(request.canvas) as room:
            spell = room.spell()
        _require_nodes(spell, node=request.node, source=request.source)
        found = await self._children.for_actor(spell, actor.user_id, actor)
        parts = Analysis(
            spell, self._libraries.of(request.canvas), found.spells.get, root=request.canvas
        ).parts

        def ports_of(id: str) -> Ports | None:
            return parts[id].ports if id in parts else None

        wires = suggest_edges(spell, ports_of, request.node, request.source)
        return WiresView(wires=[each.model_dump(exclude_defaults=True) for each in wires])

    @operation(summary="Upgrade old nodes of a canvas", rest=("POST", "/v1/nodes/upgrade"))
    async def upgrade(self, call: Call, request: NodesToUpgrade) -> UpgradesView:
        """Bring old nodes to the newest versions of their types, as an edit that everybody there sees.

        A node that its type cannot migrate stays as it is, and the answer says why.
        """
        actor = require(call.actor, "canvas.edit", await self._access(request.canvas))
        report: tuple[NodeUpgrade, ...] = ()

        def upgraded(spell: Spell) -> Spell:
            nonlocal report
            fresh, report = self._libraries.of(request.canvas).upgrade(spell, request.nodes)
            return fresh

        async with self._rooms.visit(request.canvas) as room:
            for id in request.nodes or ():
                _require_nodes(room.spell(), nodes=id)
            await room.change_spell(actor, upgraded)
        return UpgradesView(
            upgraded=[each.to_json() for each in report if each.reason is None],
            failed=[each.to_json() for each in report if each.reason is not None],
        )

    @operation(summary="Look a spell over", rest=("POST", "/v1/nodes/validate"))
    async def validate(self, call: Call, request: SpellToCheck) -> ProblemsView:
        """Answer what is wrong with a spell, node by node, without running it."""
        library = await self._library_for(call, request.canvas)
        actor = require(call.actor, "nodes.read")
        found = await self._children.for_actor(request.spell, actor.user_id, actor)
        problems = validate(request.spell, library, found.spells.get)
        return ProblemsView(problems=[each.to_json() for each in problems])

    async def _library_for(self, call: Call, canvas: str | None) -> Library:
        """Return the library that was asked for, to whom it may be shown."""
        if canvas is None:
            require(call.actor, "nodes.read")
        else:
            require(call.actor, "canvas.read", await self._access(canvas))
        return self._libraries.of(canvas)


def _view(library: Library) -> LibraryView:
    return LibraryView(
        items=[each.describe() for each in library.types() if each.expose_in_library],
        older=[each.describe() for each in library.older() if each.expose_in_library],
        packs=[
            PackView(name=each.name, title=each.title, version=str(each.version))
            for each in library.packs
        ],
        problems=library.problems,
    )


def _ports(library: Library, node: Node, spells: Spells | None = None) -> Ports:
    ports = library.ports(node, spells)
    if ports is None:
        raise NotFound(
            f"There is no node type {node.type!r}",
            code="unknown_node_type",
            details={"type": node.type, "known": library.like(node.type)},
        )
    return ports


def _require_nodes(spell: Spell, **ids: str | None) -> None:
    for field, id in ids.items():
        if id is not None and id not in spell.nodes:
            raise BadRequest.field(field, f"the canvas has no node {id!r}")
