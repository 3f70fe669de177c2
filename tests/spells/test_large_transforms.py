"""Transforms of large values are made beside the event loop: with a full run, a bypass, a step, live mode, a preview."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from spellwork import Execution, Library, LiveSession, Pack, compile, node
from spellwork import transform as transforms
from tests.spells.nested import draw

ROWS = [{"n": number} for number in range(20_000)]


@node("b.rows", output="rows")
async def rows() -> Any:
    """Many rows."""
    return ROWS


@node("b.count", output="count", preview=True)
async def count(items: Any, more: int = 0) -> int:
    """How many there are."""
    return len(items) + more


@node("b.pass", output="items")
async def passing(items: Any) -> Any:
    """The items."""
    return items


library = Library([Pack(name="b", version="1", title="B", nodes=(rows, count, passing))])


def spell(mode: str | None = None) -> Any:
    drawn = draw(
        {
            "rows": "b.rows",
            "pass": ("b.pass", {}, {"settings": {"mode": mode}}),
            "count": "b.count",
        },
        "rows.rows -> pass.items",
        "pass.items -> count.items",
    )
    pick = [{"op": "pick", "path": "[*].n"}]
    edges = {id: edge.model_dump() for id, edge in drawn.edges.items()}
    edges["e000"]["transform"] = pick
    edges["e001"]["transform"] = [{"op": "pick", "path": "[*]"}]
    return type(drawn).model_validate(drawn.to_json() | {"edges": edges})


@pytest.fixture
def made_in(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The threads in which transforms were made."""
    seen: set[int] = set()
    real = transforms.reshape

    def watched(value: Any, these: Any) -> Any:
        seen.add(threading.get_ident())
        return real(value, these)

    monkeypatch.setattr(transforms, "reshape", watched)
    return seen


@pytest.mark.rule("15.1")
@pytest.mark.parametrize("way", ["quiet", "told", "stepped", "live"])
@pytest.mark.parametrize("mode", [None, "bypass"])
def test_large_values_are_transformed_in_threads_of_their_own(
    made_in: set[int], way: str, mode: str | None
) -> None:
    plan = compile(spell(mode), library)

    async def stepped() -> Any:
        done = asyncio.Queue[str]()
        execution = Execution(
            plan, sink=lambda told: done.put_nowait(told.kind) if told.kind == "node.done" else None
        )
        execution.pause()
        going = asyncio.get_running_loop().create_task(execution.run())
        await asyncio.sleep(0)
        for _ in range(2 if mode else 3):
            execution.step()
            await done.get()
        execution.play()
        return await going

    async def live() -> Any:
        async with LiveSession(plan) as session:
            await session.settled()
            assert await session.preview({"count.more": 2}) == {"count": {"count": 20_002}}
            session.rerun("rows")
            return await session.settled()

    runs = {
        "quiet": lambda: Execution(plan).run(),
        "told": lambda: Execution(plan, sink=lambda _event: None).run(),
        "stepped": stepped,
        "live": live,
    }
    result = asyncio.run(runs[way]())
    assert result.outputs["count"] == {"count": 20_000}
    assert result.outputs["pass"] == {"items": list(range(20_000))}
    assert threading.get_ident() not in made_in
    assert made_in
