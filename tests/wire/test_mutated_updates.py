"""Mutated updates, in process and over both transports: the server lives on, does not grow, and others notice nothing."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest
import socketio

from spellwork_server.rooms.presence import encode_states
from spellwork_server.sockets import y_messages
from tests.seeds import FACTOR, seeds
from tests.server.rooms.tab import Tab
from tests.server_process import ServerProcess
from tests.wire.corpus import mutated, real_updates

pytestmark = [pytest.mark.requires("node"), pytest.mark.soak]

MIB = 1024 * 1024
ROOT = Path(__file__).parents[2]
IN_PROCESS = 10_000
"""Inputs for each seed; two seeds in `make test`, a million inputs in all from SOAK=50 on."""
BAD_SEEDS = {"integers that are stored as BigInts": 5}
OVER_THE_WIRE = 1_500 * min(FACTOR, 40)
GROWTH = 48 * MIB
"""What allocators and caches may take in the meantime; a leak of each input would be more."""


@pytest.fixture(scope="module")
def corpus() -> list[bytes]:
    return real_updates(seed=1, count=120)


@pytest.mark.rule("U1", "U2", "U3", "U6")
@pytest.mark.parametrize("seed", sorted({*seeds(2), *BAD_SEEDS.values()}))
def test_a_room_survives_whatever_it_is_fed(corpus: list[bytes], seed: int) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.wire.devour", str(seed), str(IN_PROCESS)],
        input=json.dumps([base64.b64encode(update).decode() for update in corpus]),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-4000:]
    report = json.loads(result.stdout)
    assert sum(report["outcomes"].values()) == IN_PROCESS
    assert report["outcomes"].keys() <= {
        "taken",
        "update_invalid",
        "update_gap",
        "schema_violation",
        "client_id_taken",
    }
    first, *_, last = report["resident"]
    assert last - first < GROWTH


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as process:
        for name in ("ada", "mallory"):
            process.add_user(f"{name}@example.org", "correct horse 7")
        yield process


@dataclass
class Wire:
    """A canvas of Ada's that Mallory may edit, and another that is nobody else's."""

    url: str
    canvas: str
    ada: str
    mallory: str
    http: aiohttp.ClientSession
    outcomes: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def tab(self, token: str, tab: Tab) -> AsyncIterator[socketio.AsyncClient]:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            self.url, auth={"token": token}, transports=["websocket"], wait_timeout=30
        )
        opened = await client.call(
            "canvas.open", {"canvas": self.canvas, "client_id": tab.doc.client_id}
        )
        assert opened["ok"]
        tab.apply(opened["diff"])
        client.on("canvas.updates", lambda data: tab.apply(*data["updates"]))
        try:
            yield client
        finally:
            # python-socketio's client trips over attachments that come while it leaves
            with suppress(socketio.exceptions.SocketIOError):
                await client.call("canvas.close", {"canvas": self.canvas})
            await client.disconnect()

    def peer(self, token: str) -> Any:
        return self.http.ws_connect(
            f"{self.url}/v1/canvases/{self.canvas}/sync", params={"token": token}, max_msg_size=0
        )

    async def spell(self, token: str, canvas: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.get(
            f"{self.url}/v1/canvases/{canvas}/spell", headers=headers
        ) as answer:
            return dict(await answer.json())


async def attack_by_tab(wire: Wire, corpus: Sequence[bytes], seed: int, count: int) -> None:
    """Send mutated updates over Socket.IO, many at once."""
    chance = random.Random(seed)
    async with wire.tab(wire.mallory, Tab()) as client:
        for start in range(0, count, 50):
            async with asyncio.TaskGroup() as tasks:
                asked = [
                    tasks.create_task(_update(client, wire.canvas, mutated(corpus, chance), n))
                    for n in range(start, min(start + 50, count))
                ]
            for each in asked:
                answer = each.result()
                wire.outcomes["taken" if answer["ok"] else answer["error"]["code"]] += 1


async def _update(client: socketio.AsyncClient, canvas: str, update: bytes, n: int) -> Any:
    return await client.call("canvas.update", {"canvas": canvas, "msg_id": n, "update": update})


async def attack_by_provider(wire: Wire, corpus: Sequence[bytes], seed: int, count: int) -> None:
    """Send mutated y-websocket messages; each refusal closes the connection, and a new one is made."""
    chance = random.Random(seed)
    sent = 0
    while sent < count:
        async with wire.peer(wire.mallory) as socket:
            while not socket.closed and sent < count:
                for _ in range(chance.randint(1, 3)):
                    sent += 1
                    if not socket.closed:
                        await socket.send_bytes(_message(corpus, chance))
                await _hear(socket, wire.outcomes)


def _message(corpus: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a message with a mutated body, or one that is mutated as a whole."""
    body = mutated(corpus, chance)
    good = [
        y_messages.update(body),
        y_messages.step_2(body),
        y_messages.step_1(body),
        y_messages.awareness(body),
        y_messages.awareness(encode_states({chance.randrange(2**32): (1, {"x": 1})})),
    ]
    message = chance.choice(good)
    return mutated([message], chance) if chance.random() < 0.2 else message


async def _hear(socket: aiohttp.ClientWebSocketResponse, outcomes: Counter[str]) -> None:
    """Take what has come, until nothing does for a moment or the connection is closed."""
    try:
        while True:
            message = await socket.receive(timeout=0.02)
            if message.type is not aiohttp.WSMsgType.BINARY:
                outcomes[f"closed {socket.close_code}"] += 1
                return
    except TimeoutError:
        outcomes["taken"] += 1


async def edit_on(wire: Wire, tab: Tab, client: socketio.AsyncClient, done: asyncio.Event) -> int:
    """Draw as long as the attack lasts; every edit must be acknowledged in time."""
    count = 0
    while not done.is_set():
        async with asyncio.timeout(60):
            answer = await _update(client, wire.canvas, tab.add(f"ada_{count % 50}"), count)
        assert answer["ok"], answer
        count += 1
        await asyncio.sleep(0.05)
    return count


async def attack(wire: Wire, corpus: Sequence[bytes], seed: int, count: int) -> None:
    """Attack on both transports while Ada goes on; her connections stay, and all end equal."""
    tab = Tab()
    done = asyncio.Event()
    async with wire.tab(wire.ada, tab) as client, wire.peer(wire.ada) as quiet:
        await quiet.send_bytes(y_messages.step_1(b"\0"))
        async with asyncio.TaskGroup() as tasks:
            editing = tasks.create_task(edit_on(wire, tab, client, done))
            async with asyncio.TaskGroup() as attacks:
                attacks.create_task(attack_by_tab(wire, corpus, seed, count // 2))
                attacks.create_task(attack_by_provider(wire, corpus, seed + 1, count // 2))
            done.set()
        assert editing.result() > 0
        assert client.connected
        assert not quiet.closed
        ids = tab.state()["nodes"].keys()
        async with asyncio.timeout(60):
            while (await wire.spell(wire.ada, wire.canvas))["nodes"].keys() != ids:
                await asyncio.sleep(0.05)


@pytest.mark.anyio
@pytest.mark.timeout(300 if FACTOR == 1 else 0)
@pytest.mark.rule("U1", "U6", "Y8", "S14")
async def test_the_server_survives_mutated_updates_on_both_transports(
    server: ServerProcess, corpus: list[bytes]
) -> None:
    tokens = [server.api_key(f"{name}@example.org") for name in ("ada", "mallory")]
    async with aiohttp.ClientSession() as http:
        canvas, apart = await _canvases(http, server.url, tokens[0])
        wire = Wire(server.url, canvas, tokens[0], tokens[1], http)
        untouched = await wire.spell(wire.ada, apart)
        pid = server.pid
        await attack(wire, corpus, 1, OVER_THE_WIRE // 3)
        before = psutil.Process(pid).memory_info().rss
        await attack(wire, corpus, 10, OVER_THE_WIRE)
        grown = psutil.Process(pid).memory_info().rss - before
        assert psutil.pid_exists(pid)
        assert grown < GROWTH
        assert await wire.spell(wire.ada, apart) == untouched
        assert sum(wire.outcomes.values()) > OVER_THE_WIRE // 2
        assert "internal" not in wire.outcomes
        assert "closed 4500" not in wire.outcomes
    assert "Traceback" not in server.log


async def _canvases(http: aiohttp.ClientSession, url: str, token: str) -> list[str]:
    """Make a canvas that Mallory may edit, and one with something on it that she may not."""
    headers = {"Authorization": f"Bearer {token}"}
    spell = {"schema": 1, "name": "Apart", "nodes": {"a": {"type": "core.value"}}, "edges": {}}
    made = []
    for body in ({"name": "Wire"}, {"name": "Apart", "spell": spell}):
        async with http.post(f"{url}/v1/canvases", json=body, headers=headers) as answer:
            made.append((await answer.json())["id"])
    member = {"email": "mallory@example.org", "role": "editor"}
    path = f"{url}/v1/canvases/{made[0]}/members"
    async with http.put(path, json=member, headers=headers) as answer:
        assert answer.ok
    return made
