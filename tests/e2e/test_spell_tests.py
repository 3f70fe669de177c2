"""A run becomes a test in the editor: it passes, fails where another value is expected, and says where they differ."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from .people import Person
from .spells import TYPED

pytestmark = pytest.mark.requires("chromium")


@pytest.mark.rule("J1", "J4", "J6")
def test_a_run_becomes_a_test_that_is_run_edited_and_undone(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(TYPED))
    page = ada.page
    page.get_by_test_id("panel-tests").click()
    expect(page.get_by_test_id("no-tests")).to_contain_text("Run the canvas")
    expect(page.get_by_test_id("make-test")).to_be_disabled()
    ada.run()
    ada.expect_result("loud")
    page.get_by_test_id("make-test").click()
    page.get_by_test_id("test-name").fill("Says it louder")
    page.get_by_test_id("record-auto").uncheck()
    page.get_by_test_id("record-words").check()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("make-test-sheet")).to_have_count(0)
    test = page.get_by_role("region", name="Says it louder")
    expect(test.get_by_test_id("test-standing")).to_have_text("Never run")
    expect(test.get_by_test_id("test-recorded")).to_contain_text("Text")
    test.get_by_test_id("test-run").click()
    expect(test).to_have_attribute("data-state", "passed")

    value = test.get_by_label("Expected value of loud.text")
    expect(value).to_have_value('"HELLO"')
    value.fill('"HELLO')
    expect(test.get_by_test_id("claim-error")).to_be_visible()
    value.fill('"HOWDY"')
    expect(test.get_by_test_id("claim-error")).to_have_count(0)
    expect(test.get_by_test_id("test-standing")).to_contain_text("edited since")
    page.get_by_test_id("run-tests").click()
    expect(test).to_have_attribute("data-state", "failed")
    expect(test.get_by_test_id("difference-expected")).to_have_text('"HOWDY"')
    expect(test.get_by_test_id("difference-actual")).to_have_text('"HELLO"')
    expect(page.get_by_test_id("tests-tally")).to_have_text("1 test, 1 failed")
    test.get_by_test_id("test-node-loud").click()
    expect(page.get_by_test_id("inspector")).to_be_visible()

    ada.press("ControlOrMeta+z")
    expect(value).to_have_value('"HELLO"')
    test.get_by_test_id("test-remove").click()
    expect(test).to_have_count(0)
    removed = page.get_by_test_id("toast").filter(has_text="Removed the test")
    removed.get_by_role("button", name="Undo").click()
    expect(test).to_be_visible()
