"""Edits that are committed together have the effect of each by itself (server/SPEC.md, R1, R2, R4, R5, U6, C8, D4)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Map

from spellwork.spell import Spell
from spellwork_server.errors import ServerError
from spellwork_server.rooms import Committed, Room
from spellwork_server.rooms.edits import Asked
from spellwork_server.rooms.errors import CanvasQuarantined, SchemaViolation, UpdateGap
from spellwork_server.rooms.intake import Intake
from spellwork_server.rooms.parts import read_all
from spellwork_server.rooms.replica import Replica
from spellwork_server.storage.writer_thread import Work, WriterThread
from tests.server.rooms.held import held
from tests.server.rooms.house import House, house
from tests.server.rooms.tab import Tab

pytestmark = pytest.mark.anyio


class Drawing:
    """Makes random edits of somebody: nodes, values, texts, wires, names, and their removal."""

    def __init__(self, tab: Tab, name: str, dice: random.Random) -> None:
        self.tab, self.name, self.dice = tab, name, dice
        self.made = 0

    def next(self) -> bytes:
        nodes = sorted(self.tab["nodes"].keys())
        kinds: list[Callable[[str], Callable[[], object]]] = [self._put, self._move, self._write]
        if not nodes or self.dice.random() < 0.3:
            self.made += 1
            return self.tab.code(f"{self.name}{self.made}", "x = 1\n")
        key = self.dice.choice(nodes)
        if self.dice.random() < 0.1:
            return self.tab.remove("nodes", key)
        if self.dice.random() < 0.2:
            self.made += 1
            return self.tab.wire(f"{self.name}-{self.made}", key, self.dice.choice(nodes))
        return self.tab.edit(self.dice.choice(kinds)(key))

    def _put(self, key: str) -> Callable[[], object]:
        value = self.dice.choice([1, "two", [3.5, None], {"deep": {"er": [True]}}])
        inputs = self.tab["nodes"][key]["inputs"]
        port = self.dice.choice("abc")
        if port in inputs and self.dice.random() < 0.3:
            return lambda: inputs.pop(port)
        return lambda: inputs.update({port: value})

    def _move(self, key: str) -> Callable[[], object]:
        place = [self.dice.random() * 100, 1.0]
        return lambda: self.tab["nodes"][key].update({"position": place})

    def _write(self, key: str) -> Callable[[], object]:
        text = self.tab["nodes"][key]["code"]
        at = self.dice.randrange(len(text) + 1)
        if at < len(text) and self.dice.random() < 0.4:
            return lambda: text.__delitem__(slice(at, at + 1))
        return lambda: text.insert(at, self.dice.choice(["y", "zz", "\n"]))


@pytest.mark.rule("R2")
@pytest.mark.rule("D4")
@pytest.mark.parametrize("seed", range(12))
async def test_edits_in_batches_leave_what_each_alone_would(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        reader, alone = Tab(), Tab()
        followed: list[Committed] = []
        room.follow(followed.append)
        drawings = [Drawing(Tab(), name, dice) for name in "ab"]
        people = [h.ada, h.bob]
        for _round in range(6):
            asked: list[Awaitable[int]] = []
            for _ in range(dice.randrange(1, 25)):
                which = dice.randrange(2)
                update = drawings[which].next()
                alone.apply(update)
                asked.append(room.apply_update(people[which], update))
                if dice.random() < 0.05:
                    asked.append(room.rename(None, f"Name {dice.random()}"))
            numbers = await asyncio.gather(*asked)
            assert numbers == sorted(numbers)
            for drawing in drawings:
                drawing.tab.apply(room.diff(drawing.tab.doc.get_state()))
        reader.apply(*(each.update for each in followed))
        alone.apply(room.diff(alone.doc.get_state()))
        logged = await h.log.after(h.canvas, 0)
        assert [each.seq for each in logged] == list(range(1, room.seq + 1))
        prefix = Replica()
        for each in logged:
            prefix.apply(each.body)
            read_all(prefix)  # every row leaves a spell
        assert read_all(prefix).spell() == room.spell()
        for tab in (reader, alone, *(drawing.tab for drawing in drawings)):
            assert read_all(Replica([tab.doc.get_update()])).spell() == room.spell()
            assert room.diff(tab.doc.get_state())[:1] == b"\0"
        nodes = room.spell().nodes
        assert all(e.source in nodes and e.target in nodes for e in room.spell().edges.values())


@pytest.mark.rule("R2")
async def test_rows_of_the_log_keep_who_made_them(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        edits = [
            (h.ada, ada.add("a")),
            (h.ada, ada.put("a", "x", 1)),
            (h.bob, bob.add("b")),
            (h.ada, ada.put("a", "x", 2)),
        ]
        numbers = await asyncio.gather(*(room.apply_update(*each) for each in edits))
        assert numbers == [1, 1, 2, 3]
        users = [each.user_id for each in await h.log.after(h.canvas, 0)]
        assert users == [h.ada.user_id, h.bob.user_id, h.ada.user_id]


@pytest.mark.rule("U6")
async def test_of_edits_that_wait_together_only_the_bad_ones_are_refused(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        good, bad = Tab(), Tab()
        edits = [
            good.add("a"),
            bad.edit(lambda: bad["nodes"].update({"x": Map({"type": 7})})),
            bad.add("builds on it"),
            good.put("a", "value", 1),
        ]
        results = await asyncio.gather(
            *(room.apply_update(h.ada, each) for each in edits), return_exceptions=True
        )
        assert [type(each) for each in results] == [int, SchemaViolation, UpdateGap, int]
        assert list(room.spell().nodes) == ["a"]
        assert room.spell().nodes["a"].inputs == {"value": 1}


@pytest.mark.rule("U6")
async def test_a_flood_of_bad_edits_lets_others_have_their_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spellwork_server.rooms.intake.PATIENCE", 0)
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        bad = [Tab() for _ in range(20)]
        edits = [each.edit(partial(each["nodes"].update, {"x": "no map"})) for each in bad]
        batches: list[int] = []
        take = Intake.take

        def counted(self: Intake, waiting: Sequence[Asked], seq: int) -> Any:
            batch, count = take(self, waiting, seq)
            batches.append(count)
            return batch, count

        monkeypatch.setattr(Intake, "take", counted)
        results = await asyncio.gather(
            *(room.apply_update(h.ada, each) for each in edits), return_exceptions=True
        )
        assert all(isinstance(each, SchemaViolation) for each in results)
        assert batches == [1] * 20


async def spell_once_settled(room: Room) -> Spell:
    await room.settled()
    return room.spell()


@pytest.mark.rule("R1")
async def test_what_is_being_committed_is_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab, copy = Tab(), Tab()
        await room.apply_update(h.ada, tab.add("a"))
        vector = room.state_vector()
        async with asyncio.TaskGroup() as tasks, held(monkeypatch) as waiting:
            edit = tasks.create_task(room.apply_update(h.ada, tab.add("b")))
            await waiting.wait()
            assert room.state_vector() == vector
            assert room.diff(vector) == b"\0\0"
            copy.apply(room.diff())
            assert list(copy["nodes"].keys()) == list(room.spell().nodes) == ["a"]
            assert room.seq == 1
            seen = tasks.create_task(spell_once_settled(room))
        assert edit.result() == 2
        assert sorted(seen.result().nodes) == ["a", "b"]
        copy.apply(room.diff(copy.doc.get_state()))
        assert sorted(copy["nodes"].keys()) == ["a", "b"]
        assert room.diff() == room.diff()


@pytest.mark.rule("R4")
async def test_a_batch_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        before = room.spell(), room.state_vector(), room.diff()
        lost = [tab.add("b"), tab.wire("e", "a", "b")]

        async def full(_self: WriterThread, _batch: Sequence[Work]) -> None:
            raise OSError("no space left")

        with monkeypatch.context() as patch:
            patch.setattr(WriterThread, "write", full)
            refused = await asyncio.gather(
                *(room.apply_update(h.ada, each) for each in lost), return_exceptions=True
            )
        assert {each.code for each in refused if isinstance(each, ServerError)} == {
            "store_unavailable"
        }
        assert (room.spell(), room.state_vector(), room.diff()) == before
        await h.until(lambda: not h.rooms.faults)
        await asyncio.gather(*(room.apply_update(h.ada, each) for each in lost))
        assert list(room.spell().edges) == ["e"]


class PanicException(BaseException):
    """What the CRDT library's panics look like: no Exception."""


def panic(*_: object, **__: object) -> Any:
    raise PanicException("index out of bounds")


@pytest.mark.rule("R5")
async def test_a_panic_of_the_library_ends_one_canvas_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        other = await h.records.create("Other", h.ada.user_id)
        async with h.rooms.visit(other.id) as unharmed:
            monkeypatch.setattr(room._intake.shadow._doc, "get_update", panic)
            with pytest.raises(CanvasQuarantined):
                room.diff(b"\x01\x05\x01")
            with pytest.raises(CanvasQuarantined):
                await room.apply_update(h.ada, tab.add("b"))
            assert list(h.rooms.faults) == [h.canvas]
            assert await unharmed.apply_update(h.ada, Tab().add("a")) == 1


@pytest.mark.rule("R5")
async def test_an_edit_at_which_the_library_panics_is_refused_and_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab = Tab()
        await room.apply_update(h.ada, tab.add("a"))
        monkeypatch.setattr(room._intake.shadow._doc, "apply_update", panic)
        assert await refusal(room, h) == "update_invalid"
        assert await room.apply_update(h.bob, Tab().add("b")) == 2


async def refusal(room: Room, h: House) -> str:
    with pytest.raises(ServerError) as refused:
        await room.apply_update(h.ada, Tab().add("poison"))
    return refused.value.code


@pytest.mark.rule("C1")
async def test_a_document_that_sleeps_answers_and_takes_edits_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spellwork_server.rooms.room.SLEEPS_AFTER", 0)
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        tab, copy = Tab(), Tab()
        await room.apply_update(h.ada, tab.add("a"))
        await room.apply_update(h.ada, tab.put("a", "x", 1))
        before = room.spell(), room.state_vector()
        known = len(room._owners)
        for number in range(3):
            await h.until(lambda: room._intake.is_asleep)
            assert room.state_vector() == before[1]
            copy.apply(room.diff())
            assert room._intake.is_asleep
            assert room.diff(copy.doc.get_state())[:1] == b"\0"
            await h.until(lambda: room._intake.is_asleep)
            assert await room.apply_update(h.ada, tab.put("a", "x", number + 2)) == number + 3
            before = room.spell(), room.state_vector()
        await h.until(lambda: room._intake.is_asleep)
        await room.rename(None, "Named in its sleep")
        copy.apply(room.diff(copy.doc.get_state()))
        assert read_all(Replica([copy.doc.get_update()])).spell() == room.spell()
        assert len(room._owners) <= known + 1


class Faulty:
    """An author with a bug."""

    def settled(self, _name: Any, _outcome: Any) -> None:
        raise RuntimeError("a bug")

    def flush(self) -> None:
        raise RuntimeError("a bug")


@pytest.mark.rule("C6")
async def test_the_fault_of_one_author_leaves_the_others_answered(tmp_path: Path) -> None:
    async with house(tmp_path) as h, h.rooms.visit(h.canvas) as room:
        ada, bob = Tab(), Tab()
        room.offer(h.ada, ada.add("a"), origin=None, author=Faulty(), name=1)
        assert await room.apply_update(h.bob, bob.add("b")) == room.seq
        assert sorted(room.spell().nodes) == ["a", "b"]
        assert room.fault is None
