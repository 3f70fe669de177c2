"""What a room reads back is what was written, or nothing; a store that fails loses and doubles no edit."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from spellwork_server.errors import NotFound, StoreUnavailable
from spellwork_server.rooms import Committed
from spellwork_server.rooms import room as room_module
from spellwork_server.rooms.errors import CanvasQuarantined, ClientIdTaken
from tests.server.rooms.house import House, house
from tests.server.rooms.tab import Tab

pytestmark = pytest.mark.anyio


@pytest.mark.rule("R3")
async def test_a_snapshot_replaces_the_log_and_is_equal(
    tmp_path: Path, kept_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "SNAPSHOT_UPDATES", 10)
    tab = Tab()
    async with house(tmp_path, database_url=kept_url) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            await room.apply_update(h.ada, tab.add("a"))
            for i in range(34):
                await room.apply_update(h.ada, tab.put("a", "value", i))
            spell, seq = room.spell(), room.seq
    async with house(tmp_path, canvas, database_url=kept_url) as h:
        log = await h.log.load(canvas)
        assert [each.seq for each in log.snapshots] == [30, 20]
        assert [each.seq for each in log.updates] == list(range(21, 36))
        async with h.rooms.visit(canvas) as room:
            assert (room.spell(), room.seq) == (spell, seq)
            with pytest.raises(ClientIdTaken):
                await room.apply_update(h.bob, tab.put("a", "value", 99))


@pytest.mark.rule("R3", "C5")
async def test_client_ids_that_came_after_the_snapshot_have_their_owners_too(
    tmp_path: Path, kept_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "SNAPSHOT_UPDATES", 10)
    early, late, last = Tab(), Tab(), Tab()
    async with house(tmp_path, database_url=kept_url) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            for i in range(12):
                await room.apply_update(h.ada, early.add(f"n{i}"))
            await room.apply_update(h.bob, late.add("by_bob"))
            await room.replace_spell(None, room.spell().model_copy(update={"name": "Server"}))
            await room.apply_update(h.ada, last.add("by_ada"))
    async with house(tmp_path, canvas, database_url=kept_url) as h, h.rooms.visit(canvas) as room:
        assert [room.owner_of(tab.doc.client_id) for tab in (early, late, last)] == [
            h.ada.user_id,
            h.bob.user_id,
            h.ada.user_id,
        ]
        with pytest.raises(ClientIdTaken):
            await room.apply_update(h.ada, late.put("by_bob", "value", 1))


@pytest.mark.rule("R3")
async def test_a_broken_snapshot_is_passed_over_for_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_module, "SNAPSHOT_UPDATES", 10)
    tab = Tab()
    async with house(tmp_path) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            for i in range(25):
                await room.apply_update(h.ada, tab.add(f"n{i}"))
    database = sqlite3.connect(tmp_path / "spellwork.db")
    database.execute("UPDATE snapshots SET body = substr(body, 1, 40) WHERE seq = 20")
    database.commit()
    database.close()
    async with house(tmp_path, canvas) as h, h.rooms.visit(canvas) as room:
        assert len(room.spell().nodes) == 25


@pytest.mark.rule("R5")
async def test_a_canvas_whose_document_is_broken_is_quarantined_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            await room.apply_update(h.ada, Tab().add("a"))
    database = sqlite3.connect(tmp_path / "spellwork.db")
    database.execute("UPDATE updates SET body = x'0102030405'")
    database.commit()
    database.close()
    async with house(tmp_path, canvas) as h:
        with pytest.raises(CanvasQuarantined):
            await h.rooms.open(canvas)
        other = await h.records.create("Other", h.ada.user_id)
        async with h.rooms.visit(other.id) as room:
            assert await room.apply_update(h.ada, Tab().add("a")) == 1


@pytest.mark.rule("R5")
async def test_a_canvas_whose_log_has_a_hole_is_not_shown_without_what_is_missing(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h:
        canvas = h.canvas
        async with h.rooms.visit(canvas) as room:
            for tab in (Tab(), Tab(), Tab()):
                await room.apply_update(h.ada, tab.add(f"n{room.seq}"))
    database = sqlite3.connect(tmp_path / "spellwork.db")
    database.execute("DELETE FROM updates WHERE seq = 2")
    database.commit()
    database.close()
    async with house(tmp_path, canvas) as h:
        with pytest.raises(CanvasQuarantined, match="cannot be loaded"):
            await h.rooms.open(canvas)


async def test_a_canvas_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        with pytest.raises(NotFound):
            await h.rooms.open("nowhere")


class Broken:
    """Lets a test break and mend the store."""

    def __init__(self, h: House) -> None:
        self._commits = h.commits
        self._submit = h.commits.submit

    def __enter__(self) -> None:
        def refuse(job: Any, **_: Any) -> asyncio.Future[Any]:
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            future.set_exception(StoreUnavailable("The disk is full"))
            return future

        self._commits.submit = refuse  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        self._commits.submit = self._submit  # type: ignore[method-assign]


@pytest.mark.rule("R4", "C11")
async def test_a_store_that_fails_makes_the_canvas_read_only_until_it_is_back(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        lost = tab.put("a", "value", 1)
        with Broken(h):
            for _ in range(2):
                with pytest.raises(StoreUnavailable):
                    await room.apply_update(h.ada, lost)
            assert h.rooms.faults == {h.canvas: "The disk is full"}
            assert room.spell().nodes["a"].inputs == {}
            await h.until(lambda: h.heard.of("canvas.problems"))
            assert h.heard.of("canvas.problems")[-1]["problems"][0]["code"] == "store_unavailable"
        await h.until(lambda: not h.rooms.faults)
        assert await room.apply_update(h.ada, lost) == 2
        await h.until(
            lambda: (
                "store_unavailable"
                not in [each["code"] for each in h.heard.of("canvas.problems")[-1]["problems"]]
            )
        )


@pytest.mark.rule("R4")
async def test_a_commit_that_went_through_unnoticed_is_found_again_and_sent_on(
    tmp_path: Path,
    kept_url: str,
) -> None:
    async with house(tmp_path, database_url=kept_url) as h, h.rooms.visit(h.canvas) as room:
        followed: list[Committed] = []
        room.follow(followed.append)
        submit = h.commits.submit

        def commit_but_say_no(job: Any, **_: Any) -> asyncio.Future[Any]:
            real = submit(job)
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            real.add_done_callback(lambda _: future.set_exception(StoreUnavailable("no answer")))
            h.commits.submit = submit  # type: ignore[method-assign]
            return future

        h.commits.submit = commit_but_say_no  # type: ignore[method-assign]
        update = Tab().add("a")
        with pytest.raises(StoreUnavailable):
            await room.apply_update(h.ada, update)
        await h.until(lambda: not h.rooms.faults)
        assert list(room.spell().nodes) == ["a"]
        assert [each.seq for each in followed] == [1]
        (sent,) = h.heard.of("canvas.updates")  # or the others would lack it until they come again
        copy = Tab()
        copy.apply(*sent["updates"])
        assert (copy["nodes"].to_py() or {}).keys() == {"a"}
        assert await room.apply_update(h.ada, update) == 1


@pytest.mark.rule("R4")
async def test_an_edit_of_a_canvas_that_was_deleted_is_refused_and_ends_nothing(
    tmp_path: Path, kept_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with house(tmp_path, database_url=kept_url) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        await h.records.delete(h.canvas)
        update = tab.put("a", "value", 1)
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                await room.apply_update(h.ada, update)
            await h.until(lambda: room.fault is None)
    assert "fault in the room" not in caplog.text
