"""Comments between two people, in real browsers: a mention rings the other's bell, who answers."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import Locator, expect

from tests.wire_cutter import WireCutter

from .people import Account, Person, middle
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")


def write(person: Person, text: str) -> None:
    """Write a comment in the thread that is open, and send it."""
    person.page.get_by_test_id("comment-text").press_sequentially(text)
    person.page.get_by_test_id("comment-text").press("Enter")


def comment_on(person: Person, node: str) -> None:
    """Begin a thread at a node, by the key and a click."""
    person.press("c")
    expect(person.page.get_by_test_id("comment-mode")).to_be_visible()
    person.node(node).locator(".node-head").click()
    expect(person.page.get_by_test_id("comment-text")).to_be_focused()


def pins(person: Person) -> Locator:
    return person.page.locator(".pin")


@pytest.mark.rule("M4", "M8")
def test_a_mention_rings_the_bell_and_a_thread_is_answered_and_resolved(
    ada: Person,
    grace: Person,
    make_canvas: Callable[..., str],
    rest: httpx.Client,
    grace_account: Account,
) -> None:
    canvas = make_canvas(SUM)
    viewer = {"email": grace_account.email, "role": "viewer"}
    assert rest.put(f"/v1/canvases/{canvas}/members", json=viewer).is_success
    other = make_canvas(name="Elsewhere")
    grace.open(other)
    ada.open(canvas)
    comment_on(ada, "answer")
    ada.page.get_by_test_id("comment-text").press_sequentially("Why 42, @gra")
    expect(ada.page.get_by_test_id(f"mention-{grace_account.email}")).to_be_visible()
    ada.page.get_by_test_id("comment-text").press("Enter")
    write(ada, "?")
    expect(ada.page.locator(".comment .mention")).to_have_text("@grace")
    expect(ada.page).to_have_url(re.compile("#comment=[0-9a-f]{32}$"))
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("thread")).to_have_count(0)

    expect(grace.page.get_by_test_id("inbox-count")).to_have_text("1")
    grace.page.get_by_test_id("inbox-button").click()
    grace.page.get_by_test_id("inbox").locator(".thread-row").click()
    thread = grace.page.get_by_test_id("thread")
    expect(thread).to_contain_text("Why 42")
    expect(grace.page.get_by_test_id("inbox-count")).to_have_count(0)
    expect(grace.page.get_by_test_id("thread-resolve")).to_have_count(0)
    write(grace, "Six times seven")
    expect(thread.locator(".comment")).to_have_count(2)

    expect(pins(ada)).to_have_attribute("data-unread", "true")
    pins(ada).click()
    expect(ada.page.get_by_test_id("thread")).to_contain_text("Six times seven")
    expect(pins(ada)).to_have_attribute("data-unread", "false")
    ada.page.get_by_test_id("thread-resolve").click()
    expect(pins(ada)).to_have_count(0)
    expect(grace.page.get_by_test_id("thread-resolved")).to_contain_text("Resolved by ada")
    ada.page.get_by_test_id("panel-comments").click()
    ada.page.get_by_test_id("comments-resolved").click()
    expect(ada.page.get_by_test_id("comments").locator(".thread-row")).to_have_count(1)


@pytest.mark.rule("M10")
def test_a_pin_goes_with_its_node_and_stays_when_that_is_removed(
    ada: Person, grace: Person, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    grace.open(canvas)
    comment_on(ada, "answer")
    write(ada, "Here")
    expect(pins(grace)).to_have_count(1)
    ada.page.keyboard.press("Escape")
    before = middle(pins(ada))
    head = middle(ada.node("answer").locator(".node-head"))
    ada.page.mouse.move(*head)
    ada.page.mouse.down()
    ada.page.mouse.move(head[0] - 40, head[1] + 60, steps=3)
    ada.page.mouse.move(head[0] - 80, head[1] + 120, steps=3)
    ada.page.wait_for_function(
        "([x, y]) => { const box = document.querySelector('.pin').getBoundingClientRect();"
        " return box.x + box.width / 2 < x - 40 && box.y + box.height / 2 > y + 60; }",
        arg=list(before),
    )
    ada.page.mouse.up()
    ada.expect_saved()
    ada.press("Delete")
    for person in (ada, grace):
        expect(person.node("answer")).to_have_count(0)
        expect(pins(person)).to_have_attribute("data-orphaned", "true")
    ada.press("ControlOrMeta+z")
    for person in (ada, grace):
        expect(person.node("answer")).to_be_visible()
        expect(pins(person)).to_have_attribute("data-orphaned", "false")


@pytest.mark.rule("M3")
def test_a_comment_written_without_a_connection_is_sent_when_it_is_back(
    arrive: Callable[..., Person],
    ada_account: Account,
    grace: Person,
    wire: WireCutter,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    grace.open(canvas)
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    ada.open(canvas)
    wire.cut()
    expect(ada.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "offline")
    ada.press("Shift+C")
    write(ada, "Nobody hears me")
    expect(ada.page.get_by_test_id("comment-waiting")).to_contain_text("Nobody hears me")
    expect(pins(grace)).to_have_count(0)
    wire.mend()
    expect(pins(grace)).to_have_count(1)
    expect(ada.page.get_by_test_id("comment-waiting")).to_have_count(0)
    expect(ada.page.get_by_test_id("thread")).to_contain_text("Nobody hears me")


@pytest.mark.rule("M8")
def test_a_thread_near_the_edge_opens_and_grows_without_moving_the_canvas(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    canvas = ada.page.get_by_test_id("canvas").bounding_box()
    assert canvas is not None
    before = ada.node("answer").bounding_box()
    ada.press("c")
    expect(ada.page.get_by_test_id("comment-mode")).to_be_visible()
    ada.page.mouse.click(canvas["x"] + 120, canvas["y"] + canvas["height"] - 90)
    expect(ada.page.get_by_test_id("comment-text")).to_be_focused()
    for count, words in enumerate(("First", *["long words " * 25] * 4), 1):
        write(ada, words)
        expect(ada.page.get_by_test_id("thread").locator(".comment")).to_have_count(count)
    ada.page.keyboard.press("Escape")
    expect(ada.page.get_by_test_id("thread")).to_have_count(0)
    pins(ada).click()
    last = ada.page.get_by_test_id("thread").locator(".comment").last
    expect(last).to_be_in_viewport()
    assert ada.node("answer").bounding_box() == before
