"""Every operation, enumerated: what it asks of a caller's role is asked, over REST and sockets alike.

Who adds an operation or a route puts it into one of the lists here, or this fails.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import socketio

from spellwork.external.connection import PATH as EXTERNAL_WORKERS
from spellwork_server.identity.policy import CANVAS_ROLES
from spellwork_server.storage.packs import PackRecord
from spellwork_server.storage.tasks import NewTask, insert_task
from spellwork_server.triggers.hooks import PATH as HOOKS
from tests.server.runs.house import until
from tests.server.services.house import HELLO, Caller, House, house
from tests.server.sockets.test_y_websocket import UPGRADE

pytestmark = pytest.mark.anyio

OWN = {
    "auth": ("me", "patch_me", "set_password"),
    "api_keys": ("find", "create"),
    "secrets": ("find", "create"),
    "canvases": ("find", "create"),
    "invitations": ("accept",),
    "spells": ("read", "write"),
    "nodes": ("find", "ports", "choices", "validate"),
    "cache": ("stats", "gone"),
    "models": ("find",),
    "code": ("format",),
    "samples": ("find",),
    "mentions": ("find", "read"),
    "canvas": ("close",),
    "external_workers": ("find", "create"),
    "triggers": ("preview",),
    "queues": ("find", "get"),
    "processes": ("find",),
    "runs": ("cancel_many",),
    "tasks": ("find",),
}
"""Operations on one's own things alone, and on what everybody may see."""

REFUSALS = {"forbidden", "not_found", "run_not_found", "value_not_found", "canvas_not_open"}
"""What is ``not_found`` is so where not even that there is something may be known."""

HOURLY = {"kind": "interval", "every": 3600}

AUTHOR = "author"
"""Stands for a role: not even an owner may, but only Ada, whose it is, or who administers."""


@dataclass(frozen=True)
class Asked:
    """An operation, the least role that may, and what is asked; ``{NAME}`` stands for something of World."""

    event: str
    least: str
    fields: dict[str, Any] = field(default_factory=dict)


NOT_FOR_ALL = (
    Asked("users.find", AUTHOR),
    Asked("users.create", AUTHOR, {"email": "new@example.org"}),
    Asked("users.get", AUTHOR, {"id": "{ada}"}),
    Asked("users.patch", AUTHOR, {"id": "{ada}", "name": "Nobody"}),
    Asked("users.remove", AUTHOR, {"id": "{ada}"}),
    Asked("users.make_link", AUTHOR, {"id": "{ada}"}),
    Asked("api_keys.remove", AUTHOR, {"id": "{key}"}),
    Asked("cache.clear", AUTHOR, {"all": "true"}),
    Asked("queues.patch", AUTHOR, {"name": "work", "concurrency": 2}),
    Asked("queues.pause", AUTHOR, {"name": "work"}),
    Asked("queues.play", AUTHOR, {"name": "work"}),
    Asked("queues.drain", AUTHOR, {"name": "drained"}),
    Asked("models.pull", AUTHOR, {"model": "any"}),
    Asked("canvases.get", "viewer", {"id": "{canvas}"}),
    Asked("canvases.patch", "editor", {"id": "{canvas}", "name": "Mine"}),
    Asked("canvases.remove", "owner", {"id": "{canvas}"}),
    Asked("canvases.get_spell", "viewer", {"id": "{canvas}"}),
    Asked("canvases.put_spell", "editor", {"id": "{canvas}", "spell": {"nodes": {}}}),
    Asked("canvases.patch_spell", "editor", {"id": "{canvas}", "nodes": {"a": None}}),
    Asked("canvases.members", "viewer", {"id": "{canvas}"}),
    Asked("canvases.put_member", "owner", {"id": "{canvas}", "email": "{me}", "role": "owner"}),
    Asked("canvases.remove_member", "owner", {"id": "{canvas}", "email": "ada@example.org"}),
    Asked("invitations.find", "owner", {"id": "{canvas}"}),
    Asked("invitations.create", "owner", {"id": "{canvas}", "role": "editor"}),
    Asked("invitations.create", "owner", {"id": "{canvas}", "role": "owner", "email": "{me}"}),
    Asked("invitations.remake", "owner", {"id": "{canvas}", "invitation": "{invitation}"}),
    Asked("invitations.remove", "owner", {"id": "{canvas}", "invitation": "{invitation}"}),
    Asked("nodes.suggest", "viewer", {"canvas": "{canvas}", "node": "a"}),
    Asked("nodes.upgrade", "editor", {"canvas": "{canvas}"}),
    Asked(
        "code.complete",
        "viewer",
        {"canvas": "{canvas}", "node": "a", "code": "", "line": 1, "column": 1},
    ),
    Asked("code.rename", "editor", {"canvas": "{canvas}", "node": "a", "name": "a", "to": "b"}),
    Asked("runs.create", "runner", {"canvas": "{canvas}"}),
    Asked("runs.create", "runner", {"canvas": "{canvas}", "mode": "live"}),
    Asked("runs.get", "viewer", {"id": "{run}"}),
    Asked("runs.get", AUTHOR, {"id": "{private}"}),
    Asked("runs.find", "viewer", {"canvas": "{canvas}"}),
    Asked("runs.find", "viewer", {"canvas": "{canvas}", "search": "x", "status": ["failed"]}),
    Asked("runs.inputs", "viewer", {"id": "{run}", "node": "a"}),
    Asked("runs.inputs", AUTHOR, {"id": "{private}", "node": "a"}),
    Asked("runs.compare", "viewer", {"id": "{run}", "other": "{run}"}),
    Asked("runs.compare", AUTHOR, {"id": "{run}", "other": "{private}"}),
    Asked("runs.compare", AUTHOR, {"id": "{private}", "other": "{run}"}),
    Asked("runs.timeline", "viewer", {"id": "{run}"}),
    Asked("runs.timeline", AUTHOR, {"id": "{private}"}),
    Asked("runs.usage", "viewer", {"canvas": "{canvas}"}),
    Asked("runs.cancel", "runner", {"id": "{run}"}),
    Asked("runs.cancel", AUTHOR, {"id": "{private}"}),
    Asked("runs.resume", "runner", {"id": "{run}"}),
    Asked("runs.resume", AUTHOR, {"id": "{private}"}),
    Asked("runs.fork", "runner", {"id": "{run}"}),
    Asked("runs.fork", AUTHOR, {"id": "{private}"}),
    Asked("runs.pause", "viewer", {"canvas": "{canvas}"}),
    Asked("runs.play", "runner", {"canvas": "{canvas}"}),
    Asked("runs.pause", AUTHOR, {"id": "{private}"}),
    Asked("runs.play", AUTHOR, {"id": "{private}"}),
    Asked("runs.step", "runner", {"id": "{run}"}),
    Asked("runs.step", AUTHOR, {"id": "{private}"}),
    Asked("runs.preview", "runner", {"canvas": "{canvas}", "inputs": {"a.value": 1}}),
    Asked("runs.remove", "runner", {"id": "{run}"}),
    Asked("runs.remove", AUTHOR, {"id": "{private}"}),
    Asked("runs.events", "viewer", {"id": "{run}"}),
    Asked("runs.events", AUTHOR, {"id": "{private}"}),
    Asked("runs.output", "viewer", {"id": "{run}", "node": "a", "port": "value"}),
    Asked("runs.output", AUTHOR, {"id": "{private}", "node": "a", "port": "value"}),
    Asked("spell_tests.run", "runner", {"canvas": "{canvas}"}),
    Asked("runs.to_test", "editor", {"id": "{run}", "name": "Mine"}),
    Asked("runs.to_test", AUTHOR, {"id": "{private}", "name": "Mine"}),
    Asked("events.resume", "viewer", {"stream": "canvas:{canvas}", "after_seq": 0}),
    Asked("events.resume", AUTHOR, {"stream": "canvas:{canvas}:user:{ada}", "after_seq": 0}),
    Asked("events.resume", AUTHOR, {"stream": "user:{ada}", "after_seq": 0}),
    Asked("events.find", "viewer", {"stream": "canvas:{canvas}"}),
    Asked("events.find", AUTHOR, {"stream": "canvas:{canvas}:user:{ada}"}),
    Asked("cache.value", "viewer", {"hash": "{hash}"}),
    Asked("cache.value", AUTHOR, {"hash": "{private_hash}"}),
    Asked("comments.find", "viewer", {"canvas": "{canvas}"}),
    Asked("comments.get", "viewer", {"canvas": "{canvas}", "id": "{comment}"}),
    Asked("comments.create", "viewer", {"canvas": "{canvas}", "text": "Hm", "at": [0, 0]}),
    Asked("comments.create", "viewer", {"canvas": "{canvas}", "text": "Hm", "node": "a"}),
    Asked("comments.create", "viewer", {"canvas": "{canvas}", "text": "Hm", "thread": "{comment}"}),
    Asked("comments.patch", AUTHOR, {"canvas": "{canvas}", "id": "{comment}", "text": "No"}),
    Asked("comments.remove", "editor", {"canvas": "{canvas}", "id": "{comment}"}),
    Asked("comments.resolve", "editor", {"canvas": "{canvas}", "id": "{comment}"}),
    Asked("comments.reopen", "editor", {"canvas": "{canvas}", "id": "{comment}"}),
    Asked("comments.read", "viewer", {"canvas": "{canvas}"}),
    Asked("versions.find", "viewer", {"canvas": "{canvas}"}),
    Asked("versions.get", "viewer", {"canvas": "{canvas}", "id": "{version}"}),
    Asked("versions.compare", "viewer", {"canvas": "{canvas}", "id": "{version}"}),
    Asked("versions.create", "editor", {"canvas": "{canvas}", "name": "Mine"}),
    Asked("versions.patch", "editor", {"canvas": "{canvas}", "id": "{version}", "name": None}),
    Asked("versions.restore", "editor", {"canvas": "{canvas}", "id": "{version}"}),
    Asked("workers.find", "viewer", {"canvas": "{canvas}"}),
    Asked("workers.get", "viewer", {"id": "{canvas}"}),
    Asked("workers.lock", "viewer", {"id": "{canvas}"}),
    Asked("workers.logs", "editor", {"id": "{canvas}"}),
    Asked("workers.start", "editor", {"id": "{canvas}"}),
    Asked("workers.stop", "editor", {"id": "{canvas}"}),
    Asked("workers.restart", "editor", {"id": "{canvas}"}),
    Asked("workers.provision", "editor", {"id": "{canvas}"}),
    Asked("workers.create", AUTHOR, {"name": "Mine"}),
    Asked("workers.patch", AUTHOR, {"id": "{canvas}", "name": "Mine"}),
    Asked("workers.remove", AUTHOR, {"id": "{canvas}"}),
    Asked("secrets.replace", AUTHOR, {"id": "{secret}", "value": "not hers"}),
    Asked("secrets.remove", AUTHOR, {"id": "{secret}"}),
    Asked("grants.find", "viewer", {"id": "{canvas}"}),
    Asked("grants.create", AUTHOR, {"id": "{canvas}", "hosts": ["example.org"]}),
    Asked("grants.remove", AUTHOR, {"id": "{canvas}", "grant": "{grant}"}),
    Asked("packs.find", "viewer", {"canvas": "{canvas}"}),
    Asked("packs.find", AUTHOR, {"worker": "{canvas}"}),
    Asked("packs.install", "editor", {"canvas": "{canvas}", "distribution": "any"}),
    Asked("packs.install", AUTHOR, {"worker": "{canvas}", "distribution": "any"}),
    Asked("packs.upload", "editor", {"canvas": "{canvas}", "name": "a.whl", "data": "AA=="}),
    Asked("packs.remove", "editor", {"id": "{pack}"}),
    Asked("packs.configure", "editor", {"id": "{pack}", "object": "a.b", "config": {}}),
    Asked("packs.export", "editor", {"id": "{pack}", "object": "a.b"}),
    Asked("packs.import", "editor", {"id": "{pack}", "object": "a.b", "config": {}}),
    Asked("nodes.find", "viewer", {"canvas": "{canvas}"}),
    Asked("external_workers.find", "viewer", {"canvas": "{canvas}"}),
    Asked("external_workers.withdraw", "owner", {"canvas": "{canvas}", "id": "{external}"}),
    Asked("external_workers.patch", AUTHOR, {"id": "{external}", "name": "Mine"}),
    Asked("external_workers.remake", AUTHOR, {"id": "{external}"}),
    Asked("external_workers.remove", AUTHOR, {"id": "{external}"}),
    Asked("external_workers.configure", AUTHOR, {"id": "{external}", "config": {}}),
    Asked("external_workers.export", AUTHOR, {"id": "{external}"}),
    Asked("external_workers.import", AUTHOR, {"id": "{external}", "config": {}}),
    Asked("triggers.find", "viewer", {"canvas": "{canvas}"}),
    Asked("triggers.get", "viewer", {"id": "{trigger}"}),
    Asked("triggers.firings", "viewer", {"id": "{trigger}"}),
    Asked("triggers.create", "editor", {"canvas": "{canvas}", "name": "It", "settings": HOURLY}),
    Asked("triggers.patch", AUTHOR, {"id": "{trigger}", "name": "Mine"}),
    Asked("triggers.patch", "owner", {"id": "{trigger}", "enabled": False}),
    Asked("triggers.rotate", AUTHOR, {"id": "{trigger}"}),
    Asked("triggers.fire", "owner", {"id": "{trigger}"}),
    Asked("triggers.remove", "owner", {"id": "{trigger}"}),
    Asked("tasks.get", "viewer", {"id": "{task}"}),
    Asked("tasks.get", AUTHOR, {"id": "{private_task}"}),
    Asked("tasks.answer", "owner", {"id": "{task}", "answer": {"approved": True}}),
    Asked("tasks.assign", "owner", {"id": "{task}", "role": "viewer"}),
    Asked("tasks.link", "owner", {"id": "{task}"}),
    Asked("tasks.unlink", "owner", {"id": "{task}"}),
    Asked("canvas.open", "viewer", {"canvas": "{canvas}", "client_id": 7}),
    Asked("canvas.update", "viewer", {"canvas": "{canvas}", "msg_id": 1, "update": b"\0\0"}),
    Asked("canvas.awareness", "viewer", {"canvas": "{canvas}", "update": b"\0"}),
)
"""Of ``canvas.update`` and ``canvas.awareness`` what they ask beyond an open canvas has tests of its own."""

ELSEWHERE = (
    Asked("comments.get", "owner", {"canvas": "{own}", "id": "{comment}"}),
    Asked("comments.create", "owner", {"canvas": "{own}", "text": "Hm", "thread": "{comment}"}),
    Asked("comments.patch", "owner", {"canvas": "{own}", "id": "{comment}", "text": "No"}),
    Asked("comments.remove", "owner", {"canvas": "{own}", "id": "{comment}"}),
    Asked("comments.resolve", "owner", {"canvas": "{own}", "id": "{comment}"}),
    Asked("comments.reopen", "owner", {"canvas": "{own}", "id": "{comment}"}),
    Asked("versions.get", "owner", {"canvas": "{own}", "id": "{version}"}),
    Asked("versions.compare", "owner", {"canvas": "{own}", "id": "{version}"}),
    Asked("versions.compare", "owner", {"canvas": "{own}", "id": "{mine}", "other": "{version}"}),
    Asked("versions.patch", "owner", {"canvas": "{own}", "id": "{version}", "name": None}),
    Asked("versions.restore", "owner", {"canvas": "{own}", "id": "{version}"}),
    Asked("invitations.remake", "owner", {"id": "{own}", "invitation": "{invitation}"}),
    Asked("invitations.remove", "owner", {"id": "{own}", "invitation": "{invitation}"}),
)
"""Things of Ada's canvas, asked for as if they were of one's own."""


class World:
    """Ada's canvas with one of everything, and people of every role on it, and of none."""

    def __init__(self, h: House, ada: Caller, names: dict[str, str]) -> None:
        self.house = h
        self.ada = ada
        self.names = names
        self.people: dict[str, Caller] = {}

    def below(self, least: str) -> list[str]:
        """The roles that do not suffice; ``none`` is no role."""
        roles = ["none", *CANVAS_ROLES]
        return roles if least == AUTHOR else roles[: roles.index(least)]

    def filled(self, asked: Asked, role: str) -> dict[str, Any]:
        names = self.names | {"me": f"{role}@example.org"}
        return {
            key: value.format(**names) if isinstance(value, str) else value
            for key, value in asked.fields.items()
        }

    async def refusal(self, asked: Asked, role: str) -> str:
        """Ask over REST; return the code of the refusal, or that there was none."""
        operation = self.house.parts.registry.operations[asked.event]
        assert operation.rest is not None
        method, path = operation.rest
        fields = self.filled(asked, role)
        path = re.sub(r"{([^}]*)}", lambda name: str(fields.pop(name[1])), path)
        options: dict[str, Any] = {"params": fields} if method in ("GET", "DELETE") else {}
        body = None if options else fields
        answer = await self.people[role].call(method, path, body, **options)
        return answer.code if answer.status >= 400 else f"answered {answer.status}"

    async def state(self) -> list[Any]:
        """What others must not have changed."""
        paths = ["", "/spell", "/members", "/invitations", "/comments?state=all", "/versions"]
        paths.append("/grants")
        canvas = f"/v1/canvases/{self.names['canvas']}"
        found = [(await self.ada.get(canvas + path)).body for path in paths]
        found.append((await self.ada.get(f"/v1/tasks?canvas={self.names['canvas']}")).body)
        found.append((await self.ada.get(f"/v1/triggers?canvas={self.names['canvas']}")).body)
        return [*found, (await self.ada.get(f"/v1/runs?canvas={self.names['canvas']}")).body]


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    async with house(folder) as h:
        ada = await h.person("ada")
        assert ada.user is not None
        canvas = (await ada.post("/v1/canvases", {"name": "Hers", "spell": HELLO})).body["id"]
        path = f"/v1/canvases/{canvas}"
        shared, private = [
            await ada.post(
                "/v1/runs",
                {"canvas": canvas, "audience": audience, "inputs": {"a.value": large}, "wait": 60},
            )
            for large, audience in (("shared" * 1_000, "shared"), ("private" * 1_000, "private"))
        ]
        comment = await ada.post(f"{path}/comments", {"text": "Well", "at": [1, 2]})
        version = await ada.post(f"{path}/versions", {"name": "First"})
        invitation = await ada.post(f"{path}/invitations", {"role": "viewer"})
        names = {
            "canvas": canvas,
            "ada": ada.user.id,
            "key": (await ada.get("/v1/api-keys")).body["items"][0]["id"],
            "run": shared.body["id"],
            "private": private.body["id"],
            "hash": await output_hash(ada, shared.body["id"]),
            "private_hash": await output_hash(ada, private.body["id"]),
            "comment": comment.body["comment"]["id"],
            "version": version.body["id"],
            "invitation": invitation.body["invitation"]["id"],
            "secret": (
                await ada.post("/v1/secrets", {"name": "hers", "value": "not for others"})
            ).body["id"],
            "grant": (
                await h.parts.stores.grants.create(canvas, ["h.example.org"], ada.user.id)
            ).id,
            "pack": (await h.parts.stores.packs.put(PackRecord("", canvas, "any"))).id,
            "trigger": (
                await ada.post(
                    "/v1/triggers",
                    {"canvas": canvas, "name": "Hers", "settings": {"kind": "webhook"}},
                )
            ).body["trigger"]["id"],
            "external": (await ada.post("/v1/external-workers", {"name": "Hers"})).body["id"],
            "task": await asked_task(h, shared.body["id"], ada.user.id, canvas),
            "private_task": await asked_task(h, private.body["id"], ada.user.id, canvas),
        }
        given = {"canvases": [canvas]}
        assert (await ada.patch(f"/v1/external-workers/{names['external']}", given)).status == 200
        made = World(h, ada, names)
        for role in ("none", *CANVAS_ROLES):
            made.people[role] = await h.person(role)
            if role != "none":
                member = {"email": f"{role}@example.org", "role": role}
                assert (await ada.put(f"{path}/members", member)).status == 200
        yield made


async def asked_task(h: House, run: str, user: str, canvas: str) -> str:
    """Keep a question of a run to its owner; return its id."""
    task = NewTask(
        id=uuid4().hex,
        run=run,
        node="a",
        canvas_id=canvas,
        kind="approval",
        title="May it?",
        text="",
        question={"kind": "approval", "title": "May it?"},
        assignee_id=user,
        assignee_role=None,
        created_by=user,
        created_at=1.0,
    )
    async with h.parts.stores.database.write() as conn:
        await insert_task(conn, task)
    return task.id


async def output_hash(ada: Caller, run: str) -> str:
    """Return the hash of an output of a run, by which who may see the run gets it."""
    key = str((await ada.get(f"/v1/runs/{run}")).body["hashes"]["a"]["value"])
    assert (await ada.get(f"/v1/cache/values/{key}")).status == 200
    return key


async def test_every_operation_and_route_is_in_a_list_here(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        operations = h.parts.registry.operations
        needing = {name for name, each in operations.items() if not each.public}
        own = {f"{service}.{name}" for service, names in OWN.items() for name in names}
        assert needing == own | {asked.event for asked in NOT_FOR_ALL}
        routes = {
            route.resource.canonical
            for route in h.server.app.router.routes()
            if route.resource and route.resource.canonical.startswith("/v1")
        }
        of_operations = {each.rest[1] for each in operations.values() if each.rest}
        assert routes - of_operations == {"/v1/canvases/{id}/sync", EXTERNAL_WORKERS, HOOKS}


@pytest.mark.rule("S10", "H9", "I1", "M2", "M5", "G5")
async def test_no_operation_is_for_less_than_its_role_over_rest(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        before = await w.state()
        for asked in NOT_FOR_ALL:
            if w.house.parts.registry.operations[asked.event].rest is not None:
                for role in w.below(asked.least):
                    code = await w.refusal(asked, role)
                    assert code in REFUSALS, f"{role} may {asked}: {code}"
        assert await w.state() == before


@pytest.mark.rule("S10", "H9", "I1", "M2", "M5", "G5", "E6")
async def test_no_event_is_for_less_than_its_role_over_a_socket(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        before = await w.state()
        for role, person in w.people.items():
            client = socketio.AsyncClient(reconnection=False)
            token = {"token": person.token}
            await client.connect(
                w.house.origin, auth=token, transports=["websocket"], wait_timeout=30
            )
            for asked in NOT_FOR_ALL:
                operation = w.house.parts.registry.operations[asked.event]
                if operation.socket and role in w.below(asked.least):
                    answer = await client.call(asked.event, w.filled(asked, role))
                    assert not answer["ok"], f"{role} may {asked}"
                    assert answer["error"]["code"] in REFUSALS, f"{asked}: {answer}"
            await client.disconnect()
        await until(lambda: not w.house.parts.sockets.sessions)
        assert await w.state() == before


@pytest.mark.rule("M5", "I1", "H9")
async def test_nothing_is_reached_by_way_of_a_canvas_of_ones_own(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        mallory = w.people["none"]
        own = (await mallory.post("/v1/canvases", {"name": "Own", "spell": HELLO})).body["id"]
        mine = (await mallory.post(f"/v1/canvases/{own}/versions", {"name": "Own"})).body["id"]
        w.names |= {"own": own, "mine": mine}
        before = await w.state()
        for asked in ELSEWHERE:
            assert await w.refusal(asked, "none") == "not_found", asked
        # says nothing of what is there, and changes nothing
        read = {"thread": w.names["comment"]}
        assert (await mallory.post(f"/v1/canvases/{own}/comments/read", read)).status == 200
        assert await w.state() == before


@pytest.mark.rule("Y3")
async def test_the_sync_endpoint_is_for_members(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        path = f"/v1/canvases/{w.names['canvas']}/sync"
        stranger = await w.house.stranger().get(path, headers=UPGRADE)
        assert (stranger.status, stranger.code) == (401, "unauthenticated")
        outsider = await w.people["none"].get(path, headers=UPGRADE)
        assert (outsider.status, outsider.code) == (403, "forbidden")
