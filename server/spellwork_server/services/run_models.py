"""What the operations of runs take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, JsonValue, model_validator

from spellwork import Spell
from spellwork.reaching import Reach
from spellwork_server.runs.pages import PageRequest
from spellwork_server.runs.spell_runner import OWN_KEYS, Place
from spellwork_server.runs.views import Audience, EventView, Mode, OnBusy, RunView
from spellwork_server.storage.schema import PATH_LENGTH

from .queue_models import QueueName, Retrying
from .service import Request, View

MAX_WAIT = 300.0
"""Seconds that one request may wait for a run to end."""

Wait = Field(
    default=None,
    ge=0,
    le=MAX_WAIT,
    description="Seconds to wait for the run to end before answering.",
)


class CreateRun(Request):
    """A run of a canvas, or of the spell that comes with it: exactly one of the two."""

    canvas: str | None = Field(default=None, max_length=64)
    spell: Spell | None = None
    inputs: dict[str, JsonValue] | None = Field(
        default=None,
        description="{'NODE.PORT': value}, or {NODE: value} where that is clear; NODE is an id or name.",
    )
    scope: list[str] | None = Field(
        default=None,
        max_length=10_000,
        description="Run these nodes and what their reach takes in.",
    )
    reach: Reach = Field(
        default="needed",
        description=(
            "With scope. needed: they and all they need; only: just they; onward: they and all that "
            "depends on them. What only and onward leave out stands as the last run left it."
        ),
    )
    timeout: float | None = Field(
        default=None,
        gt=0,
        le=604_800,
        description="Seconds the run may take, waits and pauses included; the server may allow less.",
    )
    mode: Mode = Field(
        default="once", description="live: run again what depends on each change of the canvas."
    )
    audience: Audience | None = Field(
        default=None, description="Who sees it; on a canvas shared unless said."
    )
    on_busy: OnBusy | None = Field(
        default=None,
        description="When a run of yours goes on there; replace on a canvas, else parallel, unless said.",
    )
    wait: float | None = Wait
    durable: bool = False
    queue: QueueName | None = Field(
        default=None, description="It waits there for a process; then it is durable."
    )
    priority: int = Field(
        default=0, ge=-100, le=100, description="Higher ones leave the queue first."
    )
    delay: float = Field(
        default=0, ge=0, le=31_536_000, description="Seconds that it waits at least."
    )
    deadline: float | None = Field(
        default=None,
        gt=0,
        description="Unix seconds; if it has not ended by then, it ends as deadline_exceeded.",
    )
    dedupe_key: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        pattern=rf"^[^{OWN_KEYS}]",
        description=(
            "Where a run with it has not ended in the queue, that one is the answer. "
            f"Keys that begin with {OWN_KEYS} are the server's own."
        ),
    )
    retry: Retrying | None = Field(
        default=None, description="What becomes of it where nodes fail that may be tried again."
    )

    def place(self) -> Place | None:
        """Return where and how it waits; None for a run that begins at once."""
        if self.queue is None:
            return None
        retry = None if self.retry is None else self.retry.model_dump()
        return Place(self.queue, self.priority, self.delay, self.deadline, self.dedupe_key, retry)

    @model_validator(mode="after")
    def _queued(self) -> CreateRun:
        for name in ("priority", "delay", "deadline", "dedupe_key", "retry"):
            if self.queue is None and getattr(self, name):
                raise ValueError(f"{name} is for a run in a queue: give queue, too")
        if self.queue is not None and self.mode == "live":
            raise ValueError("live mode waits in no queue")
        return self

    @model_validator(mode="after")
    def _one_source(self) -> CreateRun:
        if (self.canvas is None) == (self.spell is None):
            raise ValueError("give either canvas or spell")
        if self.mode == "live" and self.canvas is None:
            raise ValueError("mode live needs a canvas to follow")
        if self.reach != "needed" and self.mode == "live":
            raise ValueError("mode live runs what needs to: it takes no other reach than needed")
        return self


class OneRun(Request):
    """A run by its id."""

    id: str = Field(max_length=64)


class GetRun(OneRun):
    """A run, once it has ended or the time is up."""

    wait: float | None = Wait


class RunList(View):
    """Runs, without what their nodes left."""

    items: list[RunView]
    next: str | None = Field(
        default=None, description="Give it as `after` for the next page; null at the end."
    )


class ForkRun(OneRun):
    """A run of one's own that begins with what another one left."""

    from_: list[Annotated[str, Field(min_length=1, max_length=PATH_LENGTH)]] | None = Field(
        default=None,
        alias="from",
        min_length=1,
        max_length=1_000,
        description=(
            "Run these nodes again (ids, or paths like sub/inner and map[3]/inner), and all that depends on them; "
            "unless said, what failed or did not end."
        ),
    )
    inputs: dict[str, JsonValue] | None = Field(
        default=None,
        description="Inputs to run with in the place of those then: {'NODE.PORT': value}. Who reads them runs again.",
    )
    spell: Literal["then", "now"] = Field(
        default="then",
        description="now: the canvas as it is; nodes that are others than then run again.",
    )
    wait: float | None = Wait
    durable: bool = False


class SteerRun(Request):
    """A run by its id, or the live mode of the caller on a canvas: exactly one of the two."""

    id: str | None = Field(default=None, max_length=64)
    canvas: str | None = Field(default=None, max_length=64)
    audience: Audience = Field(default="shared", description="Who sees the runs of live mode.")

    @model_validator(mode="after")
    def _one_thing(self) -> SteerRun:
        if (self.id is None) == (self.canvas is None):
            raise ValueError("give either id or canvas")
        return self


class PreviewInputs(Request):
    """Drafts of inputs of a canvas, as while somebody types."""

    canvas: str = Field(max_length=64)
    inputs: dict[Annotated[str, Field(min_length=1, max_length=400)], JsonValue] = Field(
        min_length=1, max_length=20, description="{'NODE.PORT': value}; NODE is an id or name."
    )


class Previewed(View):
    """What cheap nodes give for the drafts, by node and port; large values are left out."""

    outputs: dict[str, dict[str, JsonValue]]


class Steered(View):
    """The run as it is now (None when live mode was left), and whether the caller's live mode is on there."""

    run: RunView | None
    live: bool


class ReadEvents(OneRun):
    """Events of a run after a number."""

    after_seq: int = Field(default=0, ge=0)
    limit: int = Field(default=500, ge=1, le=2_000)
    node: str | None = Field(
        default=None,
        min_length=1,
        max_length=PATH_LENGTH,
        description="The path of a node, like sub/inner or map[3]; what it runs inside itself is meant, too. Not for following.",
    )


class EventPage(View):
    """Events in order. ``more``: ask again after the last one's number."""

    events: list[EventView]
    seq: int = Field(description="Ask for what follows with after_seq = this.")
    more: bool


class ReadOutput(PageRequest):
    """A page of what a run left on one port."""

    id: str = Field(max_length=64)
    node: str = Field(max_length=PATH_LENGTH, description="Its id, or its path in a nested run.")
    port: str = Field(max_length=128)
