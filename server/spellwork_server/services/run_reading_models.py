"""What the operations that look into past runs take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from spellwork.difference import Change
from spellwork_server.runs.comparing import NodePair, NodeThere, PortPair, What
from spellwork_server.runs.comparing import State as NodeState
from spellwork_server.runs.references import reference
from spellwork_server.runs.timeline import Row, Span
from spellwork_server.runs.timeline import State as SpanState
from spellwork_server.runs.views import RunView, Status, TokensView
from spellwork_server.storage.output_refs import OutputRef
from spellwork_server.storage.run_figures import By
from spellwork_server.storage.schema import PATH_LENGTH

from .run_models import OneRun
from .service import Request, View

MOST_ROWS = 5_000
"""Nodes of one page of a timeline."""


def _listed(value: Any) -> Any:
    """Take one, as a query with one value brings it, for a list of one."""
    return [value] if isinstance(value, str) else value


class FindRuns(Request):
    """Runs of a canvas, or without one the caller's own; newest first. What is left out does not matter."""

    canvas: str | None = Field(default=None, max_length=64)
    status: Annotated[list[Status] | None, BeforeValidator(_listed)] = None
    failed: bool | None = Field(
        default=None,
        description="Only runs that failed or in which a node did; false: only runs that ended and nothing in them did.",
    )
    queue: str | None = Field(default=None, max_length=64)
    trigger: str | None = Field(default=None, max_length=64)
    forked_from: str | None = Field(default=None, max_length=64)
    parent: str | None = Field(
        default=None,
        max_length=64,
        description="The calls of nodes that this run placed on queues; without it, or a queue, none of these are given.",
    )
    user: str | None = Field(default=None, max_length=64, description="Only runs of this user.")
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description=(
            "Only runs with this in the ids, names, codes or messages of nodes that failed, in the name of who ran "
            "it, of its queue or of its trigger, or whose id begins so (6 characters or more). Case does not matter."
        ),
    )
    all: bool = Field(
        default=False, description="Without a canvas: of everybody, for administrators."
    )
    since: float | None = Field(
        default=None, description="Only runs created then (Unix seconds) or later."
    )
    before: float | None = Field(
        default=None, description="Only runs created before this time (Unix seconds)."
    )
    after: str | None = Field(
        default=None, max_length=100, description="The `next` of the page before."
    )
    limit: int = Field(default=50, ge=1, le=200)


class ReadInputs(OneRun):
    """A node of a run."""

    node: Annotated[str, Field(min_length=1, max_length=PATH_LENGTH)] = Field(
        description="Its id, or its path in a nested run: sub/inner, map[3]/inner."
    )


class RecordedInputsView(View):
    """What a node was given. An input that nothing came to is in neither map."""

    run: str
    node: str
    inputs: dict[str, Any] = Field(
        description="{port: value}; a large one is {$ref, size, preview}."
    )
    not_kept: dict[str, str] = Field(
        description="{port: why what it was given cannot be told any more}."
    )


class CompareRuns(OneRun):
    """Two runs: `id` is the one before, `other` the one after."""

    other: str = Field(max_length=64)


class Left(View):
    """A value that a run left on a port."""

    hash: str
    size: int = Field(description="Bytes of its JSON.")
    value: Any = Field(
        description="The value where it is small, else {$ref, size, preview}; null where it is not kept any more."
    )


class ComparedPort(View):
    """What two runs left on a port; null where one left nothing."""

    port: str
    equal: bool
    before: Left | None
    after: Left | None


class ComparedNode(View):
    """What a node did in one of two runs."""

    status: NodeState
    why: str | None
    duration: float | None = Field(description="Seconds.")
    attempts: int = Field(description="How often it was called.")
    error: dict[str, Any] | None
    skipped: str | None = Field(description="Why it was left out.")

    @classmethod
    def of(cls, there: NodeThere | None) -> ComparedNode | None:
        """Return what is told of it."""
        if there is None:
            return None
        return cls(
            status=there.status,
            why=there.why,
            duration=there.duration,
            attempts=there.attempts,
            error=there.error,
            skipped=there.skipped,
        )


class NodeComparison(View):
    """A node in both runs. Same: it came to the same end with the same values, however long it took."""

    node: str
    name: str | None
    type: str | None
    what: What
    before: ComparedNode | None
    after: ComparedNode | None
    ports: list[ComparedPort]
    inputs_changed: list[str] = Field(
        description="Inputs that were typed in, wired or brought otherwise."
    )
    code_changed: bool
    settings_changed: bool


class RunComparison(View):
    """Two runs, node by node in graph order, and what differs between the spells that they ran."""

    before: RunView
    after: RunView
    nodes: list[NodeComparison]
    changes: list[Change]


def compared(pair: NodePair, values: dict[str, Any]) -> NodeComparison:
    """Return what is told of a node in two runs; ``values`` are the small ones by hash."""
    return NodeComparison(
        node=pair.node,
        name=pair.name,
        type=pair.type,
        what=pair.what,
        before=ComparedNode.of(pair.before),
        after=ComparedNode.of(pair.after),
        ports=[_port(port, values) for port in pair.ports],
        inputs_changed=pair.inputs,
        code_changed=pair.code,
        settings_changed=pair.settings,
    )


def _port(pair: PortPair, values: dict[str, Any]) -> ComparedPort:
    return ComparedPort(
        port=pair.port,
        equal=pair.equal,
        before=_left(pair.before, values),
        after=_left(pair.after, values),
    )


def _left(ref: OutputRef | None, values: dict[str, Any]) -> Left | None:
    if ref is None:
        return None
    large = ref.preview is not None
    value = reference(ref.hash, ref.size, ref.preview) if large else values.get(ref.hash)
    return Left(hash=ref.hash, size=ref.size, value=value)


class ReadTimeline(OneRun):
    """The timeline of a run, nodes that others run among them."""

    node: str | None = Field(
        default=None,
        min_length=1,
        max_length=PATH_LENGTH,
        description="Only this node, by its path, and what it runs inside itself.",
    )
    nested: bool = Field(default=True, description="false: only the nodes of the spell itself.")
    offset: int = Field(default=0, ge=0, le=10_000_000)
    limit: int = Field(default=MOST_ROWS, ge=1, le=MOST_ROWS)


class SpanView(View):
    """A stretch of time in one state (Unix seconds); ``end`` is null while it goes on."""

    state: SpanState
    start: float
    end: float | None
    waits_for: str | None = Field(
        description="waiting: limit, stream, wait, debounce, person; the server may know others."
    )
    until: float | None = Field(description="waiting: when it goes on, where that is known.")
    attempt: int = Field(description="running: which call of the node this is, from 1.")

    @classmethod
    def of(cls, span: Span) -> SpanView:
        """Return what is told of it."""
        return cls(
            state=span.state,
            start=span.start,
            end=span.end,
            waits_for=span.waits_for,
            until=span.until,
            attempt=span.attempt,
        )


class TimelineNode(View):
    """A node by its path, with its spans in order of time."""

    node: str
    name: str | None = Field(description="Of a node of the spell itself.")
    state: str | None = Field(
        description="done, cached, pinned, muted, bypassed, given, failed, skipped, cancelled; null while it goes on."
    )
    why: str | None
    attempts: int
    inside: bool = Field(description="Whether rows follow of what it ran inside itself.")
    spans: list[SpanView]

    @classmethod
    def of(cls, row: Row, name: str | None, *, inside: bool) -> TimelineNode:
        """Return what is told of a row."""
        return cls(
            node=row.node,
            name=name,
            state=row.state,
            why=row.why,
            attempts=row.attempts,
            inside=inside,
            spans=[SpanView.of(span) for span in row.spans],
        )


class RunTimeline(View):
    """Rows in the order in which nodes began; those inside a node follow it."""

    run: str
    status: Status
    created_at: float
    started_at: float | None
    ended_at: float | None
    spans: list[SpanView] = Field(description="Those of the run itself: queued, then each attempt.")
    nodes: list[TimelineNode]
    total: int = Field(description="Rows of all pages.")
    more: bool
    complete: bool = Field(
        description="false: the run said so much that its last events are left out."
    )


class ReadUsage(Request):
    """Figures of runs that have ended and are kept: of a canvas, or without one the caller's own."""

    canvas: str | None = Field(default=None, max_length=64)
    since: float | None = Field(
        default=None,
        ge=0,
        description="From the day (UTC) of this time on, by when runs ended; 30 days back unless said.",
    )
    by: By = "day"
    all: bool = Field(default=False, description="Of everybody; for administrators.")


class UsageFigures(View):
    """Sums over runs. The calls of placed nodes are part of the runs that placed them."""

    runs: int
    seconds: float = Field(description="From each run's start to its end.")
    nodes: int = Field(
        description="Nodes that were called; those inside other nodes count with these."
    )
    cached: int
    failed: int
    skipped: int
    tokens: int = Field(
        description="What nodes reported on an output `usage`, those inside nodes too."
    )


class UsageGroup(UsageFigures):
    """Those of one day, canvas or user."""

    key: str | None = Field(
        description="YYYY-MM-DD (UTC), or an id; null for runs without a canvas."
    )
    name: str | None = Field(description="Of the user or canvas.")


class TokenUsage(TokensView):
    """The same of several runs."""

    runs: int


class Usage(View):
    """Newest day first; canvases and users by the time they took."""

    by: Literal["day", "canvas", "user"]
    since: float
    total: UsageFigures
    groups: list[UsageGroup]
    tokens: list[TokenUsage] = Field(
        description="Of the same runs, by type of node, provider and model, those that took most first."
    )
