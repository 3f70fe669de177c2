"""A past run is stepped through on the canvas, timed, and run again from one of its nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .people import Person

pytestmark = pytest.mark.requires("chromium")

SUM: dict[str, Any] = {
    "nodes": {
        "six": {"type": "core.value", "inputs": {"value": 6}, "position": [0, 0]},
        "next": {"type": "core.value", "position": [340, 0]},
        "last": {"type": "core.value", "position": [680, 0]},
    },
    "edges": {
        "e": {"source": "six", "output": "value", "target": "next", "input": "value"},
        "f": {"source": "next", "output": "value", "target": "last", "input": "value"},
    },
}

PLUGIN = """() => {
  window.seen = [];
  window.spellwork.registerPlugin({
    name: "seer",
    onRunStart: (run) => { if (run.stepping) window.seen.push("start"); },
    onNode: ({ run, node }) => { if (run.stepping) window.seen.push(node); },
  });
}"""


def slide(page: Page, to: int) -> None:
    """Move the slider to a moment."""
    page.get_by_test_id("step-slider").fill(str(to))


@pytest.mark.rule("V6", "V2", "V4")
def test_a_past_run_is_stepped_through_timed_and_run_again_from_a_node(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.page.evaluate(PLUGIN)
    ada.run()
    ada.expect_result("last")
    page = ada.page
    page.get_by_test_id("panel-history").click()
    page.locator("[data-testid^='run-'].run-row").first.click()
    page.get_by_test_id("run-step").click()

    expect(page.get_by_test_id("step-words")).to_contain_text("Before the run")
    for node in ("six", "next"):
        page.get_by_test_id("step-next").click()
        ada.expect_result(node)
    ada.expect_state("last", "queued")
    expect(page.get_by_test_id("node-last").locator(".preview-scalar")).to_have_count(0)
    page.get_by_test_id("step-back").click()
    ada.expect_state("next", "queued")
    slide(page, 0)
    page.get_by_test_id("step-last").click()
    ada.expect_result("last")
    page.wait_for_function("window.seen.at(-1) === 'last'")
    # Going back shows the plugins the run anew, as far as that moment.
    assert page.evaluate("window.seen.slice(0, 5)") == ["start", "six", "next", "start", "six"]

    ada.node("next").locator(".node-head").click()
    expect(page.get_by_test_id("recorded-inputs")).to_contain_text("6")
    page.get_by_test_id("run-timeline").click()
    expect(page.get_by_test_id("timeline-next")).to_be_visible()
    page.get_by_test_id("dock-close").click()

    runs = page.locator("[data-testid^='run-'].run-row")
    expect(runs).to_have_count(1)
    page.get_by_test_id("run-again-here").click()
    expect(runs).to_have_count(2)
    expect(page.get_by_test_id("step-bar")).to_have_count(0)
    ada.expect_result("last")
    runs.first.click()
    expect(runs.first).to_contain_text("forked")
