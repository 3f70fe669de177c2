"""Four people on one canvas: over a slow wire, offline, read-only, and in a hidden tab that is frozen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import expect

from tests.server_process import ServerProcess
from tests.wire_cutter import WireCutter

from .people import Account, Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")

SLOW = 0.05
"""Seconds that every chunk takes each way on the slow wire."""


@pytest.fixture
def slow_wire(server: ServerProcess) -> Iterator[WireCutter]:
    with WireCutter(server.port, delay=SLOW) as wire:
        yield wire


def test_whatever_their_connection_four_people_end_with_one_canvas(
    arrive: Callable[..., Person],
    ada_account: Account,
    grace_account: Account,
    rosa_account: Account,
    joan_account: Account,
    slow_wire: WireCutter,
    wire: WireCutter,
    rest: httpx.Client,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    for account, role in ((rosa_account, "viewer"), (joan_account, "editor")):
        put = rest.put(
            f"/v1/canvases/{canvas}/members", json={"email": account.email, "role": role}
        )
        assert put.is_success, put.text
    slow = arrive(ada_account, slow_wire.url)
    offline = arrive(grace_account, wire.url)
    reader = arrive(rosa_account)
    hidden = arrive(joan_account)
    for person in (slow, offline, hidden):
        person.sign_in()
        person.open(canvas)
    reader.sign_in()
    reader.page.goto(f"{reader.url}/canvas/{canvas}")
    expect(reader.page.get_by_test_id("save-indicator")).to_have_attribute(
        "data-state", "read-only"
    )

    kept = hidden.add_node("core.value")
    lifecycle = hidden.context.new_cdp_session(hidden.page)
    lifecycle.send("Page.setWebLifecycleState", {"state": "frozen"})
    wire.cut()
    expect(offline.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "offline")

    alone = offline.add_node("core.value")
    type_code(offline, "answer", "End", " + 1")
    slowly = slow.add_node("core.value")
    type_code(slow, "answer", "Home", "0 + ")
    slow.expect_saved()
    expect(reader.node("answer").locator(".node-code")).to_contain_text("0 + ")
    expect(reader.node(slowly)).to_be_visible()
    reader.node(slowly).click()
    reader.page.keyboard.press("Delete")

    wire.mend()
    offline.network_returns()
    lifecycle.send("Page.setWebLifecycleState", {"state": "active"})
    offline.expect_saved()
    hidden.expect_saved()
    for person in (slow, offline, reader, hidden):
        for node in (kept, alone, slowly):
            expect(person.node(node)).to_be_visible()
        expect(person.node("answer").locator(".node-code")).to_contain_text("0 + ")
        expect(person.node("answer").locator(".node-code")).to_contain_text("+ 1")
    stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert set(stored["nodes"]) == {*SUM["nodes"], kept, alone, slowly}
    assert stored["nodes"]["answer"]["code"] == f"0 + {SUM['nodes']['answer']['code']} + 1"


def type_code(person: Person, node: str, key: str, text: str) -> None:
    """Write at the beginning or the end of a node's code."""
    person.node(node).locator(".node-code").dblclick()
    content = person.page.get_by_test_id("code-editor").locator(".cm-content")
    content.press(f"ControlOrMeta+{key}")
    content.press_sequentially(text)
    content.press("Escape")
