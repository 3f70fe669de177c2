"""Workers in the editor: packages edited by two and installed in sight of both, packs, values that stay, access."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.server.packs.wheels import wheel
from tests.workers.wheels import write_wheel

from .people import Person

pytestmark = pytest.mark.requires("chromium")

LONG = 120_000
"""Milliseconds that an environment may take to be made, on a busy machine."""


def cell(code: str, x: int = 0) -> dict[str, Any]:
    return {"type": "code.python", "code": code, "position": [x, 0]}


def panel(person: Person) -> Locator:
    """Open the panel of the worker."""
    shown = person.page.get_by_test_id("worker-panel")
    if not shown.is_visible():
        person.page.get_by_test_id("panel-worker").click()
        expect(shown).to_be_visible()
    return shown


def section(page: Page, name: str) -> None:
    """Open a part of the panel that is closed."""
    head = page.get_by_test_id("worker-panel").get_by_role("button", name=name)
    if head.get_attribute("aria-expanded") == "false":
        head.click()


def add_package(person: Person, requirement: str) -> None:
    name = panel(person).get_by_test_id("requirement-name")
    name.fill(requirement)
    name.press("Enter")


def test_two_edit_the_packages_which_are_installed_in_sight_of_both(
    ada: Person, grace: Person, make_canvas: Callable[..., str], package_index: Path
) -> None:
    write_wheel(package_index, "lantern", "1.5")
    write_wheel(package_index, "beacon", "2.0")
    canvas = make_canvas({"nodes": {"a": cell("import lantern\nresult = lantern.VERSION")}})
    ada.open(canvas)
    grace.open(canvas)
    panel(grace)
    add_package(ada, "lantern>=1")
    add_package(grace, "beacon")
    for person in (ada, grace):
        versions = panel(person).get_by_label("Versions of lantern")
        expect(versions).to_have_value(">=1")
        expect(panel(person).get_by_test_id("requirement-beacon")).to_be_visible()
        expect(person.page.get_by_test_id("worker-button")).to_be_visible()

    ada.run()
    expect(grace.output("a", "result")).to_contain_text("1.5", timeout=LONG)
    for person in (ada, grace):
        expect(person.page.get_by_test_id("panel-worker-state")).to_contain_text("Ready")
        section(person.page, "Log")
        expect(panel(person).get_by_test_id("worker-log")).to_contain_text("lantern")
    panel(grace).get_by_test_id("lock").locator("summary").click()
    expect(panel(grace).get_by_test_id("lock")).to_contain_text("lantern==1.5")

    versions = panel(ada).get_by_label("Versions of lantern")
    versions.fill("99")
    expect(panel(ada).get_by_role("alert")).to_contain_text("Say which: ==99 or >=99")
    versions.fill(">=99")
    versions.press("Enter")
    ada.expect_saved()
    ada.run()
    for person in (ada, grace):
        row = panel(person).get_by_test_id("requirement-lantern")
        expect(row).to_have_attribute("data-fault", "true", timeout=LONG)
        expect(person.page.get_by_test_id("worker-button")).to_have_attribute(
            "data-state", "failed"
        )
    expect(ada.node("a").get_by_test_id("node-error")).to_contain_text("Environment failed")

    ada.page.get_by_test_id("undo").click()
    expect(panel(grace).get_by_label("Versions of lantern")).to_have_value(">=1")
    ada.run()
    ada.expect_result("a")
    row = panel(grace).get_by_test_id("requirement-lantern")
    expect(row).to_have_attribute("data-fault", "false")


def test_a_pack_comes_into_the_library_of_all_and_leaves_placeholders_when_it_goes(
    ada: Person, grace: Person, make_canvas: Callable[..., str], tmp_path: Path
) -> None:
    canvas = make_canvas({"nodes": {}})
    ada.open(canvas)
    grace.open(canvas)
    panel(ada)
    section(ada.page, "Packs")
    ada.page.get_by_test_id("pack-name").fill("other-pack")
    ada.page.get_by_test_id("pack-install").click()
    expect(ada.page.get_by_test_id("packs-failure")).to_contain_text("other-pack")

    broken = wheel(tmp_path, "broken", code="raise RuntimeError('no lamp')")
    ada.page.get_by_test_id("pack-file").set_input_files(broken)
    shown = ada.page.get_by_test_id("pack-acme-broken")
    expect(shown).to_have_attribute("data-state", "failed", timeout=LONG)
    expect(shown.locator(".pack-reason")).to_contain_text("no lamp")
    shown.get_by_role("button", name="Remove acme-broken").click()
    shown.get_by_role("button", name="Remove acme-broken for good").press("Enter")
    expect(shown).to_have_count(0, timeout=LONG)

    ada.page.get_by_test_id("pack-file").set_input_files(wheel(tmp_path))
    pack = ada.page.get_by_test_id("pack-acme-far")
    expect(pack).to_have_attribute("data-state", "ready", timeout=LONG)
    expect(pack).to_contain_text("1.0")
    node = grace.add_node("far.double")
    grace.expect_saved()
    expect(ada.node(node)).to_contain_text("Double")

    pack.get_by_role("button", name="Remove acme-far").click()
    pack.get_by_role("button", name="Remove acme-far for good").press("Enter")
    expect(pack).to_have_count(0, timeout=LONG)
    for person in (ada, grace):
        expect(person.node(node)).to_have_attribute("data-state", "unknown")
        expect(person.node(node)).to_contain_text("not installed here")


def test_values_live_in_the_worker_until_it_starts_anew(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    code = "import pandas\nlamps = pandas.DataFrame({'watt': range(9000), 'room': 'hall'})"
    canvas = make_canvas({"nodes": {"a": cell(code)}})
    ada.open(canvas)
    ada.run()
    ada.expect_result("a")
    value = ada.output("a", "lamps").get_by_test_id("handle-preview")
    expect(value).to_contain_text("Lives in the worker")
    expect(value).to_contain_text("pandas.DataFrame")
    expect(value.locator("th").first).to_contain_text("int64")
    expect(value).to_contain_text("of 9,000 rows")
    value.get_by_role("button", name="Load rows").click()
    expect(value).to_contain_text("1,000 of 9,000 rows")

    ada.page.get_by_test_id("worker-button").press("Enter")
    menu = ada.page.get_by_test_id("worker-menu")
    menu.get_by_test_id("worker-restart").click()
    # It can be asked for again once it is done.
    expect(menu.get_by_test_id("worker-restart")).to_be_enabled(timeout=LONG)
    expect(ada.page.get_by_test_id("worker-state")).to_contain_text("Ready", timeout=LONG)
    ada.page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(ada.page.get_by_test_id("worker-button")).to_be_focused()
    expect(value.get_by_test_id("value-gone")).to_contain_text("its worker started anew")
    ada.expect_state("a", "stale")
    ada.page.reload()
    again = ada.output("a", "lamps").get_by_test_id("handle-preview")
    expect(again.get_by_test_id("value-gone")).to_contain_text("its worker started anew")
    ada.expect_state("a", "stale")

    ada.page.get_by_test_id("worker-button").click()
    ada.page.get_by_test_id("worker-stop").click()
    expect(ada.page.get_by_test_id("worker-state")).to_contain_text("Stopped")
    ada.page.keyboard.press("Escape")
    ada.run()
    expect(ada.node("a").get_by_test_id("node-error")).to_contain_text("Worker stopped")
    ada.node("a").click()
    ada.page.get_by_test_id("failure-restart").click()
    expect(ada.page.get_by_test_id("worker-state")).to_contain_text("Ready", timeout=LONG)
    ada.run()
    ada.expect_state("a", "done")


def test_an_owner_grants_and_keeps_secrets_that_nobody_reads(
    ada: Person, grace: Person, make_canvas: Callable[..., str], rest: httpx.Client
) -> None:
    canvas = make_canvas({"nodes": {}})
    ada.open(canvas)
    panel(ada)
    section(ada.page, "Access")
    ada.page.get_by_test_id("open-secrets").click()
    sheet = ada.page.get_by_test_id("secrets")
    sheet.get_by_test_id("secret-name").fill("LAMP_KEY")
    sheet.get_by_test_id("secret-value").fill("very secret")
    sheet.get_by_test_id("secret-add").click()
    expect(sheet.get_by_test_id("secret-LAMP_KEY")).to_be_visible()
    expect(sheet).not_to_contain_text("very secret")
    ada.page.keyboard.press("Escape")

    ada.page.get_by_test_id("open-grants").click()
    sheet = ada.page.get_by_test_id("grants")
    host = sheet.get_by_test_id("grant-host")
    host.fill("https://api.example.org")
    expect(sheet).to_contain_text("Only the host")
    host.fill("api.example.org")
    expect(sheet).to_contain_text("Code may connect to api.example.org")
    host.press("Enter")
    expect(sheet.get_by_test_id("grant-api.example.org")).to_contain_text("Granted by you")
    sheet.get_by_test_id("grant-secret").select_option("LAMP_KEY (yours)")
    sheet.get_by_test_id("grant-secret-hosts").fill("api.example.org")
    sheet.get_by_test_id("grant-secret-submit").click()
    expect(sheet.get_by_test_id("grant-LAMP_KEY")).to_contain_text("carry it to api.example.org")
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("access")).to_contain_text("Requests may carry LAMP_KEY")

    grace.open(canvas)
    panel(grace)
    section(grace.page, "Access")
    expect(grace.page.get_by_test_id("access")).to_contain_text("Code reaches api.example.org")
    grace.page.get_by_test_id("open-grants").click()
    sheet = grace.page.get_by_test_id("grants")
    expect(sheet.get_by_test_id("may-not-grant")).to_be_visible()
    expect(sheet.get_by_test_id("grant-host")).to_have_count(0)
    expect(sheet.get_by_test_id("grant-api.example.org")).to_contain_text("Granted by ada")
    assert "very secret" not in rest.get("/v1/secrets").text
