"""The connection dies in mid-run, and comes back with nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from tests.server_process import ServerProcess
from tests.wire_cutter import WireCutter

from .people import Account, Person, make_account
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


@pytest.mark.rule("G9")
def test_a_run_that_a_restart_cut_off_says_so_on_its_nodes_and_goes_on_from_the_notice(
    arrive: Callable[..., Person], tmp_path: Path
) -> None:
    with ServerProcess(tmp_path / "data") as server:
        person = arrive(make_account(server, "ida@example.org"), server.url)
        person.sign_in()
        with server.http(person.account.token) as rest:
            made = rest.post("/v1/canvases", json={"name": "Cut", "spell": delays(4, 0.1)}).json()
        person.open(made["id"])
        person.run()
        person.expect_result("d3")
        person.page.evaluate("() => window.spellwork.document.setInput('d1', 'seconds', 5)")
        person.expect_saved()
        person.run()
        person.expect_state("d1", "running")
        server.kill()
        expect(person.page.get_by_test_id("save-indicator")).to_have_attribute(
            "data-state", "offline"
        )
        server.start()
        person.network_returns()
        for node in ("d1", "d2", "d3"):
            person.expect_state(node, "interrupted")
        expect(person.node("d3")).not_to_contain_text("hello")
        toast = person.page.get_by_test_id("toast").filter(has_text="A run was interrupted")
        expect(toast).to_have_count(1)
        toast.get_by_role("button", name="Go on").click()
        person.expect_result("d3")
        expect(person.output("d3", "value")).to_contain_text("hello")
