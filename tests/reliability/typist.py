"""A tab that types as fast as its window allows, and knows what the server must have of it.

Every edit writes one number into two ports of the tab's own node, in one update, so that half an
update shows: by the two ports, and by a clock of the tab's client id that no edit ended at.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
from pycrdt import Map

from spellwork_server.rooms.update_parser import parse_state_vector
from tests.server.rooms.tab import Tab

from .sockets import Socket

WINDOW = 8
"""Edits a tab sends before it waits for the first answer."""

PORTS = ("one", "two")


@dataclass(frozen=True, slots=True)
class Typed:
    """One edit: what was written, its bytes, and the clock of the tab's client id after it."""

    number: int
    update: bytes
    clock: int


class Typist:
    """One tab on one canvas. Its document outlives its sockets, as a browser's does."""

    def __init__(self, canvas: str, name: str) -> None:
        self.canvas = canvas
        self.node = name
        self.tab = Tab()
        self.typed: list[Typed] = []
        self.acknowledged = 0
        """The highest number that was acknowledged, by an answer or a state vector; 0 before the first."""
        self.refusals: list[tuple[int, str]] = []
        """Numbers that were refused, with the code."""
        self.problems: list[set[str]] = []
        """The codes of each ``canvas.problems``."""
        self.roles: list[str | None] = []
        self.heard = asyncio.Event()
        """Set by every answer and event; whoever waits clears it."""
        self.socket = Socket(reconnection=False)
        self._free = asyncio.Semaphore(WINDOW)

    @property
    def client_id(self) -> int:
        return self.tab.doc.client_id

    @property
    def told(self) -> set[str]:
        """The codes of the last ``canvas.problems``."""
        return self.problems[-1] if self.problems else set()

    async def open(self) -> dict[str, Any]:
        """Open the canvas, take what is new there, and send again what it lacks of this tab."""
        opened: dict[str, Any] = await self.ask(
            "canvas.open", client_id=self.client_id, state_vector=self.tab.doc.get_state()
        )
        assert opened["ok"], opened
        self.tab.apply(opened["diff"])
        have = parse_state_vector(opened["state_vector"]).get(self.client_id, 0)
        for typed in self.typed:
            if typed.clock <= have:
                self.acknowledged = max(self.acknowledged, typed.number)
            else:
                await self._free.acquire()
                await self._send(typed)
        return opened

    async def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        answer: dict[str, Any] = await self.socket.call(
            event, {"canvas": self.canvas} | payload, timeout=30
        )
        return answer

    async def type_for_ever(self) -> None:
        """Type until cancelled, or until the connection is gone."""
        while self.socket.connected:
            await self.type()

    async def type(self) -> Typed:
        """Write the next number, and send it as soon as the window allows."""
        await self._free.acquire()
        typed = self._write()
        await self._send(typed)
        return typed

    async def type_and_wait(self) -> str | None:
        """Type once; return None when that was acknowledged, else the code of the refusal."""
        typed = self._write()
        answer = await self.ask("canvas.update", msg_id=typed.number, update=typed.update)
        self._note(typed.number, answer)
        return None if answer["ok"] else str(answer["error"]["code"])

    async def send_again(self) -> None:
        """Send what was never acknowledged, as it was, and see it taken."""
        for typed in self.typed[self.acknowledged :]:
            answer = await self.ask("canvas.update", msg_id=typed.number, update=typed.update)
            assert answer["ok"], answer
            self._note(typed.number, answer)

    def check(self, opened: dict[str, Any]) -> None:
        """Compare what a server answered to ``canvas.open`` with what it must have of this tab."""
        clock = parse_state_vector(opened["state_vector"]).get(self.client_id, 0)
        ends = {0: 0} | {typed.clock: typed.number for typed in self.typed}
        assert clock in ends, f"{self.node}: half an update is there: clock {clock}"
        number = ends[clock]
        assert number >= self.acknowledged, (
            f"{self.node}: edit {self.acknowledged} was acknowledged, the server has {number}"
        )
        reader = Tab()
        reader.apply(opened["diff"])
        node = reader.state()["nodes"].get(self.node)
        found = {} if node is None else node["inputs"]
        assert found == ({} if number == 0 else dict.fromkeys(PORTS, float(number)))

    @asynccontextmanager
    async def online(self, url: str, token: str) -> AsyncIterator[None]:
        """Give a block in which this tab is connected by a socket of its own."""
        async with aiohttp.ClientSession() as http:
            socket = Socket(reconnection=False, http_session=http)
            socket.on("canvas.problems", self._on_problems)
            socket.on("canvas.role", self._on_role)
            socket.on("canvas.updates", lambda data: self.tab.apply(*data["updates"]))
            socket.on("disconnect", lambda *_: self.heard.set())
            await socket.connect(
                url, auth={"token": token}, transports=["websocket"], wait_timeout=30
            )
            self.socket, self._free = socket, asyncio.Semaphore(WINDOW)
            try:
                yield
            finally:
                await socket.disconnect()

    async def done(self) -> None:
        """Wait until all that was typed is acknowledged."""
        await self.until(lambda: self.acknowledged == len(self.typed))

    async def offline(self) -> None:
        """Wait until the connection is gone."""
        await self.until(lambda: not self.socket.connected)

    async def until(self, true: Callable[[], Any], seconds: float = 60) -> None:
        """Wait until something holds that an answer or event of this tab brings."""
        async with asyncio.timeout(seconds):
            while not true():
                self.heard.clear()
                await self.heard.wait()

    def _write(self) -> Typed:
        number = len(self.typed) + 1
        values = dict.fromkeys(PORTS, float(number))
        if number == 1:
            update = self.tab.add(self.node, inputs=Map(values))
        else:
            update = self.tab.edit(lambda: self.tab["nodes"][self.node]["inputs"].update(values))
        clock = parse_state_vector(self.tab.doc.get_state())[self.client_id]
        self.typed.append(Typed(number, update, clock))
        return self.typed[-1]

    async def _send(self, typed: Typed) -> None:
        free = self._free

        def answered(answer: dict[str, Any]) -> None:
            free.release()
            self._note(typed.number, answer)

        message = {"canvas": self.canvas, "msg_id": typed.number, "update": typed.update}
        await self.socket.emit("canvas.update", message, callback=answered)

    def _note(self, number: int, answer: dict[str, Any]) -> None:
        if answer["ok"]:
            self.acknowledged = max(self.acknowledged, number)
        else:
            self.refusals.append((number, answer["error"]["code"]))
        self.heard.set()

    def _on_problems(self, data: dict[str, Any]) -> None:
        self.problems.append({each["code"] for each in data["problems"]})
        self.heard.set()

    def _on_role(self, data: dict[str, Any]) -> None:
        self.roles.append(data["role"])
        self.heard.set()
