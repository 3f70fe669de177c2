"""The door of REST: every refusal has one shape, whatever refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import Field

from spellwork_server.services.service import (
    Call,
    Done,
    EventStream,
    Request,
    ServerSentEvent,
    Service,
    View,
    operation,
)
from spellwork_server.services.sse import encode
from tests.server.services.house import house

pytestmark = pytest.mark.anyio


async def test_malformed_json_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        json = {"Content-Type": "application/json"}
        for body in (b"{", b"\xff\xfe", b"nope", b"[" * 100_000, b'{"name": NaN}'):
            answer = await ada.post("/v1/canvases", data=body, headers=json)
            assert (answer.status, answer.code) == (400, "malformed_json"), body[:10]
        answer = await ada.post("/v1/canvases", data=b"[]", headers=json)
        assert (answer.status, answer.code) == (400, "bad_request")


async def test_a_body_of_another_type_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
            answer = await ada.post(
                "/v1/canvases", data=b'{"name": "x"}', headers={"Content-Type": kind}
            )
            assert (answer.status, answer.code) == (415, "unsupported_media_type")
            assert answer.body["error"]["details"] == {"allowed": ["application/json"]}


async def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path, max_body_bytes=2048) as h:
        ada = await h.person("ada")
        answer = await ada.post("/v1/canvases", {"name": "x" * 3000})
        assert (answer.status, answer.code) == (413, "too_large")
        assert answer.body["error"]["details"] == {"limit": 2048}


async def test_a_wrong_field_is_named_with_what_is_allowed(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.post("/v1/canvases", {"name": "x", "colour": "red"})
        assert (answer.status, answer.code) == (400, "bad_request")
        assert answer.body["error"]["details"]["errors"] == [
            {
                "field": "colour",
                "message": "Extra inputs are not permitted",
                "allowed": ["name", "spell"],
            }
        ]
        answer = await ada.post("/v1/canvases", {"spell": {"nodes": {"a b": {"type": 1}}}})
        fields = {each["field"] for each in answer.body["error"]["details"]["errors"]}
        assert fields == {"spell.nodes.a b.[key]", "spell.nodes.a b.type"}


async def test_an_unknown_path_and_a_wrong_method_are_refused_in_the_same_shape(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.get("/v1/nowhere")
        assert (answer.status, answer.code) == (404, "unknown_route")
        answer = await ada.delete("/v1/canvases")
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert answer.body["error"]["details"]["allowed"] == ["GET", "POST"]
        assert answer.headers["Allow"] == "GET, POST"


async def test_a_page_of_another_origin_is_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        evil = {"Origin": "https://evil.example.org"}
        answer = await ada.post("/v1/canvases", {"name": "x"}, headers=evil)
        assert (answer.status, answer.code) == (403, "origin_refused")
        assert (await ada.get("/v1/canvases", headers=evil)).status == 200
        own = {"Origin": h.origin}
        assert (await ada.post("/v1/canvases", {"name": "x"}, headers=own)).status == 201


async def test_every_answer_carries_the_security_headers(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        stranger = h.stranger()
        for path in ("/healthz", "/v1/canvases", "/v1/nowhere", "/"):
            headers = (await stranger.get(path)).headers
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            policy = headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe-eval" not in policy
            assert "aiohttp" not in headers["Server"]


class Say(Request):
    word: str
    times: int = Field(default=1, ge=1)
    places: list[str] = Field(default_factory=list)


class Said(View):
    word: str
    times: int
    places: list[str]


class Echo(Service):
    """A service to look at the framework with."""

    name = "echo"

    @operation(summary="Say", rest=("POST", "/v1/echo/{word}"))
    async def say(self, call: Call, request: Say) -> Said:
        return Said(word=request.word, times=request.times, places=request.places)

    @operation(summary="Break", rest=("POST", "/v1/break"))
    async def fail(self, call: Call, request: Request) -> Done:
        raise RuntimeError("the secret cause")

    @operation(summary="Follow", rest=("GET", "/v1/follow"))
    async def follow(self, call: Call, request: Request) -> Done | EventStream:
        async def events() -> AsyncIterator[ServerSentEvent]:
            yield ServerSentEvent({"n": 1}, id="1")
            yield ServerSentEvent({"n": 2}, event="other")

        return EventStream(events())


@pytest.fixture
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add the service above to every server made meanwhile."""
    monkeypatch.setattr(
        "spellwork_server.assembly.operations.announce", lambda registry: registry.add(Echo())
    )


@pytest.mark.usefixtures("echo")
async def test_path_query_and_body_are_one_request(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.post("/v1/echo/hi?times=3", {"places": ["here"]})
        assert answer.body == {"word": "hi", "times": 3, "places": ["here"]}
        answer = await ada.post("/v1/echo/hi?places=here&places=there")
        assert answer.body["places"] == ["here", "there"]
        answer = await ada.post("/v1/echo/hi", {"word": "bye"})
        assert (answer.status, answer.code) == (400, "bad_request")
        answer = await ada.post("/v1/echo/hi?times=0")
        assert answer.body["error"]["details"]["errors"][0]["allowed"] == {"ge": 1}


@pytest.mark.usefixtures("echo")
async def test_a_fault_of_ours_tells_an_id_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.post("/v1/break", {})
        assert (answer.status, answer.code) == (500, "internal")
        fault = answer.body["error"]["details"]["id"]
        assert "secret" not in str(answer.body)
        assert fault in caplog.text
        assert "the secret cause" in caplog.text


@pytest.mark.usefixtures("echo")
async def test_a_stream_goes_out_as_server_sent_events(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        answer = await ada.get("/v1/follow")
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.body == (
            'event: message\nid: 1\ndata: {"n":1}\n\nevent: other\ndata: {"n":2}\n\n'
        )


def test_an_event_stays_on_its_lines() -> None:
    assert encode(ServerSentEvent("a\nb")) == b'event: message\ndata: "a\\nb"\n\n'
