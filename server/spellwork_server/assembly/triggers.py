"""What starts runs by itself: triggers, and the way from a firing to a run."""

from __future__ import annotations

import time
from dataclasses import dataclass

from spellwork_server.assembly.running import Running
from spellwork_server.assembly.stores import Stores, finds_actors
from spellwork_server.runs.spell_runner import Place, RunRequest
from spellwork_server.services.triggers import TriggerNews
from spellwork_server.settings import Settings
from spellwork_server.sockets.relay import Relay
from spellwork_server.triggers.endings import Endings
from spellwork_server.triggers.firing import Firer, Start, Starts
from spellwork_server.triggers.hooks import Hooks
from spellwork_server.triggers.polling import Poller
from spellwork_server.triggers.triggers import Triggers


@dataclass(frozen=True, slots=True)
class Triggering:
    """Triggers, the route that webhooks are sent to, and what tells of them."""

    triggers: Triggers
    hooks: Hooks
    news: TriggerNews


def make_triggers(settings: Settings, stores: Stores, running: Running, relay: Relay) -> Triggering:
    """Put together what fires."""
    access = stores.canvases.access
    news = TriggerNews(stores.triggers, relay, settings.url)
    firer = Firer(_starts(running), stores.commits, finds_actors(stores), access, time.time, news)
    triggers = Triggers(
        stores.triggers,
        firer,
        Poller(firer, running.grants.answer),
        Endings(stores.triggers, firer, stores.outputs, access),
    )
    running.runners.watch_ends(
        lambda run: triggers.run_ended(run.order.canvas, run.order.request.get("trigger"))
    )
    return Triggering(triggers, Hooks(triggers, stores.vault), news)


def _starts(running: Running) -> Starts:
    async def start(asked: Start) -> str:
        run = asked.run
        request = RunRequest(
            actor=asked.actor,
            inputs=asked.inputs,
            timeout=run.timeout,
            audience=run.audience,
            on_busy="parallel",
            durable=True,
            trigger=asked.trigger,
            depth=asked.depth,
            also=asked.also,
        )
        if run.queue is not None:
            retry = None if run.retry is None else run.retry.model_dump()
            place = Place(run.queue, run.priority, retry=retry)
            user = asked.actor.user_id
            return (await running.queueing.put(user, asked.canvas, request, place)).record.id
        runner = await running.runners.acquire(asked.actor.user_id, asked.canvas)
        try:
            return (await running.runners.start(runner, request)).id
        finally:
            running.runners.release(runner)

    return start
