"""Types on the canvas: a wire that does not fit is offered a transform, and nodes connect by themselves."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from .people import Person, middle

pytestmark = pytest.mark.requires("chromium")

PRICES = {
    "nodes": {
        "price": {"type": "core.text", "inputs": {"text": "21"}, "position": [0, 0]},
        "half": {"type": "code.python", "code": "amount / 2", "position": [800, 200]},
        "number": {"type": "core.number", "position": [400, 0]},
    },
    "edges": {
        "e": {"source": "number", "output": "value", "target": "half", "input": "amount"},
    },
}

TABLE = {
    "nodes": {
        "data": {"type": "core.dataset", "position": [0, 0]},
        "group": {"type": "core.group", "position": [460, 0]},
    },
    "edges": {},
}


def test_a_refused_wire_takes_the_transform_that_it_is_offered(
    ada: Person, make_canvas: Callable[..., str], rest: httpx.Client
) -> None:
    canvas = make_canvas(PRICES)
    ada.open(canvas)
    ada.draw_wire("price", "text", "number", "value")
    toast = ada.page.get_by_test_id("toast")
    expect(toast).to_contain_text("gives text, but number is needed")
    toast.get_by_role("button", name="Cast to number").click()
    badge = ada.page.locator(".wire-badge")
    expect(badge).to_have_text("cast to number")
    ada.run()
    ada.expect_result("half")
    expect(ada.output("half", "result")).to_contain_text("10.5")
    ada.expect_saved()

    badge.click()
    inspector = ada.page.get_by_test_id("inspector")
    expect(inspector.get_by_test_id("wire-value")).to_have_text(["text givestext21", "number21"])
    inspector.get_by_role("button", name="Default").click()
    inspector.get_by_role("button", name="Move Default, step 2 up").click()
    inspector.get_by_role("textbox", name="Default, step 1").fill('"8"')
    ada.expect_saved()
    edges = rest.get(f"/v1/canvases/{canvas}/spell").json()["edges"].values()
    (wire,) = [edge for edge in edges if edge["source"] == "price"]
    assert wire["transform"] == [
        {"op": "default", "value": "8"},
        {"op": "cast", "to": "number"},
    ]

    inspector.get_by_role("button", name="Remove Cast, step 2").click()
    expect(inspector).to_contain_text("incompatible_types")
    inspector.get_by_test_id("take-suggestion").click()
    expect(inspector).not_to_contain_text("incompatible_types")


def test_nodes_connect_by_themselves_and_columns_are_chosen(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(TABLE))
    ada.node("group").locator(".node-head").click(button="right")
    ada.page.get_by_role("menuitem", name="Connect automatically").click()
    expect(ada.page.get_by_test_id("toast")).to_contain_text("One wire drawn")
    ada.run()
    ada.expect_result("data")

    ada.node("group").locator(".node-icon").click()
    by = ada.page.get_by_test_id("choices-by")
    by.get_by_role("button", name="species").click()
    expect(by.get_by_role("button", name="species")).to_have_attribute("aria-pressed", "true")
    ada.run()
    ada.expect_result("group")
    expect(ada.output("group", "table")).to_contain_text("Adelie")

    # A node that is added beside the selected one gets what it needs from it.
    ada.page.keyboard.press("ControlOrMeta+k")
    ada.page.get_by_test_id("palette-search").fill("core.describe")
    ada.page.get_by_test_id("palette-type:core.describe").click()
    described = ada.page.get_by_role("article", name="Describe a table")
    ada.run()
    expect(described).to_contain_text("mean_bill_length_mm")


def test_a_wire_dropped_on_a_node_finds_its_port(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(TABLE))
    start = middle(ada.port("data", "out", "table"))
    end = middle(ada.node("group").locator(".node-head"))
    ada.page.mouse.move(*start)
    ada.page.mouse.down()
    ada.page.mouse.move((start[0] + end[0]) / 2, end[1] + 4, steps=4)
    ada.page.mouse.move(*end, steps=4)
    ada.page.mouse.up()
    expect(ada.port("group", "in", "table")).to_have_attribute("data-wired", "true")
