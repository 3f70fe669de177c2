"""Forged client ids, gaps and huge clocks are refused on both transports, and no replica changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import socketio

from spellwork_server.rooms.lib0 import write_bytes, write_uint
from spellwork_server.rooms.update_parser import parse_state_vector
from spellwork_server.sockets import y_messages
from tests.server.rooms.tab import Tab
from tests.server.services.house import Caller, House, house
from tests.server.sockets.y_peer import connect

pytestmark = pytest.mark.anyio

ADA, MALLORY, NOBODY = 11, 22, 33
"""Client ids: of whoever drew, of the attacker, and one not used yet."""

ROOT_ENTRY = b"\x28\x01" + write_bytes(b"meta") + write_bytes(b"name")
"""The head of an edit that names the canvas: JSON content for a key of a root."""


def struct(client: int, clock: int, body: bytes = ROOT_ENTRY + b"\x01\x77\x06forged") -> bytes:
    return b"\x01\x01" + write_uint(client) + write_uint(clock) + body + b"\0"


def deletion(client: int, clock: int, length: int) -> bytes:
    return b"\0\x01" + b"".join(write_uint(each) for each in (client, 1, clock, length))


def after(client: int, clock: int, *, by: int = MALLORY) -> bytes:
    """A text that says it was typed after some clock."""
    return struct(by, 0, b"\x84" + write_uint(client) + write_uint(clock) + write_bytes(b"x"))


FORGERIES: dict[str, tuple[Callable[[int], bytes], set[str]]] = {
    "another's client, from the start": (lambda end: struct(ADA, 0), {"client_id_taken"}),
    "another's client, at its next clock": (lambda end: struct(ADA, end), {"client_id_taken"}),
    "another's client, far ahead": (lambda end: struct(ADA, end + 1000), {"client_id_taken"}),
    "another's client, beside one's own": (
        lambda end: b"\x02" + struct(ADA, end)[1:-1] + struct(MALLORY, 0)[1:],
        {"client_id_taken"},
    ),
    "a gap of one's own": (lambda end: struct(MALLORY, 1), {"update_gap"}),
    "a gap of a client not used yet": (lambda end: struct(NOBODY, 7), {"update_gap"}),
    "on what is not there yet": (lambda end: after(ADA, end), {"update_gap"}),
    "on a client that does not exist": (lambda end: after(NOBODY, 0), {"update_gap"}),
    "on one's own future": (lambda end: after(MALLORY, 5), {"update_invalid"}),
    "deleting what is not there yet": (lambda end: deletion(ADA, end, 1), {"update_gap"}),
    "deleting past the end": (lambda end: deletion(ADA, 0, end + 1), {"update_gap"}),
    "deleting of nobody": (lambda end: deletion(NOBODY, 0, 1), {"update_gap"}),
    "deleting nearly everything there could be": (
        lambda end: deletion(ADA, 0, 2**31 - 1),
        {"update_gap"},
    ),
    "deleting more than clocks can count": (
        lambda end: deletion(ADA, 0, 2**32),
        {"update_invalid"},
    ),
    "a clock at the limit": (
        lambda end: struct(MALLORY, 2**31 - 1),
        {"update_gap", "update_invalid"},
    ),
    "a clock over the limit": (lambda end: struct(MALLORY, 2**31), {"update_invalid"}),
    "a clock of 53 bits": (lambda end: struct(MALLORY, 2**53 - 1), {"update_invalid"}),
    "a clock of more than 53 bits": (lambda end: struct(MALLORY, 2**63), {"update_invalid"}),
    "a client of more than 53 bits": (lambda end: struct(2**60, 0), {"update_invalid"}),
    "a garbage range over all clocks": (
        lambda end: struct(MALLORY, 0, b"\0" + write_uint(2**31)),
        {"update_invalid"},
    ),
    "a gap that says so": (
        lambda end: b"\x01\x02" + write_uint(MALLORY) + b"\0\x0a\x05" + struct(0, 0)[4:],
        {"update_gap"},
    ),
    "two edits that wait for each other": (
        lambda end: b"\x02" + after(NOBODY, 0)[1:-1] + after(MALLORY, 0, by=NOBODY)[1:],
        {"update_gap", "update_invalid"},
    ),
}


class Crime:
    """A canvas with a drawing of Ada's, whom Mallory is about to forge."""

    def __init__(self, h: House, ada: Caller, mallory: Caller, canvas: str) -> None:
        self.house = h
        self.ada = ada
        self.mallory = mallory
        self.canvas = canvas

    async def by_tab(self, update: bytes) -> str:
        """Send an update over Socket.IO; return the code of the refusal."""
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(
            self.house.origin,
            auth={"token": self.mallory.token},
            transports=["websocket"],
            wait_timeout=30,
        )
        opened = await client.call("canvas.open", {"canvas": self.canvas, "client_id": MALLORY})
        assert opened["ok"]
        message = {"canvas": self.canvas, "msg_id": 1, "update": update}
        answer = await client.call("canvas.update", message)
        await client.disconnect()
        return "taken" if answer["ok"] else str(answer["error"]["code"])

    async def by_provider(self, update: bytes, message: Callable[[bytes], bytes]) -> str:
        """Send an update over y-websocket; return the code in the reason of the close."""
        async with connect(self.mallory, self.canvas, tab=Tab(MALLORY)) as peer:
            await peer.say(message(update))
            await peer.until(lambda: peer.closed)
            assert peer.closed is not None
            return peer.closed[1].partition(":")[0]


async def commit(h: House) -> Crime:
    ada, mallory = await h.person("ada"), await h.person("mallory")
    made = await ada.post("/v1/canvases", {"name": "Scene"})
    canvas = str(made.body["id"])
    member = {"email": "mallory@example.org", "role": "editor"}
    assert (await ada.put(f"/v1/canvases/{canvas}/members", member)).status == 200
    return Crime(h, ada, mallory, canvas)


@pytest.mark.rule("C5", "U1", "U3", "U6", "Y4", "Y8")
async def test_forgeries_are_refused_on_both_transports_and_change_no_replica(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        crime = await commit(h)
        tab = Tab(ADA)
        async with connect(crime.ada, crime.canvas, tab=tab) as ada:
            await ada.edit(tab.code("a", "x * 21"))
            await ada.edit(tab.wire("e", "a", "a"))
            room = h.parts.rooms.find(crime.canvas)
            assert room is not None
            await ada.until(lambda: room.spell().edges)
            before: tuple[Any, ...] = (room.seq, room.state_vector(), room.spell(), tab.state())
            end = _next_clock(tab)
            for name, (forge, codes) in FORGERIES.items():
                update = forge(end)
                ways = [
                    await crime.by_tab(update),
                    await crime.by_provider(update, y_messages.update),
                    await crime.by_provider(update, y_messages.step_2),
                ]
                assert set(ways) <= codes, (name, ways)
            assert ada.edits == []
            assert ada.open
            assert (room.seq, room.state_vector(), room.spell(), tab.state()) == before
            await ada.edit(tab.put("a", "x", 2))
            await ada.until(lambda: room.spell().nodes["a"].inputs == {"x": 2})


@pytest.mark.rule("C5")
async def test_nobody_edits_under_the_client_id_of_somebody_who_only_looks_on_yet(
    tmp_path: Path,
) -> None:
    """It would be theirs from then on, and what the other draws next would be refused."""
    async with house(tmp_path) as h:
        crime = await commit(h)
        tab = Tab(ADA)
        async with connect(crime.ada, crime.canvas, tab=tab) as ada:
            await ada.be(1, {})
            room = h.parts.rooms.find(crime.canvas)
            assert room is not None
            ada_id = crime.ada.user.id if crime.ada.user else ""
            await ada.until(lambda: ada_id in {each.id for each in room.presence.people()})
            ways = [
                await crime.by_tab(struct(ADA, 0)),
                await crime.by_provider(struct(ADA, 0), y_messages.update),
            ]
            assert ways == ["client_id_taken", "client_id_taken"]
            await ada.edit(tab.add("a"))
            await ada.until(lambda: "a" in room.spell().nodes)


def _next_clock(tab: Tab) -> int:
    return parse_state_vector(tab.doc.get_state())[ADA]
