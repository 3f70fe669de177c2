"""Runs are steered from the page: live, stopped, read-only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from .people import Account, Person
from .spells import SUM, TYPED, delays

pytestmark = pytest.mark.requires("chromium")


def test_live_mode_runs_what_depends_on_a_change_in_every_tab(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    ada.page.get_by_test_id("live-button").click()
    expect(ada.output("answer", "result")).to_contain_text("42")
    value = grace.node("six").get_by_label("value of node")
    value.fill("7")
    value.press("Enter")
    for person in (ada, grace):
        expect(person.output("answer", "result")).to_contain_text("49")


def test_in_live_mode_cheap_nodes_follow_what_is_typed_before_it_is_an_edit(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(TYPED)
    ada.open(canvas)
    grace.open(canvas)
    ada.page.get_by_test_id("live-button").click()
    ada.expect_result("loud")
    field = ada.node("words").get_by_label("text of node")
    field.press("End")
    field.press_sequentially(" world")
    loud = ada.output("loud", "text")
    expect(loud).to_contain_text("HELLO WORLD")
    expect(loud).to_have_attribute("data-draft", "true")
    expect(grace.output("loud", "text")).to_have_text("HELLO")
    field.press("Escape")
    expect(loud).to_have_text("HELLO")
    expect(field).to_have_value("hello")
    field.press("End")
    field.press_sequentially(" you")
    expect(loud).to_contain_text("HELLO YOU")
    field.press("Enter")
    expect(grace.output("loud", "text")).to_have_text("HELLO YOU")
    expect(loud).not_to_have_attribute("data-draft", "true")
    ada.page.get_by_test_id("undo").click()
    expect(grace.output("loud", "text")).to_have_text("HELLO")


def test_a_run_is_stopped_at_once(ada: Person, make_canvas: Callable[..., str]) -> None:
    ada.open(make_canvas(delays(3, 60)))
    ada.run()
    ada.expect_state("d1", "running")
    ada.page.get_by_test_id("stop-button").click()
    expect(ada.page.get_by_test_id("stop-button")).to_be_disabled()
    expect(ada.node("d1")).not_to_have_attribute("data-state", "running")


@pytest.mark.rule("V7")
def test_a_tab_that_was_there_before_stops_runs_that_others_begin_wherever_they_wait(
    ada: Person, rest: httpx.Client, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(delays(3, 60) | {"name": "Begun elsewhere"})
    ada.open(canvas)
    stop = ada.page.get_by_test_id("stop-button")
    expect(stop).to_be_disabled()
    elsewhere: list[dict[str, Any]] = [
        {},
        {"audience": "private"},
        {"queue": "later", "delay": 3_600},
    ]
    for how in elsewhere:
        run = rest.post("/v1/runs", json={"canvas": canvas, **how}).json()["id"]
        expect(stop).to_be_enabled()
        expect(ada.page.get_by_test_id("pause-button")).to_have_count(0 if "queue" in how else 1)
        stop.click()
        expect(stop).to_be_disabled()
        assert rest.get(f"/v1/runs/{run}?wait=30").json()["status"] == "cancelled"


def test_a_run_that_one_person_pauses_another_lets_go_on(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(delays(3, 0, first=5))
    ada.open(canvas)
    grace.open(canvas)
    ada.run()
    ada.expect_state("d1", "running")
    ada.page.get_by_test_id("pause-button").click()
    for person in (ada, grace):
        expect(person.page.get_by_test_id("pause-button")).to_have_text("Resume")
    ada.expect_result("d1")
    ada.expect_state("d2", "queued")
    grace.page.get_by_test_id("pause-button").click()
    for person in (ada, grace):
        person.expect_result("d2")


def test_a_viewer_sees_but_cannot_change_or_run(
    ada: Person,
    grace: Person,
    grace_account: Account,
    rest: httpx.Client,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    body = {"email": grace_account.email, "role": "viewer"}
    assert rest.put(f"/v1/canvases/{canvas}/members", json=body).is_success
    grace.page.goto(f"{grace.url}/canvas/{canvas}")
    expect(grace.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "read-only")
    expect(grace.page.get_by_test_id("run-button")).to_be_disabled()
    ada.open(canvas)
    ada.run()
    expect(grace.output("answer", "result")).to_contain_text("42")


def test_a_wire_dropped_on_the_canvas_offers_the_nodes_that_fit(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.hold_wire("six", "value", "answer", "x")
    ada.page.mouse.move(720, 700, steps=6)
    ada.page.mouse.up()
    ada.page.get_by_test_id("palette-search").fill("delay")
    ada.page.get_by_test_id("palette-type:core.delay").click()
    expect(ada.nodes()).to_have_count(3)
    expect(ada.page.locator("[data-testid^='edge-']")).to_have_count(2)


def test_what_is_copied_is_pasted_with_its_wires(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    ada.node("six").locator(".node-head").click()
    ada.page.keyboard.press("ControlOrMeta+a")
    ada.page.keyboard.press("ControlOrMeta+d")
    expect(ada.nodes()).to_have_count(4)
    expect(ada.page.locator("[data-testid^='edge-']")).to_have_count(2)
    ada.page.keyboard.press("Delete")
    expect(ada.nodes()).to_have_count(2)
    ada.expect_saved()
