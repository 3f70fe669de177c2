"""What the outside sees of runs: the models of answers and of announced events."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from spellwork.events import Kind
from spellwork_server.services.service import View

Status = Literal[
    "queued", "running", "paused", "waiting", "completed", "failed", "cancelled", "interrupted"
]
"""waiting: all that is left to do waits for people. interrupted: the server ended it; ``runs.resume`` goes on with it."""
Mode = Literal["once", "live"]
Audience = Literal["shared", "private"]
OnBusy = Literal["replace", "queue", "parallel"]


class RunProgress(View):
    """How far a run is that has not ended. What runs inside its nodes does not count."""

    ended: int = Field(description="Nodes that are done, failed or skipped.")
    total: int
    node: str | None = Field(
        default=None, description="The one under way that last said how far it is."
    )
    value: float | None = Field(
        default=None, description="How far that is: 0 to 1, where it knows."
    )
    message: str | None = None


class TokensView(View):
    """Tokens of one type of node at one model, as the provider counted them."""

    type: str | None = Field(description="Of the node; null where further ones are put together.")
    provider: str | None
    model: str | None
    calls: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class RunView(View):
    """A run. Lists give it without what the nodes left (``outputs`` to ``hashes`` are empty)."""

    id: str
    canvas: str | None = Field(
        description="The canvas; None for a spell that came with the request."
    )
    user: str = Field(description="Who runs it.")
    status: Status
    mode: Mode
    audience: Audience
    created_at: float
    started_at: float | None
    ended_at: float | None
    stream: str = Field(description="The stream its events are in.")
    scope: list[str] | None = Field(
        default=None, description="The nodes it was asked for; None is all."
    )
    durable: bool = Field(default=False, description="It goes on by itself after a crash.")
    queue: str | None = Field(default=None, description="The queue it waits in, or came from.")
    priority: int = Field(default=0, description="Higher ones leave their queue first.")
    not_before: float | None = Field(
        default=None, description="It waits in its queue until then: a delay, or a retry."
    )
    deadline: float | None = Field(default=None, description="By then it must have ended.")
    user_name: str | None = Field(
        default=None, description="Lists only: what who runs it is called."
    )
    failed_nodes: int | None = Field(
        default=None, description="Lists only: how many of its nodes failed, once it has ended."
    )
    ahead: int | None = Field(
        default=None,
        description="Lists only: how many runs leave its queue before it, while it waits there; null beyond 1,000.",
    )
    progress: RunProgress | None = Field(
        default=None,
        description="While it has not ended, and has begun; where another process carries it, as of some seconds ago.",
    )
    attempt: int = Field(default=1, description="Which attempt this is; from 1.")
    trigger: str | None = Field(default=None, description="The trigger that started it.")
    forked_from: str | None = Field(
        default=None, description="The run whose outputs it began with."
    )
    parent: str | None = Field(
        default=None, description="The run that placed it on its queue, as the call of a node."
    )
    deduplicated: bool = Field(
        default=False,
        description="runs.create: it was there already, with the same dedupe_key; no other was made.",
    )
    children: dict[str, int] = Field(
        default_factory=dict,
        description="The canvases that it ran inside itself: {canvas: number of the last edit in it}.",
    )
    outputs: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="{node: {port: value}} in graph order; a large value is {$ref, size, preview}.",
    )
    errors: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="{node: {code, message, ...}}"
    )
    error: dict[str, Any] | None = Field(default=None, description="Why the run as a whole failed.")
    skipped: dict[str, str] = Field(default_factory=dict, description="{node: why it was skipped}")
    why: dict[str, str] = Field(default_factory=dict, description="{node: why it ran, or 'cached'}")
    durations: dict[str, float] = Field(default_factory=dict, description="{node: seconds}")
    order: list[str] = Field(default_factory=list, description="The nodes in graph order.")
    hashes: dict[str, dict[str, str]] = Field(
        default_factory=dict,
        description="{node: {port: hash of the value}}; `cache.value` gives those over a kilobyte",
    )
    usage: list[TokensView] = Field(
        default_factory=list,
        description="What nodes reported of tokens, those inside nodes too, once it has ended; most first.",
    )
    gone: dict[str, str] = Field(
        default_factory=dict,
        description="Of the values that stayed in workers ($handle), those that are there no more: {handle: why}.",
    )
    spell: dict[str, Any] | None = Field(
        default=None, description="The spell as it ran; runs.get gives it."
    )


def _is_unset(value: object) -> bool:
    return value is None


def _unset(description: str | None = None) -> Any:
    """Return a field that is left out where it says nothing."""
    return Field(default=None, exclude_if=_is_unset, description=description)


class EventView(View):
    """One event of a run; fields that its kind does not use are left out."""

    seq: int = Field(description="Its number in the stream: from 1, with no gap.")
    run: str
    kind: Kind | Literal["node.hidden", "run.removed"]
    at: float = Field(description="Unix seconds.")
    node: str | None = _unset("Its id; of a node inside others its path: sub/inner, map[3]/inner.")
    port: str | None = _unset()
    value: Any = _unset("node.progress: 0 to 1. node.chunk: the chunks as one text, or as a list.")
    chunks: int | None = _unset("node.chunk: how many chunks are joined in value.")
    outputs: dict[str, Any] | None = _unset(
        "node.done: {port: value}; a large one is {$ref, size, preview}."
    )
    why: str | None = _unset("Why the node ran, or what it did not run for: cached, pinned, muted.")
    message: str | None = _unset()
    level: str | None = _unset("node.log: debug, info, warning or error.")
    error: dict[str, Any] | None = _unset("{code, message, port?, traceback?, attempts}")
    duration: float | None = _unset("Seconds.")
    data: dict[str, Any] | None = _unset(
        "run.started: {nodes, user, mode, audience, scope, reach, children: {canvas: number of its last edit}}. "
        "node.waiting: {for: limit, stream, wait or debounce; until?: Unix seconds}. "
        "node.log: {left_out: lines beyond what is kept of a node}, where that is what it says. "
        "The run's last event: {status, order, failed, skipped, hashes: {node: {port: hash}}, superseded?}."
    )


class RunEvents(View):
    """``run.events``: events of a stream, committed, in order."""

    stream: str
    events: list[EventView]


class EventsStalled(View):
    """``events.stalled``: the store takes no events now; runs go on and their events wait in memory."""

    stream: str
    message: str
    retry_in: float = Field(description="Seconds until the next attempt, about.")


class EventsFlowing(View):
    """``events.flowing``: the store takes events again; what waited follows."""

    stream: str


class GoneValue(View):
    """A value that stayed in a worker, and where a run left it."""

    run: str
    node: str
    port: str
    handle: str


class ValuesGone(View):
    """``values.gone``: values that runs left in workers are there no more; their nodes give them when they run again."""

    stream: str
    why: str = Field(description="worker restarted, value dropped.")
    values: list[GoneValue]


class RunStatus(View):
    """``run.status``: a run is queued, paused or goes on; what else happens to it is in its events."""

    run: str
    stream: str
    status: Status


class LiveNotice(View):
    """Why live mode does not run. ``node`` is None where it is about no one node."""

    code: str
    message: str
    node: str | None = None


class CanvasLive(View):
    """``canvas.live``: a user's live mode on a canvas was turned on or off, or cannot go on, or can again.

    ``error``: the canvas cannot run as it is. ``waiting``: the server could not
    run it just now. Either is over with the next run, which is told, too.
    """

    stream: str
    canvas: str
    user: str
    live: bool
    audience: Audience
    waiting: LiveNotice | None = None
    error: LiveNotice | None = None
