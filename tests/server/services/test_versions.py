"""Versions over REST: the timeline, what was drawn, what differs, names, the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from spellwork_server.history.body import pack
from spellwork_server.storage.schema import USERS, VERSIONS

from .house import HELLO, Caller, House, house

pytestmark = pytest.mark.anyio


async def make(ada: Caller, spell: dict[str, Any] = HELLO) -> str:
    """Make a canvas; return the path of its versions."""
    canvas = (await ada.post("/v1/canvases", {"spell": spell})).body["id"]
    return f"/v1/canvases/{canvas}/versions"


async def put(caller: Caller, path: str, **changes: Any) -> None:
    """Draw HELLO with other values."""
    nodes = HELLO["nodes"] | changes
    nodes = {key: node for key, node in nodes.items() if node is not None}
    edges = HELLO["edges"] if "b" in nodes else {}
    answer = await caller.put(path.replace("versions", "spell"), {"nodes": nodes, "edges": edges})
    assert answer.status == 200, answer.body


async def share(world: House, ada: Caller, path: str, name: str, role: str) -> Caller:
    person = await world.person(name)
    body = {"email": f"{name}@example.org", "role": role}
    assert (await ada.put(path.replace("versions", "members"), body)).status == 200
    return person


@pytest.mark.rule("H4", "H5", "H6")
async def test_a_saved_version_can_be_listed_read_and_named_again(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        saved = await ada.post(path, {"name": "  First draft "})
        assert saved.status == 201
        assert saved.body["name"] == "First draft"
        assert saved.body["by"]["id"] == saved.body["authors"][0]["id"] == ada.user.id  # type: ignore[union-attr]
        assert saved.body["changes"]["nodes"]["added"] == 2
        one = f"{path}/{saved.body['id']}"
        assert (await ada.get(path)).body == {"items": [saved.body], "more": False}
        whole = (await ada.get(one)).body
        assert whole.pop("spell") == (await ada.get(path.replace("versions", "spell"))).body
        assert whole == saved.body
        assert (await ada.patch(one, {"name": "Draft 1"})).body["name"] == "Draft 1"
        assert (await ada.patch(one, {"name": None})).body["name"] is None
        for wrong in ({"name": " "}, {"name": "x" * 201}, {}, {"name": 3}):
            assert (await ada.patch(one, wrong)).code == "bad_request"
        assert (await ada.patch(f"{path}/nothing", {"name": "x"})).code == "not_found"
        assert (await ada.get(f"{path}?before={2**63}")).code == "bad_request"


@pytest.mark.rule("H4")
async def test_versions_are_listed_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        for number in range(5):
            await put(ada, path, a={"type": "core.value", "inputs": {"value": number}})
            await ada.post(path, {"name": f"Version {number}"})
        first = (await ada.get(f"{path}?limit=2")).body
        assert [each["number"] for each in first["items"]] == [5, 4]
        assert first["more"]
        rest = (await ada.get(f"{path}?limit=3&before=4&named=true")).body
        assert [each["number"] for each in rest["items"]] == [3, 2, 1]
        assert not rest["more"]
        assert (await ada.get(f"{path}?limit=0")).code == "bad_request"


@pytest.mark.rule("H7")
async def test_a_version_is_compared_with_the_present_and_with_another(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        first = (await ada.post(path, {"name": "One"})).body
        await put(ada, path, a={"type": "core.value", "inputs": {"value": 3}, "position": [0, 0]})
        second = (await ada.post(path, {"name": "Two"})).body
        await put(ada, path, b=None)
        compare = f"{path}/{first['id']}/difference"
        told = (await ada.get(f"{compare}?other={second['id']}")).body
        assert (told["before"], told["after"], told["name"]) == (first["id"], second["id"], None)
        (change,) = told["changes"]
        assert (change["id"], change["what"]) == ("a", "changed")
        assert change["fields"] == [
            {"field": "inputs.value", "before": 2, "after": 3, "lines": None, "cut": 0}
        ]
        now = (await ada.get(compare)).body
        assert now["after"] is None
        gone = [(each["kind"], each["id"], each["what"]) for each in now["changes"]]
        assert gone == [
            ("nodes", "b", "removed"),
            ("edges", "e", "removed"),
        ]
        assert (await ada.get(f"{compare}?other=nothing")).code == "not_found"


@pytest.mark.rule("H8")
async def test_a_restore_can_be_undone_by_restoring_what_was_before(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        spell = path.replace("versions", "spell")
        drawn = (await ada.get(spell)).body
        first = (await ada.post(path, {"name": "One"})).body
        await put(ada, path, a={"type": "core.value", "inputs": {"value": 3}}, b=None)
        changed = (await ada.get(spell)).body
        assert (await ada.patch(path.removesuffix("/versions"), {"name": "Renamed"})).status == 200
        epoch = (await ada.get(path.removesuffix("/versions"))).body["epoch"]

        restored = (await ada.post(f"{path}/{first['id']}/restore")).body
        before, after = restored["before"], restored["after"]
        assert (before["reason"], after["reason"], after["source"]) == (
            "edited",
            "restored",
            first["id"],
        )
        assert after["by"]["id"] == ada.user.id  # type: ignore[union-attr]
        assert (await ada.get(spell)).body == drawn | {"name": "Renamed"}
        canvas = (await ada.get(path.removesuffix("/versions"))).body
        assert (canvas["name"], canvas["epoch"]) == ("Renamed", epoch)

        again = (await ada.post(f"{path}/{first['id']}/restore")).body
        assert again["before"]["id"] == again["after"]["id"] == after["id"]
        await ada.post(f"{path}/{before['id']}/restore")
        assert (await ada.get(spell)).body == changed | {"name": "Renamed"}


@pytest.mark.rule("H6")
async def test_a_version_that_no_canvas_can_hold_any_more_is_kept_and_readable(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada, {"nodes": {"a": {"type": "gone.from.here"}}})
        unknown = (await ada.post(path, {"name": "Unknown type"})).body
        await put(ada, path)
        assert (await ada.post(f"{path}/{unknown['id']}/restore")).status == 200
        old = (await ada.post(path, {"name": "Old"})).body
        body = {"schema": 0, "name": "Old", "boxes": [{"kind": "number"}]}
        async with world.parts.stores.database.write() as conn:
            await conn.execute(
                update(VERSIONS).where(VERSIONS.c.id == old["id"]).values(body=pack(body))
            )
        assert (await ada.get(f"{path}/{old['id']}")).body["spell"] == body
        assert (await ada.get(f"{path}/{old['id']}/difference")).status == 200
        refused = await ada.post(f"{path}/{old['id']}/restore")
        assert (refused.status, refused.code) == (409, "version_unreadable")


@pytest.mark.rule("H9")
async def test_who_may_see_a_canvas_sees_its_versions_and_who_may_edit_it_writes_them(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        saved = (await ada.post(path, {"name": "One"})).body
        one = f"{path}/{saved['id']}"
        editor = await share(world, ada, path, "bob", "editor")
        viewer = await share(world, ada, path, "eve", "viewer")
        runner = await share(world, ada, path, "rob", "runner")
        stranger = await world.person("mallory")
        for who, reads, writes in ((editor, 200, 200), (viewer, 200, 403), (runner, 200, 403)):
            assert [(await who.get(each)).status for each in (path, one, f"{one}/difference")] == [
                reads
            ] * 3
            assert (await who.post(path, {"name": "Mine"})).status in (writes, 201)
            assert (await who.patch(one, {"name": "Mine"})).status == writes
            assert (await who.post(f"{one}/restore")).status == writes
        for who in (stranger, world.stranger()):
            status = 403 if who.user else 401
            assert (await who.get(path)).status == status
            assert (await who.get(one)).status == status
            assert (await who.post(f"{one}/restore")).status == status


@pytest.mark.rule("H4")
async def test_a_version_is_found_on_its_own_canvas_only(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada, mallory = await world.person("ada"), await world.person("mallory")
        saved = (await ada.post(await make(ada), {"name": "Secret"})).body
        other = await make(mallory)
        mine = (await mallory.post(other, {"name": "Mine"})).body
        for path in (f"{other}/{saved['id']}", f"{other}/{saved['id']}/difference"):
            assert (await mallory.get(path)).code == "not_found"
        wrong = f"{other}/{mine['id']}/difference?other={saved['id']}"
        assert (await mallory.get(wrong)).code == "not_found"
        assert (await mallory.post(f"{other}/{saved['id']}/restore")).code == "not_found"
        assert (await mallory.patch(f"{other}/{saved['id']}", {"name": "x"})).code == "not_found"


async def test_an_author_whose_account_is_gone_has_no_name(tmp_path: Path) -> None:
    async with house(tmp_path) as world:
        ada = await world.person("ada")
        path = await make(ada)
        bob = await share(world, ada, path, "bob", "editor")
        await put(bob, path, b=None)
        async with world.parts.stores.database.write() as conn:
            await conn.execute(delete(USERS).where(USERS.c.email == "bob@example.org"))
        saved = (await ada.post(path, {"name": "One"})).body
        assert [author["name"] for author in saved["authors"]][-1] is None
