"""Schedules in the editor: what is due next is shown before it is kept, and what fired leads to its run."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.server_process import ServerProcess

from .people import Person

pytestmark = pytest.mark.requires("chromium")

SPELL = {"nodes": {"a": {"type": "core.value", "inputs": {"value": 1}, "position": [0, 0]}}}


@pytest.mark.rule("X11", "X12", "X22")
def test_a_schedule_is_made_fired_and_seen_by_others_and_a_secret_is_shown_once(
    ada: Person, grace: Person, make_canvas: Callable[..., str], server: ServerProcess
) -> None:
    canvas = make_canvas(SPELL)
    for person in (ada, grace):
        person.open(canvas)
        person.page.get_by_test_id("panel-schedules").click()
    page = ada.page
    page.get_by_test_id("new-trigger").click()
    page.get_by_test_id("trigger-name").fill("Weekly report")
    page.get_by_test_id("trigger-expression").fill("0 9 * * MOND")
    expect(page.get_by_test_id("next-fault")).to_contain_text("day-of-week")
    page.get_by_test_id("trigger-expression").fill("0 9 * * MON")
    expect(page.get_by_test_id("next-times").locator("li")).to_have_count(5)
    page.get_by_test_id("input-add").click()
    page.get_by_test_id("input-port").fill("a.value")
    page.get_by_test_id("input-text").fill("7")
    page.get_by_test_id("trigger-save").click()
    expect(page.get_by_test_id("trigger-sheet")).to_have_count(0)
    row = page.get_by_role("button", name="Weekly report", expanded=False)
    expect(row).to_contain_text("On Mondays at 09:00")
    row.click()
    page.get_by_test_id("trigger-fire").click()
    page.get_by_test_id("firing-run").click()
    expect(ada.node("a")).to_contain_text("7")
    expect(grace.page.get_by_test_id("schedules")).to_contain_text("Completed")

    page.get_by_test_id("new-trigger").click()
    page.get_by_test_id("trigger-name").fill("Orders")
    page.get_by_test_id("trigger-kind").select_option("webhook")
    page.get_by_test_id("trigger-proof").select_option("bearer")
    page.get_by_test_id("input-add").click()
    page.get_by_test_id("input-port").fill("a.value")
    page.get_by_test_id("input-text").fill("body.count")
    page.keyboard.press("Enter")
    secret = page.get_by_test_id("hook-secret").inner_text()
    url = page.get_by_test_id("hook-url").inner_text()
    page.get_by_test_id("fresh-away").click()
    proof = {"Authorization": f"Bearer {secret}"}
    assert httpx.post(url, json={"count": 12}, headers=proof).status_code == 202
    orders = page.get_by_role("button", name="Orders", expanded=False)
    expect(orders).to_contain_text("Completed")
    expect(page.locator("body")).not_to_contain_text(secret)
