"""Comments and mentions over both transports: one definition, one policy, told to those who may see."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import socketio

from tests.server.services.house import HELLO, Caller, House, house

pytestmark = pytest.mark.anyio

CLIENT_IDS = itertools.count(70_001)
"""Yjs client ids: no two tabs may have the same."""


class Tab:
    """A connected socket, and what it was told of comments."""

    def __init__(self) -> None:
        self.socket = socketio.AsyncClient(reconnection=False)
        self.told: list[dict[str, Any]] = []
        self.mentions: list[dict[str, Any]] = []
        self.roles: list[dict[str, Any]] = []
        self.socket.on("canvas.comments", self.told.append)
        self.socket.on("user.mentions", self.mentions.append)
        self.socket.on("canvas.role", self.roles.append)

    async def ask(self, event: str, **payload: Any) -> dict[str, Any]:
        answer = await self.socket.call(event, payload)
        assert isinstance(answer, dict)
        return answer


@asynccontextmanager
async def tab(h: House, who: Caller, canvas: str | None = None) -> AsyncIterator[Tab]:
    made = Tab()
    await made.socket.connect(
        h.origin, auth={"token": who.token}, transports=["websocket"], wait_timeout=30
    )
    try:
        if canvas is not None:
            opened = await made.ask("canvas.open", canvas=canvas, client_id=next(CLIENT_IDS))
            assert opened["ok"], opened
        yield made
    finally:
        await made.socket.disconnect()


async def until(true: Callable[[], Any]) -> None:
    """Wait for what some event is about to bring."""
    async with asyncio.timeout(60):
        while not true():
            await asyncio.sleep(0.005)


async def canvas_of(owner: Caller, **members: tuple[Caller, str]) -> str:
    made = await owner.post("/v1/canvases", {"spell": HELLO})
    canvas = str(made.body["id"])
    for who, role in members.values():
        assert who.user is not None
        put = {"email": who.user.email, "role": role}
        assert (await owner.put(f"/v1/canvases/{canvas}/members", put)).status == 200
    return canvas


def user_id(who: Caller) -> str:
    assert who.user is not None
    return who.user.id


def mention(who: Caller, name: str = "X") -> str:
    return f"@[{name}](user:{user_id(who)})"


async def begin(who: Caller, canvas: str, text: str = "Why?", **fields: Any) -> str:
    """Begin a thread at a place; return its id."""
    body = {"text": text, "at": [10, 20]} | fields
    answer = await who.post(f"/v1/canvases/{canvas}/comments", body)
    assert answer.status == 201, answer.body
    return str(answer.body["comment"]["id"])


@pytest.mark.rule("M1", "M2", "M4")
async def test_a_thread_is_begun_answered_edited_resolved_and_removed_over_rest(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        path = f"/v1/canvases/{canvas}/comments"
        made = (await ada.post(path, {"text": " Why 2? ", "node": "b"})).body
        thread = made["thread"]["id"]
        assert made["comment"]["text"] == "Why 2?"
        assert (made["thread"]["node"], made["thread"]["at"]) == ("b", [240, 0])
        reply = (await grace.post(path, {"text": "Because", "thread": thread})).body["comment"]
        assert reply["author"]["id"] == user_id(grace)
        whole = (await ada.get(f"{path}/{reply['id']}")).body
        assert [each["text"] for each in whole["comments"]] == ["Why 2?", "Because"]
        edited = await grace.patch(f"{path}/{reply['id']}", {"text": "So"})
        assert edited.body["comment"]["edited_at"] is not None
        resolved = (await ada.post(f"{path}/{thread}/resolve")).body["thread"]
        assert resolved["resolved_by"]["id"] == user_id(ada)
        assert (await ada.get(path)).body["items"] == []
        found = (await ada.get(f"{path}?state=resolved")).body
        assert [each["id"] for each in found["items"]] == [thread]
        assert set(found["read"]) == {thread}
        reopened = await ada.post(f"{path}/{thread}/reopen")
        assert reopened.body["thread"]["resolved_at"] is None
        assert (await ada.post(f"{path}/{reply['id']}/resolve")).status == 400
        assert (await grace.delete(f"{path}/{reply['id']}")).status == 200
        assert (await ada.get(path)).body["items"][0]["count"] == 1
        assert (await ada.delete(f"{path}/{thread}")).status == 200
        assert (await ada.get(f"{path}/{thread}")).status == 404
        spell = (await ada.get(f"/v1/canvases/{canvas}/spell")).body
        assert spell == HELLO


@pytest.mark.rule("M1")
async def test_a_socket_and_rest_give_the_same(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada)
        path = f"/v1/canvases/{canvas}/comments"
        async with tab(h, ada) as t:
            made = await t.ask("comments.create", canvas=canvas, text="Hi", at=[1, 2])
            one = {"canvas": canvas, "id": made["comment"]["id"]}
            listed = await t.ask("comments.find", canvas=canvas)
            thread = await t.ask("comments.get", **one)
            mentions = await t.ask("mentions.find")
            wrong = await t.ask("comments.create", canvas=canvas, text="")
        for answer, rest in (
            (listed, await ada.get(path)),
            (thread, await ada.get(f"{path}/{one['id']}")),
            (mentions, await ada.get("/v1/mentions")),
        ):
            assert answer.pop("ok")
            assert answer == rest.body
        assert wrong["error"]["code"] == "bad_request"
        assert (await ada.post(path, {"text": ""})).body["error"] == wrong["error"]


WRONG: list[dict[str, Any]] = [
    {"text": "  "},
    {"text": "x" * 10_001},
    {"at": None},
    {"thread": "0" * 32},
    {"at": [1]},
    {"at": [1, 1e300]},
    {"id": "short"},
    {"author": "somebody"},
    {"created_at": 1},
    {"at": None, "node": "no such node"},
    {"text": " ".join(f"@[x](user:{number:032x})" for number in range(51))},
]


@pytest.mark.rule("M2")
async def test_what_is_no_comment_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada)
        for wrong in WRONG:
            fields = {"text": "x", "at": [1, 2]} | wrong
            body = {key: value for key, value in fields.items() if value is not None}
            answer = await ada.post(f"/v1/canvases/{canvas}/comments", body)
            assert (answer.status, answer.code) == (400, "bad_request"), wrong
        assert (await ada.get(f"/v1/canvases/{canvas}/comments")).body["items"] == []


@pytest.mark.rule("M3")
async def test_a_comment_sent_twice_is_there_once_and_told_once(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        path = f"/v1/canvases/{canvas}/comments"
        body = {"id": uuid4().hex, "text": f"Look {mention(grace)}", "at": [1, 2]}
        async with tab(h, grace, canvas) as t:
            first = await ada.post(path, body)
            again = await ada.post(path, body)
            assert (again.status, again.body) == (201, first.body)
            await begin(ada, canvas, "Later")
            await until(lambda: len(t.told) >= 2)
            assert [each["comment"]["text"] for each in t.told] == [body["text"], "Later"]
            assert len(t.mentions) == 1
        taken = await grace.post(path, body)
        assert (taken.status, taken.code) == (409, "comment_id_taken")


ROLES = {
    # role: read, comment, edit another's, remove another's, resolve another's
    "stranger": (403, 403, 403, 403, 403),
    "viewer": (200, 201, 403, 403, 403),
    "runner": (200, 201, 403, 403, 403),
    "editor": (200, 201, 403, 200, 200),
    "owner": (200, 201, 403, 200, 200),
    "admin": (200, 201, 403, 200, 200),
}


@pytest.mark.rule("M2", "M4")
@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_what_it_should_and_no_more(tmp_path: Path, role: str) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        grace = await h.person("grace", role="admin" if role == "admin" else "member")
        canvas = await canvas_of(
            ada, **({} if role in ("stranger", "admin") else {"grace": (grace, role)})
        )
        thread = await begin(ada, canvas)
        path = f"/v1/canvases/{canvas}/comments"
        answers = [
            await grace.get(path),
            await grace.post(path, {"text": "Me too", "thread": thread}),
            await grace.patch(f"{path}/{thread}", {"text": "Mine now"}),
            await grace.post(f"{path}/{thread}/resolve"),
            await grace.delete(f"{path}/{thread}"),
        ]
        read, comment, edit, resolve, remove = [each.status for each in answers]
        assert (read, comment, edit, remove, resolve) == ROLES[role]


@pytest.mark.rule("M4")
async def test_ones_own_comment_may_be_changed_by_a_viewer_while_one_may_read(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        thread = await begin(grace, canvas)
        path = f"/v1/canvases/{canvas}/comments/{thread}"
        assert (await grace.patch(path, {"text": "Better"})).status == 200
        assert (await grace.post(f"{path}/resolve")).status == 200
        await ada.delete(f"/v1/canvases/{canvas}/members?email=grace@example.org")
        for answer in (
            await grace.patch(path, {"text": "Still"}),
            await grace.get(path),
            await grace.delete(path),
        ):
            assert answer.status == 403


@pytest.mark.rule("M5")
async def test_a_comment_of_another_canvas_is_not_there(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        hers, mine = await canvas_of(ada), await canvas_of(grace)
        thread = await begin(ada, hers)
        path = f"/v1/canvases/{mine}/comments/{thread}"
        for answer in (
            await grace.get(path),
            await grace.patch(path, {"text": "x"}),
            await grace.post(f"{path}/resolve"),
            await grace.delete(path),
            await grace.post(f"/v1/canvases/{mine}/comments", {"text": "x", "thread": thread}),
        ):
            assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.rule("M6")
async def test_changes_reach_those_who_have_the_canvas_open_and_nobody_else(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada, grace, eve = [await h.person(name) for name in ("ada", "grace", "eve")]
        canvas = await canvas_of(ada, grace=(grace, "viewer"), eve=(eve, "viewer"))
        path = f"/v1/canvases/{canvas}/comments"
        async with tab(h, grace, canvas) as g, tab(h, eve, canvas) as e, tab(h, ada) as away:
            thread = await begin(ada, canvas, "One")
            await until(lambda: len(e.told) == 1)
            await ada.delete(f"/v1/canvases/{canvas}/members?email=eve@example.org")
            await until(lambda: e.roles)
            reply = (await ada.post(path, {"text": "Two", "thread": thread})).body["comment"]["id"]
            await ada.delete(f"{path}/{reply}")
            await ada.post(f"{path}/{thread}/resolve")
            await ada.delete(f"{path}/{thread}")
            await until(lambda: len(g.told) == 5)
            assert len(e.told) == 1
            assert away.told == []
            first, second, third, fourth, last = g.told
        assert (first["canvas"], first["id"], first["comment"]["text"]) == (canvas, thread, "One")
        assert (second["thread"]["count"], second["comment"]["id"]) == (2, reply)
        assert (third["thread"]["count"], third["removed"]) == (1, reply)
        assert fourth["thread"]["resolved_by"]["id"] == user_id(ada)
        assert (last["id"], last["thread"], last["removed"]) == (thread, None, thread)


@pytest.mark.rule("M7")
async def test_only_who_may_see_the_canvas_can_be_mentioned(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace, eve = [await h.person(name) for name in ("ada", "grace", "eve")]
        root = await h.person("root", role="admin")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        path = f"/v1/canvases/{canvas}/comments"
        ghost = "f" * 32
        text = f"{mention(grace)} {mention(eve, 'Eve')} @[Ghost](user:{ghost})"
        answer = await ada.post(path, {"text": text, "at": [0, 0]})
        assert (answer.status, answer.code) == (400, "cannot_mention")
        assert answer.body["error"]["details"]["users"] == {user_id(eve): "Eve", ghost: "Ghost"}
        thread = await begin(ada, canvas, f"{mention(grace, 'Gracie')} {mention(root)}")
        answer = await ada.patch(f"{path}/{thread}", {"text": mention(eve)})
        assert (answer.status, answer.code) == (400, "cannot_mention")
        comment = (await ada.get(f"{path}/{thread}")).body["comments"][0]
        assert comment["mentions"] == {user_id(grace): "grace", user_id(root): "root"}
        for who, count in ((grace, 1), (root, 1), (eve, 0)):
            assert (await who.get("/v1/mentions")).body["unread"] == count


@pytest.mark.rule("M8")
async def test_a_mention_is_told_once_to_every_socket_of_whom_it_names(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        path = f"/v1/canvases/{canvas}/comments"
        async with tab(h, grace) as one, tab(h, grace) as two, tab(h, ada) as own:
            thread = await begin(ada, canvas, f"{mention(grace)}, and I {mention(ada)}")
            await until(lambda: one.mentions and two.mentions)
            (told,) = one.mentions
            assert (told["unread"], told["mention"]["thread"]) == (1, thread)
            assert (told["mention"]["canvas"], told["mention"]["canvas_name"]) == (canvas, "Hello")
            assert told["mention"]["excerpt"] == "@X, and I @X"
            await ada.patch(f"{path}/{thread}", {"text": f"Again {mention(grace)}"})
            reply = {"text": f"And {mention(grace)}", "thread": thread}
            await ada.post(path, reply)
            await until(lambda: len(one.mentions) == 2)
            assert [each["unread"] for each in one.mentions] == [1, 2]
            answer = await two.ask("comments.read", canvas=canvas, thread=thread)
            assert answer["ok"]
            await until(lambda: len(one.mentions) == 3)
            assert one.mentions[2] == {"unread": 0, "mention": None}
            assert own.mentions == []


@pytest.mark.rule("M9", "M11")
async def test_mentions_are_read_one_by_one_or_all(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        made = [await begin(ada, canvas, f"{number} {mention(grace)}") for number in range(3)]
        read = await grace.post("/v1/mentions/read", {"comment": made[1]})
        assert read.body == {"unread": 2}
        page = (await grace.get("/v1/mentions?limit=2")).body
        rest = (await grace.get(f"/v1/mentions?limit=2&after={page['next']}")).body
        order = [each["comment"] for each in page["items"] + rest["items"]]
        assert order == [made[2], made[0], made[1]]
        assert (await ada.post("/v1/mentions/read", {"comment": made[0]})).body == {"unread": 0}
        assert (await grace.get("/v1/mentions")).body["unread"] == 2
        assert (await grace.post("/v1/mentions/read")).body == {"unread": 0}


@pytest.mark.rule("M9")
async def test_who_is_taken_off_sees_no_mentions_of_the_canvas(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        canvas = await canvas_of(ada, grace=(grace, "viewer"))
        await begin(ada, canvas, f"Secret {mention(grace)}")
        await ada.delete(f"/v1/canvases/{canvas}/members?email=grace@example.org")
        seen = (await grace.get("/v1/mentions")).body
        assert (seen["items"], seen["unread"]) == ([], 0)
        assert (await grace.get(f"/v1/canvases/{canvas}/comments")).status == 403


@pytest.mark.rule("M10")
async def test_a_thread_keeps_where_its_node_was_last(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        canvas = await canvas_of(ada)
        path = f"/v1/canvases/{canvas}"
        thread = await begin(ada, canvas, at=[0, 0], node="b")
        await begin(ada, canvas)
        nodes: dict[str, Any] = HELLO["nodes"]
        moved = HELLO | {"nodes": nodes | {"b": nodes["b"] | {"position": [500, 60]}}}
        assert (await ada.put(f"{path}/spell", moved)).status == 200
        place: list[float] = []
        async with asyncio.timeout(60):
            while place != [500, 60]:
                found = (await ada.get(f"{path}/comments/{thread}")).body["thread"]
                place = found["at"]
        gone = HELLO | {"nodes": {"a": nodes["a"]}, "edges": {}}
        assert (await ada.put(f"{path}/spell", gone)).status == 200
        found = (await ada.get(f"{path}/comments/{thread}")).body["thread"]
        assert (found["node"], found["at"]) == ("b", [500, 60])
        assert (await ada.put(f"{path}/spell", moved)).status == 200
        found = (await ada.get(f"{path}/comments/{thread}")).body["thread"]
        assert (found["node"], found["at"]) == ("b", [500, 60])
