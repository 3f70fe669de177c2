"""People come to a canvas by an invitation or a link, and go again (SPEC I, C12)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.server_process import ServerProcess

from .people import Account, Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")

PASSWORD = "correct horse 7"


@pytest.fixture
def canvas(rest: httpx.Client) -> str:
    """A canvas of Ada's alone."""
    return str(rest.post("/v1/canvases", json={"name": "Sums", "spell": SUM}).json()["id"])


@pytest.fixture(scope="session")
def root_account(server: ServerProcess) -> Account:
    server.add_user("root@example.org", PASSWORD, role="admin")
    return Account("root@example.org", PASSWORD, server.api_key("root@example.org"))


def open_sheet(person: Person) -> Locator:
    person.page.get_by_test_id("share-button").click()
    sheet = person.page.get_by_test_id("share")
    expect(sheet.get_by_test_id("share-members")).to_be_visible()
    return sheet


def fresh_link(sheet: Locator) -> str:
    """Return the link that was just made, with the focus on the button that copies it."""
    expect(sheet.get_by_test_id("fresh-link").get_by_role("button", name="Copy")).to_be_focused()
    return sheet.get_by_test_id("fresh-link-url").input_value()


def make_link(person: Person, role: str) -> str:
    sheet = open_sheet(person)
    sheet.get_by_test_id("link-role").select_option(role)
    sheet.get_by_test_id("link-submit").click()
    link = fresh_link(sheet)
    person.page.keyboard.press("Escape")
    return link


def expect_canvas(page: Page, canvas: str) -> None:
    expect(page.get_by_test_id("canvas")).to_be_visible()
    assert page.url.endswith(f"/canvas/{canvas}")


@pytest.mark.rule("C12")
@pytest.mark.rule("C12", "I2", "I4")
def test_somebody_signed_in_comes_by_a_link_is_given_more_and_is_removed(
    ada: Person, grace: Person, canvas: str, tmp_path: Path
) -> None:
    ada.open(canvas)
    link = make_link(ada, "viewer")
    grace.page.goto(link)
    expect(grace.page.get_by_test_id("join-facts")).to_contain_text("Sums")
    expect(grace.page.get_by_test_id("join-facts")).to_contain_text("viewer")
    assert link.rpartition("/")[2] not in grace.page.title()
    grace.page.get_by_test_id("join-accept").click()
    expect_canvas(grace.page, canvas)
    saved = grace.page.get_by_test_id("save-indicator")
    expect(saved).to_have_attribute("data-state", "read-only")
    hers = open_sheet(grace)
    expect(hers.get_by_test_id("member-ada@example.org")).to_contain_text("owner")
    expect(hers.get_by_role("combobox")).to_have_count(0)
    expect(hers.get_by_test_id("share-leave")).to_have_count(1)
    grace.page.keyboard.press("Escape")

    sheet = open_sheet(ada)
    expect(sheet.get_by_test_id("share-links")).to_contain_text("used once")
    sheet.get_by_label("Role of grace@example.org").select_option("editor")
    expect(saved).to_have_attribute("data-state", "saved")
    grace.page.mouse.click(
        700, 250
    )  # from the button, to which the focus went back, onto the canvas
    added = grace.add_node("core.value")
    grace.expect_saved()
    sheet.get_by_label("Remove grace@example.org").click()
    expect(grace.page.get_by_test_id("canvas-closed")).to_be_visible()
    with grace.page.expect_download() as download:
        grace.page.get_by_test_id("keep-as-file").click()
    download.value.save_as(tmp_path / "kept.json")
    assert added in json.loads((tmp_path / "kept.json").read_text())["nodes"]


@pytest.mark.rule("I2", "I4")
def test_somebody_signed_out_signs_in_and_lands_on_the_canvas(
    ada: Person, arrive: Callable[..., Person], grace_account: Account, canvas: str
) -> None:
    ada.open(canvas)
    link = make_link(ada, "editor")
    grace = arrive(grace_account)
    requested: list[str] = []
    grace.page.on("request", lambda request: requested.append(request.url))
    grace.page.goto(link)
    expect(grace.page.get_by_test_id("join-facts")).to_contain_text("Sums")
    grace.page.get_by_test_id("email").fill(grace_account.email)
    grace.page.get_by_test_id("password").fill("wrong")
    grace.page.get_by_test_id("submit").click()
    expect(grace.page.get_by_test_id("sign-in-error")).to_be_visible()
    grace.page.get_by_test_id("password").fill(grace_account.password)
    grace.page.keyboard.press("Enter")
    expect_canvas(grace.page, canvas)
    grace.expect_saved()
    token = link.rpartition("/")[2]
    assert not [url for url in requested if token in url.partition("#")[0]]


@pytest.mark.rule("I4", "I7")
def test_a_new_person_makes_an_account_and_lands_on_the_canvas(
    arrive: Callable[..., Person], root_account: Account, server: ServerProcess, canvas: str
) -> None:
    root = arrive(root_account)
    root.sign_in()
    root.open(canvas)
    sheet = open_sheet(root)
    sheet.get_by_test_id("share-email").fill("linus@example.org")
    root.page.keyboard.press("Enter")
    link = fresh_link(sheet)
    expect(sheet.get_by_test_id("invitation-linus@example.org")).to_contain_text("7 days left")
    assert link.rpartition("/")[2] not in server.log

    linus = arrive(Account("linus@example.org", PASSWORD, ""))
    linus.page.goto(link)
    expect(linus.page.get_by_test_id("join-email")).to_have_value("linus@example.org")
    linus.page.get_by_test_id("join-name").fill("Linus P")
    linus.page.get_by_test_id("join-password").fill(PASSWORD)
    linus.page.keyboard.press("Enter")
    expect_canvas(linus.page, canvas)
    linus.expect_saved()
    expect(sheet.get_by_test_id("member-linus@example.org")).to_contain_text("Linus P")
    expect(sheet.get_by_test_id("invitation-linus@example.org")).to_have_count(0)
    linus.page.reload()
    linus.expect_saved()

    late = arrive(Account("late@example.org", PASSWORD, ""))
    late.page.goto(link)
    expect(late.page.get_by_test_id("join-refused")).to_contain_text("used already")


@pytest.mark.rule("I5", "I8")
def test_an_invitation_for_somebody_else_says_for_whom(
    arrive: Callable[..., Person], grace: Person, root_account: Account, canvas: str
) -> None:
    root = arrive(root_account)
    root.sign_in()
    root.open(canvas)
    sheet = open_sheet(root)
    sheet.get_by_test_id("share-email").fill("mary@example.org")
    sheet.get_by_test_id("share-submit").click()
    link = fresh_link(sheet)
    grace.page.goto(link)
    expect(grace.page.get_by_test_id("join-other")).to_contain_text("mary@example.org")
    expect(grace.page.get_by_test_id("join-other")).to_contain_text("grace@example.org")
    sheet.get_by_label("Revoke the invitation of mary@example.org").click()
    expect(sheet.get_by_test_id("invitation-mary@example.org")).to_have_count(0)
    grace.page.get_by_test_id("join-sign-out").click()
    grace.page.get_by_test_id("join-name").fill("Mary")
    grace.page.get_by_test_id("join-password").fill(PASSWORD)
    grace.page.get_by_test_id("join-submit").click()
    expect(grace.page.get_by_test_id("join-error")).to_contain_text("taken back")


@pytest.mark.rule("I6", "I11")
def test_an_owner_shares_by_keyboard_alone(
    ada: Person, grace_account: Account, canvas: str
) -> None:
    ada.open(canvas)
    ada.page.get_by_test_id("share-button").focus()
    ada.page.keyboard.press("Enter")
    sheet = ada.page.get_by_test_id("share")
    expect(sheet.get_by_test_id("member-ada@example.org")).to_be_visible()
    email = sheet.get_by_test_id("share-email")
    for _ in range(4):
        if email.evaluate("field => field === document.activeElement"):
            break
        ada.page.keyboard.press("Tab")
    expect(email).to_be_focused()
    ada.page.keyboard.type("nobody@example.org")
    ada.page.keyboard.press("Enter")
    expect(sheet.get_by_test_id("share-error")).to_contain_text("only administrators")
    email.fill("")
    ada.page.keyboard.type(grace_account.email)
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.type("runner")
    ada.page.keyboard.press("Tab")
    ada.page.keyboard.press("Enter")
    expect(sheet.get_by_label(f"Role of {grace_account.email}")).to_have_value("runner")
    expect(sheet.get_by_test_id("share-error")).to_have_count(0)
    ada.page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
