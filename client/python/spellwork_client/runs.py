"""Runs: start them, follow them, steer them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any, Literal

import msgspec

from .errors import RunStopped
from .follow import follow
from .session import Session
from .values import resolve
from .views import LAST_KINDS, Event, RunView, view

PAGE = 1_000
"""Events asked for at a time."""


class Run:
    """One run on the server. ``view`` is what was last heard of it as a whole."""

    def __init__(self, session: Session, first: RunView) -> None:
        self._session = session
        self.view = first

    @property
    def id(self) -> str:
        """The run's id."""
        return self.view.id

    async def events(self, after_seq: int = 0) -> AsyncGenerator[Event, None]:
        """Yield every event of the run once, in order, from after ``after_seq`` to its end.

        Goes on after a lost connection with nothing lost and nothing doubled.
        """
        seen = after_seq
        async with aclosing(self._past(after_seq)) as past:
            async for event in past:
                seen = event.seq
                yield event
                if event.kind in LAST_KINDS:
                    return
        if (await self.refresh()).ended:  # between the two questions, or without a last event
            async with aclosing(self._past(seen)) as past:
                async for event in past:
                    yield event
            return
        async with aclosing(follow(self._session, self.view.stream, seen, self._past)) as stream:
            async for event in stream:
                if event.run == self.id:
                    yield event
                    if event.kind in LAST_KINDS:
                        return

    async def wait(self) -> RunView:
        """Wait for the end and return the run with all outputs, large ones fetched.

        Nodes that failed are in ``errors``: failures are data. Raises RunStopped when the run as a
        whole was cancelled, interrupted or failed.
        """
        if not self.view.ended:
            async with aclosing(self.events()) as events:
                async for _ in events:
                    pass
        ended = await self.refresh()
        if ended.status != "completed":
            raise RunStopped(self.id, ended.status)
        outputs = {
            node: {port: await resolve(self._session, value) for port, value in ports.items()}
            for node, ports in (ended.outputs or {}).items()
        }
        self.view = msgspec.structs.replace(ended, outputs=outputs)
        return self.view

    async def refresh(self) -> RunView:
        """Ask the server for the run as it stands."""
        self.view = view(RunView, await self._session.request("runs.get", {"id": self.id}))
        return self.view

    async def cancel(self) -> None:
        """Stop the run; it ends within a second with ``run.cancelled``."""
        await self._session.request("runs.cancel", {"id": self.id})

    async def pause(self) -> None:
        """Start no further node until ``play``."""
        await self._session.request("runs.pause", {"id": self.id})

    async def play(self) -> None:
        """Go on after ``pause``."""
        await self._session.request("runs.play", {"id": self.id})

    async def step(self) -> None:
        """Start exactly one more node of the run, which is paused."""
        await self._session.request("runs.step", {"id": self.id})

    async def _past(self, after_seq: int) -> AsyncGenerator[Event, None]:
        """Yield what the log has of this run."""
        seen, more = after_seq, True
        while more:
            answer = await self._session.request(
                "runs.events", {"id": self.id, "after_seq": seen, "limit": PAGE}
            )
            more = bool(answer.get("more"))
            for each in answer["events"]:
                event = view(Event, each)
                seen = event.seq
                yield event


class Runs:
    """The runs that this account may see."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def create(
        self,
        *,
        canvas: str | None = None,
        spell: Mapping[str, Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        scope: Sequence[str] | None = None,
        reach: Literal["needed", "only", "onward"] | None = None,
        timeout: float | None = None,
        mode: Literal["once", "live"] | None = None,
        audience: Literal["shared", "private"] | None = None,
        on_busy: Literal["replace", "queue", "parallel"] | None = None,
    ) -> Run:
        """Start a run of a canvas, or of a spell given here; return at once.

        ``inputs`` are ``{"NODE.PORT": value}``, ``{"NODE": value}`` or ``{"NODE": {port: value}}``.
        ``scope`` names the nodes wanted. What they need runs, too; with ``reach`` "only" just they
        run, with "onward" they and all that depends on them, on what the last run left. The run has
        failed after ``timeout`` seconds. What is left out, the server decides. Raises SpellRefused
        when the spell cannot run, BadRequest with ``no_value`` where the last run left too little.
        """
        request = {
            "canvas": canvas,
            "spell": spell,
            "inputs": inputs,
            "scope": scope,
            "reach": reach,
            "timeout": timeout,
            "mode": mode,
            "audience": audience,
            "on_busy": on_busy,
        }
        asked = {name: part for name, part in request.items() if part is not None}
        return Run(self._session, view(RunView, await self._session.request("runs.create", asked)))

    async def get(self, run: str) -> Run:
        """Return a run by its id, also one of yesterday."""
        return Run(
            self._session, view(RunView, await self._session.request("runs.get", {"id": run}))
        )

    async def play(self, canvas: str, *, audience: Literal["shared", "private"] = "shared") -> Run:
        """Enter live mode: each change of the canvas runs what depends on it. Returns the first run, of all of it.

        It lasts until ``pause``, or until this account has had the canvas open nowhere for a while.
        """
        asked = {"canvas": canvas, "audience": audience}
        answer = await self._session.request("runs.play", asked)
        return Run(self._session, view(RunView, answer["run"]))

    async def pause(self, canvas: str) -> None:
        """Leave live mode on a canvas."""
        await self._session.request("runs.pause", {"canvas": canvas})

    async def preview(self, canvas: str, inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """Return what quick nodes give for drafts of inputs, ``{"NODE.PORT": value}``; nothing of it is kept.

        It takes live mode (``play``): without it Refused with ``not_live`` is raised.
        """
        asked = {"canvas": canvas, "inputs": dict(inputs)}
        answer = await self._session.request("runs.preview", asked)
        outputs: dict[str, dict[str, Any]] = answer["outputs"]
        return outputs

    async def find(self, canvas: str | None = None, *, limit: int = 50) -> list[RunView]:
        """Return the newest runs, without their outputs; of one canvas only where given."""
        asked: dict[str, Any] = {"limit": limit}
        if canvas is not None:
            asked["canvas"] = canvas
        answer = await self._session.request("runs.find", asked)
        return [view(RunView, each) for each in answer["items"]]
