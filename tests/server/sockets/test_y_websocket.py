"""Any Yjs program syncs a canvas under the checks of a tab."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import socketio
from aiohttp import ClientWebSocketResponse, WSServerHandshakeError

from spellwork_server.assembly.parts import Parts
from spellwork_server.identity.tokens import SESSION_COOKIE
from spellwork_server.rooms import Room
from spellwork_server.rooms.presence import MAX_TOLD, encode_states, parse_states
from spellwork_server.sockets import y_messages, y_peer, y_websocket
from spellwork_server.sockets.y_peer import MAX_PRESENCE_BYTES, MAX_VECTOR_BYTES
from tests.server.rooms.tab import Tab
from tests.server.services.house import PASSWORD, Caller, House, house
from tests.server.sockets.y_peer import QUERY_AWARENESS, Peer, connect, lying

pytestmark = pytest.mark.anyio


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""What a browser asks for a WebSocket with."""


class Canvas:
    """A whole server with a canvas: Ada owns it, Bob edits, Eve looks, Mallory has no part in it."""

    def __init__(self, h: House, people: dict[str, Caller], id: str) -> None:
        self.house = h
        self.people = people
        self.id = id

    @property
    def parts(self) -> Parts:
        return self.house.parts

    @property
    def room(self) -> Room:
        room = self.parts.rooms.find(self.id)
        assert room is not None
        return room

    @property
    def nodes(self) -> list[str]:
        """The ids of the nodes that are durable."""
        return sorted(self.room.spell().nodes)

    def node(self, id: str) -> Any:
        return self.room.spell().nodes.get(id)

    def user(self, name: str) -> str:
        user = self.people[name].user
        assert user is not None
        return user.id

    def join(self, name: str, **options: Any) -> Any:
        return connect(self.people[name], self.id, **options)

    @asynccontextmanager
    async def tab(self, name: str, tab: Tab) -> AsyncIterator[socketio.AsyncClient]:
        """Open the canvas over Socket.IO."""
        client = socketio.AsyncClient(reconnection=False)
        token = {"token": self.people[name].token}
        await client.connect(
            self.house.origin, auth=token, transports=["websocket"], wait_timeout=30
        )
        request = {"canvas": self.id, "client_id": tab.doc.client_id}
        opened = await client.call("canvas.open", request)
        assert opened["ok"]
        if opened["diff"]:
            tab.apply(opened["diff"])
        try:
            yield client
        finally:
            await client.disconnect()

    async def refused(self, who: Caller, id: str | None = None, **options: Any) -> tuple[int, str]:
        """Try to connect; return the status and code that the server answers instead."""
        headers = UPGRADE | options.pop("headers", {})
        answer = await who.get(f"/v1/canvases/{id or self.id}/sync", headers=headers, **options)
        return answer.status, answer.code


@asynccontextmanager
async def canvas(folder: Path, **settings: Any) -> AsyncIterator[Canvas]:
    async with house(folder, **settings) as h:
        people = {name: await h.person(name) for name in ("ada", "bob", "eve", "mallory")}
        made = await people["ada"].post("/v1/canvases", {"name": "Test"})
        for name, role in (("bob", "editor"), ("eve", "viewer")):
            member = {"email": f"{name}@example.org", "role": role}
            path = f"/v1/canvases/{made.body['id']}/members"
            assert (await people["ada"].put(path, member)).status == 200
        yield Canvas(h, people, made.body["id"])


# Who may connect


@pytest.mark.rule("Y1", "Y4", "Y5")
async def test_edits_go_both_ways_between_peers_tabs_and_rest(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("bob") as bob:
        await ada.edit(ada.tab.add("by_ada"))
        await bob.until(lambda: "by_ada" in bob.tab.state()["nodes"])
        tab = Tab()
        heard: list[dict] = []
        async with c.tab("bob", tab) as socket:
            socket.on("canvas.updates", heard.append)
            assert "by_ada" in tab.state()["nodes"]
            message = {"canvas": c.id, "msg_id": 1, "update": tab.code("by_tab", "é😀")}
            assert (await socket.call("canvas.update", message))["ok"]
            await ada.until(lambda: "by_tab" in ada.tab.state()["nodes"])
            await bob.edit(bob.tab.add("by_bob"))
            await bob.until(lambda: heard)
            tab.apply(*(update for data in heard for update in data["updates"]))
            assert "by_bob" in tab.state()["nodes"]
        spell = (await c.people["ada"].get(f"/v1/canvases/{c.id}/spell")).body
        assert sorted(spell["nodes"]) == ["by_ada", "by_bob", "by_tab"]
        spell["nodes"]["by_rest"] = {"type": "core.value", "position": [0, 0]}
        assert (await c.people["ada"].put(f"/v1/canvases/{c.id}/spell", spell)).status == 200
        await bob.until(lambda: "by_rest" in bob.tab.state()["nodes"])
        await ada.until(lambda: ada.tab.state() == bob.tab.state())


@pytest.mark.rule("Y5")
async def test_whoever_makes_an_edit_is_not_sent_it(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("bob") as bob:
        await ada.edit(ada.tab.add("a"))
        await bob.until(lambda: bob.edits)
        await bob.edit(bob.tab.add("b"))
        await ada.until(lambda: ada.edits)
        assert len(ada.edits) == len(bob.edits) == 1


@pytest.mark.rule("Y5", "D4")
async def test_a_wire_that_is_left_hanging_is_removed_for_its_author_too(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        for update in (ada.tab.add("a"), ada.tab.add("b"), ada.tab.wire("e", "a", "b")):
            await ada.edit(update)
        await ada.edit(ada.tab.remove("nodes", "b"))
        await ada.until(lambda: ada.tab.state()["edges"] == {})


PROOFS: dict[str, Callable[[str, str], dict]] = {
    "query": lambda token, _: {"params": {"token": token}},
    "header": lambda token, _: {"params": None, "headers": {"Authorization": f"Bearer {token}"}},
    "own page's query": lambda token, origin: {
        "params": {"token": token},
        "headers": {"Origin": origin},
    },
}


@pytest.mark.rule("Y2")
@pytest.mark.parametrize("proof", list(PROOFS))
async def test_a_token_proves_who_connects(tmp_path: Path, proof: str) -> None:
    async with canvas(tmp_path) as c:
        token = c.people["ada"].token or ""
        async with c.join("ada", **PROOFS[proof](token, c.house.origin)) as ada:
            assert ada.synced


@pytest.mark.rule("Y2")
async def test_the_cookie_counts_for_an_allowed_page_only(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c:
        visitor = c.house.stranger()
        await c.house.parts.identity.accounts.create("zoe@example.org", password=PASSWORD)
        member = {"email": "zoe@example.org", "role": "editor"}
        await c.people["ada"].put(f"/v1/canvases/{c.id}/members", member)
        entry = {"email": "zoe@example.org", "password": PASSWORD}
        assert (await visitor.post("/v1/auth/login", entry)).status == 200
        cookies = visitor.client.session.cookie_jar.filter_cookies(visitor.client.make_url("/"))
        assert SESSION_COOKIE in cookies
        assert await c.refused(visitor) == (401, "unauthenticated")
        elsewhere = {"Origin": "https://evil.example"}
        assert await c.refused(visitor, headers=elsewhere) == (403, "origin_refused")
        async with connect(visitor, c.id, headers={"Origin": c.house.origin}) as zoe:
            assert zoe.synced


@pytest.mark.rule("Y2")
async def test_a_page_of_another_origin_is_refused_even_with_a_token(tmp_path: Path) -> None:
    async with canvas(tmp_path, allowed_origins=("https://friend.example",)) as c:
        params = {"token": c.people["ada"].token}
        stranger = c.house.stranger()
        for origin, ok in (("https://evil.example", False), ("https://friend.example", True)):
            options: dict[str, Any] = {"params": params, "headers": {"Origin": origin}}
            if ok:
                async with connect(stranger, c.id, **options) as ada:
                    assert ada.synced
            else:
                assert await c.refused(stranger, **options) == (403, "origin_refused")


@pytest.mark.rule("Y3")
async def test_who_may_not_is_refused_before_the_upgrade(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c:
        stranger, ada = c.house.stranger(), c.people["ada"]
        assert await c.refused(stranger) == (401, "unauthenticated")
        assert await c.refused(stranger, params={"token": "x"}) == (401, "token_invalid")
        basic = {"Authorization": "Basic YTpi"}
        assert await c.refused(stranger, headers=basic) == (401, "token_invalid")
        assert await c.refused(c.people["mallory"]) == (403, "forbidden")
        assert await c.refused(ada, "nowhere") == (404, "not_found")
        plain = await ada.get(f"/v1/canvases/{c.id}/sync")
        assert (plain.status, plain.code) == (400, "bad_request")
        with pytest.raises(WSServerHandshakeError) as refusal:
            await c.people["mallory"].client.ws_connect(f"/v1/canvases/{c.id}/sync")
        assert refusal.value.status == 401
        assert c.parts.rooms.find(c.id) is None


@pytest.mark.rule("S26", "Y3")
async def test_tabs_and_peers_of_a_user_are_counted_together(tmp_path: Path) -> None:
    async with canvas(tmp_path, max_sockets=2) as c, c.join("ada") as ada:
        heard: list[dict] = []
        async with c.tab("ada", Tab()) as socket:
            socket.on("canvas.updates", heard.append)
            assert await c.refused(c.people["ada"]) == (429, "too_many_sockets")
            async with c.join("bob") as bob:
                await ada.edit(ada.tab.add("by_ada"))
                await bob.until(lambda: "by_ada" in bob.tab.state()["nodes"])
            await until(
                lambda: heard
            )  # a client that leaves between a message and its bytes raises
        await until(lambda: not c.parts.sockets.sessions)
        for _ in range(3):
            async with c.join("ada") as again:
                assert again.open
                with pytest.raises(socketio.exceptions.ConnectionError):
                    async with c.tab("ada", Tab()):
                        pass
            await until(lambda: len(c.parts.y_websockets.peers) == 1)
        assert await c.refused(c.people["ada"], "nowhere") == (404, "not_found")
        async with c.tab("ada", Tab()):
            assert ada.open


@pytest.mark.rule("Y2")
async def test_the_token_in_the_address_reaches_no_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        await ada.say(b"\xff")
        await ada.until(lambda: ada.closed)
        await c.refused(c.people["mallory"], params={"token": c.people["mallory"].token})
        # `serve` writes no access log; the server that tests use does
        said = [each.getMessage() for each in caplog.records if each.name != "aiohttp.access"]
        for name in ("ada", "mallory"):
            token = c.people[name].token
            assert token
            assert not [line for line in said if token in line]


# What is refused


def forged(c: Canvas, peer: Peer) -> bytes:
    """An edit that carries the client id of somebody else."""
    return Tab(peer.tab.doc.client_id).add("forged")


@pytest.mark.rule("Y6", "Y7")
async def test_a_viewer_syncs_and_may_say_so_but_not_edit(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        for update in (ada.tab.code("a", "text"), ada.tab.add("b"), ada.tab.remove("nodes", "b")):
            await ada.edit(update)
        await ada.edit(ada.tab.edit(ada.tab["nodes"]["a"]["code"].clear))
        await ada.until(lambda: c.nodes == ["a"] and not c.node("a").code)
        async with c.join("eve") as eve:
            await eve.until(lambda: eve.asked)
            assert eve.tab.state() == ada.tab.state()
            # all it knows, as a provider that is asked again would answer: deletions, nothing new
            await eve.say(y_messages.step_2(eve.tab.doc.get_update(eve.tab.doc.get_state())))
            await eve.say(y_messages.step_2(b"\0\0"))
            await ada.edit(ada.tab.add("c"))
            await eve.until(lambda: "c" in eve.tab.state()["nodes"])
            assert eve.open
            await eve.edit(eve.tab.add("mine"))
            await eve.until(lambda: eve.closed)
            assert eve.closed is not None
            code, why = eve.closed
            assert code == 4403
            assert why.startswith("forbidden: ")
            assert eve.denied[0].startswith("forbidden: You may not edit this canvas")
        assert c.nodes == ["a", "c"]


@pytest.mark.rule("Y7")
@pytest.mark.parametrize("what", ["an edit", "a deletion", "an edit that is known"])
async def test_a_viewers_step_2_with_something_new_is_refused(tmp_path: Path, what: str) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        first = ada.tab.add("a")
        await ada.edit(first)
        await ada.until(lambda: c.nodes == ["a"])
        seq = c.room.seq
        async with c.join("eve") as eve:
            mine = {
                "an edit": lambda: eve.tab.add("mine"),
                "a deletion": lambda: eve.tab.remove("nodes", "a"),
                "an edit that is known": lambda: first,
            }[what]()
            await eve.say(y_messages.step_2(mine))
            await eve.until(lambda: eve.closed)
            assert eve.closed is not None
            assert eve.closed[0] == 4403
        assert (c.room.seq, c.nodes) == (seq, ["a"])


BAD: dict[str, tuple[Callable[[Canvas, Peer, Peer], bytes], int, str]] = {
    "no message": (lambda c, ada, bob: b"\x09", 4400, "malformed_message"),
    "nothing": (lambda c, ada, bob: b"", 4400, "malformed_message"),
    "a length that lies": (lambda c, ada, bob: lying(2, 9), 4400, "malformed_message"),
    "bytes after the end": (
        lambda c, ada, bob: y_messages.update(b"\0\0") + b"x",
        4400,
        "malformed",
    ),
    "an awareness that lies": (
        lambda c, ada, bob: y_messages.awareness(b"\x05"),
        4400,
        "malformed",
    ),
    "rubbish": (lambda c, ada, bob: y_messages.update(b"rubbish"), 4422, "update_invalid"),
    "a bad state vector": (lambda c, ada, bob: y_messages.step_1(b"\x09"), 4422, "update_invalid"),
    "a gap": (
        lambda c, ada, bob: y_messages.update((bob.tab.add("x"), bob.tab.put("x", "v", 1))[1]),
        4422,
        "update_gap",
    ),
    "a step 2 with a gap": (
        lambda c, ada, bob: y_messages.step_2((bob.tab.add("x"), bob.tab.put("x", "v", 1))[1]),
        4422,
        "update_gap",
    ),
    "a forged client": (
        lambda c, ada, bob: y_messages.update(forged(c, ada)),
        4409,
        "client_id_taken",
    ),
    "no spell": (
        lambda c, ada, bob: y_messages.update(bob.tab.add("x", name="n" * 1000)),
        4422,
        "schema_violation",
    ),
    "too large an edit": (
        lambda c, ada, bob: y_messages.update(bob.tab.add("x", name="n" * 5000)),
        4413,
        "update_too_large",
    ),
}


@pytest.mark.rule("Y7", "Y8")
@pytest.mark.parametrize("what", list(BAD))
async def test_what_is_refused_is_told_and_ends_the_connection(tmp_path: Path, what: str) -> None:
    make, status, code = BAD[what]
    async with (
        canvas(tmp_path, max_update_bytes=4096) as c,
        c.join("ada") as ada,
        c.join("bob") as bob,
    ):
        await ada.edit(ada.tab.add("a"))
        await bob.until(lambda: bob.edits)
        await bob.say(make(c, ada, bob))
        await bob.until(lambda: bob.closed)
        assert bob.closed is not None
        assert bob.closed[0] == status
        assert bob.closed[1].startswith(code)
        assert bob.denied[0].startswith(code)
        assert c.nodes == ["a"]
        await ada.edit(ada.tab.add("b"))
        async with c.join("bob") as again:
            await again.until(lambda: again.tab.state() == ada.tab.state())
        assert ada.open


@pytest.mark.rule("Y4")
async def test_who_edits_before_the_first_step_2_was_sent_is_not_refused(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob", answers=False) as bob:
        bob.tab.add("x")
        await bob.edit(bob.tab.put("x", "v", 1))
        await bob.edit(bob.tab.put("x", "w", "long" * 50))
        await bob.say(y_messages.step_2(bob.tab.doc.get_update(c.room.state_vector())))
        async with c.join("ada") as ada:
            await ada.until(lambda: "w" in ada.tab.state()["nodes"].get("x", {}).get("inputs", {}))
            assert ada.tab.state() == bob.tab.state()
        assert bob.open
        assert not bob.denied
        bob.tab.add("y")
        await bob.edit(bob.tab.put("y", "v", 1))
        await bob.until(lambda: bob.closed)
        assert bob.closed is not None
        assert bob.closed[1].startswith("update_gap")


@pytest.mark.rule("Y10")
async def test_a_message_over_the_limit_ends_the_connection_for_good(tmp_path: Path) -> None:
    async with canvas(tmp_path, max_event_bytes=65_536) as c, c.join("bob") as bob:
        await bob.edit(bytes(70_000))
        await bob.until(lambda: bob.closed)
        assert bob.closed == (4413, "too_large: A message may have 65536 bytes")


@pytest.mark.rule("Y8")
async def test_text_is_no_message(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob") as bob:
        await bob.socket.send_str("hello")
        await bob.until(lambda: bob.closed)
        assert bob.closed is not None
        assert bob.closed[0] == 4400


@pytest.mark.rule("Y4", "C8")
async def test_an_edit_sent_again_is_harmless(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        update = ada.tab.add("a")
        for _ in range(3):
            await ada.edit(update)
        await ada.say(y_messages.step_2(ada.tab.doc.get_update()))
        await ada.edit(ada.tab.add("b"))
        await ada.until(lambda: c.nodes == ["a", "b"])
        assert ada.open


# Roles and sign-ins


@pytest.mark.rule("Y9")
async def test_a_role_that_is_taken_away_ends_the_connection(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob") as bob:
        await c.parts.stores.canvases.remove_member(c.id, c.user("bob"))
        await bob.until(lambda: bob.closed, 5)
        assert bob.closed is not None
        assert bob.closed[0] == 4403


@pytest.mark.rule("Y6", "Y9")
async def test_a_lower_role_counts_at_the_next_edit(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada"), c.join("bob") as bob:
        await bob.edit(bob.tab.add("a"))
        await bob.until(lambda: c.nodes == ["a"])
        member = {"email": "bob@example.org", "role": "viewer"}
        await c.people["ada"].put(f"/v1/canvases/{c.id}/members", member)
        await bob.edit(bob.tab.add("b"))
        await bob.until(lambda: bob.closed)
        assert bob.closed is not None
        assert bob.closed[0] == 4403
        assert c.nodes == ["a"]


@pytest.mark.rule("Y9")
async def test_a_revoked_key_ends_the_connection(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob") as bob:
        (key,) = (await c.people["bob"].get("/v1/api-keys")).body["items"]
        await c.people["bob"].delete(f"/v1/api-keys/{key['id']}")
        await bob.until(lambda: bob.closed, 5)
        assert bob.closed is not None
        assert bob.closed[0] == 4401
        assert bob.closed[1].startswith("token_revoked")


@pytest.mark.rule("Y9")
async def test_a_deleted_canvas_ends_the_connection(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob") as bob:
        assert (await c.people["ada"].delete(f"/v1/canvases/{c.id}")).status == 200
        await bob.until(lambda: bob.closed, 5)
        assert bob.closed is not None
        assert bob.closed[0] == 4404


# Presence


@pytest.mark.rule("Y11")
async def test_presence_is_shared_with_tabs_and_stamped_by_the_server(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("bob") as bob:
        tab = Tab(client_id=7)
        heard: list[dict] = []
        async with c.tab("ada", tab) as ada:
            ada.on("canvas.awareness", lambda data: heard.append(parse_states(data["update"])))
            await bob.be(1, {"cursor": 3, "user": {"name": "Somebody else"}})
            await bob.until(lambda: heard)
            clock, state = heard[0][bob.tab.doc.client_id]
            assert (clock, state["cursor"], state["user"]["id"]) == (1, 3, c.user("bob"))
            update = encode_states({7: (5, {"pointer": [1, 2]})})
            await ada.call("canvas.awareness", {"canvas": c.id, "update": update})
            await bob.until(lambda: 7 in bob.people)
            assert bob.people[7]["user"]["id"] == c.user("ada")
            async with c.join("eve") as eve:
                await eve.until(lambda: len(eve.people) == 2)
                await bob.until(lambda: bob.people[7]["pointer"] == [1, 2])
        await bob.until(lambda: bob.people[7] is None)


@pytest.mark.rule("Y11")
async def test_a_peer_speaks_for_itself_only(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("bob") as bob:
        await ada.be(1, {"at": 1})
        await bob.until(lambda: bob.people.get(ada.tab.doc.client_id))
        await bob.be(1, {"at": 2})
        await ada.until(lambda: ada.people.get(bob.tab.doc.client_id))
        # what a provider repeats of others, or makes up of them, changes nothing
        await bob.tell({ada.tab.doc.client_id: (9, None), 12345: (1, {"made": "up"})})
        await bob.be(2, {"at": 3})
        await ada.until(lambda: ada.people[bob.tab.doc.client_id]["at"] == 3)
        assert ada.people.keys() == {ada.tab.doc.client_id, bob.tab.doc.client_id}
        assert ada.people[ada.tab.doc.client_id]["at"] == 1


@pytest.mark.rule("Y11")
async def test_a_peer_that_was_silent_does_not_become_whom_it_repeats(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("ada") as other:
        await ada.be(1, {"at": 1})
        mine = ada.tab.doc.client_id
        await other.until(lambda: other.people.get(mine))
        await other.say(y_messages.step_2(b"\0\0"))
        await other.be(1, {"at": 1}, client=mine)
        await other.be(1, {"at": 5})
        await ada.until(lambda: ada.people.get(other.tab.doc.client_id))
        await other.socket.close()
        await ada.until(lambda: ada.people[other.tab.doc.client_id] is None)
        assert ada.people[mine]["at"] == 1


@pytest.mark.rule("Y11")
async def test_what_tells_of_very_many_is_not_looked_at(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("bob") as bob:
        await bob.be(1, {"at": 1})
        await bob.tell({bob.tab.doc.client_id + n: (2, {"at": 2}) for n in range(MAX_TOLD + 1)})
        await bob.tell({bob.tab.doc.client_id: (3, {"at": "x" * MAX_PRESENCE_BYTES})})
        await bob.be(4, {"at": 4})
        await ada.until(lambda: ada.people.get(bob.tab.doc.client_id, {}).get("at") == 4)
        assert ada.people.keys() == {bob.tab.doc.client_id}
        assert bob.open


@pytest.mark.rule("Y11")
async def test_a_provider_that_comes_back_takes_its_seat_over(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada, c.join("bob") as old:
        await old.be(3, {"at": 1})
        bob = old.tab.doc.client_id
        await ada.until(lambda: ada.people.get(bob))
        async with c.join("bob", tab=old.tab, sync=False) as new:
            await new.be(3, {"at": 1})
            await new.sync()
            await new.until(lambda: new.synced)
            await old.socket.close()
            await new.be(4, {"at": 2})
            await ada.until(lambda: (ada.people[bob] or {}).get("at") == 2)
            assert None not in [told.get(bob, (0, 1))[1] for told in ada.presence]
        await ada.until(lambda: ada.people[bob] is None)


@pytest.mark.rule("Y8", "C5")
async def test_a_client_id_of_somebody_else_is_refused(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        await ada.edit(ada.tab.add("a"))
        await ada.until(lambda: c.nodes == ["a"])
        async with c.join("bob", tab=Tab(ada.tab.doc.client_id), answers=False) as bob:
            await bob.be(1, {})
            await bob.until(lambda: bob.closed)
            assert bob.closed is not None
            assert bob.closed[0] == 4409


@pytest.mark.rule("Y11")
async def test_whoever_asks_is_told_who_is_there(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        await ada.be(1, {"at": 1})
        await ada.until(lambda: ada.presence)
        ada.presence.clear()
        await ada.say(QUERY_AWARENESS)
        await ada.until(lambda: ada.presence)
        assert ada.presence[0][ada.tab.doc.client_id][1]["at"] == 1


# Limits, life and end


@pytest.mark.rule("Y10")
async def test_a_quiet_connection_is_kept_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(y_peer, "KEEP_ALIVE", 0.1)
    monkeypatch.setattr(y_websocket, "RECHECK", 0.05)
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        await ada.until(lambda: {} in ada.presence)
        assert ada.open


@pytest.mark.rule("Y10")
async def test_a_peer_that_answers_no_ping_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(y_peer, "HEARTBEAT", 0.1)
    monkeypatch.setattr(y_peer, "GONE", 0.6)
    monkeypatch.setattr(y_websocket, "RECHECK", 0.05)
    async with canvas(tmp_path) as c, c.join("ada") as ada:
        deaf = await _deaf(c, "bob")
        await until(lambda: len(c.parts.y_websockets.peers) == 2)
        await until(lambda: len(c.parts.y_websockets.peers) == 1)
        assert ada.open
        await deaf.close()


@pytest.mark.rule("Y10")
async def test_a_connection_that_asks_for_nothing_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(y_websocket, "RECHECK", 0.05)
    async with (
        canvas(tmp_path, connect_timeout=0.2) as c,
        c.join("ada", sync=False) as silent,
        c.join("ada") as ada,
    ):
        await silent.until(lambda: silent.closed)
        assert silent.closed == (1013, "silent: nothing was asked for")
        assert ada.open


async def test_who_is_gone_before_the_answer_leaves_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_: object) -> None:
        raise ConnectionResetError("Cannot write to closing transport")

    monkeypatch.setattr(y_websocket, "take_over", gone)
    async with canvas(tmp_path) as c:
        ada = c.people["ada"]
        await ada.get(f"/v1/canvases/{c.id}/sync", headers=UPGRADE)
        await until(lambda: c.parts.rooms.find(c.id) is None)
        assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


@pytest.mark.rule("Y10")
async def test_a_peer_that_asks_too_often_is_answered_later(tmp_path: Path) -> None:
    async with canvas(tmp_path, socket_rate=10) as c, c.join("ada") as ada:
        began = asyncio.get_running_loop().time()
        for _ in range(23):
            await ada.sync()
        await ada.until(lambda: ada.documents == 24)
        assert asyncio.get_running_loop().time() - began > 1
        assert ada.open


@pytest.mark.rule("Y10")
async def test_a_viewer_who_says_the_same_again_and_again_is_read_later(tmp_path: Path) -> None:
    async with canvas(tmp_path, socket_rate=5) as c, c.join("eve") as eve:
        began = asyncio.get_running_loop().time()
        for _ in range(50):
            await eve.edit(b"\0\0")
        await eve.sync()
        await eve.until(lambda: eve.documents == 2)
        assert asyncio.get_running_loop().time() - began > 1
        assert eve.open


@pytest.mark.rule("Y10")
async def test_a_state_vector_over_the_limit_ends_the_connection(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c, c.join("eve") as eve:
        await eve.say(y_messages.step_1(bytes(MAX_VECTOR_BYTES + 1)))
        await eve.until(lambda: eve.closed)
        assert eve.closed is not None
        assert eve.closed[0] == 4413


async def until(true: Callable[[], Any], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


@pytest.mark.rule("Y10")
async def test_a_peer_that_does_not_read_is_cut_and_others_notice_nothing(tmp_path: Path) -> None:
    async with canvas(tmp_path, max_pending_bytes=65_536) as c, c.join("ada") as ada:
        deaf = await _deaf(c, "bob")
        await until(lambda: len(c.parts.y_websockets.peers) == 2)
        sent = 0
        while len(c.parts.y_websockets.peers) == 2:
            await ada.edit(ada.tab.code(f"n{sent}", "x" * 200_000))
            sent += 1
            assert sent < 200
            await ada.until(lambda: len(c.nodes) == sent)  # noqa: B023 - waited for at once
        await ada.edit(ada.tab.add("last"))
        await ada.until(lambda: "last" in c.nodes)
        await deaf.close()


async def _deaf(c: Canvas, name: str) -> ClientWebSocketResponse:
    """Connect somebody who asks for the document and reads nothing after it."""
    caller = c.people[name]
    path = f"/v1/canvases/{c.id}/sync"
    socket = await caller.client.ws_connect(path, params={"token": caller.token})
    await socket.send_bytes(y_messages.step_1(b"\0"))
    return socket


@pytest.mark.rule("Y12")
async def test_edits_that_came_before_a_stop_are_kept_and_peers_may_come_back(
    tmp_path: Path,
) -> None:
    async with canvas(tmp_path) as c, c.parts.rooms.visit(c.id), c.join("ada") as ada:
        await ada.edit(ada.tab.add("a"))
        await ada.until(lambda: c.nodes == ["a"])
        async with asyncio.TaskGroup() as tasks, c.parts.stores.database.write():
            await ada.edit(ada.tab.add("b"))
            (peer,) = c.parts.y_websockets.peers
            await ada.until(lambda: peer._edits)
            stop = tasks.create_task(c.parts.y_websockets.stop())
            await asyncio.sleep(0.05)
            assert not stop.done()
            assert ada.open
        await ada.until(lambda: ada.closed)
        assert ada.closed == (1012, y_websocket.STOPPING)
        assert c.nodes == ["a", "b"]
        assert await c.refused(c.people["ada"]) == (503, "unavailable")


@pytest.mark.rule("Y12", "C13")
async def test_a_room_is_freed_when_its_last_peer_is_gone(tmp_path: Path) -> None:
    async with canvas(tmp_path) as c:
        async with c.join("ada"), c.join("bob"):
            assert c.parts.rooms.find(c.id) is not None
        await until(lambda: c.parts.rooms.find(c.id) is None)
        assert c.parts.y_websockets.peers == ()
