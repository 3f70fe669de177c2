"""What the operations of queues and processes take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from spellwork_server.storage.queues import Figures, QueueRecord

from .service import Request, View

QUEUE_NAME = r"^[A-Za-z0-9._-]{1,64}$"

QueueName = Annotated[str, Field(pattern=QUEUE_NAME)]

MAX_LIMIT = 100_000


class Retrying(Request):
    """How often a run is tried in all, and how long it waits in between."""

    attempts: int = Field(ge=1, le=100)
    backoff: float = Field(
        default=1,
        ge=0,
        le=86_400,
        description="Seconds before the second attempt; doubled each time.",
    )
    max_backoff: float = Field(default=300, ge=0, le=86_400)


class Rate(View):
    """At most ``count`` runs are begun in any ``seconds``."""

    count: int = Field(ge=1, le=MAX_LIMIT)
    seconds: float = Field(gt=0, le=86_400)


class OneQueue(Request):
    """A queue by its name; any name is one."""

    name: QueueName


class PatchQueue(OneQueue):
    """What is to hold for a queue; what is left out stays, null is no limit."""

    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=MAX_LIMIT,
        description="Runs that go at once, in all processes together.",
    )
    per_process: int | None = Field(
        default=None, ge=1, le=MAX_LIMIT, description="Runs that go at once in each process."
    )
    rate: Rate | None = None


class ProcessName(View):
    """A process that takes runs from a queue."""

    id: str
    name: str


class QueueView(View):
    """A queue as it stands. To others than administrators the figures are of their own runs."""

    name: str
    state: Literal["open", "paused", "draining"] = Field(
        description="paused: nothing is taken from it; draining: nothing is added, what waits is carried."
    )
    waiting: int
    delayed: int = Field(description="Runs that wait for their time: a delay, or another attempt.")
    running: int
    concurrency: int | None
    per_process: int | None
    rate: Rate | None
    processes: list[ProcessName] = Field(description="Those that take runs from it now.")
    oldest_at: float | None = Field(description="When the oldest that waits was queued.")
    started_last_minute: int

    @classmethod
    def of(cls, queue: QueueRecord, figures: Figures, processes: list[ProcessName]) -> QueueView:
        """Return the view of a queue."""
        rate = None
        if queue.rate_count is not None and queue.rate_seconds is not None:
            rate = Rate(count=queue.rate_count, seconds=queue.rate_seconds)
        return cls(
            name=queue.name,
            state=queue.state,  # one of the three, as this server writes
            waiting=figures.waiting,
            delayed=figures.delayed,
            running=figures.running,
            concurrency=queue.concurrency,
            per_process=queue.per_process,
            rate=rate,
            processes=processes,
            oldest_at=figures.oldest_at,
            started_last_minute=figures.started_last_minute,
        )


class QueueList(View):
    """The queues that were set up, or have runs."""

    items: list[QueueView]


class ProcessView(View):
    """A server process on this database."""

    id: str
    name: str
    queues: list[str] | None = Field(description="Those it takes runs from; null is all.")
    started_at: float
    beat_at: float = Field(description="Its last sign of life, by the database's clock.")


class ProcessList(View):
    """The processes that are alive."""

    items: list[ProcessView]


class CancelRuns(Request):
    """Which runs to end: all that all of these fit."""

    canvas: str | None = Field(default=None, max_length=64)
    queue: QueueName | None = None
    ids: list[Annotated[str, Field(max_length=64)]] | None = Field(default=None, max_length=10_000)
    status: list[Literal["queued", "running", "paused", "waiting"]] | None = None

    @model_validator(mode="after")
    def _some_of_them(self) -> CancelRuns:
        if self.canvas is None and self.queue is None and self.ids is None:
            raise ValueError("give canvas, queue or ids")
        return self


class CancelledRuns(View):
    """How many runs were ended, or will be within a second."""

    cancelled: int
