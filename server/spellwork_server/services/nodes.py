"""The library of node types, and what it says about nodes and spells."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from spellwork import Library, Node, Spell, validate
from spellwork_server.errors import NotFound
from spellwork_server.identity import require

from .service import Call, Nothing, Request, Service, View, operation


class PackView(View):
    """A pack of node types that is installed."""

    name: str
    title: str
    version: str


class LibraryView(View):
    """Every node type, by id; ``problems`` says which packs did not load, and why."""

    items: list[dict[str, Any]]
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


class SpellToCheck(Request):
    """A spell to look over."""

    spell: Spell


class ProblemsView(View):
    """What is wrong with a spell; nothing, when it is empty."""

    problems: list[dict[str, Any]]


class NodeService(Service):
    """Node types. Code is parsed to find its ports, and never run here."""

    name = "nodes"

    def __init__(self, library: Library) -> None:
        self._library = library

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
        require(call.actor, "nodes.read")
        ports = self._library.ports(request.node)
        if ports is None:
            raise NotFound(
                f"There is no node type {request.node.type!r}",
                code="unknown_node_type",
                details={"type": request.node.type, "known": self._library.like(request.node.type)},
            )
        return PortsView(**ports.describe())

    @operation(summary="Look a spell over", rest=("POST", "/v1/nodes/validate"))
    async def validate(self, call: Call, request: SpellToCheck) -> ProblemsView:
        """Answer what is wrong with a spell, node by node, without running it."""
        require(call.actor, "nodes.read")
        problems = validate(request.spell, self._library)
        return ProblemsView(problems=[each.to_json() for each in problems])

    @cached_property
    def _view(self) -> LibraryView:
        return LibraryView(
            items=[each.describe() for each in self._library.types() if each.expose_in_library],
            packs=[
                PackView(name=each.name, title=each.title, version=str(each.version))
                for each in self._library.packs
            ],
            problems=self._library.problems,
        )
