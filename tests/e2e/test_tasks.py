"""Two people and a stranger answer what a run asks (SPEC P)."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from .people import Person

pytestmark = pytest.mark.requires("chromium")

ASKING = {
    "schema": 1,
    "name": "Asking",
    "nodes": {
        "form": {
            "type": "people.form",
            "inputs": {
                "title": "How many?",
                "assignee": "grace@example.org",
                "fields": [{"name": "count", "type": "number", "least": 1}],
            },
            "position": [0, 0],
        },
        "ok": {
            "type": "people.approval",
            "inputs": {"title": "So many?"},
            "position": [360, 0],
        },
    },
    "edges": {"e": {"source": "form", "output": "count", "target": "ok", "input": "value"}},
}


@pytest.mark.rule("P1", "P8", "P10")
def test_two_people_and_a_stranger_answer_and_everybody_sees_it(
    rest: httpx.Client, ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(ASKING)
    for each in (ada, grace):
        each.open(canvas)
    run = rest.post("/v1/runs", json={"canvas": canvas}).json()["id"]
    on_form = grace.page.get_by_test_id("node-form")
    expect(on_form).to_contain_text("Waits for you")
    expect(ada.page.get_by_test_id("node-form")).to_contain_text("Waits for grace")
    expect(grace.page.get_by_test_id("tasks-count")).to_have_text("1")
    # By keyboard: a wrong value is told at its field.
    field = on_form.get_by_role("textbox", name="count", exact=True)
    field.fill("0")
    field.press("Enter")
    expect(on_form.get_by_text("Must be at least 1")).to_be_visible()
    field.fill("12")
    field.press("Enter")
    expect(grace.page.get_by_test_id("tasks-count")).to_have_count(0)
    # The next question is Ada's; she hands it on by a link, without an account at its other end.
    on_ok = ada.page.get_by_test_id("node-ok")
    expect(on_ok).to_contain_text("So many?")
    ada.page.get_by_test_id("tasks-button").click()
    inbox = ada.page.get_by_test_id("tasks")
    inbox.get_by_role("button", name="So many?").click()
    inbox.get_by_test_id("task-link-make").click()
    link = ada.page.get_by_test_id("task-link-url").input_value()
    browser = ada.context.browser
    assert browser is not None
    stranger = browser.new_page()
    stranger.goto(link)
    sheet = stranger.get_by_test_id("task-page")
    expect(sheet.get_by_role("heading", name="So many?")).to_be_visible()
    expect(sheet).to_contain_text("12")
    stranger.get_by_test_id("task-page-name").fill("Carol")
    stranger.get_by_test_id("task-page-answer-approve").click()
    expect(stranger.get_by_test_id("task-page-done")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_test_id("task-page-error")).to_be_visible()
    stranger.close()
    for each in (ada, grace):
        expect(each.page.get_by_test_id("node-ok")).to_contain_text("Carol")
    ended = rest.get(f"/v1/runs/{run}").json()
    assert ended["outputs"]["ok"]["approved"] == 12


@pytest.mark.rule("P5", "P9", "P10")
def test_a_task_is_handed_on_and_reminded_of_and_its_link_is_taken_back(
    rest: httpx.Client, ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    asked = {"title": "Go on?", "assignee": "ada@example.org", "reminder": "1 s"}
    spell = {"nodes": {"ok": {"type": "people.approval", "inputs": asked, "position": [0, 0]}}}
    canvas = make_canvas(spell | {"name": "Handed on", "edges": {}})
    for each in (ada, grace):
        each.open(canvas)
    run = rest.post("/v1/runs", json={"canvas": canvas}).json()["id"]
    expect(ada.page.get_by_test_id("tasks-count")).to_have_text("1")
    on_node = ada.page.get_by_test_id("node-ok")
    # Nobody answers: she is reminded, and comes to the task by that.
    ada.page.get_by_test_id("task-reminder-answer").click()
    inbox = ada.page.get_by_test_id("tasks")
    expect(inbox.get_by_role("button", name="Approve")).to_be_visible()
    inbox.get_by_test_id("task-link-make").click()
    link = inbox.get_by_test_id("task-link-url").input_value()
    token = link.rpartition("/")[2]
    assert httpx.get(f"{ada.url}/v1/task-links/{token}").status_code == 200
    inbox.get_by_test_id("task-link-withdraw").click()
    expect(inbox.get_by_text("The link is taken back.")).to_be_visible()
    assert httpx.get(f"{ada.url}/v1/task-links/{token}").json()["error"]["code"] == (
        "task_link_invalid"
    )
    ada.page.keyboard.press("Escape")
    # On the node: to a person, and by her to a role.
    on_node.get_by_test_id("task-hand").click()
    expect(on_node.get_by_test_id("task-hand-send")).to_be_in_viewport(ratio=1)
    on_node.get_by_test_id("task-hand-to").select_option(label="grace")
    on_node.get_by_test_id("task-hand-send").click()
    expect(on_node).to_contain_text("Waits for grace")
    expect(grace.page.get_by_test_id("tasks-count")).to_have_text("1")
    expect(grace.page.get_by_test_id("node-ok")).to_contain_text("Waits for you")
    grace.page.get_by_test_id("tasks-button").click()
    hers = grace.page.get_by_test_id("tasks")
    hers.get_by_role("button", name="Go on?").click()
    hers.get_by_test_id("task-hand").click()
    hers.get_by_test_id("task-hand-to").select_option("role:owner")
    hers.get_by_test_id("task-hand-send").click()
    expect(hers).to_contain_text("Nothing waits for you.")
    expect(grace.page.get_by_test_id("node-ok")).to_contain_text("Waits for an owner")
    on_node.get_by_role("button", name="Approve").click()
    assert rest.get(f"/v1/runs/{run}?wait=30").json()["status"] == "completed"
