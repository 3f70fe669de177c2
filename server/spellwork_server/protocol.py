"""What goes over sockets beside the services' own requests and answers.

The requests and answers of ``canvas.*``, and every event that the server
sends by itself. ``announce`` puts the events into the registry, which the
AsyncAPI document and the client's types are made from. The rules behind them
are in ``server/SPEC.md``.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, Strict

from .services.registry import Registry
from .services.service import Request, View

Bytes = Annotated[bytes, Strict()]
"""Bytes as Socket.IO carries them: an attachment, never a text."""

MAX_MSG_ID = 64
"""Characters of a tab's own name of an edit."""

CanvasId = Annotated[str, Field(min_length=1, max_length=64)]
ClientId = Annotated[int, Field(ge=0, le=2**53 - 1, strict=True)]
Role = Literal["viewer", "runner", "editor", "owner"]


class OpenCanvas(Request):
    """Open a canvas in this socket."""

    canvas: CanvasId
    client_id: ClientId = Field(description="The Yjs client id of the tab's document.")
    epoch: str | None = Field(
        default=None, max_length=64, description="The epoch of the tab's document, if it has one."
    )
    state_vector: Bytes | None = Field(
        default=None, max_length=1_000_000, description="What the tab's document knows already."
    )


class CanvasOpened(View):
    """Everything a tab needs to show a canvas and go on from here."""

    canvas: str
    epoch: str
    role: Role
    diff: bytes = Field(description="A Yjs update with what the tab lacks.")
    state_vector: bytes = Field(description="What the server knows; the tab sends the rest.")
    seq: int = Field(description="Number of the last committed edit.")
    presence: bytes | None = Field(description="An awareness update of all who are here.")
    problems: list[dict[str, Any]] = Field(description="What is wrong with the spell.")
    ports: dict[str, Any] = Field(description="Ports of the nodes whose ports depend on content.")
    runs: list[dict[str, Any]] = Field(default_factory=list, description="Recent runs.")
    streams: dict[str, int] = Field(
        default_factory=dict, description="Last event number of each stream this socket follows."
    )
    live: bool = Field(default=False, description="Whether the user's live mode is on.")
    live_users: list[str] = Field(default_factory=list, description="Whose live mode is on.")
    live_notice: dict[str, Any] | None = Field(
        default=None,
        description="Why the user's live mode does not run: ``error`` or ``waiting``, as ``canvas.live`` tells them.",
    )


class CloseCanvas(Request):
    """Close a canvas in this socket."""

    canvas: CanvasId


class UpdateCanvas(Request):
    """Edit a canvas."""

    canvas: CanvasId
    msg_id: Annotated[str, Field(max_length=MAX_MSG_ID)] | int = Field(
        description="The tab's own name of the edit; it comes back in the answer."
    )
    update: Bytes = Field(description="A Yjs update, format v1.")


class CanvasUpdated(View):
    """The edit is durable."""

    msg_id: str | int
    seq: int = Field(description="The edit's number on the canvas.")


class MoveOnCanvas(Request):
    """Say where one's cursor and selection are."""

    canvas: CanvasId
    update: Bytes = Field(max_length=64 * 1024, description="A y-protocols awareness update.")


class CanvasUpdates(View):
    """``canvas.updates``: committed edits, up to number ``seq``."""

    canvas: str
    seq: int
    updates: list[bytes] = Field(description="Yjs updates, in order.")


class CanvasAwareness(View):
    """``canvas.awareness``: who is where. Lossy; the latest of each client wins."""

    canvas: str
    update: bytes


class CanvasProblems(View):
    """``canvas.problems``: what is wrong with the spell now, and the ports that depend on content."""

    canvas: str
    problems: list[dict[str, Any]]
    ports: dict[str, Any]


class CanvasRole(View):
    """``canvas.role``: the socket's role changed. None: it may no longer see the canvas, which is closed for it."""

    canvas: str
    role: Role | None


class Notice(View):
    """Why the server is about to do what it does."""

    code: str
    message: str


class Stopping(View):
    """``server.stopping``: the server takes no more events; connect again in a moment."""

    message: str


def announce(registry: Registry) -> None:
    """Put the events of this module into the registry."""
    registry.announce("canvas.updates", CanvasUpdates, "Committed edits of others")
    registry.announce("canvas.awareness", CanvasAwareness, "Cursors, selections and names")
    registry.announce("canvas.problems", CanvasProblems, "What is wrong with the spell")
    registry.announce("canvas.role", CanvasRole, "This socket's role on a canvas changed")
    registry.announce("session.revoked", Notice, "The sign-in or key behind this socket is gone")
    registry.announce("session.resync", Notice, "The connection is cut; come back and resume")
    registry.announce("server.stopping", Stopping, "The server is stopping")
