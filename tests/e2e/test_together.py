"""Two people on one canvas: what one draws and runs, the other sees."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .people import HAS_RESULT, Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")


def test_one_draws_and_the_other_runs_and_both_see_every_result(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas()
    ada.open(canvas)
    grace.open(canvas)

    value = ada.add_node("core.value")
    ada.node(value).get_by_label("value of node").fill("6")
    ada.node(value).get_by_label("value of node").press("Enter")
    code = ada.add_node("code.python")
    ada.write_code(code, "x * 7")
    expect(ada.port(code, "in", "x")).to_be_visible()
    drag_aside(ada, code)
    ada.draw_wire(value, "value", code, "x")
    ada.expect_saved()

    expect(grace.nodes()).to_have_count(2)
    expect(grace.node(code)).to_contain_text("x * 7")
    expect(grace.page.locator("[data-testid^='edge-']")).to_have_count(1)
    grace.run()
    for person in (ada, grace):
        person.expect_result(code)
        expect(person.output(code, "result")).to_contain_text("42")


def test_each_sees_the_other_and_where_they_point(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    expect(ada.page.get_by_test_id("presence-avatar").filter(has_text="G")).to_be_visible()
    grace.page.mouse.move(700, 500)
    expect(ada.page.get_by_test_id("remote-cursor")).to_be_visible()
    grace.node("answer").click()
    expect(ada.node("answer").get_by_test_id("remote-selection")).to_be_visible()


def test_a_private_run_is_seen_in_its_owners_tabs_only(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    first = ada.page
    ada.new_tab()
    ada.open(canvas)
    grace.open(canvas)
    ada.page.get_by_label("How to run").click()
    ada.page.get_by_test_id("private-run").set_checked(True, force=True)
    ada.page.keyboard.press("Escape")
    ada.run()
    ada.expect_result("answer")
    expect(ada.output("answer", "result")).to_contain_text("42")
    expect(first.get_by_test_id("node-answer")).to_have_attribute("data-state", HAS_RESULT)
    grace.page.reload()
    grace.expect_saved()
    expect(grace.node("answer")).not_to_have_attribute("data-state", HAS_RESULT)
    expect(grace.output("answer", "result")).to_have_count(0)


def test_undo_takes_back_ones_own_changes_only(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    mine = ada.add_node("core.value")
    expect(grace.node(mine)).to_be_visible()
    theirs = grace.add_node("core.value")
    expect(ada.node(theirs)).to_be_visible()
    ada.page.keyboard.press("Escape")
    ada.page.keyboard.press("ControlOrMeta+z")
    for person in (ada, grace):
        expect(person.node(mine)).to_have_count(0)
        expect(person.node(theirs)).to_be_visible()


def test_a_reload_shows_the_last_runs_results(ada: Person, make_canvas: Callable[..., str]) -> None:
    ada.open(make_canvas(SUM))
    ada.run()
    ada.expect_result("answer")
    ada.page.reload()
    expect(ada.output("answer", "result")).to_contain_text("42")


def drag_aside(person: Person, node: str) -> None:
    """Move a node to where its ports are free of others, and not to the edge: the view would go along."""
    head = person.node(node).locator(".node-head")
    box = head.bounding_box()
    assert box is not None
    person.page.mouse.move(box["x"] + 60, box["y"] + 10)
    person.page.mouse.down()
    person.page.mouse.move(box["x"] + 160, box["y"] + 120, steps=5)
    person.page.mouse.move(box["x"] + 240, box["y"] + 180, steps=5)
    person.page.mouse.up()
