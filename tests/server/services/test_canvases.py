"""Canvases over HTTP: roles decide, and spells go through the live document."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.server.services.house import HELLO, Caller, house

pytestmark = pytest.mark.anyio


async def canvas_of(owner: Caller, **fields: object) -> str:
    made = await owner.post("/v1/canvases", {"name": "One", **fields})
    assert made.status == 201, made.body
    return f"/v1/canvases/{made.body['id']}"


async def test_a_canvas_is_made_renamed_listed_and_deleted(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada)
        canvas = (await ada.get(path)).body
        assert (canvas["name"], canvas["role"]) == ("One", "owner")
        assert (await ada.patch(path, {"name": "Two"})).body["name"] == "Two"
        assert (await ada.get(f"{path}/spell")).body["name"] == "Two"
        assert [each["id"] for each in (await ada.get("/v1/canvases")).body["items"]] == [
            canvas["id"]
        ]
        assert (await ada.delete(path)).status == 200
        answer = await ada.get(path)
        assert (answer.status, answer.code) == (404, "not_found")
        assert (await ada.get(f"{path}/spell")).status == 404


async def test_canvases_are_listed_by_when_they_were_last_edited(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        first, second = [await canvas_of(ada) for _ in range(2)]
        made = (await ada.get(first)).body
        await asyncio.sleep(1.1)
        await ada.put(f"{first}/spell", HELLO)
        async with asyncio.timeout(60):
            while (edited := (await ada.get(first)).body)["updated_at"] == made["updated_at"]:
                await asyncio.sleep(0.05)
        assert edited["updated_at"] > edited["created_at"] == made["created_at"]
        listed = (await ada.get("/v1/canvases")).body["items"]
        assert [f"/v1/canvases/{each['id']}" for each in listed] == [first, second]
        await ada.put(f"{second}/spell", HELLO)
    async with house(tmp_path) as h:  # what a clean stop came before is kept, too
        token, ada = ada.token, h.stranger()
        ada.token = token
        listed = (await ada.get("/v1/canvases")).body["items"]
        assert [f"/v1/canvases/{each['id']}" for each in listed] == [second, first]


async def test_a_canvas_may_be_made_with_a_spell_on_it(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        made = await ada.post("/v1/canvases", {"spell": HELLO})
        assert made.body["name"] == "Hello"
        spell = (await ada.get(f"/v1/canvases/{made.body['id']}/spell")).body
        assert spell == HELLO


async def test_a_spell_is_replaced_bare_or_named(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada)
        answer = await ada.put(f"{path}/spell", HELLO)
        assert answer.status == 200
        assert answer.body == HELLO
        less = HELLO | {"edges": {}}
        assert (await ada.put(f"{path}/spell", {"spell": less})).body == less
        assert (await ada.get(f"{path}/spell")).body == less


async def test_a_spell_that_is_none_is_refused_and_the_canvas_stays(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada, spell=HELLO)
        wrongs: list[dict] = [{"nodes": []}, {"nodes": {"a": {}}}, {"colour": "red"}, {"schema": 2}]
        for wrong in wrongs:
            answer = await ada.put(f"{path}/spell", wrong)
            assert (answer.status, answer.code) == (400, "bad_request")
        assert (await ada.get(f"{path}/spell")).body["nodes"] == HELLO["nodes"]


async def test_an_unknown_node_type_is_kept(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        strange = {
            "schema": 1,
            "name": "x",
            "nodes": {"a": {"type": "no.such"}, "b": {"type": "no.such", "position": [0, 0]}},
            "edges": {},
        }
        path = await canvas_of(ada)
        assert (await ada.put(f"{path}/spell", strange)).body == strange


ROLES = {
    "stranger": (403, 403, 403, 403),
    "viewer": (200, 403, 403, 403),
    "runner": (200, 403, 403, 403),
    "editor": (200, 200, 403, 403),
    "owner": (200, 200, 200, 200),
}


@pytest.mark.parametrize("role", ROLES)
async def test_a_role_opens_what_it_should_and_no_more(tmp_path: Path, role: str) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        path = await canvas_of(ada)
        if role != "stranger":
            member = {"email": "grace@example.org", "role": role}
            assert (await ada.put(f"{path}/members", member)).status == 200
        reads = await grace.get(f"{path}/spell")
        edits = await grace.put(f"{path}/spell", HELLO)
        shares = await grace.put(f"{path}/members", {"email": "ada@example.org", "role": "owner"})
        deletes = await grace.delete(path)
        assert (reads.status, edits.status, shares.status, deletes.status) == ROLES[role]


async def test_members_are_listed_changed_and_removed_by_address(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        path = await canvas_of(ada)
        put = {"email": "GRACE@example.org", "role": "viewer"}
        members = (await ada.put(f"{path}/members", put)).body["items"]
        assert [(each["email"], each["role"]) for each in members] == [
            ("ada@example.org", "owner"),
            ("grace@example.org", "viewer"),
        ]
        assert (await grace.get(f"{path}/members")).body["items"] == members
        assert (await grace.get("/v1/canvases")).body["items"][0]["role"] == "viewer"
        gone = await ada.delete(f"{path}/members?email=grace@example.org")
        assert len(gone.body["items"]) == 1
        assert (await grace.get(path)).status == 403
        assert (await ada.delete(f"{path}/members?email=grace@example.org")).status == 404


async def test_anybody_may_leave_but_the_last_owner(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        path = await canvas_of(ada)
        await ada.put(f"{path}/members", {"email": "grace@example.org", "role": "viewer"})
        assert (await grace.delete(f"{path}/members?email=grace@example.org")).status == 200
        answer = await ada.delete(f"{path}/members?email=ada@example.org")
        assert (answer.status, answer.code) == (409, "last_owner")
        answer = await ada.put(f"{path}/members", {"email": "ada@example.org", "role": "editor"})
        assert (answer.status, answer.code) == (409, "last_owner")


async def test_a_member_must_have_an_account(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada)
        answer = await ada.put(f"{path}/members", {"email": "no@example.org", "role": "viewer"})
        assert (answer.status, answer.code) == (400, "bad_request")
        answer = await ada.put(f"{path}/members", {"email": "ada@example.org", "role": "king"})
        assert "'owner'" in str(answer.body["error"]["details"]["errors"][0]["allowed"])


async def test_an_administrator_sees_and_may_do_everything(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, root = await h.person("ada"), await h.person("root", role="admin")
        path = await canvas_of(ada)
        assert (await root.get(path)).body["role"] == "owner"
        listed = {each["id"] for each in (await root.get("/v1/canvases")).body["items"]}
        assert path.rpartition("/")[2] in listed
        assert (await root.put(f"{path}/spell", HELLO)).status == 200


async def test_a_spell_that_is_put_names_the_canvas_or_keeps_its_name(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = f"/v1/canvases/{(await ada.post('/v1/canvases', {'name': 'Mine'})).body['id']}"
        put = await ada.put(f"{path}/spell", {"nodes": {"a": {"type": "core.value"}}})
        assert put.body["name"] == "Mine"
        await ada.put(f"{path}/spell", {"name": "Other", "nodes": {}})
        assert (await ada.get(path)).body["name"] == "Other"
        assert (await ada.get(f"{path}/spell")).body["name"] == "Other"


@pytest.mark.rule("D5")
async def test_a_patch_puts_and_removes_by_id_and_leaves_the_rest(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada, spell=HELLO)
        patch = {
            "nodes": {"c": {"type": "core.value", "group": "g"}},
            "groups": {"g": {"name": "New", "position": [0, 0]}},
            "notes": {"n": {"text": "Look", "group": "g", "position": [5, 5]}},
            "edges": {"f": {"source": "b", "output": "value", "target": "c", "input": "value"}},
        }
        put = (await ada.patch(f"{path}/spell", patch)).body
        assert put["nodes"] == HELLO["nodes"] | patch["nodes"]
        assert put["edges"] == HELLO["edges"] | patch["edges"]
        assert (put["groups"], put["notes"]) == (patch["groups"], patch["notes"])
        assert put["name"] == "One"
        less = {"name": "Less", "nodes": {"a": None, "zz": None}, "groups": {"g": None}}
        left = (await ada.patch(f"{path}/spell", less)).body
        assert left["nodes"] == {"b": HELLO["nodes"]["b"], "c": {"type": "core.value"}}
        assert left["edges"] == patch["edges"], "with a node go its wires"
        assert left["notes"] == {"n": {"text": "Look", "position": [5, 5]}}
        assert (await ada.get(path)).body["name"] == "Less"
        assert (await ada.get(f"{path}/spell")).body == left


NO_PATCHES: tuple[tuple[dict, str], ...] = (
    ({"nodes": {"a": {}}}, "nodes.a.type"),
    ({"nodes": {"no good": {"type": "x"}}}, "nodes.no good"),
    ({"nodes": []}, "nodes"),
    ({"colour": "red"}, "colour"),
    ({"name": ""}, "name"),
    (
        {"edges": {"f": {"source": "a", "output": "v", "target": "zz", "input": "v"}}},
        "edges.f.target",
    ),
    ({"nodes": {"a": None}, "edges": {"e": HELLO["edges"]["e"]}}, "edges.e.source"),
)


@pytest.mark.rule("D5")
async def test_a_patch_that_is_none_names_what_is_wrong_and_changes_nothing(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada, spell=HELLO)
        for patch, field in NO_PATCHES:
            answer = await ada.patch(f"{path}/spell", patch)
            assert (answer.status, answer.code) == (400, "bad_request")
            assert answer.body["error"]["details"]["errors"][0]["field"].startswith(field)
        assert (await ada.get(f"{path}/spell")).body["nodes"] == HELLO["nodes"]


@pytest.mark.rule("D5")
async def test_patches_at_the_same_time_lose_nothing_of_each_other(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada = await h.person("ada")
        path = await canvas_of(ada)
        patches = [{"nodes": {f"n{each}": {"type": "core.value"}}} for each in range(20)]
        await asyncio.gather(*(ada.patch(f"{path}/spell", each) for each in patches))
        assert len((await ada.get(f"{path}/spell")).body["nodes"]) == 20


@pytest.mark.rule("D5")
async def test_only_who_may_edit_may_patch(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        ada, grace = await h.person("ada"), await h.person("grace")
        path = await canvas_of(ada)
        for role, status in (("viewer", 403), ("runner", 403), ("editor", 200)):
            await ada.put(f"{path}/members", {"email": "grace@example.org", "role": role})
            assert (await grace.patch(f"{path}/spell", {"name": "Mine"})).status == status
