"""Outputs are kept across runs and restarts, by content; what is too old goes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import select

from spellwork import CachedOutputs
from spellwork_server.errors import Forbidden
from spellwork_server.runs import retention
from spellwork_server.runs.output_cache import QUICK, Recent
from spellwork_server.runs.retention import Keeping, Retention
from spellwork_server.storage.output_refs import SMALL_BYTES
from spellwork_server.storage.schema import CACHE, RUNS

from .house import ADA, BOB, ROOT, House, house, spell_of, sums

pytestmark = pytest.mark.anyio

DOUBLE = spell_of({"d": {"type": "t.double", "inputs": {"value": 21}}})


async def written(h: House) -> None:
    """Wait until the cache has written what waits."""
    h.cache._write()
    await h.commits.submit(_nothing)


async def _nothing(_conn: object) -> None:
    return None


async def test_a_node_that_ran_before_with_the_same_input_is_not_run_again() -> None:
    async with house() as h:
        first = await h.call(ADA, "runs.create", spell=DOUBLE, wait=60)
        second = await h.call(ADA, "runs.create", spell=DOUBLE, wait=60)
        assert first["outputs"] == second["outputs"] == {"d": {"value": 42}}
        assert (first["why"]["d"], second["why"]["d"]) == ("new", "cached")
        assert h.gates.calls == {"d": 1}


@pytest.mark.rule("G12")
async def test_what_is_private_serves_its_own_user_only() -> None:
    spell = spell_of(
        {"d": {"type": "t.double", "inputs": {"value": 21}, "settings": {"cache": "private"}}}
    )
    async with house() as h:
        for who in (ADA, BOB, ADA):
            await h.call(who, "runs.create", spell=spell, wait=60)
        assert h.gates.calls == {"d": 2}


async def test_outputs_outlive_a_restart(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'spellwork.db'}"
    async with house(url) as h:
        await h.call(ADA, "runs.create", spell=DOUBLE, wait=60)
    async with house(url) as h:
        run = await h.call(ADA, "runs.create", spell=DOUBLE, wait=60)
        assert run["outputs"] == {"d": {"value": 42}}
        assert run["why"] == {"d": "cached"}
        assert h.gates.calls == {}


async def test_an_entry_expires_with_its_time_to_live(monkeypatch: pytest.MonkeyPatch) -> None:
    async with house() as h:
        cache = h.cache.of("ada", "user:ada")
        cache.put("a" * 32, CachedOutputs({"x": 1}), "ttl", 3_600)
        await written(h)
        assert (await cache.get_many(["a" * 32]))["a" * 32].outputs == {"x": 1}
        later = time.time() + 3_601
        monkeypatch.setattr(time, "time", lambda: later)
        assert await cache.get_many(["a" * 32]) == {}


async def test_what_waits_to_be_written_is_found_and_memory_is_bounded() -> None:
    async with house() as h:
        cache = h.cache.of("ada", "user:ada")
        for i in range(30):
            cache.put(f"{i:032x}", CachedOutputs({"x": "y" * 100_000}), "deterministic", None)
        assert h.cache._memory._size <= 1024 * 1024
        assert len(await cache.get_many([f"{i:032x}" for i in range(30)])) == 30
        await written(h)
        assert h.cache._waiting == {}
        assert h.cache._waiting_bytes == 0
        assert len(await cache.get_many([f"{i:032x}" for i in range(30)])) == 30


async def test_memory_is_counted_for_outputs_of_a_few_bytes_too() -> None:
    recent = Recent(64 * 1024)
    for i in range(1_000):
        recent.put(f"{i:032x}", CachedOutputs({"x": i}), 3, None)
    assert len(recent.get_many([f"{i:032x}" for i in range(1_000)])) < 100


async def test_what_a_node_makes_in_no_time_is_kept_in_memory_alone() -> None:
    async with house() as h:
        cache = h.cache.of("ada", "user:ada")
        for key, seconds in (("a", QUICK / 2), ("b", QUICK), ("c", None)):
            outputs = CachedOutputs({"x": key}, seconds=seconds)
            cache.put(key * 32, outputs, "deterministic", None)
        keys = [key * 32 for key in "abc"]
        assert set(await cache.get_many(keys)) == set(keys)
        await written(h)
        h.cache._memory.clear()
        assert set(await cache.get_many(keys)) == set(keys[1:])


@pytest.mark.parametrize("size", [SMALL_BYTES // 2, SMALL_BYTES * 2])
async def test_values_of_any_size_come_back_from_the_database(size: int) -> None:
    async with house() as h:
        cache = h.cache.of("ada", "user:ada")
        outputs = {"one": "\0é" * size, "two": ["x" * size], "three": 2**60}
        cache.put("d" * 32, CachedOutputs(outputs), "deterministic", None)
        await written(h)
        h.cache._memory.clear()
        assert (await cache.get_many(["d" * 32]))["d" * 32].outputs == outputs


async def test_ports_without_a_value_are_remembered_as_such() -> None:
    async with house() as h:
        cache = h.cache.of("ada", "user:ada")
        cache.put("b" * 32, CachedOutputs({"x": 1}, ("y",)), "deterministic", None)
        await written(h)
        h.cache._memory.clear()
        assert (await cache.get_many(["b" * 32]))["b" * 32] == CachedOutputs({"x": 1}, ("y",))


async def test_clearing_forgets_ones_own_and_an_administrator_all() -> None:
    async with house() as h:
        h.cache.of("ada", "user:ada").put("a" * 32, CachedOutputs({"x": 1}), "deterministic", None)
        h.cache.of("bob", "user:bob").put("b" * 32, CachedOutputs({"x": 2}), "deterministic", None)
        await written(h)
        assert (await h.call(ADA, "cache.stats"))["entries"] == 1
        with pytest.raises(Forbidden):
            await h.call(ADA, "cache.clear", all=True)
        assert await h.call(ADA, "cache.clear") == {"entries": 1}
        assert (await h.call(ROOT, "cache.stats"))["entries"] == 1
        assert await h.call(ROOT, "cache.clear", all=True) == {"entries": 1}
        assert await h.cache.of("ada", "user:ada").get_many(["a" * 32]) == {}
        assert await h.cache.of("bob", "user:bob").get_many(["b" * 32]) == {}


@pytest.mark.rule("G11")
async def test_old_runs_go_with_their_events_and_what_only_they_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retention, "UNUSED_SECONDS", -1)
    async with house() as h:
        await h.canvas(sums())
        runs = [
            await h.call(ADA, "runs.create", canvas="c1", inputs={"a.value": 1_000 + i}, wait=60)
            for i in range(5)
        ]
        await written(h)
        tab = await h.tab(ADA)
        await Retention(h.database, h.records, h.commits, Keeping(2)).sweep(
            time.time() + retention.CACHE_SECONDS + 5
        )
        async with h.database.read() as conn:
            assert set(await conn.scalars(select(RUNS.c.id))) == {run["id"] for run in runs[3:]}
            assert list(await conn.scalars(select(CACHE.c.key))) == []
        for run in runs:
            left = {ref.hash for ref in await h.outputs.of_run(run["id"])}
            hashes = {key for ports in run["hashes"].values() for key in ports.values()}
            assert left == (hashes if run in runs[3:] else set())
        page = await h.call(tab, "events.resume", stream="canvas:c1", after_seq=0)
        assert page["snapshot_required"]
        first = (await h.call(ADA, "runs.events", id=runs[3]["id"]))["events"][0]["seq"]
        page = await h.call(tab, "events.resume", stream="canvas:c1", after_seq=first - 1)
        assert [e["seq"] for e in page["events"]] == list(range(first, page["seq"] + 1))
