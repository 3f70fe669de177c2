"""Past runs looked into: found, compared, timed, counted, and what went into their nodes; without a call."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from spellwork import Event, Spell
from spellwork_server.errors import BadRequest, NotFound, ServerError
from spellwork_server.runs.tokens import MOST_KEYS, TokenTally, taken_of
from spellwork_server.storage.run_figures import figures_of
from spellwork_server.storage.run_records import insert_run, mark_ended

from .house import ADA, BOB, EVE, ROOT, House, as_spell, house, spell_of, sums, waiting

pytestmark = pytest.mark.anyio


def failing(message: str = "no such place") -> dict[str, Any]:
    """f fails; g needs it."""
    return spell_of(
        {
            "f": {"type": "t.fail", "name": "Find", "inputs": {"message": message}},
            "g": {"type": "t.add"},
        },
        "f.value > g.a",
    )


async def run(h: House, who: Any = ADA, canvas: str = "c1", **request: Any) -> dict[str, Any]:
    return await h.call(who, "runs.create", canvas=canvas, wait=60, **request)


async def found(h: House, who: Any = ADA, **request: Any) -> list[str]:
    return [each["id"] for each in (await h.call(who, "runs.find", **request))["items"]]


@pytest.mark.rule("V1")
async def test_runs_are_found_by_state_and_by_words() -> None:
    async with house() as h:
        room = await h.canvas(sums(), bob="runner")
        whole = await run(h)
        room.draw(as_spell(failing()))
        failed = await run(h, BOB)
        room.draw(as_spell(waiting()))
        going = await h.call(ADA, "runs.create", canvas="c1")
        assert await found(h, canvas="c1", status=["running", "queued"]) == [going["id"]]
        assert await found(h, canvas="c1", failed=True) == [failed["id"]]
        assert await found(h, canvas="c1", failed=False) == [whole["id"]]
        assert await found(h, canvas="c1", status=["completed"], failed=False) == [whole["id"]]
        assert await found(h, canvas="c1", search="NO SUCH") == [failed["id"]]
        assert await found(h, canvas="c1", search="find") == [failed["id"]]
        assert await found(h, canvas="c1", search="asked_to") == [failed["id"]]
        assert await found(h, canvas="c1", search="bob") == [failed["id"]]
        assert await found(h, canvas="c1", search=whole["id"][:8]) == [whole["id"]]
        assert await found(h, canvas="c1", search="%") == []
        assert await found(h, canvas="c1", user="bob") == [failed["id"]]
        assert await found(h, canvas="c1", queue="q") == []
        assert await found(h, canvas="c1", forked_from=whole["id"]) == []
        assert await found(h, canvas="c1", since=failed["created_at"]) == [
            going["id"],
            failed["id"],
        ]


@pytest.mark.rule("V1")
async def test_administrators_find_the_runs_of_everybody() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="runner")
        made = [(await run(h, who))["id"] for who in (ADA, BOB)]
        private = (await run(h, BOB, audience="private"))["id"]
        assert await found(h, ROOT) == []
        assert await found(h, ROOT, all=True) == [private, *made[::-1]]
        assert await found(h, ROOT, all=True, user="ada") == made[:1]
        with pytest.raises(ServerError):
            await found(h, BOB, all=True)


@pytest.mark.rule("V1")
async def test_pages_of_runs_neither_repeat_nor_leave_out_any() -> None:
    async with house() as h:
        await h.canvas(sums())
        made = [(await run(h))["id"] for _ in range(5)]
        seen: list[str] = []
        after = None
        while True:
            page = await h.call(ADA, "runs.find", canvas="c1", limit=2, after=after)
            seen += [each["id"] for each in page["items"]]
            after = page["next"]
            if after is None:
                break
            await run(h)
        assert seen == made[::-1]
        with pytest.raises(BadRequest):
            await h.call(ADA, "runs.find", canvas="c1", after="yesterday")


@pytest.mark.rule("V2")
async def test_what_went_into_a_node_is_told_without_a_call() -> None:
    async with house() as h:
        spell = sums()
        spell["nodes"]["c"] = {"type": "t.value"}
        spell["edges"]["e1"] |= {"input": "value", "transform": [{"op": "cast", "to": "string"}]}
        room = await h.canvas(spell)
        done = await run(h, inputs={"a.value": 4})
        calls = dict(h.gates.calls)
        room.draw(as_spell(waiting()))
        first = await h.call(ADA, "runs.inputs", id=done["id"], node="b")
        assert (first["inputs"], first["not_kept"]) == ({"a": 4, "b": 1}, {})
        second = await h.call(ADA, "runs.inputs", id=done["id"], node="c")
        assert second["inputs"] == {"value": "5"}
        assert (await h.call(ADA, "runs.inputs", id=done["id"], node="a"))["inputs"] == {"value": 4}
        assert h.gates.calls == calls
        with pytest.raises(NotFound):
            await h.call(ADA, "runs.inputs", id=done["id"], node="nobody")
        with pytest.raises(NotFound):
            await h.call(EVE, "runs.inputs", id=done["id"], node="b")


@pytest.mark.rule("V2")
async def test_large_inputs_are_references_and_what_is_not_kept_is_said() -> None:
    async with house() as h:
        spell = sums()
        spell["nodes"]["a"]["inputs"]["value"] = ["x" * 100] * 2_000
        spell["nodes"]["p"] = {"type": "t.value"}
        spell["edges"]["e9"] = {"source": "a", "output": "value", "target": "p", "input": "value"}
        room = await h.canvas(spell)
        done = await run(h, scope=["p"])
        given = (await h.call(ADA, "runs.inputs", id=done["id"], node="p"))["inputs"]["value"]
        assert given["$ref"] == done["hashes"]["a"]["value"]
        room.draw(as_spell(spell))
        part = await run(h, scope=["p"], reach="only")
        answer = await h.call(ADA, "runs.inputs", id=part["id"], node="p")
        assert answer["inputs"] == {}
        assert "not kept" in answer["not_kept"]["value"]


@pytest.mark.rule("V2")
async def test_what_a_failed_node_brought_is_nothing() -> None:
    async with house() as h:
        await h.canvas(failing())
        done = await run(h)
        answer = await h.call(ADA, "runs.inputs", id=done["id"], node="g")
        assert (answer["inputs"], answer["not_kept"]) == ({"b": 1}, {})


@pytest.mark.rule("V3")
async def test_two_runs_are_compared_node_by_node() -> None:
    async with house() as h:
        room = await h.canvas(sums())
        first = await run(h)
        changed = sums()
        changed["nodes"]["a"]["inputs"]["value"] = 3
        changed["nodes"]["z"] = {"type": "t.value", "inputs": {"value": 0}}
        del changed["nodes"]["d"]
        room.draw(as_spell(changed))
        second = await run(h)
        answer = await h.call(ADA, "runs.compare", id=first["id"], other=second["id"])
        nodes = {each["node"]: each for each in answer["nodes"]}
        assert {id: each["what"] for id, each in nodes.items()} == {
            "a": "changed",
            "b": "changed",
            "c": "changed",
            "d": "before",
            "z": "after",
        }
        assert nodes["a"]["inputs_changed"] == ["value"]
        assert nodes["b"]["inputs_changed"] == ["a"]
        assert nodes["b"]["before"]["attempts"] == 1
        port = nodes["b"]["ports"][0]
        assert (port["equal"], port["before"]["value"], port["after"]["value"]) == (False, 2, 4)
        assert {change["id"]: change["what"] for change in answer["changes"]} == {
            "a": "changed",
            "d": "removed",
            "z": "added",
        }
        same = await h.call(ADA, "runs.compare", id=second["id"], other=(await run(h))["id"])
        assert {each["what"] for each in same["nodes"]} == {"same"}
        with pytest.raises(NotFound):
            await h.call(EVE, "runs.compare", id=first["id"], other=second["id"])


@pytest.mark.rule("V4")
async def test_a_timeline_has_the_spans_of_each_node() -> None:
    async with house() as h:
        await h.canvas(failing())
        done = await run(h)
        answer = await h.call(ADA, "runs.timeline", id=done["id"])
        rows = {row["node"]: row for row in answer["nodes"]}
        assert (rows["f"]["state"], rows["f"]["name"], rows["f"]["attempts"]) == (
            "failed",
            "Find",
            1,
        )
        assert rows["f"]["spans"][-1]["state"] == "running"
        assert all(span["end"] is not None for row in answer["nodes"] for span in row["spans"])
        assert [span["state"] for span in answer["spans"]] == ["queued", "running"]
        assert (answer["total"], answer["more"], answer["complete"]) == (2, False, True)
        page = await h.call(ADA, "runs.timeline", id=done["id"], limit=1, offset=1)
        assert ([row["node"] for row in page["nodes"]], page["more"]) == (["g"], False)
        with pytest.raises(NotFound):
            await h.call(EVE, "runs.timeline", id=done["id"])


@pytest.mark.rule("V5")
async def test_usage_adds_up_what_ended() -> None:
    async with house() as h:
        room = await h.canvas(sums(), bob="runner")
        await run(h)
        await run(h, BOB)
        await run(h, BOB, audience="private")
        room.draw(as_spell(failing()))
        await run(h)
        by_user = await h.call(ADA, "runs.usage", canvas="c1", by="user")
        figures = {
            group["name"]: (group["runs"], group["nodes"], group["failed"], group["skipped"])
            for group in by_user["groups"]
        }
        assert figures == {"Ada": (2, 5, 1, 1), "Bob": (1, 3, 0, 0)}
        assert by_user["total"]["runs"] == 3
        own = await h.call(BOB, "runs.usage")
        assert (own["total"]["runs"], len(own["groups"])) == (2, 1)
        everybody = await h.call(ROOT, "runs.usage", all=True, by="canvas")
        assert [(each["key"], each["runs"]) for each in everybody["groups"]] == [("c1", 4)]
        for who, request in ((EVE, {"canvas": "c1"}), (ADA, {"all": True})):
            with pytest.raises(ServerError) as caught:
                await h.call(who, "runs.usage", **request)
            assert caught.value.code in ("forbidden", "not_found")


@pytest.mark.rule("V5")
async def test_tokens_are_those_that_nodes_report() -> None:
    reports: list[tuple[Any, Any]] = [
        ({"total_tokens": 12, "prompt_tokens": 10}, 12),
        ({"input_tokens": 3, "output_tokens": 4}, 7),
        ({"total_tokens": -5}, None),
        ({"total_tokens": True}, None),
        ("many", None),
        (None, None),
    ]
    for said, total in reports:
        taken = taken_of(said)
        assert (None if taken is None else taken.total) == total


@pytest.mark.rule("V5")
def test_tokens_are_summed_by_type_and_model_inside_nodes_too_and_once() -> None:
    nodes = {
        "a": {"type": "llm.chat"},
        "x": {"type": "llm.generate"},
        "sub": {"type": "core.subspell", "settings": {"body": {"spell": "hidden"}}},
        "far": {"type": "llm.chat", "settings": {"queue": "gpu"}},
    }
    spell = Spell.model_validate({"nodes": nodes, "edges": {}})
    took = {"prompt_tokens": 3, "completion_tokens": 4, "provider": "ollama", "model": "m\0"}
    tally = TokenTally()
    before = TokenTally()
    before.take_told("a", "new", msgspec.json.encode(took))
    before.take_told("k", "kept", msgspec.json.encode(took))
    tally.take_all(before)
    for node, why in (("map[0]/x", "new"), ("map[1]/x", "new"), ("map[2]/x", "cached")):
        tally.take(Event("node.done", 0.0, node, why=why, outputs={"usage": took}))
    hidden = {"total_tokens": 5, "provider": "secret", "model": "secret"}
    for node in ("sub/inner", "sub/x", "sub/far", "far"):
        tally.take(Event("node.done", 0.0, node, why="new", outputs={"usage": hidden}))
    for node in ("map", "sub", "far"):  # each passes on what was reported inside it
        tally.take(Event("node.done", 0.0, node, why="new", outputs={"usage": took}))
    tally.take(Event("node.done", 0.0, "a", why="new", outputs={"usage": None}))
    found = {(each["type"], each["model"]): each for each in tally.summed(spell)}
    assert {key: (each["calls"], each["total_tokens"]) for key, each in found.items()} == {
        ("llm.generate", "m"): (2, 14),
        ("llm.chat", "m"): (1, 7),
        ("core.subspell", None): (3, 15),
    }


@pytest.mark.rule("V5")
def test_a_run_that_names_very_many_models_is_counted_in_bounds_and_whole() -> None:
    tally = TokenTally()
    for number in range(MOST_KEYS + 20):
        usage = {"total_tokens": 1, "model": f"m{number}"}
        tally.take(Event("node.done", 0.0, "a", why="new", outputs={"usage": usage}))
    assert len(tally._taken) == MOST_KEYS + 1
    found = tally.summed(Spell.model_validate({"nodes": {"a": {"type": "llm.chat"}}, "edges": {}}))
    assert sum(each["total_tokens"] for each in found) == MOST_KEYS + 20


@pytest.mark.rule("V5")
async def test_a_run_tells_the_tokens_it_took_and_usage_adds_them_up() -> None:
    async with house() as h:
        room = await h.canvas(
            spell_of({"m": {"type": "t.model", "inputs": {"tokens": 4}}}), bob="runner"
        )
        done = await run(h)
        took = {"calls": 1, "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
        where = {"type": "t.model", "provider": "ollama", "model": "m"}
        assert done["usage"] == [where | took]
        room.draw(as_spell(spell_of({"m": {"type": "t.model", "inputs": {"tokens": 6}}})))
        await run(h, BOB)
        await run(h, BOB, audience="private")
        usage = await h.call(ADA, "runs.usage", canvas="c1")
        assert usage["total"]["tokens"] == 16
        sums = {"calls": 2, "prompt_tokens": 6, "completion_tokens": 10, "total_tokens": 16}
        assert usage["tokens"] == [where | sums | {"runs": 2}]
        fork = await h.call(ADA, "runs.fork", id=done["id"], wait=60)
        assert fork["usage"] == []


@pytest.mark.rule("V5")
async def test_the_call_of_a_placed_node_counts_with_the_run_that_placed_it() -> None:
    took = {"calls": 1, "prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    model = {"type": "t.model", "provider": "ollama", "model": "m"}
    async with house() as h:
        await h.canvas(spell_of({"m": {"type": "t.model", "inputs": {"tokens": 4}}}))
        parent = await run(h)
        alone = await h.call(ADA, "runs.usage", canvas="c1")
        kept = await h.records.get(parent["id"])
        assert kept is not None
        at = time.time()
        call = replace(kept, id="call", parent_id=parent["id"], started_at=at - 50)
        result = {"why": {"node": "new"}, "errors": {"node": {}}, "usage": [model | took]}
        async with h.database.write() as conn:
            await insert_run(conn, call)
            await mark_ended(conn, "call", "completed", at, result)
        usage = await h.call(ADA, "runs.usage", canvas="c1", by="user")
        assert usage["total"] == alone["total"] | {"tokens": 14}
        assert [group["runs"] for group in usage["groups"]] == [1]
        (tokens,) = usage["tokens"]
        assert (tokens["runs"], tokens["calls"], tokens["total_tokens"]) == (1, 2, 14)


@pytest.mark.rule("V1")
def test_of_what_failed_inside_a_node_no_message_can_be_searched() -> None:
    error = {"code": "asked_to", "message": "Secret plans", "details": {"path": "sub/x"}}
    assert figures_of({"errors": {"sub": error}}).words == "sub  asked_to "
