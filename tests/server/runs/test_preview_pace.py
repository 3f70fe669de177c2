"""How previews of one user are held back, so that they do not hold the server."""

from __future__ import annotations

import asyncio
import time

import pytest

from spellwork_server.runs.preview_pace import PreviewPace

pytestmark = pytest.mark.anyio


@pytest.mark.rule("G20")
async def test_after_a_long_preview_the_next_waits_and_gives_way_to_a_later_one() -> None:
    pace = PreviewPace()
    done: list[str] = []

    async def preview(name: str, seconds: float = 0.0) -> str | None:
        async def work() -> str:
            time.sleep(seconds)  # noqa: ASYNC251 - it holds the loop, as a cheap node with a huge value would
            done.append(name)
            return name

        return await pace.run("bob" if name == "bob's" else "ada", work)

    assert await preview("first", 0.03) == "first"
    answers = await asyncio.gather(preview("overtaken"), preview("latest"), preview("bob's"))
    assert list(answers) == [None, "latest", "bob's"]
    assert done == ["first", "bob's", "latest"]


@pytest.mark.rule("G20")
async def test_short_previews_follow_each_other_at_once() -> None:
    pace = PreviewPace()

    async def work() -> int:
        return 1

    assert [await pace.run("ada", work) for _ in range(20)] == [1] * 20
