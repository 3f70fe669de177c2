"""Everything a run needs, really wired, on a database in memory or a file; only sockets are lists."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import insert

from spellwork import (
    Library,
    Limiters,
    LimitRules,
    Limits,
    NodeError,
    Pack,
    Port,
    Question,
    Spell,
    node,
)
from spellwork.context import Context
from spellwork.executor import Executor
from spellwork_core import pack as core
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import NotFound
from spellwork_server.identity import Actor, CanvasAccess
from spellwork_server.queues.endings import Endings
from spellwork_server.queues.steering import Steering
from spellwork_server.runs.asking import Asking
from spellwork_server.runs.carrying import Carrying
from spellwork_server.runs.journal import Journal
from spellwork_server.runs.last_values import LastValues
from spellwork_server.runs.output_cache import SharedCache
from spellwork_server.runs.pages import Pages
from spellwork_server.runs.past_reader import PastReader
from spellwork_server.runs.queueing import Queueing
from spellwork_server.runs.recorded_inputs import InputReader
from spellwork_server.runs.resting import TryAgain, never
from spellwork_server.runs.run import Machinery, nobody_lags
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.runners import Runners
from spellwork_server.runs.spell_manager import Managers, SpellManager
from spellwork_server.services.cache import CacheService
from spellwork_server.services.events import EventService
from spellwork_server.services.registry import Registry
from spellwork_server.services.run_reading import RunLooks, RunReadingService
from spellwork_server.services.runs import RunService
from spellwork_server.services.service import Call
from spellwork_server.storage.cache import CacheStore
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.database import MEMORY, Database
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.queues import QueueStore
from spellwork_server.storage.run_events import RunEventStore
from spellwork_server.storage.run_figures import RunFigures
from spellwork_server.storage.run_progress import ProgressRecords
from spellwork_server.storage.run_records import RunRecords
from spellwork_server.storage.run_search import RunSearch
from spellwork_server.storage.schema import CANVASES, USERS
from spellwork_server.storage.steering import SteerStore
from spellwork_server.storage.timeline_events import TimelineEvents
from spellwork_server.storage.update_log import UpdateLog
from spellwork_server.storage.upgrade import upgrade
from spellwork_server.storage.users import UserRecords

ADA = Actor("ada", "ada@example.org", "Ada", "member")
BOB = Actor("bob", "bob@example.org", "Bob", "member")
EVE = Actor("eve", "eve@example.org", "Eve", "member")
ROOT = Actor("root", "root@example.org", "Root", "admin")


class Gates:
    """What nodes wait for, and how often each ran, by name."""

    def __init__(self) -> None:
        self.open: dict[str, asyncio.Event] = {}
        self.entered: dict[str, asyncio.Event] = {}
        self.calls: dict[str, int] = {}

    def gate(self, name: str) -> asyncio.Event:
        return self.open.setdefault(name, asyncio.Event())

    def arrival(self, name: str) -> asyncio.Event:
        return self.entered.setdefault(name, asyncio.Event())

    def count(self, name: str) -> None:
        self.calls[name] = self.calls.get(name, 0) + 1


def make_library(gates: Gates) -> Library:  # noqa: C901 - a list of small nodes
    @node("t.value", title="Value", output="value")
    async def value(value: Any) -> Any:
        """Give a value."""
        return value

    @node("t.add", title="Add", output="sum", cache="none")
    async def add(ctx: Context, a: float, b: float = 1) -> float:
        """Add."""
        gates.count(ctx.node_id)
        return a + b

    @node("t.wait", title="Wait", output="value", cache="none")
    async def wait(ctx: Context, gate: str, value: Any = None) -> Any:
        """Wait for a gate."""
        gates.count(ctx.node_id)
        gates.arrival(gate).set()
        await gates.gate(gate).wait()
        return value

    @node("t.fail", title="Fail", output="value", cache="none")
    async def fail(message: str) -> Any:
        """Fail."""
        raise NodeError(message, code="asked_to", port="message")

    @node("t.stream", title="Stream", output="text", cache="none", committed=False)
    async def stream(count: int, pause: bool = True) -> AsyncIterator[str]:
        """Stream words."""
        for index in range(count):
            if pause:
                await asyncio.sleep(0)
            yield f"{index} "

    @node("t.pictures", title="Pictures", output="data", cache="none")
    async def pictures(count: int) -> AsyncIterator[bytes]:
        """Stream bytes."""
        for index in range(count):
            yield bytes([index])

    @node("t.chatter", title="Chatter", output="done", cache="none", committed=False)
    async def chatter(ctx: Context, count: int, every: int = 10) -> int:
        """Log many lines, letting others run now and then."""
        for index in range(count):
            ctx.log(f"line {index}")
            if index % every == 0:
                await asyncio.sleep(0)
        return count

    @node("t.double", title="Double", output="value", preview=True)
    async def double(ctx: Context, value: float) -> float:
        """Twice, and cacheable."""
        gates.count(ctx.node_id)
        return value * 2

    @node("t.ask", title="Ask", output="answer", cache="none")
    async def ask(ctx: Context, value: Any = None) -> Any:
        """Ask somebody."""
        return await ctx.ask(Question(kind="approval", title=f"Is it {value}?"))

    @node("t.pair", title="Pair", output="pair", cache="none")
    async def pair(ctx: Context, value: Any) -> Any:
        """Give what JSON gives back as something else."""
        gates.count(ctx.node_id)
        return (value, value)

    @node("t.twins", title="Twins", output="pair")
    async def twins(value: Any) -> Any:
        """Give at once what JSON gives back as something else."""
        return (value, value)

    @node("t.moody", title="Moody", output="value", cache="none")
    async def moody(ctx: Context, value: Any) -> Any:
        """Fail at the first call."""
        gates.count(ctx.node_id)
        if gates.calls[ctx.node_id] == 1:
            raise NodeError("not yet", code="busy")
        return value

    @node("t.model", outputs=(Port("text"), Port("usage")), cache="none")
    async def model(tokens: int, text: Any = "hm") -> Any:
        """Tell what it took."""
        took = {"prompt_tokens": 3, "completion_tokens": tokens}
        return {"text": text, "usage": {"provider": "ollama", "model": "m", **took}}

    nodes = (
        value,
        add,
        wait,
        fail,
        stream,
        pictures,
        chatter,
        double,
        ask,
        pair,
        twins,
        moody,
        model,
    )
    return Library([core, Pack(name="t", version="1", title="Test", nodes=nodes)])


@dataclass
class FakeRoom:
    """A canvas without a document: ``draw`` puts another spell on it."""

    drawn: Spell
    subscribers: dict[int, Callable[[], None]] = field(default_factory=dict)

    def spell(self) -> Spell:
        return self.drawn

    async def settled(self) -> None:
        """Every edit here is durable at once."""

    def subscribe(self, callback: Callable[[], None]) -> Callable[[], None]:
        key = len(self.subscribers)
        self.subscribers[key] = callback
        return lambda: self.subscribers.pop(key, None) and None

    def draw(self, spell: Spell) -> None:
        self.drawn = spell
        for callback in list(self.subscribers.values()):
            callback()


@dataclass
class FakeRooms:
    rooms: dict[str, FakeRoom] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    async def open(self, canvas_id: str) -> FakeRoom:
        await asyncio.sleep(0)
        if canvas_id not in self.rooms:
            raise NotFound(f"There is no canvas {canvas_id}")
        self.held[canvas_id] = self.held.get(canvas_id, 0) + 1
        return self.rooms[canvas_id]

    async def release(self, canvas_id: str) -> None:
        self.held[canvas_id] -= 1


class Tab:
    """A socket as the server sees it, and all that was sent to it."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.state: dict[Any, Any] = {}
        self.sent: list[tuple[str, Any]] = []

    @property
    def manager(self) -> SpellManager:
        manager = self.state[SpellManager]
        assert isinstance(manager, SpellManager)
        return manager

    def release_turn(self) -> None:
        """Nothing waits behind an event here."""

    def events(self, stream: str | None = None) -> list[dict[str, Any]]:
        return [
            event
            for name, data in self.sent
            if name == "run.events" and (stream is None or data["stream"] == stream)
            for event in data["events"]
        ]

    def named(self, event: str) -> list[Any]:
        return [data for name, data in self.sent if name == event]


class TabChannels:
    """Channels whose members are tabs."""

    def __init__(self) -> None:
        self.members: dict[str, dict[Tab, None]] = {}

    def join(self, session: Any, channel: str) -> None:
        self.members.setdefault(channel, {})[session] = None

    def leave(self, session: Any, channel: str) -> None:
        self.members.get(channel, {}).pop(session, None)

    def followed(self, channel: str) -> bool:
        return bool(self.members.get(channel))

    def publish(self, channel: str, event: str, data: Any) -> None:
        decoded = msgspec.json.decode(msgspec.json.encode(data))
        for tab in list(self.members.get(channel, ())):
            tab.sent.append((event, decoded))


@dataclass
class House:
    database: Database
    commits: GroupCommit
    channels: TabChannels
    rooms: FakeRooms
    gates: Gates
    journal: Journal
    cache: SharedCache
    runners: Runners
    reader: RunReader
    records: RunRecords
    outputs: OutputStore
    managers: Managers
    registry: Registry
    members: dict[str, dict[str, Any]]

    async def call(self, who: Actor | Tab, name: str, **payload: Any) -> dict[str, Any]:
        """Ask for an operation, as a socket does (a Tab) or as REST would."""
        call = Call(who.actor, session=who) if isinstance(who, Tab) else Call(who)  # type: ignore[arg-type]
        return await self.registry.dispatch(name, payload, call)

    async def tab(self, actor: Actor = ADA, *canvases: str) -> Tab:
        tab = Tab(actor)
        await self.managers.connected(tab)
        for canvas in canvases:
            await tab.manager.open(canvas)
        return tab

    async def canvas(
        self, spell: Spell | Mapping[str, Any], name: str = "c1", **roles: Any
    ) -> FakeRoom:
        """Add a canvas of Ada's, with others' roles."""
        self.members[name] = {"ada": "owner", **roles}
        values = {
            "name": name,
            "owner_id": "ada",
            "epoch": "e",
            "created_at": 0.0,
            "updated_at": 0.0,
        }
        async with self.database.write() as conn:
            await conn.execute(insert(CANVASES).values(id=name, **values))
        room = FakeRoom(as_spell(spell))
        self.rooms.rooms[name] = room
        return room

    async def rooms_again(self, name: str, spell: Mapping[str, Any]) -> None:
        """Give a canvas that the database has already its room."""
        self.rooms.rooms[name] = FakeRoom(as_spell(spell))

    async def ended(self, run: str) -> dict[str, Any]:
        going = self.runners.find(run)
        if going is not None:
            async with asyncio.timeout(60):
                await going.ended.wait()
        return await self.call(ROOT, "runs.get", id=run)


def as_spell(spell: Spell | Mapping[str, Any]) -> Spell:
    return spell if isinstance(spell, Spell) else Spell.model_validate(spell)


def spell_of(nodes: Mapping[str, Any], *wires: str) -> dict[str, Any]:
    """Return a spell; a wire is "a.value > b.a"."""
    edges = {}
    for index, wire in enumerate(wires):
        source, target = (end.strip().split(".") for end in wire.split(">"))
        edges[f"e{index}"] = {
            "source": source[0],
            "output": source[1],
            "target": target[0],
            "input": target[1],
        }
    return {"schema": 1, "name": "Test", "nodes": dict(nodes), "edges": edges}


def sums() -> dict[str, Any]:
    """a = 1; b = a + 1; c = b + 1; and d = 5 + 1, apart."""
    return spell_of(
        {
            "a": {"type": "t.value", "inputs": {"value": 1}},
            "b": {"type": "t.add"},
            "c": {"type": "t.add"},
            "d": {"type": "t.add", "inputs": {"a": 5}},
        },
        "a.value > b.a",
        "b.sum > c.a",
    )


def waiting(gate: str = "g") -> dict[str, Any]:
    return spell_of({"w": {"type": "t.wait", "inputs": {"gate": gate, "value": 7}}})


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    """Wait until a condition holds, which some event is about to bring."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def house(
    url: str = MEMORY,
    *,
    grace: float = 30,
    executors: Mapping[str, Executor] | None = None,
    limits: Limits | None = None,
    rules: LimitRules | None = None,
    held_up: Callable[[str, str], bool] = nobody_lags,
    asking: Asking | None = None,
    try_again: TryAgain = never,
    gates: Gates | None = None,
    process: str | None = None,
) -> AsyncIterator[House]:
    gates = gates or Gates()
    channels = TabChannels()
    rooms = FakeRooms()
    members: dict[str, dict[str, Any]] = {}

    async def access(canvas: str) -> CanvasAccess:
        if canvas not in members:
            raise NotFound(f"There is no canvas {canvas}")
        return CanvasAccess(canvas, members[canvas])

    async with Database(url) as database:
        await upgrade(database)
        await _add_users(database)
        store, records, outputs = CacheStore(database), RunRecords(database), OutputStore(database)
        async with (
            GroupCommit(database) as commits,
            SharedCache(store, commits, 1024 * 1024) as cache,
            Journal(JournalStore(database), commits, channels) as journal,
        ):
            machinery = Machinery(
                journal=journal,
                cache=cache,
                executors=executors or {},
                limits=limits or Limits(),
                limiters=Limiters(rules),
                last=LastValues(outputs),
                children=ChildSpells(UpdateLog(database, commits), access),
                inline_bytes=64 * 1024,
                held_up=held_up,
                asking=asking,
                try_again=try_again,
                process=lambda: process,
            )
            library = make_library(gates)
            past = PastReader(RunEventStore(database), outputs)
            runners = Runners(
                libraries=library,
                machinery=machinery,
                commits=commits,
                records=records,
                rooms=rooms,
                access=access,
                grace=grace,
                carrying=Carrying(library, machinery, past, access, _actor),
            )
            waiting = QueueStore(database)
            endings = Endings(waiting, runners.find)
            runners.watch_ends(lambda run: endings.note(run.id))
            queueing = Queueing(runners, waiting, lambda: "house", lambda: None)
            async with runners, endings:
                progress = ProgressRecords(database)
                reader = RunReader(records, outputs, runners.find, access, 64 * 1024, progress)
                registry = Registry()
                pages = Pages(64 * 1024)
                registry.add(
                    RunService(
                        runners,
                        reader,
                        journal,
                        commits,
                        access,
                        max_spell_nodes=1_000,
                        pages=pages,
                        queueing=queueing,
                        endings=endings,
                        steering=Steering(
                            SteerStore(database), records, runners.find, lambda: "house"
                        ),
                    ),
                    RunReadingService(
                        reader,
                        RunLooks(
                            search=RunSearch(database),
                            figures=RunFigures(database),
                            events=TimelineEvents(database),
                            inputs=InputReader(
                                make_library(gates), machinery.children, outputs, 64 * 1024
                            ),
                            outputs=outputs,
                            users=UserRecords(database),
                            canvases=CanvasRecords(database),
                        ),
                        access,
                    ),
                    EventService(journal, reader, access),
                    CacheService(cache, store, reader, pages),
                )
                managers = Managers(runners, journal, channels, access)
                yield House(
                    database, commits, channels, rooms, gates, journal, cache, runners, reader,
                    records, outputs, managers, registry, members,
                )  # fmt: skip


async def _actor(user: str) -> Actor | None:
    return next((who for who in (ADA, BOB, EVE, ROOT) if who.user_id == user), None)


async def _add_users(database: Database) -> None:
    rows = [
        {
            "id": who.user_id,
            "email": who.email,
            "name": who.name,
            "role": who.role,
            "created_at": 0.0,
        }
        for who in (ADA, BOB, EVE, ROOT)
    ]
    async with database.read() as conn:
        known = (await conn.execute(USERS.select())).first()
    if known is None:
        async with database.write() as conn:
            await conn.execute(insert(USERS), rows)
