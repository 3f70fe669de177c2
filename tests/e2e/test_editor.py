"""What one person meets in the editor, beside drawing and running."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, Route, expect

from .people import Account, Person, middle
from .spells import STRANGE, SUM

pytestmark = pytest.mark.requires("chromium")

LOOP = {
    "nodes": {
        "a": {"type": "core.delay", "inputs": {"seconds": 0}, "position": [0, 0]},
        "b": {"type": "core.delay", "inputs": {"seconds": 0}, "position": [360, 160]},
    },
    "edges": {"ab": {"source": "a", "output": "value", "target": "b", "input": "value"}},
}

MISFIT = {
    "nodes": {
        "words": {
            "type": "core.template",
            "inputs": {"template": "soon"},
            "position": [0, 0],
        },
        "wait": {"type": "core.delay", "inputs": {}, "position": [420, 120]},
    },
    "edges": {},
}

STANDS_AT = """([element, x, y]) => {
  const box = element.getBoundingClientRect();
  return Math.hypot(box.x + box.width / 2 - x, box.y + box.height / 2 - y) < 4;
}"""


def test_signing_in_leads_to_ones_canvases(
    arrive: Callable[..., Person], ada_account: Account, make_canvas: Callable[..., str]
) -> None:
    make_canvas(SUM, name="On the list")
    ada = arrive(ada_account)
    ada.page.goto(ada.url)
    ada.page.get_by_label("Email").fill(ada_account.email)
    ada.page.get_by_label("Password", exact=True).fill("not this one")
    ada.page.get_by_role("button", name="Sign in").click()
    expect(ada.page.get_by_role("alert")).to_be_visible()
    ada.page.get_by_label("Password", exact=True).fill(ada_account.password)
    ada.page.get_by_role("button", name="Sign in").click()
    expect(ada.page.get_by_text("On the list").first).to_be_visible()


def test_the_shortcuts_are_listed_on_a_question_mark(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.page.keyboard.press("?")
    expect(ada.page.get_by_test_id("shortcuts")).to_contain_text("Run the canvas")
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("shortcuts")).to_have_count(0)


def test_a_field_that_the_keyboard_comes_to_is_in_sight_and_stays_there(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    asks = {"nodes": {"ask": {"type": "people.approval", "inputs": {}, "position": [0, 0]}}}
    ada.open(make_canvas(asks | {"edges": {}}))
    last = ada.node("ask").locator("input, textarea, select").last
    canvas = ada.page.get_by_test_id("canvas").bounding_box()
    assert canvas is not None
    # The canvas is moved down until the last field is below its edge.
    ada.page.mouse.move(canvas["x"] + 40, canvas["y"] + 40)
    while (box := last.bounding_box()) and box["y"] < canvas["y"] + canvas["height"]:
        ada.page.mouse.wheel(0, -60)
        ada.page.wait_for_timeout(20)
    expect(last).not_to_be_in_viewport()
    last.focus()
    expect(last).to_be_in_viewport(ratio=1)
    before = last.bounding_box()
    ada.page.wait_for_timeout(200)
    assert last.bounding_box() == before
    assert ada.page.locator(".react-flow").evaluate("(flow) => flow.scrollTop") == 0


def test_all_nodes_are_in_sight_when_their_types_come_late(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.page.set_viewport_size({"width": 1000, "height": 640})
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    ada.page.route(re.compile(r"/v1/nodes\?"), hold)
    tall = {"type": "people.approval", "inputs": {}, "position": [0, 0]}
    low = {"type": "people.approval", "inputs": {}, "position": [0, 300]}
    canvas = make_canvas({"nodes": {"tall": tall, "low": low}, "edges": {}})
    ada.page.goto(f"{ada.url}/canvas/{canvas}")
    ada.expect_saved()
    expect(ada.page.get_by_test_id("canvas")).to_have_attribute("aria-busy", "true")
    while not late:
        ada.page.wait_for_timeout(20)
    late.pop().continue_()
    expect(ada.page.get_by_test_id("canvas")).to_have_attribute("aria-busy", "false")
    inside = ada.page.locator(".react-flow").bounding_box()
    assert inside is not None
    for node in ("tall", "low"):
        box = ada.node(node).bounding_box()
        assert box is not None
        assert box["y"] >= inside["y"]
        assert box["y"] + box["height"] <= inside["y"] + inside["height"]


def test_dark_is_chosen_by_the_system_and_by_the_person(
    arrive: Callable[..., Person], ada_account: Account, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    shades = []
    for scheme in ("light", "dark"):
        ada = arrive(ada_account, color_scheme=scheme)
        ada.sign_in()
        ada.open(canvas)
        shades.append(brightness(ada))
    assert shades[0] > 200
    assert shades[1] < 80


def test_an_unknown_node_type_stays_as_a_placeholder(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(STRANGE))
    ada.expect_state("odd", "unknown")
    expect(ada.node("odd")).to_contain_text("elsewhere.thing")
    expect(ada.node("odd")).to_contain_text("not installed here")


def test_a_wire_that_closes_a_cycle_is_refused_with_the_reason(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(LOOP))
    ada.hold_wire("b", "value", "a", "value")
    expect(ada.page.locator(".connection-hint")).to_contain_text("Delay → Delay → Delay")
    ada.page.mouse.up()
    expect(ada.page.get_by_test_id("toast")).to_contain_text("Delay → Delay → Delay")
    expect(ada.page.locator("[data-testid^='edge-']")).to_have_count(1)


def test_a_wire_between_types_that_do_not_fit_is_refused_with_the_reason(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(MISFIT))
    ada.draw_wire("words", "text", "wait", "seconds")
    expect(ada.page.get_by_test_id("toast")).to_contain_text("number")
    expect(ada.page.locator("[data-testid^='edge-']")).to_have_count(0)


def test_a_failed_node_says_why_and_the_console_has_the_line(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    failing = {
        "nodes": {
            "bad": {"type": "code.python", "code": "1 / 0", "position": [0, 0]},
            "good": {"type": "core.value", "inputs": {"value": "fine"}, "position": [340, 0]},
        },
        "edges": {},
    }
    ada.open(make_canvas(failing))
    ada.run()
    ada.expect_state("bad", "failed")
    expect(ada.node("bad").get_by_test_id("node-error")).to_contain_text("division by zero")
    ada.expect_result("good")


def test_a_double_click_on_a_node_does_nothing_in_the_inspector_that_it_opens(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    name = ada.node("six").locator(".node-name")
    name.click()
    inspector = ada.page.get_by_test_id("inspector")
    inputs = inspector.get_by_role("button", name="Inputs")
    place = at_its_left(inputs)  # a part of the node stays beside the inspector, and so in sight
    ada.page.locator(".react-flow__pane").click(position={"x": 5, "y": 300})
    expect(inputs).to_have_count(0)
    bring(ada, name, place)
    ada.page.mouse.dblclick(*place)
    expect(inputs).to_be_visible()
    expect(ada.node("six").get_by_label("Name of the node")).to_be_focused()
    expect(inputs).to_have_attribute("aria-expanded", "true")
    inspector.get_by_label("Clear value").press("Enter")
    expect(ada.node("six").get_by_label("value of node")).to_have_value("")


def at_its_left(element: Locator) -> tuple[float, float]:
    """Return a place on an element, near its left end."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    return box["x"] + 10, box["y"] + box["height"] / 2


def bring(person: Person, element: Locator, place: tuple[float, float]) -> None:
    """Move the canvas until the middle of `element` is at a place of the page, by one turn of the wheel.

    A second turn before the first has arrived would carry the element out of the view.
    """
    person.page.mouse.move(*place)
    x, y = middle(element)
    person.page.mouse.wheel(2 * (x - place[0]), 2 * (y - place[1]))
    person.page.wait_for_function(STANDS_AT, arg=[element.element_handle(), *place])


def brightness(person: Person) -> float:
    """Return how light the page's ground is, from 0 to 255."""
    colour: list[int] = person.page.evaluate(
        """() => {
          const canvas = document.createElement("canvas").getContext("2d");
          canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
          canvas.fillRect(0, 0, 1, 1);
          return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
    )
    return sum(colour) / 3


def test_tools_ports_and_notices_stand_beside_what_is_to_be_read_and_pressed(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    page = ada.page
    page.set_viewport_size({"width": 1000, "height": 640})
    nodes = {
        "ok": {"type": "people.approval", "inputs": {"title": "Go on?"}, "position": [0, 0]},
        "odd": {"type": "elsewhere.thing", "position": [0, -300]},
    }
    ada.open(make_canvas({"nodes": nodes, "edges": {}}))
    ada.run()
    notice = page.get_by_test_id("toast")
    tools = page.get_by_role("toolbar", name="Canvas tools")
    assert not overlap(notice, tools)
    page.get_by_test_id("panel-console").click()
    assert not overlap(notice, tools)
    assert not overlap(page.locator(".react-flow"), tools)
    ada.node("ok").locator(".node-head").click()
    ports = ada.node("ok").locator(".reserved-port .react-flow__handle")
    assert ports.count() > 0
    for port in ports.all():
        assert not overlap(port, ada.node("ok"))


def overlap(one: Locator, other: Locator) -> bool:
    """Say whether two elements stand over each other by more than their borders."""
    one.wait_for()
    a, b = one.bounding_box(), other.bounding_box()
    assert a is not None
    assert b is not None
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return wide > 2 and high > 2


def test_the_second_click_of_a_double_one_does_not_remove_what_is_asked_about(
    ada: Person, rest: httpx.Client, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    made = {"canvas": canvas, "name": "Nightly", "settings": {"kind": "interval", "every": 86400}}
    assert rest.post("/v1/triggers", json=made).status_code == 201
    ada.open(canvas)
    ada.page.get_by_test_id("panel-schedules").click()
    ada.page.get_by_role("button", name="Nightly", expanded=False).click()
    remove = ada.page.get_by_test_id("trigger-remove")
    remove.dblclick()
    expect(remove).to_have_text("Remove for good?")
    assert len(rest.get(f"/v1/triggers?canvas={canvas}").json()["items"]) == 1
    remove.press("Enter")
    expect(ada.page.get_by_role("button", name="Nightly", expanded=True)).to_have_count(0)
