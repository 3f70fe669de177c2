"""Work that the server has not got is in the browser: through closed tabs, other tabs, reloads and refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.server_process import ServerProcess
from tests.wire_cutter import WireCutter

from .people import Account, Person, make_account
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")


def expect_offline(page: Page, words: str) -> None:
    indicator = page.get_by_test_id("save-indicator")
    expect(indicator).to_have_attribute("data-state", "offline")
    expect(indicator).to_contain_text(words)


def leave_at_once(page: Page, *, edit: str = "") -> None:
    """Leave a canvas for the list in the very moment in which it says that all is saved."""
    with page.expect_navigation(url=re.compile("/$")):
        page.evaluate(
            "(edit) => { const look = () => {"
            " const saved = document.querySelector('[data-testid=save-indicator][data-state=saved]');"
            " if (!saved || !window.spellwork) return requestAnimationFrame(look);"
            " if (!edit) return location.assign('/');"
            " const d = window.spellwork.document;"
            " d.addNode({ type: 'core.value', position: [0, 300] }, edit);"
            " d.saved().then(() => location.assign('/')); };"
            " look(); }",
            edit,
        )


def wait_for_shell(page: Page) -> None:
    """Wait until the browser can open the page by itself."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def test_a_tab_closed_offline_is_there_again_before_and_after_the_server_returns(
    arrive: Callable[..., Person], tmp_path: Path
) -> None:
    with ServerProcess(tmp_path / "data") as server:
        person = arrive(make_account(server, "ida@example.org"), server.url)
        person.sign_in()
        with server.http(person.account.token) as rest:
            made = rest.post("/v1/canvases", json={"name": "Away", "spell": SUM})
        canvas = made.json()["id"]
        person.open(canvas)
        wait_for_shell(person.page)
        server.kill()
        expect_offline(person.page, "Offline")
        first = person.add_node("core.value")
        expect_offline(person.page, "1 edit kept here")
        person.page.close()

        page = person.new_tab()
        page.goto(f"{person.url}/canvas/{canvas}")
        expect(person.node(first)).to_be_visible()
        second = person.add_node("core.text")
        expect_offline(page, "2 edits kept here")
        server.start()
        person.network_returns()
        person.expect_saved()
        with server.http(person.account.token) as rest:
            stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
        assert {first, second, "six", "answer"} == set(stored["nodes"])


def test_two_tabs_of_one_browser_see_each_other_offline_and_double_nothing(
    arrive: Callable[..., Person],
    ada_account: Account,
    wire: WireCutter,
    rest: httpx.Client,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    ada.open(canvas)
    first = ada.page
    ada.new_tab()
    ada.open(canvas)
    second = ada.page
    wire.cut()
    expect_offline(first, "Offline")
    expect_offline(second, "Offline")
    by_second = ada.add_node("core.value")
    expect(first.get_by_test_id(f"node-{by_second}")).to_be_visible()
    second.close()
    # The tab that lives takes over what the other had not sent.
    expect_offline(first, "1 edit kept here")
    ada.page = first
    by_first = ada.add_node("core.text")
    wire.mend()
    ada.network_returns()
    ada.expect_saved()
    stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert {by_first, by_second, "six", "answer"} == set(stored["nodes"])


def test_refused_work_is_kept_as_a_copy_over_a_reload_and_becomes_a_canvas(
    ada: Person, rest: httpx.Client, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    bad: dict[str, Any] = {"type": "core.value", "position": [0, 300], "name": "x" * 300}
    good: dict[str, Any] = {"type": "core.value", "position": [300, 300], "name": "Fine"}
    ada.page.evaluate(
        "([bad, good]) => { const d = window.spellwork.document;"
        " d.addNode(bad, 'bad'); d.addNode(good, 'good'); }",
        [bad, good],
    )
    copies = ada.page.get_by_test_id("copies-button")
    expect(copies).to_contain_text("1 copy kept")
    expect(ada.node("good")).to_be_visible()
    expect(ada.node("bad")).to_have_count(0)
    expect(ada.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "rejected")
    ada.page.reload()
    expect(copies).to_contain_text("1 copy kept")
    copies.click()
    card = ada.page.get_by_test_id("copy-card")
    expect(card).to_have_attribute("data-code", "schema_violation")
    with ada.page.expect_download() as download:
        card.get_by_role("button", name="Download").click()
    assert '"bad"' in download.value.path().read_text()
    ada.page.once("dialog", lambda dialog: dialog.accept())
    card.get_by_role("button", name="Discard").click()
    ada.expect_saved()
    stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert {"good", "six", "answer"} == set(stored["nodes"])


def test_the_list_of_canvases_opens_without_the_server(
    arrive: Callable[..., Person],
    ada_account: Account,
    wire: WireCutter,
    make_canvas: Callable[..., str],
) -> None:
    opened, unseen = make_canvas(SUM, "Opened"), make_canvas(SUM, "Unseen")
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    # However soon it is left: what was shown as saved is there without the server, an edit, too.
    for edit in ("", "late"):
        ada.page.goto(f"{wire.url}/canvas/{opened}", wait_until="commit")
        leave_at_once(ada.page, edit=edit)
        expect(ada.page.get_by_test_id(f"canvas-card-{unseen}")).to_be_visible()
    wait_for_shell(ada.page)
    wire.cut()
    ada.page.goto(wire.url)
    expect(ada.page.get_by_test_id("offline-list")).to_be_visible()
    expect(ada.page.get_by_test_id(f"canvas-card-{unseen}")).to_have_attribute("data-away", "true")
    card = ada.page.get_by_test_id(f"canvas-card-{opened}")
    expect(card).not_to_have_attribute("data-away", "true")
    card.get_by_role("link").click()
    expect(ada.node("answer")).to_be_visible()
    expect(ada.node("late")).to_be_visible()
    expect_offline(ada.page, "Offline")


def test_what_is_being_typed_is_kept_when_the_page_is_left(
    ada: Person, rest: httpx.Client, make_canvas: Callable[..., str]
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    ada.node("six").locator(".node-icon").click()
    name = ada.page.get_by_test_id("inspector").get_by_test_id("node-name")
    name.fill("Half a dozen")
    ada.page.goto(ada.url)
    card = ada.page.get_by_test_id(f"canvas-card-{canvas}")
    card.get_by_role("link").click()
    expect(ada.node("six")).to_contain_text("Half a dozen")
    ada.expect_saved()
    stored = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert stored["nodes"]["six"]["name"] == "Half a dozen"
    # Also when the browser's own button leads away.
    ada.node("six").locator(".node-icon").click()
    name.fill("Six")
    ada.page.go_back()
    expect(card).to_be_visible()
    ada.page.go_forward()
    expect(ada.node("six")).to_contain_text("Six")


def test_signing_out_asks_before_it_deletes_unsent_work(
    arrive: Callable[..., Person],
    ada_account: Account,
    wire: WireCutter,
    make_canvas: Callable[..., str],
) -> None:
    canvas = make_canvas(SUM)
    ada = arrive(ada_account, wire.url)
    ada.sign_in()
    ada.open(canvas)
    wait_for_shell(ada.page)
    wire.cut()
    expect_offline(ada.page, "Offline")
    ada.add_node("core.value")
    expect_offline(ada.page, "1 edit kept here")
    ada.page.goto(wire.url)
    asked: list[str] = []

    def no(dialog: Any) -> None:
        asked.append(dialog.message)
        dialog.dismiss()

    ada.page.once("dialog", no)
    with ada.page.expect_event("dialog"):
        ada.page.get_by_test_id("sign-out").click()
    expect(ada.page.get_by_test_id(f"canvas-card-{canvas}")).to_be_visible()
    assert asked
    assert "1 edit not sent yet" in asked[0]
    ada.page.once("dialog", lambda dialog: dialog.accept())
    ada.page.get_by_test_id("sign-out").click()
    expect(ada.page.get_by_test_id("sign-in")).to_be_visible()
    kept = ada.page.evaluate(
        "() => new Promise((resolve) => { const ask = indexedDB.open('spellwork');"
        " ask.onsuccess = () => { const all = ask.result.transaction('edits').objectStore('edits').count();"
        " all.onsuccess = () => resolve(all.result); }; })"
    )
    assert kept == 0
    # The cookie that the server could not be told of does not sign her in again.
    wire.mend()
    ada.page.reload()
    expect(ada.page.get_by_test_id("sign-in")).to_be_visible()
    ada.page.reload()
    expect(ada.page.get_by_test_id("sign-in")).to_be_visible()
