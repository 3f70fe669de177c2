"""Names that nobody answers hold up those of their own canvas at most, and nobody for long."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from spellwork.outbound import lookups
from spellwork.outbound.lookups import Lookups

pytestmark = pytest.mark.anyio


@pytest.mark.rule("19.11")
async def test_names_that_nobody_answers_hold_up_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer = threading.Event()
    asked: list[str] = []

    def look_up(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        if host.startswith("slow"):
            answer.wait(30)
        return ["192.0.2.1"]

    monkeypatch.setattr(lookups, "_look_up", look_up)
    found = Lookups(threads=3, most=2, seconds=0.1)
    try:
        slow = [found.find(f"slow{each}.example", 443, "hers") for each in range(5)]
        ended = await asyncio.gather(*slow, return_exceptions=True)
        assert all(isinstance(each, TimeoutError) for each in ended)
        assert sorted(asked) == ["slow0.example", "slow1.example"]  # no thread for the others
        patient = Lookups(seconds=30)
        patient._threads, patient._shares = found._threads, found._shares
        assert await patient.find("quick.example", 443, "his") == ["192.0.2.1"]
        assert await patient.find("::1", 443, "hers") == ["::1"]  # there is nothing to look up
        async with asyncio.TaskGroup() as tasks:
            later = tasks.create_task(patient.find("later.example", 443, "hers"))
            await asyncio.sleep(0)
            assert "later.example" not in asked
            answer.set()
        assert later.result() == ["192.0.2.1"]
        async with asyncio.timeout(60):
            while found._shares:  # the last of the slow ones may end after that
                await asyncio.sleep(0)
    finally:
        answer.set()
        found.close()
