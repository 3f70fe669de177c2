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
  window.told = [];
  window.spellwork.registerPlugin({
    name: "teller",
    onRunStart: (run) => { window.told.push({ started: run.id }); },
    onNode: async (step) => {
      window.told.push({ node: step.node, inputs: step.inputs, outputs: step.outputs, index: step.index });
    },
    onRunEnd: () => { window.told.push({ ended: true }); },
  });
}"""


def told(page: Page) -> list[dict[str, Any]]:
    """Return what the plugin was told, once it was told of the end."""
    page.wait_for_function("window.told.some((each) => each.ended)")
    told: list[dict[str, Any]] = page.evaluate("window.told.splice(0)")
    return [each for each in told if "node" in each]


def test_a_plugin_of_the_page_sees_the_graph_in_order_at_completion_and_again_from_history(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.page.evaluate(PLUGIN)
    ada.run()
    live = told(ada.page)
    assert [each["node"] for each in live] == ["six", "answer"]
    assert live[1]["inputs"] == {"x": 6}
    assert live[1]["outputs"] == {"result": 42}

    ada.page.get_by_test_id("panel-history").click()
    ada.page.locator("[data-testid^='run-'].run-row").first.click()
    assert told(ada.page) == live


def test_a_tab_that_only_watched_replays_too(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    grace.page.evaluate(PLUGIN)
    ada.run()
    assert [each["node"] for each in told(grace.page)] == ["six", "answer"]
