"""The connection dies in mid-run, and comes back with nothing lost."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.sync_api import expect

from tests.wire_cutter import WireCutter

from .people import Account, Person
from .spells import SUM, delays

pytestmark = pytest.mark.requires("chromium")


def test_a_run_goes_on_and_its_results_arrive_after_the_wire_is_mended(
    arrive: Callable[..., Person],
    ada_account: Account,
    wire: WireCutter,
    make_canvas: Callable[..., str],
) -> None:
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    ada.open(make_canvas(delays(8, 0.4)))
    ada.run()
    ada.expect_result("d1")
    wire.cut()
    expect(ada.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "offline")
    wire.mend()
    for i in range(8):
        ada.expect_result(f"d{i}")
    expect(ada.output("d7", "value")).to_contain_text("hello")


def test_edits_made_without_a_connection_are_kept_and_merge(
    arrive: Callable[..., Person],
    ada_account: Account,
    grace: Person,
    wire: WireCutter,
    rest: httpx.Client,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    ada.open(canvas)
    grace.open(canvas)
    wire.cut()
    expect(ada.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "offline")
    mine = ada.add_node("core.value")
    theirs = grace.add_node("core.value")
    wire.mend()
    ada.expect_saved()
    for person in (ada, grace):
        expect(person.node(mine)).to_be_visible()
        expect(person.node(theirs)).to_be_visible()
    stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert {mine, theirs, "six", "answer"} == set(stored["nodes"])
