"""When a run completes, a page's own plugin sees the whole graph; so it does with a past run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from .people import Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")

PLUGIN = """() => {
  let steps = [];
  const whole = [];
  const waiting = [];
  window.nextReplay = () => (whole.length ? whole.shift() : new Promise((tell) => waiting.push(tell)));
  window.spellwork.registerPlugin({
    name: "teller",
    onRunStart: () => { steps = []; },
    onNode: async ({ node, inputs, outputs, index, total }) => {
      steps.push({ node, inputs, outputs, index, total });
    },
    onRunEnd: () => { waiting.length ? waiting.shift()(steps) : whole.push(steps); },
  });
}"""


def next_replay(page: Page) -> list[dict[str, Any]]:
    """Return the steps of the next replay that the plugin was shown to its end."""
    steps: list[dict[str, Any]] = page.evaluate("() => window.nextReplay()")
    return steps


def test_a_plugin_of_the_page_sees_the_graph_in_order_at_completion_and_again_from_history(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.page.evaluate(PLUGIN)
    ada.run()
    live = next_replay(ada.page)
    assert [each["node"] for each in live] == ["six", "answer"]
    assert live[1]["inputs"] == {"x": 6}
    assert live[1]["outputs"] == {"result": 42}

    ada.page.get_by_test_id("panel-history").click()
    ada.page.locator("[data-testid^='run-'].run-row").first.click()
    assert next_replay(ada.page) == live


def test_a_tab_that_only_watched_replays_too(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    grace.page.evaluate(PLUGIN)
    ada.run()
    assert [each["node"] for each in next_replay(grace.page)] == ["six", "answer"]
