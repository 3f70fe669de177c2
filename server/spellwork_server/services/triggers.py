"""Triggers: what starts runs of a canvas by the clock, from outside, or when another run ends."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Protocol

from spellwork.paths import PathError
from spellwork_server.errors import BadRequest, Conflict
from spellwork_server.grants.vault import Vault
from spellwork_server.identity import Action, Actor
from spellwork_server.identity.policy import CanvasAccess, TriggerAccess, require
from spellwork_server.storage.triggers import TriggerRecord, TriggerRecords
from spellwork_server.triggers.kinds import schedule_of
from spellwork_server.triggers.mapping import check_inputs
from spellwork_server.triggers.schedule import ScheduleError
from spellwork_server.triggers.signing import Secret, from_text, new_secret, rotated, to_text
from spellwork_server.triggers.triggers import Triggers

from .registry import Registry
from .service import Call, Done, Service, operation
from .trigger_models import (
    FindTriggers,
    FireTrigger,
    FiringList,
    FiringView,
    ListFirings,
    MadeTrigger,
    NewTrigger,
    NextTimes,
    OneTrigger,
    PatchTrigger,
    PreviewTrigger,
    TriggerList,
    TriggersChanged,
    TriggerView,
    firing_view,
    trigger_view,
)

audit = logging.getLogger("spellwork_server.audit")


class Publishes(Protocol):
    """The part of ``sockets.Relay`` that this service needs."""

    def publish(self, channel: str, event: str, data: Any) -> None:
        """Send an event to everybody on the channel."""

    def reaches(self, channel: str) -> bool:
        """Say whether anybody may be on the channel."""


class TriggerNews:
    """Tells those who have a canvas open of its triggers."""

    def __init__(self, records: TriggerRecords, channels: Publishes, url: str) -> None:
        self._records = records
        self._channels = channels
        self._url = url

    async def __call__(self, trigger: str) -> None:
        """Tell of a trigger as it is now."""
        record = await self._records.find(trigger)
        if record is not None and self._channels.reaches(f"canvas:{record.canvas_id}"):
            last = await self._records.last_firings([trigger])
            self.tell(record.canvas_id, trigger, trigger_view(record, last.get(trigger), self._url))

    def tell(self, canvas: str, trigger: str, view: TriggerView | None) -> None:
        """Tell of a trigger that is so, or was removed."""
        event = TriggersChanged(canvas=canvas, id=trigger, trigger=view)
        self._channels.publish(
            f"canvas:{canvas}", "triggers.changed", event.model_dump(mode="json")
        )


class TriggerService(Service):
    """Triggers of canvases. Editors make them, and they run as these; viewers see them."""

    name: ClassVar[str] = "triggers"

    def __init__(
        self,
        triggers: Triggers,
        records: TriggerRecords,
        vault: Callable[[], Vault],
        access: Callable[[str], Awaitable[CanvasAccess]],
        news: TriggerNews,
        url: str,
    ) -> None:
        self._triggers = triggers
        self._records = records
        self._vault = vault
        self._access = access
        self._news = news
        self._url = url

    @operation(summary="List the triggers of a canvas", rest=("GET", "/v1/triggers"))
    async def find(self, call: Call, request: FindTriggers) -> TriggerList:
        """List a canvas's triggers, the oldest first, each with its last firing."""
        require(call.actor, "canvas.read", await self._access(request.canvas))
        records = await self._records.of_canvas(request.canvas)
        last = await self._records.last_firings([each.id for each in records])
        return TriggerList(
            items=[trigger_view(each, last.get(each.id), self._url) for each in records]
        )

    @operation(summary="Read a trigger", rest=("GET", "/v1/triggers/{id}"))
    async def get(self, call: Call, request: OneTrigger) -> TriggerView:
        """Give a trigger with its last firing."""
        _, record = await self._may(call, "canvas.read", request.id)
        return await self._view(record)

    @operation(
        summary="Make a trigger",
        rest=("POST", "/v1/triggers"),
        status=201,
        errors=("too_many_triggers",),
    )
    async def create(self, call: Call, request: NewTrigger) -> MadeTrigger:
        """Make a trigger that runs as the caller. The secret of a webhook is told here and never again."""
        actor = require(call.actor, "canvas.edit", await self._access(request.canvas))
        settings = self._settings(request.settings, self._records.clock())
        values = {
            "name": request.name,
            "kind": request.settings.kind,
            "settings": settings,
            "inputs": dict(request.inputs),
            "run": request.run.model_dump(mode="json"),
            "missed": request.missed,
            "enabled": request.enabled,
        }
        await self._check(actor, request.settings.kind, settings, request.inputs)
        values |= self._beginning(request.settings.kind, settings)
        secret = new_secret() if request.settings.kind == "webhook" else None

        def seal(id: str) -> bytes | None:
            return None if secret is None else self._vault().encrypt(id, to_text([Secret(secret)]))

        record = await self._records.create(request.canvas, actor.user_id, values, seal)
        _audit(actor, "made", record)
        return MadeTrigger(trigger=await self._changed(record), secret=secret)

    @operation(summary="Change a trigger", rest=("PATCH", "/v1/triggers/{id}"))
    async def patch(self, call: Call, request: PatchTrigger) -> TriggerView:
        """Change a trigger; its maker alone may. Whose the canvas is may turn any off.

        A changed or newly enabled one is due from now on; what came while it was off is not made good.
        """
        off = request.model_fields_set == {"id", "enabled"} and request.enabled is False
        actor, record = await self._may(
            call, "trigger.steer" if off else "trigger.edit", request.id
        )
        values: dict[str, Any] = {
            name: value
            for name, value in request.model_dump(mode="json", exclude_unset=True).items()
            if name in ("name", "inputs", "run", "missed", "enabled") and value is not None
        }
        settings = record.settings
        if request.settings is not None:
            if request.settings.kind != record.kind:
                raise BadRequest.field(
                    "settings.kind", "a trigger stays of its kind", [record.kind]
                )
            settings = self._settings(request.settings, record.created_at)
        inputs = values.get("inputs", record.inputs)
        await self._check(actor, record.kind, settings, inputs, anew=not off)
        again = values.get("enabled", record.enabled) and not record.enabled
        if settings != record.settings or again:
            values |= {"settings": settings, "fault": None}
            values |= self._beginning(record.kind, settings, record.cursor)
        record = await self._records.put(record, values)
        _audit(actor, "changed", record)
        return await self._changed(record)

    @operation(summary="Remove a trigger", rest=("DELETE", "/v1/triggers/{id}"))
    async def remove(self, call: Call, request: OneTrigger) -> Done:
        """Remove a trigger and its firings; its maker may, and whose the canvas is. Its runs stay."""
        actor, record = await self._may(call, "trigger.steer", request.id)
        await self._records.remove(record.id)
        _audit(actor, "removed", record)
        self._triggers.changed()
        self._news.tell(record.canvas_id, record.id, None)
        return Done()

    @operation(summary="Fire a trigger by hand", rest=("POST", "/v1/triggers/{id}/fire"), cost=5)
    async def fire(self, call: Call, request: FireTrigger) -> FiringView:
        """Fire a trigger now, one that is turned off too; its times stay as they are."""
        actor, record = await self._may(call, "trigger.steer", request.id)
        fired = await self._triggers.fire_by_hand(record, dict(request.values))
        _audit(actor, "fired", record)
        return firing_view(fired)

    @operation(summary="Give a webhook another secret", rest=("POST", "/v1/triggers/{id}/rotate"))
    async def rotate(self, call: Call, request: OneTrigger) -> MadeTrigger:
        """Make a new secret, told this once; the one before stays good for a day."""
        actor, record = await self._may(call, "trigger.edit", request.id)
        if record.sealed is None:
            raise Conflict("Only a webhook has a secret")
        known = from_text(self._vault().decrypt(record.id, record.sealed))
        secret = new_secret()
        secrets = rotated(known, secret, self._records.clock())
        sealed = self._vault().encrypt(record.id, to_text(secrets))
        record = await self._records.put(record, {"sealed": sealed})
        _audit(actor, "gave another secret to", record)
        return MadeTrigger(trigger=await self._changed(record), secret=secret)

    @operation(summary="List a trigger's firings", rest=("GET", "/v1/triggers/{id}/firings"))
    async def firings(self, call: Call, request: ListFirings) -> FiringList:
        """List when a trigger fired, or should have, newest first; at least the newest 1,000 are kept."""
        _, record = await self._may(call, "canvas.read", request.id)
        found = await self._records.firings(record.id, limit=request.limit, before=request.before)
        return FiringList(items=[firing_view(each) for each in found])

    @operation(summary="Tell when a trigger would be due", rest=("POST", "/v1/triggers/preview"))
    async def preview(self, call: Call, request: PreviewTrigger) -> NextTimes:
        """Give the next times of settings that are not kept yet."""
        require(call.actor, "run.create")
        now = self._records.clock()
        settings = self._settings(request.settings, now)
        schedule = schedule_of(request.settings.kind, settings)
        times: list[float] = []
        at = now if request.after is None else request.after
        while schedule is not None and len(times) < request.count:
            following = schedule.next(at)
            if following is None:
                break
            times.append(following)
            at = following
        return NextTimes(times=times)

    async def _may(self, call: Call, action: Action, id: str) -> tuple[Actor, TriggerRecord]:
        """Return who calls, and the trigger; to those who may not see its canvas there is none."""
        require(call.actor, "run.create")
        record = await self._records.get(id)
        access = await self._access(record.canvas_id)
        actor = require(call.actor, "canvas.read", access)
        if action != "canvas.read":
            require(actor, action, TriggerAccess(record.id, record.user_id, access))
        return actor, record

    def _settings(self, settings: Any, made_at: float) -> dict[str, Any]:
        """Return settings as they are kept. Raises BadRequest."""
        kept: dict[str, Any] = settings.model_dump(mode="json", exclude={"kind"})
        if settings.kind == "interval" and settings.anchor is None:
            kept["anchor"] = round(made_at, 3)
        try:
            schedule = schedule_of(settings.kind, kept)
            if schedule is not None and schedule.next(made_at) is None:
                raise ScheduleError("it is never due")
        except ScheduleError as error:
            zone = "time zone" in str(error)
            raise BadRequest.field(
                f"settings.{'zone' if zone else 'expression'}", str(error)
            ) from error
        return kept

    def _beginning(
        self, kind: str, settings: Mapping[str, Any], before: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return where a trigger stands that begins now."""
        now = self._records.clock()
        schedule = schedule_of(kind, dict(settings))
        if kind == "event":
            return {"cursor": {"from": now, "at": now}}
        if (
            kind == "poll"
        ):  # it looks at once; its changes are counted on, so that none is taken for an old one
            return {"next_at": now, "cursor": {"count": (before or {}).get("count", 0)}}
        return {"next_at": None if schedule is None else schedule.next(now)}

    async def _check(
        self,
        actor: Actor,
        kind: str,
        settings: Mapping[str, Any],
        inputs: Mapping[str, Any],
        *,
        anew: bool = True,
    ) -> None:
        try:
            check_inputs(kind, inputs)
        except PathError as error:
            raise BadRequest.field("inputs", str(error)) from error
        if kind == "event" and anew:
            require(actor, "canvas.read", await self._access(settings["canvas"]))

    async def _changed(self, record: TriggerRecord) -> TriggerView:
        self._triggers.changed()
        view = await self._view(record)
        self._news.tell(record.canvas_id, record.id, view)
        return view

    async def _view(self, record: TriggerRecord) -> TriggerView:
        last = await self._records.last_firings([record.id])
        return trigger_view(record, last.get(record.id), self._url)


def _audit(actor: Actor, what: str, record: TriggerRecord) -> None:
    audit.info(
        "%s %s trigger %s (%s) of canvas %s",
        actor.email,
        what,
        record.id,
        record.kind,
        record.canvas_id,
    )


def announce_triggers(registry: Registry) -> None:
    """Document the events that triggers send to sockets."""
    registry.announce("triggers.changed", TriggersChanged, "A trigger fired, or was changed")
