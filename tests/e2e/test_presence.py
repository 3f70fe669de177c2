"""People see what the others do, as they do it."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.server_process import ServerProcess

from .people import Person, make_account, middle
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")

NOTE = {"text": "together", "position": [0, 300], "size": [260, 140]}


@pytest.fixture
def canvas(ada: Person, grace: Person, make_canvas: Callable[..., str]) -> str:
    """Both look at a canvas with two nodes and a note."""
    made = make_canvas(SUM | {"notes": {"n": NOTE}})
    ada.open(made)
    grace.open(made)
    return made


def viewport(person: Person) -> str:
    return str(person.page.locator(".react-flow__viewport").get_attribute("style"))


@pytest.mark.usefixtures("canvas")
def test_one_follows_the_others_view_until_one_moves_ones_own(ada: Person, grace: Person) -> None:
    ada.page.get_by_test_id("presence-avatar").filter(has_text="G").click()
    expect(ada.page.get_by_test_id("following")).to_contain_text("Following grace")
    before = viewport(ada)
    grace.page.mouse.move(700, 500)
    grace.page.mouse.wheel(-120, -90)
    expect(ada.page.locator(".react-flow__viewport")).not_to_have_attribute("style", before)
    expect(ada.page.locator(".react-flow__viewport")).to_have_attribute("style", viewport(grace))
    grace.page.get_by_test_id("presence-avatar").filter(has_text="A").click()
    expect(grace.page.get_by_test_id("toast")).to_contain_text("follows you")
    ada.page.mouse.move(700, 500)
    ada.page.mouse.wheel(50, 0)
    expect(ada.page.get_by_test_id("following")).to_have_count(0)


@pytest.mark.usefixtures("canvas")
def test_a_field_shows_who_writes_in_it(ada: Person, grace: Person) -> None:
    field = grace.node("six").get_by_label("value of node")
    field.focus()
    frame = ada.node("six").get_by_test_id("remote-selection")
    expect(frame).to_have_text("grace is editing value")
    ada.node("six").locator(".node-head").click()
    expect(ada.page.get_by_test_id("inspector").get_by_test_id("field-tag")).to_have_text("grace")
    field.blur()
    expect(ada.page.get_by_test_id("field-tag")).to_have_count(0)


@pytest.mark.usefixtures("canvas")
def test_two_write_in_one_note_and_see_each_others_carets(ada: Person, grace: Person) -> None:
    for person in (ada, grace):
        person.page.get_by_test_id("note-n").dblclick()
    ada.page.locator(".note-editor .cm-content").press("ControlOrMeta+Home")
    grace.page.locator(".note-editor .cm-content").press("ControlOrMeta+End")
    caret = ada.page.locator(".note-editor .cm-ySelectionCaret")
    expect(caret).to_have_count(1)
    ada.page.locator(".note-editor .cm-content").press_sequentially("here: ")
    grace.page.locator(".note-editor .cm-content").press_sequentially("!")
    for person in (ada, grace):
        expect(person.page.locator(".note-editor .cm-line")).to_contain_text("together!")
    avatar = ada.page.get_by_test_id("presence-avatar").filter(has_text="G")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert caret.evaluate(colour) == avatar.evaluate(colour)
    for person in (ada, grace):
        person.page.locator(".note-editor .cm-content").press("Escape")
        expect(person.page.get_by_test_id("note-n")).to_contain_text("here: together!")


def test_a_drag_is_seen_at_once_and_is_one_edit_when_it_ends(
    ada: Person, grace: Person, canvas: str, rest: httpx.Client
) -> None:
    x, y = middle(ada.node("six").locator(".node-head"))
    seen = grace.node("six").bounding_box()
    assert seen is not None
    place = rest.get(f"/v1/canvases/{canvas}/spell").json()["nodes"]["six"]["position"]
    ada.page.mouse.move(x, y)
    ada.page.mouse.down()
    ada.page.mouse.move(x + 30, y - 60, steps=3)
    ada.page.mouse.move(x + 90, y - 120, steps=3)
    grace.page.wait_for_function(
        "before => document.querySelector('[data-testid=node-six]').getBoundingClientRect().y < before - 80",
        arg=seen["y"],
    )
    during = rest.get(f"/v1/canvases/{canvas}/spell").json()["nodes"]["six"]["position"]
    assert during == place
    ada.page.mouse.up()
    ada.expect_saved()
    after = rest.get(f"/v1/canvases/{canvas}/spell").json()["nodes"]["six"]["position"]
    assert after[1] < place[1] - 80


@pytest.mark.usefixtures("canvas")
def test_undo_goes_back_through_text_and_nodes_and_leaves_the_others_alone(
    ada: Person, grace: Person
) -> None:
    code = ada.node("answer").locator(".node-code")
    before = code.inner_text()
    mine = ada.add_node("core.value")
    ada.node("answer").locator(".node-code").dblclick()
    text = ada.page.get_by_test_id("code-editor").locator(".cm-content")
    text.press("ControlOrMeta+End")
    ada.page.keyboard.insert_text(" + 1")  # at once: keys that come late are steps of their own
    expect(grace.node("answer").locator(".node-code")).to_contain_text("+ 1")
    grace.node("answer").locator(".node-code").dblclick()
    theirs = grace.page.get_by_test_id("code-editor").locator(".cm-content")
    theirs.press("ControlOrMeta+Home")
    theirs.press_sequentially("2 + ")
    expect(code).to_contain_text("2 + ")
    text.press("ControlOrMeta+z")
    expect(code).to_have_text(f"2 + {before}")
    text.press("Escape")
    ada.page.get_by_test_id("undo").click()
    expect(ada.node(mine)).to_have_count(0)
    expect(grace.node("answer").locator(".node-code")).to_have_text(f"2 + {before}")
    ada.page.get_by_test_id("redo").click()
    ada.page.get_by_test_id("redo").click()
    expect(grace.node(mine)).to_be_visible()
    expect(grace.node("answer").locator(".node-code")).to_have_text(f"2 + {before} + 1")


@pytest.mark.rule("C9")
def test_who_is_called_otherwise_is_seen_so_by_the_others(
    ada: Person, arrive: Callable[..., Person], server: ServerProcess, rest: httpx.Client
) -> None:
    account = make_account(server, "joan.smith@example.org")
    canvas = rest.post("/v1/canvases", json={"name": "Names", "spell": SUM}).json()["id"]
    rest.put(f"/v1/canvases/{canvas}/members", json={"email": account.email, "role": "editor"})
    joan = arrive(account)
    joan.sign_in()
    ada.open(canvas)
    joan.open(canvas)
    avatars = ada.page.get_by_test_id("presence-avatar")
    expect(avatars.filter(has_text="J")).to_be_visible()
    drawing = joan.page
    page = joan.new_tab()
    page.goto(f"{joan.url}/#/account")
    page.get_by_test_id("account-name").fill("Zora Neale")
    page.get_by_test_id("account-rename").click()
    expect(page.get_by_test_id("account-link")).to_have_text("Zora Neale")
    expect(page.get_by_test_id("account-rename")).to_be_disabled()
    drawing.bring_to_front()
    drawing.mouse.move(700, 500)
    expect(avatars.filter(has_text="ZN")).to_be_visible()
