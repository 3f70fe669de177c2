"""What others send, what is found at addresses, and runs that end: each fires once, for those who may."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from spellwork_server.commands.secret_keys import rotate
from spellwork_server.grants.vault import Vault
from spellwork_server.storage.schema import RUNS
from spellwork_server.triggers.hooks import MAX_BODY
from spellwork_server.triggers.mapping import wanted_outputs
from spellwork_server.triggers.signing import Secret, from_text, rotated, sign
from tests.server.runs.house import until
from tests.server.services.house import Answer, house

from .house import START, Triggered, triggered

pytestmark = pytest.mark.anyio

HOOK = {"kind": "webhook", "headers": ["X-Event"]}


def signed(secret: str, body: bytes, id: str = "msg_1", stamp: float = START) -> dict[str, str]:
    """Sign as a sender does that never saw our code."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    content = f"{id}.{int(stamp)}.".encode() + body
    digest = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(int(stamp)),
        "webhook-signature": f"v1,{digest}",
        "Content-Type": "application/json",
    }


async def send(h: Triggered, hook: dict, body: bytes, headers: dict[str, str]) -> Answer:
    """Send as a stranger with neither cookie nor token."""
    path = f"/v1/hooks/{hook['id']}"
    return await h.stranger().call("POST", path, headers=headers, data=BytesIO(body))


@pytest.mark.rule("X20")
def test_the_signature_is_that_of_the_standard() -> None:
    # the example of the specification of Standard Webhooks
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    assert sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


@pytest.mark.rule("X1", "X4", "X20", "X21")
async def test_a_signed_message_runs_the_canvas_with_what_it_brings(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        inputs = {"a.value": {"$from": "body.user.id"}}
        hook = await h.made(HOOK, inputs=inputs)
        assert hook["url"].endswith(f"/v1/hooks/{hook['id']}")
        body = b'{"user": {"id": 41}}'
        answer = await send(h, hook, body, signed(hook["secret"], body))
        assert (answer.status, answer.body["outcome"]) == (202, "started")
        assert (await h.ended(answer.body["run"]))["outputs"]["b"]["value"] == 41
        again = await send(h, hook, body, signed(hook["secret"], body))
        assert (again.status, again.body["duplicate"]) == (200, True)
        assert again.body["run"] == answer.body["run"]
        assert len(await h.firings(hook)) == 1


@pytest.mark.rule("X20")
async def test_what_does_not_prove_itself_starts_nothing(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        hook, other = await h.made(HOOK), await h.made(HOOK)
        body = b"{}"
        good = signed(hook["secret"], body)
        forged: list[tuple[bytes, dict[str, str]]] = [
            (body, {}),
            (b'{"a": 1}', good),
            (body, good | {"webhook-id": "msg_2"}),
            (body, good | {"webhook-timestamp": str(int(START) + 1)}),
            (body, good | {"webhook-timestamp": "soon"}),
            (body, good | {"webhook-signature": "v1," + "A" * 44}),
            (body, good | {"webhook-signature": good["webhook-signature"].replace("v1,", "v1a,")}),
            (
                body,
                good | {"webhook-signature": " ".join(["v1,x"] * 20 + [good["webhook-signature"]])},
            ),
            (body, signed(other["secret"], body)),
            (body, signed(hook["secret"], body, stamp=START - 301)),
            (body, signed(hook["secret"], body, stamp=START + 301)),
            (body, {"Authorization": f"Bearer {hook['secret']}"}),
        ]
        for sent, headers in forged:
            answer = await send(h, hook, sent, headers)
            assert (answer.status, answer.code) == (401, "signature_invalid"), headers
        own = await h.ada.call("POST", f"/v1/hooks/{hook['id']}", {})
        assert own.status == 401  # who is signed in proves nothing here
        assert (await send(h, {"id": "0" * 32}, body, good)).status == 404
        cron = await h.made({"kind": "interval", "every": 60})
        assert (await send(h, cron, body, good)).status == 404
        large = b" " * (MAX_BODY + 1)
        assert (await send(h, hook, large, signed(hook["secret"], large))).status == 413
        assert await h.firings(hook) == []
        assert (await send(h, hook, body, good)).status == 202


@pytest.mark.rule("X20")
async def test_who_forges_on_and_on_is_told_to_wait(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        hook = await h.made(HOOK)
        answers = [await send(h, hook, b"{}", {}) for _ in range(62)]
        assert {each.status for each in answers} == {401, 429}
        assert (await send(h, hook, b"{}", signed(hook["secret"], b"{}"))).status == 202


@pytest.mark.rule("X21")
@pytest.mark.parametrize(
    ("kind", "body", "value"),
    [
        ("application/vnd.x+json", b"[1]", [1]),
        ("text/plain; charset=iso-8859-1", b"\xe4", "ä"),
        ("application/x-www-form-urlencoded", b"a=1", "a=1"),
        ("application/octet-stream", b"\0\1", "data:application/octet-stream;base64,AAE="),
    ],
)
async def test_a_body_is_read_by_its_type(
    kind: str, body: bytes, value: Any, tmp_path: Path
) -> None:
    async with triggered(tmp_path) as h:
        inputs = {"a.value": {"$from": "body"}, "b.value": "unused"}
        hook = await h.made(HOOK, inputs={"a.value": inputs["a.value"]})
        headers = signed(hook["secret"], body) | {"Content-Type": kind}
        answer = await send(h, hook, body, headers)
        assert (await h.ended(answer.body["run"]))["outputs"]["a"]["value"] == value


@pytest.mark.rule("X21")
async def test_only_chosen_headers_are_told_and_never_what_proves(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        hook = await h.made(HOOK, inputs={"a.value": {"$from": "headers"}})
        headers = signed(hook["secret"], b"{}") | {"X-Event": "made", "X-Other": "no"}
        answer = await send(h, hook, b"{}", headers)
        assert (await h.ended(answer.body["run"]))["outputs"]["a"]["value"] == {"x-event": "made"}
        for name in ("Authorization", "Cookie", "webhook-signature", "a b"):
            assert (await h.make({"kind": "webhook", "headers": [name]})).status == 400


@pytest.mark.rule("X22")
async def test_a_secret_is_told_once_and_the_one_before_is_good_for_a_day(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        hook = await h.made(HOOK)
        answer = await h.ada.post(f"/v1/triggers/{hook['id']}/rotate")
        new = answer.body["secret"]
        told = [await h.ada.get(f"/v1/triggers/{hook['id']}")]
        told += [await h.ada.get(f"/v1/triggers?canvas={h.canvas}")]
        assert not any(
            secret in str(each.body) for each in told for secret in (new, hook["secret"])
        )
        record = await h.parts.stores.triggers.get(hook["id"])
        assert record.sealed is not None
        assert hook["secret"].encode() not in record.sealed
        for n, secret in enumerate((new, hook["secret"])):
            assert (await send(h, hook, b"", signed(secret, b"", f"m{n}"))).status == 202
        h.now += 86_401
        late = signed(hook["secret"], b"", "m3", h.now)
        assert (await send(h, hook, b"", late)).status == 401
        assert (await send(h, hook, b"", signed(new, b"", "m4", h.now))).status == 202
        assert len(rotated([Secret("a"), Secret("b", 5.0)], "c", 1.0)) == 2


@pytest.mark.rule("X22")
def test_rotating_keys_takes_the_secrets_of_webhooks_along(tmp_path: Path) -> None:
    async def make() -> tuple[Any, str]:
        async with triggered(tmp_path) as h:
            hook = await h.made(HOOK)
            return h.parts.settings, hook["id"]

    async def read(id: str) -> bytes:
        async with triggered_again(tmp_path) as h:
            sealed = (await h.parts.stores.triggers.get(id)).sealed
            assert sealed is not None
            return sealed

    settings, id = asyncio.run(make())
    rotate(settings)
    sealed = asyncio.run(read(id))
    vault = Vault.open(settings.data)
    assert vault.is_current(sealed)
    assert from_text(vault.decrypt(id, sealed))[0].value.startswith("whsec_")


@asynccontextmanager
async def triggered_again(folder: Path) -> AsyncIterator[Triggered]:
    async with house(folder) as found:
        yield Triggered(found)


class Source:
    """A program that answers what it is told to, and counts."""

    def __init__(self) -> None:
        self.answer: tuple[int, str, str] = (200, '{"rows": [1]}', "application/json")
        self.etag: str | None = None
        self.asked: list[dict[str, str]] = []

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(dict(request.headers))
        if self.etag is not None and request.headers.get("If-None-Match") == self.etag:
            return web.Response(status=304)
        status, text, kind = self.answer
        headers = {"ETag": self.etag} if self.etag else {}
        return web.Response(status=status, text=text, content_type=kind, headers=headers)


@asynccontextmanager
async def polled(
    folder: Path, **more: Any
) -> AsyncIterator[tuple[Triggered, Source, dict[str, Any]]]:
    """Give a server, a source that it polls, and the trigger after its first look."""
    source = Source()
    app = web.Application()
    app.router.add_get("/it", source.handle)
    server = TestServer(app)
    await server.start_server()
    try:
        async with triggered(folder) as h:
            where = f"127.0.0.1:{server.port}"
            assert h.ada.user is not None
            await h.parts.stores.grants.create(h.canvas, [where], h.ada.user.id)
            settings = {"kind": "poll", "url": f"http://{where}/it", "every": 60} | more
            inputs = {"a.value": {"$from": "previous"}, "b.value": {"$from": "value"}}
            trigger = await h.made(settings, inputs={"a.value": inputs["a.value"]})
            await h.pass_to(START + 1)
            await until(lambda: source.asked and not h.triggers._looking)  # the timer may be first
            yield h, source, trigger
    finally:
        await server.close()


async def look(h: Triggered, source: Source, now: float) -> None:
    """Put the clock there and wait until the source was looked at."""
    before = len(source.asked)
    await h.pass_to(now)
    if before == len(source.asked):
        await until(lambda: len(source.asked) > before)
    await until(lambda: not h.triggers._looking)


@pytest.mark.rule("X30", "X31")
async def test_a_poll_fires_when_what_counts_is_another(tmp_path: Path) -> None:
    async with polled(tmp_path, pointer="/rows") as (h, source, trigger):
        assert await h.firings(trigger) == []  # what was there first is nothing new
        source.answer = (200, '{"rows": [1], "now": "later"}', "application/json")
        await look(h, source, START + 120)
        assert await h.firings(trigger) == []
        source.answer = (200, '{"rows": [1, 2]}', "application/json")
        await look(h, source, START + 180)
        (fired,) = await h.firings(trigger)
        assert (await h.ended(fired["run"]))["outputs"]["a"]["value"] == [1]
        source.answer = (200, '{"rows": [1]}', "application/json")
        await look(h, source, START + 240)
        assert [each["outcome"] for each in await h.firings(trigger)] == ["started"] * 2


@pytest.mark.rule("X31")
async def test_a_host_that_knows_what_was_seen_is_asked_for_news_alone(tmp_path: Path) -> None:
    async with polled(tmp_path) as (h, source, trigger):
        source.etag = '"1"'
        await look(h, source, START + 120)
        await look(h, source, START + 180)
        assert source.asked[-1]["If-None-Match"] == '"1"'
        assert (await h.read(trigger))["fault"] is None
        assert await h.firings(trigger) == []


@pytest.mark.rule("X32")
async def test_a_look_that_fails_is_told_once_and_forgiven(tmp_path: Path) -> None:
    async with polled(tmp_path, pointer="/rows/0") as (h, source, trigger):
        for n, answer in enumerate([(500, "", "text/plain")] * 2 + [(200, "{}", "text/plain")]):
            source.answer = answer
            await look(h, source, START + 120 + 60 * n)
        told = await h.firings(trigger)
        assert [each["outcome"] for each in told] == ["refused"] * 2
        assert "500" in told[0]["reason"]
        assert "/rows/0" in (await h.read(trigger))["fault"]
        source.answer = (200, '{"rows": [1]}', "application/json")
        await look(h, source, START + 400)
        assert (await h.read(trigger))["fault"] is None
        assert len(await h.firings(trigger)) == 2


@pytest.mark.rule("X30")
async def test_no_host_is_asked_that_the_canvas_was_not_granted(tmp_path: Path) -> None:
    async with polled(tmp_path) as (h, source, trigger):
        (grant,) = await h.parts.stores.grants.of_canvas(h.canvas)
        await h.parts.stores.grants.remove(h.canvas, grant.id)
        asked = len(source.asked)
        await h.pass_to(START + 120)
        await until(lambda: not h.triggers._looking)
        assert "grant" in (await h.read(trigger))["fault"]
        assert len(source.asked) == asked
        for url in ("file:///etc/passwd", "http://me@host/", "gopher://x"):
            assert (await h.make({"kind": "poll", "url": url, "every": 60})).status == 400
        assert (await h.make({"kind": "poll", "url": "http://x/", "every": 9})).status == 400


@pytest.mark.rule("X40", "X41")
async def test_a_run_that_ends_fires_what_waits_on_other_canvases(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        other = await h.canvas_of(h.ada)
        settings = {"kind": "event", "canvas": h.canvas, "on": ["completed"]}
        trigger = await h.made(
            settings, canvas=other, inputs={"a.value": {"$from": "outputs.b.value"}}
        )
        await h.triggers.timer.fire_due()
        await h.ada.post("/v1/runs", {"canvas": other, "wait": 30})  # of no interest
        run = await h.ada.post(
            "/v1/runs", {"canvas": h.canvas, "inputs": {"a.value": 5}, "wait": 30}
        )
        while not (found := await h.firings(trigger)):
            await asyncio.sleep(0.01)
        assert found[0]["key"] == run.body["id"]
        ended = await h.ended(found[0]["run"])
        assert ended["outputs"].get("b") == {"value": 5}, ended
        call = await h.ada.post("/v1/runs", {"canvas": h.canvas, "queue": "gpu", "delay": 3_600})
        values = {
            "parent_id": run.body["id"],
            "status": "completed",
            "ended_at": run.body["ended_at"],
        }
        async with h.parts.stores.database.write() as conn:  # the call of a node that was placed
            await conn.execute(update(RUNS).where(RUNS.c.id == call.body["id"]).values(values))
        await h.triggers.endings.sweep()
        assert len(await h.firings(trigger)) == 1


@pytest.mark.rule("X40")
def test_outputs_are_those_of_the_runs_own_nodes_alone() -> None:
    inputs = {
        "a.value": {"$from": "outputs.b.value.rows[0]"},
        "b.value": {"$from": 'outputs["sub/x"].value'},
        "c.value": {"$from": 'outputs["map[3]"].value'},
        "d.value": {"$from": "outputs"},
    }
    assert wanted_outputs(inputs) == {("b", "value")}


@pytest.mark.rule("X41")
async def test_an_end_that_a_crash_kept_from_firing_fires_later_once(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        other = await h.canvas_of(h.ada)
        h.triggers.run_ended = lambda *_: None  # type: ignore[method-assign]
        h.parts.running.runners._end_watchers.clear()
        trigger = await h.made({"kind": "event", "canvas": h.canvas}, canvas=other)
        await h.ada.post("/v1/runs", {"canvas": h.canvas, "wait": 30})
        private = {"canvas": h.canvas, "audience": "private", "wait": 30}
        bob = await h.person("bob")
        member = {"email": "bob@example.org", "role": "editor"}
        await h.ada.put(f"/v1/canvases/{h.canvas}/members", member)
        await bob.post("/v1/runs", private)  # nobody else's business
        await asyncio.gather(*(h.triggers.endings.sweep() for _ in range(4)))
        assert [each["outcome"] for each in await h.firings(trigger)] == ["started"]


@pytest.mark.rule("X42")
async def test_runs_that_fire_each_other_come_to_an_end_and_it_is_said(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        trigger = await h.made({"kind": "event", "canvas": h.canvas})
        await h.triggers.timer.fire_due()
        await h.ada.post("/v1/runs", {"canvas": h.canvas, "wait": 30})
        while (found := await h.firings(trigger))[-1:] == [] or found[-1]["outcome"] == "started":
            await asyncio.sleep(0.01)
        assert [each["outcome"] for each in found] == ["started"] * 10 + ["refused"]
        assert "loop" in (await h.read(trigger))["fault"]


@pytest.mark.rule("X43")
async def test_who_may_not_read_the_other_canvas_any_more_learns_nothing(tmp_path: Path) -> None:
    async with triggered(tmp_path) as h:
        bob = await h.person("bob")
        mine = await h.canvas_of(bob)
        settings = {"kind": "event", "canvas": h.canvas}
        assert (await h.make(settings, bob, canvas=mine)).status in (403, 404)
        members = f"/v1/canvases/{h.canvas}/members"
        await h.ada.put(members, {"email": "bob@example.org", "role": "viewer"})
        trigger = await h.made(settings, bob, canvas=mine)
        assert bob.user is not None
        await h.ada.delete(f"{members}?email=bob@example.org")
        await h.ada.post("/v1/runs", {"canvas": h.canvas, "wait": 30})
        await h.triggers.endings.sweep()
        answer = await bob.get(f"/v1/triggers/{trigger['id']}/firings")
        (refused,) = answer.body["items"]
        assert (refused["outcome"], refused["run"]) == ("refused", None)
