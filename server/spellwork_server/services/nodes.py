"""The library of node types, and what it says about nodes and spells."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from pydantic import Field

from spellwork import Library, Node, NodeUpgrade, Ports, Spell, validate
from spellwork.analysis import Analysis
from spellwork.autoconnect import suggest_edges
from spellwork.bodies import Spells
from spellwork.choosing import choices_of
from spellwork.spell import Id, PortName
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import BadRequest, NotFound
from spellwork_server.identity import CanvasAccess, require

from .canvases import Rooms
from .service import Call, Nothing, Request, Service, View, operation


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


class NodeToDescribe(Request):
    """A node, whose ports may depend on its code and inputs."""

    node: Node


class PortsView(View):
    """The ports of one node."""

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]]
    extra_inputs: bool


class InputToChoose(Request):
    """A node, and one of its inputs."""

    node: Node
    port: PortName


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


class ProblemsView(View):
    """What is wrong with a spell; nothing, when it is empty."""

    problems: list[dict[str, Any]]


class NodeService(Service):
    """Node types. Code is parsed to find its ports, and never run here."""

    name = "nodes"

    def __init__(
        self,
        library: Library,
        access: Callable[[str], Awaitable[CanvasAccess]],
        rooms: Rooms,
        children: ChildSpells,
    ) -> None:
        self._library = library
        self._children = children
        self._access = access
        self._rooms = rooms

    @operation(summary="List the node types", rest=("GET", "/v1/nodes"))
    async def find(self, call: Call, _request: Nothing) -> LibraryView:
        """Answer the library: each type with its ports as JSON Schema."""
        require(call.actor, "nodes.read")
        return self._view

    @operation(
        summary="Find the ports of a node",
        rest=("POST", "/v1/nodes/ports"),
        errors=("unknown_node_type",),
    )
    async def ports(self, call: Call, request: NodeToDescribe) -> PortsView:
        """Answer a node's own ports, which may depend on its code and inputs."""
        actor = require(call.actor, "nodes.read")
        alone = Spell.model_construct(nodes={"node": request.node})
        found = await self._children.for_actor(alone, actor.user_id, actor)
        return PortsView(**self._ports(request.node, found.spells.get).describe())

    @operation(
        summary="Find what an input may be",
        rest=("POST", "/v1/nodes/choices"),
        errors=("unknown_node_type",),
    )
    async def choices(self, call: Call, request: InputToChoose) -> ChoicesView:
        """Answer the values that an input may have, which may depend on the node's other inputs.

        Inputs that come by wires may be given as if they were typed in.
        """
        require(call.actor, "nodes.read")
        port = self._ports(request.node).input(request.port)
        if port is None:
            raise BadRequest.field("port", f"the node has no input {request.port!r}")
        declared = self._library.get(request.node.type, request.node.version)
        assert declared is not None
        return ChoicesView(choices=choices_of(declared, request.node, port))

    @operation(summary="Find wires that a node lacks", rest=("POST", "/v1/nodes/suggest"))
    async def suggest(self, call: Call, request: NodeToConnect) -> WiresView:
        """Answer wires worth drawing into a node: by name, then by type, then looking back."""
        actor = require(call.actor, "canvas.read", await self._access(request.canvas))
        async with self._rooms.visit(request.canvas) as room:
            spell = room.spell()
        _require_nodes(spell, node=request.node, source=request.source)
        found = await self._children.for_actor(spell, actor.user_id, actor)
        parts = Analysis(spell, self._library, found.spells.get, root=request.canvas).parts

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
            fresh, report = self._library.upgrade(spell, request.nodes)
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
        actor = require(call.actor, "nodes.read")
        found = await self._children.for_actor(request.spell, actor.user_id, actor)
        problems = validate(request.spell, self._library, found.spells.get)
        return ProblemsView(problems=[each.to_json() for each in problems])

    @cached_property
    def _view(self) -> LibraryView:
        return LibraryView(
            items=[each.describe() for each in self._library.types() if each.expose_in_library],
            older=[each.describe() for each in self._library.older() if each.expose_in_library],
            packs=[
                PackView(name=each.name, title=each.title, version=str(each.version))
                for each in self._library.packs
            ],
            problems=self._library.problems,
        )

    def _ports(self, node: Node, spells: Spells | None = None) -> Ports:
        ports = self._library.ports(node, spells)
        if ports is None:
            raise NotFound(
                f"There is no node type {node.type!r}",
                code="unknown_node_type",
                details={"type": node.type, "known": self._library.like(node.type)},
            )
        return ports


def _require_nodes(spell: Spell, **ids: str | None) -> None:
    for field, id in ids.items():
        if id is not None and id not in spell.nodes:
            raise BadRequest.field(field, f"the canvas has no node {id!r}")
