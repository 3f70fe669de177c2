"""What each kind of trigger is told, read strictly; the same models go on the wire."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    field_validator,
    model_validator,
)

from .schedule import MAX_EXPRESSION, MAX_ZONE, Cron, Every, Schedule

MIN_INTERVAL = 1.0
MIN_POLL = 10.0
MAX_HEADERS = 20
MAX_PERIOD = 366 * 86_400.0

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_NEVER_TOLD = frozenset({"authorization", "cookie", "proxy-authorization", "webhook-signature"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CronSettings(_Strict):
    """At times: ``0 9 * * MON-FRI`` in ``Europe/Berlin``."""

    kind: Literal["cron"]
    expression: str = Field(
        min_length=1,
        max_length=MAX_EXPRESSION,
        description="Minute, hour, day of month, month, day of week; names, lists, ranges and steps.",
    )
    zone: str = Field(default="UTC", max_length=MAX_ZONE, description="An IANA time zone.")

    def schedule(self) -> Schedule:
        """Return when it is due. Raises ScheduleError."""
        return Cron(self.expression, self.zone)


class IntervalSettings(_Strict):
    """Every so many seconds, counted from ``anchor``: it does not drift."""

    kind: Literal["interval"]
    every: float = Field(ge=MIN_INTERVAL, le=MAX_PERIOD, description="Seconds.")
    anchor: float | None = Field(
        default=None, ge=0, le=1e11, description="Unix seconds; unless given, when it was made."
    )

    def schedule(self) -> Schedule:
        """Return when it is due."""
        return Every(self.every, self.anchor or 0.0)


class WebhookSettings(_Strict):
    """When somebody sends to its address and can prove that they know its secret."""

    kind: Literal["webhook"]
    proof: Literal["signature", "bearer"] = Field(
        default="signature",
        description=(
            "signature: Standard Webhooks, which nobody can alter or send again. bearer: the secret itself in the "
            "Authorization header, for senders that cannot sign."
        ),
    )
    headers: list[str] = Field(
        default=[], description="Headers whose values inputs may be taken from; 20 at most."
    )

    @field_validator("headers")
    @classmethod
    def _tellable(cls, headers: list[str]) -> list[str]:
        if len(headers) > MAX_HEADERS:
            raise ValueError(f"at most {MAX_HEADERS}")
        for name in headers:
            if not _HEADER.fullmatch(name):
                raise ValueError(f"{name[:64]!r} is no name of a header")
            if name.lower() in _NEVER_TOLD:
                raise ValueError(f"{name} proves who sends, and is told to no spell")
        return [name.lower() for name in headers]


class PollSettings(_Strict):
    """When what is at an address differs from what was there before."""

    kind: Literal["poll"]
    url: str = Field(max_length=4_096, description="Of a host that the canvas was granted.")
    every: float = Field(ge=MIN_POLL, le=MAX_PERIOD, description="Seconds.")
    pointer: str | None = Field(
        default=None,
        max_length=1_000,
        pattern=r"^(/.*)?$",
        description="A JSON Pointer to the part that counts; without one it is all that is answered.",
    )
    headers: dict[str, Annotated[str, Field(max_length=4_096)]] = Field(
        default={},
        max_length=MAX_HEADERS,
        description="May hold {{secret.NAME}} of a granted secret.",
    )

    @field_validator("url")
    @classmethod
    def _reachable(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ValueError("must be http:// or https:// with a host, and no user in it")
        return url

    def schedule(self) -> Schedule:
        """Return when to look."""
        return Every(self.every, 0.0)


class EventSettings(_Strict):
    """When a run of a canvas ends; whose trigger it is must be able to read that canvas, at each end anew."""

    kind: Literal["event"]
    canvas: str = Field(min_length=1, max_length=64)
    on: list[Literal["completed", "failed"]] = Field(
        default=["completed"],
        description="completed: no node failed; failed: the run or a node of it did.",
    )

    @field_validator("on")
    @classmethod
    def _something(cls, on: list[str]) -> list[str]:
        if not on:
            raise ValueError("name completed, failed or both")
        return sorted(set(on))


TriggerSettings = Annotated[
    CronSettings | IntervalSettings | WebhookSettings | PollSettings | EventSettings,
    Field(discriminator="kind"),
]
_settings: TypeAdapter[Any] = TypeAdapter(TriggerSettings)


class Retry(_Strict):
    """How often a run is tried, and how long is waited in between: twice as long each time."""

    attempts: int = Field(ge=1, le=100)
    backoff: float = Field(default=10, ge=0, le=86_400, description="Seconds.")
    max_backoff: float = Field(default=3_600, ge=0, le=7 * 86_400, description="Seconds.")


class RunSettings(_Strict):
    """How a trigger's runs run."""

    audience: Literal["shared", "private"] = "shared"
    overlap: Literal["allow", "skip"] = Field(
        default="allow", description="skip: start none while one that it started goes on."
    )
    timeout: float | None = Field(default=None, gt=0, le=604_800, description="Seconds.")
    queue: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,64}$")
    priority: int = Field(default=0, ge=-100, le=100)
    retry: Retry | None = None

    @model_validator(mode="after")
    def _queued(self) -> RunSettings:
        if self.queue is None and (self.priority or self.retry is not None):
            raise ValueError("priority and retry are for runs in a queue: give queue, too")
        return self


Inputs = dict[Annotated[str, Field(min_length=1, max_length=400)], JsonValue]
"""``{'NODE.PORT': value}``; ``{"$from": path}`` stands for something of what came."""


def read_settings(kind: str, settings: dict[str, Any]) -> Any:
    """Return the settings of a record."""
    return _settings.validate_python(settings | {"kind": kind})


def schedule_of(kind: str, settings: dict[str, Any]) -> Schedule | None:
    """Return when a trigger is due by the clock; None for one that waits to be told. Raises ScheduleError."""
    read = read_settings(kind, settings)
    return (
        read.schedule()
        if isinstance(read, CronSettings | IntervalSettings | PollSettings)
        else None
    )
