"""What the canvas was can be looked at, compared and restored, for everybody who has it open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .people import Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")


def save_version(person: Person, name: str) -> None:
    """Save the canvas as it is under a name."""
    if not person.page.get_by_test_id("versions").is_visible():
        person.page.get_by_test_id("panel-versions").click()
        expect(person.page.get_by_test_id("versions")).to_be_visible()
    person.page.get_by_test_id("save-version").click()
    person.page.get_by_test_id("version-name").fill(name)
    person.page.get_by_test_id("version-name").press("Enter")
    expect(row(person, name)).to_be_visible()


def row(person: Person, name: str) -> Locator:
    return person.page.get_by_test_id("versions").locator(".version-row", has_text=name)


def look_at(person: Person, name: str) -> Locator:
    """Look at a version; return what is shown of it."""
    row(person, name).locator(".run-row").click()
    expect(person.page.get_by_test_id("version-banner")).to_have_attribute("data-state", "open")
    return person.page.get_by_test_id("version-stage")


@pytest.mark.rule("H8", "H9")
def test_one_restores_and_the_other_sees_it(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    save_version(ada, "Before Grace came")
    later = grace.add_node("core.value")
    grace.page.keyboard.press("Escape")
    expect(ada.node(later)).to_be_visible()
    grace.page.get_by_test_id("panel-versions").click()
    expect(row(grace, "Before Grace came")).to_be_visible()

    stage = look_at(ada, "Before Grace came")
    expect(stage.get_by_test_id(f"mark-{later}")).to_have_text("Added since")
    expect(ada.page.get_by_test_id(f"change-{later}")).to_be_visible()
    expect(stage.get_by_test_id("add-node")).to_have_count(0)
    ada.page.get_by_test_id("version-restore").click()
    expect(ada.page.get_by_test_id("version-banner")).to_contain_text("is here too")
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("version-banner")).not_to_contain_text("is here too")
    ada.page.get_by_test_id("version-restore").click()
    ada.page.get_by_test_id("version-restore-sure").press("Enter")
    for person in (ada, grace):
        expect(person.node(later)).to_have_count(0)
        expect(person.node("answer")).to_be_visible()
        expect(row(person, "Restored “Before Grace came”")).to_be_visible()
    expect(grace.page.get_by_test_id("toast")).to_contain_text("ada restored a version")

    ada.page.get_by_test_id("toast").get_by_role("button", name="Undo").click()
    for person in (ada, grace):
        expect(person.node(later)).to_be_visible()


@pytest.mark.rule("H6")
def test_looking_at_a_version_touches_nothing_of_ones_own(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    save_version(ada, "Empty handed")
    mine = ada.add_node("core.value")
    ada.page.keyboard.press("Escape")
    stage = look_at(ada, "Empty handed")
    stage.get_by_test_id("node-answer").click()
    expect(ada.page.get_by_test_id("inspector")).to_be_visible()
    for keys in ("Delete", "ControlOrMeta+z", "ControlOrMeta+d"):
        ada.page.keyboard.press(keys)
    expect(stage.get_by_test_id("node-answer")).to_be_visible()
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("version-stage")).to_have_count(0)
    expect(ada.node(mine)).to_be_visible()
    expect(ada.node("answer")).to_be_visible()
    ada.press("ControlOrMeta+z")
    expect(ada.node(mine)).to_have_count(0)


def test_versions_are_walked_and_named_from_the_keyboard(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    save_version(ada, "One")
    ada.add_node("core.value")
    ada.page.keyboard.press("Escape")
    ada.expect_saved()
    save_version(ada, "Two")
    ada.page.get_by_test_id("version-now").focus()
    ada.page.keyboard.press("ArrowDown")
    ada.page.keyboard.press("ArrowDown")
    ada.page.keyboard.press("Enter")
    banner = ada.page.get_by_test_id("version-banner")
    expect(banner).to_contain_text("One")
    row(ada, "One").get_by_role("button", name="Name the version").click()
    ada.page.get_by_test_id("version-name").fill("First")
    ada.page.keyboard.press("Enter")
    expect(banner).to_contain_text("First")
