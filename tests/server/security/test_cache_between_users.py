"""What one user ran neither shows nor counts in the runs of another."""

from __future__ import annotations

import pytest

from tests.server.runs.house import ADA, BOB, house, spell_of, sums

pytestmark = pytest.mark.anyio

GUESS = spell_of(
    {
        "d": {
            "type": "t.double",
            "inputs": {"value": 1234},
            "settings": {"cache": "deterministic"},
        }
    }
)


async def test_nobody_can_tell_what_others_ran_by_running_it_too() -> None:
    async with house() as h:
        await h.call(ADA, "runs.create", spell=GUESS, wait=60)
        guess = await h.call(BOB, "runs.create", spell=GUESS, wait=60)
        assert guess["why"] == {"d": "new"}
        assert h.gates.calls == {"d": 2}


async def test_what_a_private_run_kept_does_not_serve_shared_ones() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="runner")
        secret = {"a.value": 987_654}
        await h.call(ADA, "runs.create", canvas="c1", inputs=secret, audience="private", wait=60)
        run = await h.call(BOB, "runs.create", canvas="c1", inputs=secret, wait=60)
        assert "cached" not in run["why"].values()


async def test_those_who_see_each_others_runs_on_a_canvas_share_what_they_left() -> None:
    async with house() as h:
        await h.canvas(sums(), bob="runner")
        await h.call(ADA, "runs.create", canvas="c1", wait=60)
        run = await h.call(BOB, "runs.create", canvas="c1", wait=60)
        assert "cached" in run["why"].values()
