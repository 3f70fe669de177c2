"""What the operations of triggers take and answer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from spellwork_server.storage.triggers import FiringRecord, TriggerRecord
from spellwork_server.triggers.kinds import (
    CronSettings,
    Inputs,
    IntervalSettings,
    PollSettings,
    RunSettings,
    TriggerSettings,
    read_settings,
)
from spellwork_server.triggers.missed import Missed

from .service import Request, View

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Id = Annotated[str, Field(min_length=1, max_length=64)]
MissedPolicy = Annotated[
    Missed,
    Field(
        description="What becomes of times when nobody was there: skip, run once for all of them, or for all (100 at most)."
    ),
]


class NewTrigger(Request):
    """A trigger on a canvas. It runs as who makes it."""

    canvas: Id
    name: Name
    settings: TriggerSettings
    inputs: Inputs = Field(
        default={},
        max_length=200,
        description='{\'NODE.PORT\': value}; {"$from": "body.user.id"} stands for something of what came.',
    )
    run: RunSettings = RunSettings()
    missed: MissedPolicy = "once"
    enabled: bool = True


class OneTrigger(Request):
    """A trigger by its id."""

    id: Id


class PatchTrigger(OneTrigger):
    """What to change; what is left out stays. ``settings`` are given whole, and of the same kind."""

    name: Name | None = None
    settings: TriggerSettings | None = None
    inputs: Inputs | None = Field(default=None, max_length=200)
    run: RunSettings | None = None
    missed: Missed | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _something(self) -> PatchTrigger:
        if not self.model_fields_set - {"id"}:
            raise ValueError("give something to change")
        return self


class FindTriggers(Request):
    """The triggers of a canvas."""

    canvas: Id


class FireTrigger(OneTrigger):
    """A firing by hand."""

    values: dict[str, JsonValue] = Field(
        default={},
        max_length=20,
        description="What stands for what would have come: {body: ...}, {value: ..., previous: ...}.",
    )


class ListFirings(OneTrigger):
    """A trigger's firings, newest first."""

    limit: int = Field(default=50, ge=1, le=200)
    before: float | None = Field(
        default=None, description="Only firings before this time (Unix seconds)."
    )


class PreviewTrigger(Request):
    """Settings that are not kept yet."""

    settings: Annotated[CronSettings | IntervalSettings | PollSettings, Field(discriminator="kind")]
    count: int = Field(default=5, ge=1, le=20)
    after: float | None = Field(
        default=None, ge=0, le=1e11, description="Unix seconds; now unless given."
    )


class NextTimes(View):
    """When it would be due, in Unix seconds; fewer than asked for where there are no more in 50 years."""

    times: list[float]


class FiringView(View):
    """One time that a trigger fired, or should have."""

    id: str
    trigger: str
    key: str = Field(description="What makes it once only: the time it was due, or what came.")
    due_at: float
    fired_at: float
    outcome: Literal["started", "missed", "skipped", "refused"]
    run: str | None = Field(description="The run that it started.")
    status: str | None = Field(description="Where that run stands; null where it is gone.")
    failed_nodes: int | None = Field(description="How many of its nodes failed, once it has ended.")
    reason: str | None = Field(description="Why it started none.")


class FiringList(View):
    """Firings, newest first."""

    items: list[FiringView]


class TriggerView(View):
    """A trigger. Its secret is told to nobody."""

    id: str
    canvas: str
    user: str = Field(description="Whose it is: its runs are that user's.")
    name: str
    kind: Literal["cron", "interval", "webhook", "poll", "event"]
    settings: TriggerSettings
    inputs: dict[str, JsonValue]
    run: RunSettings
    missed: Missed
    enabled: bool
    next_at: float | None = Field(description="When it is due next, in Unix seconds.")
    fault: str | None = Field(description="Why it did not fire the last time.")
    url: str | None = Field(description="Where a webhook is sent to.")
    last: FiringView | None
    created_at: float
    updated_at: float


class TriggerList(View):
    """Triggers, the oldest first."""

    items: list[TriggerView]


class MadeTrigger(View):
    """A trigger, and the secret of its webhook, which is told this once."""

    trigger: TriggerView
    secret: str | None = None


class TriggersChanged(View):
    """``triggers.changed``: a trigger as it is now; None where it was removed."""

    canvas: str
    id: str
    trigger: TriggerView | None


def firing_view(record: FiringRecord) -> FiringView:
    """Return a firing as it is told."""
    return FiringView(
        id=record.id,
        trigger=record.trigger_id,
        key=record.key,
        due_at=record.due_at,
        fired_at=record.fired_at,
        outcome=record.outcome,
        run=record.run_id,
        status=record.status,
        failed_nodes=record.failed_nodes,
        reason=record.reason,
    )


def trigger_view(record: TriggerRecord, last: FiringRecord | None, url: str) -> TriggerView:
    """Return a trigger as it is told; ``url`` is that of the server."""
    settings: Any = read_settings(record.kind, record.settings)
    return TriggerView(
        id=record.id,
        canvas=record.canvas_id,
        user=record.user_id,
        name=record.name,
        kind=record.kind,
        settings=settings,
        inputs=record.inputs,
        run=RunSettings.model_validate(record.run),
        missed=record.missed,
        enabled=record.enabled,
        next_at=record.next_at if record.enabled else None,
        fault=record.fault,
        url=f"{url}/v1/hooks/{record.id}" if record.kind == "webhook" else None,
        last=None if last is None else firing_view(last),
        created_at=record.created_at,
        updated_at=record.updated_at,
    )
