"""What nodes are told to be, and why they ran or did not, is seen on the canvas."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from .people import Person
from .spells import SUM, delays

pytestmark = pytest.mark.requires("chromium")

CHAIN: dict[str, Any] = {
    "nodes": {
        "six": {"type": "core.value", "inputs": {"value": 6}, "position": [0, 0]},
        "answer": {"type": "code.python", "code": "x * 7", "position": [320, 0]},
        "after": {"type": "code.python", "code": "y + 1", "position": [640, 0]},
    },
    "edges": {
        "e": {"source": "six", "output": "value", "target": "answer", "input": "x"},
        "f": {"source": "answer", "output": "result", "target": "after", "input": "y"},
    },
}


def select(person: Person, node: str) -> None:
    person.node(node).locator(".node-icon").click()


def run_by_menu(person: Person, node: str, row: str) -> None:
    person.node(node).locator(".node-head").click(button="right")
    person.page.get_by_role("menuitem", name=re.compile(row)).click()


def test_a_pinned_output_is_given_in_the_nodes_place_and_can_be_written_by_hand(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(CHAIN)
    ada.open(canvas)
    grace.open(canvas)
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("43")
    select(ada, "answer")
    ada.page.keyboard.press("p")
    for person in (ada, grace):
        person.expect_state("answer", "pinned")
        expect(person.page.get_by_test_id("pin-mark-answer-result")).to_be_visible()
    mock = ada.page.get_by_test_id("pin-value-result").get_by_label("Pinned result")
    expect(mock).to_have_value("42")
    mock.fill("99")
    mock.blur()
    expect(grace.output("answer", "result")).to_contain_text("99")
    ada.expect_state("after", "stale")
    ada.expect_saved()
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("100")
    expect(ada.page.get_by_test_id("why")).to_contain_text("pinned to a value")
    ada.page.get_by_test_id("pin-result").click()
    ada.expect_state("answer", "stale")
    ada.expect_saved()
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("43")


def test_muted_and_bypassed_nodes_are_left_out_and_one_undo_brings_all_of_them_back(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(CHAIN))
    page = ada.page
    select(ada, "answer")
    page.keyboard.press("ControlOrMeta+b")
    ada.expect_state("answer", "bypassed")
    expect(ada.node("answer").get_by_test_id("bypass-wires").locator("path")).to_have_count(1)
    ada.expect_saved()
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("7")
    select(ada, "six")
    page.keyboard.down("Shift")
    select(ada, "answer")
    page.keyboard.up("Shift")
    page.keyboard.press("ControlOrMeta+m")
    for node in ("six", "answer"):
        ada.expect_state(node, "muted")
    ada.expect_saved()
    ada.run()
    ada.expect_state("after", "skipped")
    expect(page.get_by_test_id("node-after-why")).to_contain_text("is muted")
    select(ada, "after")
    expect(page.get_by_test_id("why")).to_contain_text("It did not run")
    page.get_by_test_id("why-cause").click()
    expect(page.get_by_test_id("node-name")).to_have_value(re.compile("Value|Python"))
    page.get_by_test_id("undo").click()
    ada.expect_state("answer", "bypassed")
    expect(ada.node("six")).not_to_have_attribute("data-mode", "mute")


def test_a_node_says_why_it_ran_and_leads_to_the_wire_that_changed(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(CHAIN))
    ada.run()
    ada.expect_result("after")
    value = ada.node("six").get_by_label("value of node")
    value.fill("7")
    value.press("Enter")
    ada.expect_saved()
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("50")
    expect(ada.page.get_by_test_id("node-answer-why")).to_have_text("“x” changed")
    select(ada, "answer")
    ada.page.get_by_test_id("why-cause").click()
    expect(ada.page.locator(".react-flow__edge.selected")).to_have_attribute("data-id", "e")


def test_only_one_node_runs_or_all_from_it_on(ada: Person, make_canvas: Callable[..., str]) -> None:
    ada.open(make_canvas(CHAIN))
    ada.run()
    expect(ada.output("after", "result")).to_contain_text("43")
    ada.write_code("answer", "x * 8")
    ada.expect_state("after", "stale")
    ada.expect_saved()
    run_by_menu(ada, "answer", "Run only this node")
    expect(ada.output("answer", "result")).to_contain_text("48")
    ada.expect_state("after", "stale")
    run_by_menu(ada, "answer", "Run from here")
    expect(ada.output("after", "result")).to_contain_text("49")


def test_a_paused_run_goes_on_by_single_steps(ada: Person, make_canvas: Callable[..., str]) -> None:
    ada.open(make_canvas(delays(4, 0, first=5)))
    ada.run()
    ada.expect_state("d1", "running")
    ada.page.get_by_test_id("pause-button").click()
    ada.expect_result("d1")
    ada.expect_state("d2", "queued")
    ada.page.get_by_test_id("step-button").click()
    ada.expect_result("d2")
    ada.expect_state("d3", "queued")
    ada.page.get_by_test_id("pause-button").click()
    ada.expect_result("d3")


def test_a_node_held_back_by_its_limits_says_so_and_counts_down(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    limited = {"type": "core.delay", "inputs": {"seconds": 0, "value": 1}, "position": [0, 0]}
    ada.open(make_canvas({"nodes": {"slow": limited}, "edges": {}}))
    select(ada, "slow")
    ada.page.get_by_role("button", name="Settings").click()
    ada.page.get_by_test_id("limits").get_by_label("Delay").fill("30")
    ada.expect_saved()
    ada.run()
    ada.expect_state("slow", "waiting")
    expect(ada.node("slow").get_by_test_id("node-slow-state")).to_contain_text(re.compile(r"\d+ s"))
    expect(ada.page.get_by_test_id("why")).to_contain_text("held back by a limit")
    ada.page.get_by_test_id("stop-button").click()
    ada.expect_state("slow", "cancelled")


def test_a_stream_is_seen_while_it_comes_and_whole_by_the_page(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    code = "import time\ndef f():\n    for i in range(1500):\n        time.sleep(0.004)\n        yield {'row': i, 'word': 'w' * 30}\n"
    cell = {"type": "code.python", "code": code, "position": [0, 0], "size": [420, 420]}
    ada.open(make_canvas({"nodes": {"rows": cell}, "edges": {}}))
    ada.run()
    ada.expect_state("rows", "streaming")
    foot = ada.output("rows", "result").get_by_test_id("stream-foot")
    expect(foot).to_contain_text(re.compile(r"items[\d,.]+/s"))
    ada.expect_result("rows")
    select(ada, "rows")
    panel = ada.page.get_by_test_id("inspector")
    panel.get_by_role("button", name="Load more").click()
    expect(panel).to_contain_text("1,000 of 1,500")
    for _ in range(2):
        panel.get_by_role("button", name="row", exact=True).click()
    expect(panel.get_by_role("row").nth(1)).to_contain_text("1499")


def test_a_large_value_is_read_at_every_depth(ada: Person, make_canvas: Callable[..., str]) -> None:
    code = "{'deep': {'list': [{'n': i, 'text': 'x' * 90} for i in range(4000)]}, 'flat': 1}"
    cell = {"type": "code.python", "code": code, "position": [0, 0]}
    ada.open(make_canvas({"nodes": {"big": cell}, "edges": {}}))
    ada.run()
    ada.expect_result("big")
    select(ada, "big")
    panel = ada.page.get_by_test_id("inspector")
    panel.get_by_role("button", name="Load more").click()
    tree = panel.get_by_role("tree")
    expect(tree).to_contain_text("flat")  # The whole is there, in place of its head.
    tree.get_by_role("treeitem", name=re.compile("^deep:")).click()
    tree.get_by_role("treeitem", name=re.compile("^list:")).click()
    expect(tree.get_by_role("treeitem", name=re.compile("^99:"))).to_be_visible()
    tree.get_by_role("button", name="Load more of 4,000").click()
    expect(tree.get_by_role("button", name="Show 100 more of 2,000")).to_be_visible()


def test_live_mode_says_why_it_cannot_run_and_leads_there(
    ada: Person, make_canvas: Callable[..., str], rest: httpx.Client
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    ada.page.get_by_test_id("live-button").click()
    expect(ada.output("answer", "result")).to_contain_text("42")
    broken = {"nodes": {**SUM["nodes"], "odd": {"type": "elsewhere.thing", "position": [0, 300]}}}
    assert rest.put(f"/v1/canvases/{canvas}/spell", json={**SUM, **broken}).is_success
    notice = ada.page.get_by_test_id("live-notice")
    expect(notice).to_contain_text("elsewhere.thing")
    assert rest.put(f"/v1/canvases/{canvas}/spell", json=SUM).is_success
    expect(notice).to_have_count(0)
