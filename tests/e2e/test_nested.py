"""Groups fold, spells run spells, and what a loop did is looked into."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from .people import HAS_RESULT, Person

pytestmark = pytest.mark.requires("chromium")

GROUPED: dict[str, Any] = {
    "nodes": {
        "six": {"type": "core.value", "inputs": {"value": 6}, "position": [0, 40]},
        "double": {"type": "code.python", "code": "x * 2", "position": [340, 40], "group": "g"},
        "more": {"type": "code.python", "code": "y + 1", "position": [680, 40], "group": "g"},
        "last": {"type": "code.python", "code": "z * 10", "position": [1040, 40]},
    },
    "edges": {
        "a": {"source": "six", "output": "value", "target": "double", "input": "x"},
        "b": {"source": "double", "output": "result", "target": "more", "input": "y"},
        "c": {"source": "more", "output": "result", "target": "last", "input": "z"},
    },
    "groups": {"g": {"name": "Middle", "position": [310, -20], "size": [660, 320]}},
}

LOOP: dict[str, Any] = {
    "nodes": {
        "numbers": {"type": "core.value", "inputs": {"value": [4, 2, 0, 1]}, "position": [0, 0]},
        "each": {
            "type": "core.map",
            "code": "",
            "inputs": {"on_error": "collect"},
            "settings": {"body": {"group": "g"}},
            "position": [330, 0],
        },
        "item": {
            "type": "core.input",
            "inputs": {"name": "item"},
            "position": [40, 840],
            "group": "g",
        },
        "divide": {"type": "code.python", "code": "8 / n", "position": [380, 840], "group": "g"},
    },
    "edges": {
        "a": {"source": "numbers", "output": "value", "target": "each", "input": "items"},
        "b": {"source": "item", "output": "value", "target": "divide", "input": "n"},
    },
    "groups": {"g": {"name": "Divide", "position": [0, 780], "size": [680, 340]}},
}


def select(page: Page, node: str) -> None:
    page.get_by_test_id(f"node-{node}").locator(".node-icon").click()


def test_a_group_folds_into_one_box_for_everybody_and_opens_again(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(GROUPED)
    ada.open(canvas)
    grace.open(canvas)
    ada.page.get_by_test_id("fold-g").click()
    for person in (ada, grace):
        box = person.page.get_by_test_id("group-g")
        expect(box).to_have_attribute("data-folded", "true")
        expect(box).to_contain_text("2 nodes inside")
        expect(person.node("double")).to_have_count(0)
        for wire, drawn in (("a", 1), ("b", 0), ("c", 1)):
            expect(person.page.get_by_test_id(f"edge-{wire}")).to_have_count(drawn)
    ada.run()
    grace.expect_result("last")
    expect(grace.output("last", "result")).to_contain_text("130")
    expect(grace.page.get_by_test_id("group-g")).to_have_attribute("data-state", HAS_RESULT)
    # Looking for what is hidden opens the box in this tab alone.
    grace.page.keyboard.press("ControlOrMeta+f")
    find = grace.page.get_by_test_id("find").get_by_label("Find on the canvas")
    find.fill("y + 1")
    find.press("Enter")
    expect(grace.node("more")).to_be_visible()
    box = ada.page.get_by_test_id("group-g")
    expect(box).to_have_attribute("data-folded", "true")
    expect(box.get_by_test_id("remote-selection")).to_contain_text("grace")
    ada.press("ControlOrMeta+z")
    expect(ada.node("more")).to_be_visible()


def test_a_dragged_box_takes_what_is_in_it_along(
    ada: Person, grace: Person, rest: httpx.Client, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(GROUPED)
    ada.open(canvas)
    ada.page.get_by_test_id("fold-g").click()
    head = ada.page.get_by_test_id("group-g").locator(".folded-head .frame-name")
    box = head.bounding_box()
    assert box is not None
    ada.page.mouse.move(box["x"] + 5, box["y"] + 5)
    ada.page.mouse.down()
    ada.page.mouse.move(box["x"] + 45, box["y"] + 165, steps=6)
    ada.page.mouse.up()
    ada.expect_saved()
    spell = rest.get(f"/v1/canvases/{canvas}/spell").json()
    moved = [spell["groups"]["g"]["position"][1] + 20, spell["nodes"]["double"]["position"][1] - 40]
    assert moved[0] == moved[1] > 50
    assert spell["nodes"]["double"]["group"] == "g"


def test_a_selection_becomes_a_subspell_that_runs_and_whose_ports_follow_its_canvas(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(GROUPED)
    ada.open(canvas)
    grace.open(canvas)
    ada.page.get_by_test_id("group-g").locator(".group-name").click(button="right")
    ada.page.get_by_role("menuitem", name="Make a subspell").click()
    for person in (ada, grace):
        expect(person.node("double")).to_have_count(0)
        expect(person.page.locator(".body-chip")).to_contain_text("Middle")
    ada.expect_saved()
    ada.press(".")
    ada.run()
    expect(ada.output("last", "result")).to_contain_text("130")
    ada.page.locator(".body-chip").click()
    crumb = ada.page.get_by_test_id("breadcrumb")
    expect(crumb).to_contain_text("Together")
    expect(ada.node("double")).to_be_visible()
    expect(ada.node("input_1")).to_contain_text("Input x")
    # Opened through its node, it shows how it ran there, until that is put away.
    expect(ada.page.get_by_test_id("parent-run")).to_contain_text("Together")
    ada.expect_result("double")
    ada.page.get_by_test_id("parent-run").get_by_role("button", name="By itself").click()
    expect(ada.node("double")).not_to_have_attribute("data-state", HAS_RESULT)
    # The child's output gets another name: the parent's node has it, too.
    select(ada.page, "output_1")
    name = ada.page.get_by_test_id("inspector").get_by_label("name", exact=True)
    name.fill("answer")
    name.blur()
    ada.expect_saved()
    crumb.get_by_role("link").click()
    expect(ada.page.get_by_test_id("breadcrumb")).to_have_count(0)
    expect(ada.page.locator(".node.selected, .react-flow__node.selected")).to_have_count(1)
    for person in (ada, grace):
        expect(person.page.locator('[data-testid$="-out-answer"]')).to_be_visible()


def test_the_failed_iteration_of_a_loop_is_found_and_opened(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(LOOP))
    expect(ada.page.get_by_test_id("owner-of-g")).to_contain_text("run by Map over a list")
    ada.run()
    ada.expect_state("each", "done")
    expect(ada.page.get_by_test_id("rounds-each")).to_contain_text("4 of 4, 1 failed")
    # The nodes of the group show the iteration that failed, by themselves.
    ada.expect_state("divide", "failed")
    expect(ada.node("divide")).to_contain_text("division by zero")
    expect(ada.output("item", "value")).to_contain_text("0")
    picker = ada.page.get_by_test_id("iteration-of-g")
    expect(picker.get_by_label("Iteration", exact=True)).to_have_value("3")
    select(ada.page, "each")
    inside = ada.page.get_by_test_id("iterations")
    expect(inside.get_by_test_id("inner-divide")).to_contain_text("division by zero")
    inside.get_by_role("button", name="The iteration before").click()
    expect(inside.get_by_test_id("inner-divide")).to_have_attribute("data-state", HAS_RESULT)
    ada.expect_result("divide")
    expect(ada.output("divide", "result")).to_contain_text("4")
    # After a reload it is found again.
    ada.page.reload()
    ada.expect_state("divide", "failed")
    expect(ada.page.get_by_test_id("iteration-of-g")).to_have_attribute("data-failed", "true")


def test_a_body_is_chosen_in_the_inspector(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    child = make_canvas(LOOP, name="Divider")
    spell = LOOP | {
        "nodes": LOOP["nodes"] | {"each": LOOP["nodes"]["each"] | {"settings": {}}},
    }
    canvas = make_canvas(spell)
    ada.open(canvas)
    grace.open(canvas)
    select(ada.page, "each")
    ada.page.get_by_test_id("body-kind-group").click()
    ada.page.get_by_test_id("body-group").select_option("g")
    expect(grace.page.get_by_test_id("body-each")).to_contain_text("runs the group Divide")
    expect(grace.page.get_by_test_id("owner-of-g")).to_be_visible()
    ada.page.get_by_test_id("body-kind-spell").click()
    ada.page.get_by_test_id("body-search").fill("divid")
    ada.page.get_by_test_id(f"body-canvas-{child}").click()
    expect(grace.page.get_by_test_id("body-each")).to_contain_text("Divider")
    ada.page.get_by_test_id("open-body").click()
    expect(ada.page).to_have_url(re.compile(f"/canvas/{child}\\?from="))


def test_a_failure_inside_leads_to_the_node_that_failed_here_and_on_another_canvas(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    failing = {
        "divide": {"type": "code.python", "name": "Divide", "code": "1 / 0", "position": [900, 0]},
        "other": {"type": "core.value", "inputs": {"value": 1}, "position": [0, 0]},
    }
    inner = make_canvas({"nodes": failing, "edges": {}})
    # A group, in it a canvas, in that the node that fails.
    outer: dict[str, Any] = {
        "nodes": {
            "owner": {"type": "core.spell", "settings": {"body": {"group": "g"}}},
            "sub": {
                "type": "core.spell",
                "settings": {"body": {"spell": inner}},
                "group": "g",
                "position": [420, 40],
            },
        },
        "edges": {},
        "groups": {"g": {"name": "Inside", "position": [400, 0], "size": [320, 260]}},
    }
    ada.open(make_canvas(outer))
    ada.run()
    ada.expect_state("owner", "failed")
    expect(ada.node("owner")).to_contain_text("“Divide”: ZeroDivisionError")
    ada.node("owner").get_by_test_id("show-failed").click()
    expect(ada.page).to_have_url(re.compile(f"/canvas/{inner}"))
    inspector = ada.page.get_by_test_id("inspector")
    expect(inspector.get_by_test_id("node-name")).to_have_value("Divide")
    expect(ada.page.get_by_test_id("breadcrumb")).to_be_visible()
    # The way back leads to the canvas itself, not through what led here.
    ada.page.go_back()
    ada.expect_state("sub", "failed")


def test_what_code_reads_by_name_is_wired_when_a_part_becomes_a_subspell(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    nodes = {
        "rate": {"type": "code.python", "code": "rate = 3", "position": [0, 40]},
        "cell": {
            "type": "code.python",
            "code": "price = rate * 2",
            "position": [420, 40],
            "group": "g",
        },
        "last": {"type": "code.python", "code": "price + 1", "position": [900, 40]},
    }
    groups = {"g": {"name": "Pricing", "position": [400, 0], "size": [340, 300]}}
    ada.open(make_canvas({"nodes": nodes, "edges": {}, "groups": groups}))
    expect(ada.page.get_by_test_id("edge-named cell rate")).to_have_count(1)
    expect(ada.page.get_by_test_id("edge-named last price")).to_have_count(1)
    ada.page.get_by_test_id("group-g").locator(".group-name").click(button="right")
    ada.page.get_by_role("menuitem", name="Make a subspell").click()
    expect(ada.node("cell")).to_have_count(0)
    expect(ada.page.locator('[data-testid$="-in-rate"]')).to_be_visible()
    ada.expect_saved()
    ada.press(".")
    ada.run()
    expect(ada.output("last", "result")).to_contain_text("7")
