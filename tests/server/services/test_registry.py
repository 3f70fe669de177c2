"""One definition, called by name: the socket's way to every operation."""

from __future__ import annotations

import pytest

from spellwork_server.errors import BadRequest, Internal, NotFound, Unauthenticated
from spellwork_server.identity import Actor
from spellwork_server.services.registry import Registry
from spellwork_server.services.service import Call, Done, Request, Service, View, operation

pytestmark = pytest.mark.anyio

ADA = Call(Actor("ada", "ada@example.org", "Ada", "member"))


class Word(Request):
    word: str


class Bytes(View):
    body: bytes


class Words(Service):
    name = "words"

    @operation(summary="Take a word")
    async def take(self, call: Call, request: Word) -> Word:
        """Say it back."""
        return request

    @operation(summary="Give bytes", binary=True)
    async def give(self, call: Call, request: Request) -> Bytes:
        return Bytes(body=b"\x00\xff")

    @operation(summary="Over REST only", rest=("GET", "/v1/words"), socket=False)
    async def find(self, call: Call, request: Request) -> Done:
        return Done()

    @operation(summary="Anybody", public=True, name="hello")
    async def greet(self, call: Call, request: Request) -> Done:
        return Done()

    @operation(summary="Break")
    async def fail(self, call: Call, request: Request) -> None:
        raise KeyError("secret")


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add(Words())
    return registry


def test_operations_are_named_by_service_and_method(registry: Registry) -> None:
    assert list(registry.operations) == [
        "words.take",
        "words.give",
        "words.find",
        "hello",
        "words.fail",
    ]
    assert registry.operations["words.take"].description == "Say it back."


def test_a_name_or_route_taken_twice_is_refused(registry: Registry) -> None:
    with pytest.raises(TypeError, match="mounted twice"):
        registry.add(Words())


async def test_dispatch_parses_runs_and_dumps(registry: Registry) -> None:
    assert await registry.dispatch("words.take", {"word": "x"}, ADA) == {"word": "x"}
    assert await registry.dispatch("words.give", {}, ADA) == {"body": b"\x00\xff"}


@pytest.mark.parametrize("payload", [None, [], "x", 7, {"word": 7}, {}, {"word": "x", "more": 1}])
async def test_a_wrong_payload_is_a_bad_request(registry: Registry, payload: object) -> None:
    with pytest.raises(BadRequest):
        await registry.dispatch("words.take", payload, ADA)


@pytest.mark.parametrize("name", ["words.tak", "nothing", "", "words.find", "__init__"])
async def test_an_unknown_event_names_those_that_there_are(registry: Registry, name: str) -> None:
    with pytest.raises(NotFound) as refusal:
        await registry.dispatch(name, {}, ADA)
    assert refusal.value.code == "unknown_event"
    assert "words.take" in refusal.value.details["known"]


async def test_only_public_operations_take_nobody(registry: Registry) -> None:
    assert await registry.dispatch("hello", {}, Call(None)) == {}
    with pytest.raises(Unauthenticated):
        await registry.dispatch("words.take", {"word": "x"}, Call(None))


async def test_a_fault_becomes_an_internal_error_without_its_cause(registry: Registry) -> None:
    with pytest.raises(Internal) as refusal:
        await registry.dispatch("words.fail", {}, ADA)
    assert "secret" not in str(refusal.value.to_json())


async def test_a_payload_of_rubbish_gets_no_answer_larger_than_itself(registry: Registry) -> None:
    payload = {f"field{number}": number for number in range(1_000)}
    with pytest.raises(BadRequest) as refusal:
        await registry.dispatch("words.take", payload, ADA)
    assert len(refusal.value.details["errors"]) <= 20
