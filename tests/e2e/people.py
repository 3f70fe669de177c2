"""People at their browsers: who they are, and what they do on a canvas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Playwright,
    expect,
)

from tests.server_process import ServerProcess

NOT_HERE = [
    # A page of its own for the address bar, in every window: half of what a browser costs a test.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    # What Playwright leaves out itself: the list that is named last is the one that counts.
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
]
"""Features of Chromium that are left out."""

CHROMIUM_FLAGS = [
    f"--disable-features={','.join(NOT_HERE)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]

HAS_RESULT = re.compile("^(done|cached)$")

NODE_IDS = "Object.keys(window.spellwork.document.spell.get().nodes)"
"""In a page: what is on its canvas, drawn yet or not."""

PATIENCE = 60_000
"""Milliseconds a page has to show something: on busy cores, from a cold disk, behind a worker that
has yet to start. A page that is quick ends a wait at once."""


@contextmanager
def chromium(playwright: Playwright, executable: str) -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    browser = playwright.chromium.launch(
        executable_path=executable, args=CHROMIUM_FLAGS, timeout=2 * PATIENCE
    )
    try:
        yield browser
    finally:
        browser.close()


@dataclass(frozen=True)
class Account:
    """Somebody with an account on the server under test."""

    email: str
    password: str
    token: str


@dataclass
class Person:
    """One person in one browser profile; ``page`` is the tab at hand."""

    account: Account
    context: BrowserContext
    url: str
    page: Page
    complaints: list[str] = field(default_factory=list)
    """Errors that the page's scripts threw or logged."""

    def sign_in(self) -> None:
        """Sign in as a page does, and keep the cookies."""
        form = {"email": self.account.email, "password": self.account.password}
        answer = self.context.request.post(
            f"{self.url}/v1/auth/login", data=form, headers={"Origin": self.url}
        )
        assert answer.ok, answer.text()

    def open(self, canvas: str) -> None:
        """Open a canvas and wait until it is live, with its nodes as their types have them: they stay where they are."""
        self.page.goto(f"{self.url}/canvas/{canvas}")
        self.expect_saved()
        expect(self.page.get_by_test_id("canvas")).to_have_attribute("aria-busy", "false")

    def new_tab(self) -> Page:
        """Open a further tab and make it the one at hand."""
        self.page = self.watched(self.context.new_page())
        return self.page

    def network_returns(self) -> None:
        """Tell the tab at hand what a browser tells when the network is back: it need not wait for its next try."""
        self.page.evaluate("() => { window.dispatchEvent(new Event('online')); }")

    def expect_saved(self) -> None:
        """Wait until every edit is on the server."""
        expect(self.page.get_by_test_id("save-indicator")).to_have_attribute("data-state", "saved")

    def node(self, node: str) -> Locator:
        return self.page.get_by_test_id(f"node-{node}")

    def nodes(self) -> Locator:
        return self.page.locator("article.node")

    def output(self, node: str, port: str) -> Locator:
        return self.page.get_by_test_id(f"node-{node}-output-{port}")

    def expect_state(self, node: str, state: str) -> None:
        expect(self.node(node)).to_have_attribute("data-state", state)

    def expect_result(self, node: str) -> None:
        """Wait until a node has its result, from a call or from the cache that all canvases share."""
        expect(self.node(node)).to_have_attribute("data-state", HAS_RESULT)

    def press(self, keys: str) -> None:
        """Press keys that are meant for the canvas: it takes no focus, so a field that has it lets go first."""
        self.page.evaluate("() => document.activeElement?.blur()")
        self.page.keyboard.press(keys)

    def open_palette(self) -> None:
        """Open the palette from the keyboard."""
        self.press("Tab")
        self.page.get_by_test_id("palette-search").wait_for()

    def add_node(self, node_type: str) -> str:
        """Add a node by the palette, from the keyboard; return its id."""
        before = self.page.evaluate(f"() => {NODE_IDS}")
        self.open_palette()
        self.page.get_by_test_id("palette-search").fill(node_type)
        self.page.get_by_test_id(f"palette-type:{node_type}").click()
        fresh = f"before => {NODE_IDS}.find(id => !before.includes(id))"
        added = str(self.page.wait_for_function(fresh, arg=before).json_value())
        expect(self.node(added)).to_be_visible()
        return added

    def port(self, node: str, side: str, name: str) -> Locator:
        return self.page.get_by_test_id(f"port-{node}-{side}-{name}")

    def draw_wire(self, source: str, output: str, target: str, input_: str) -> None:
        """Drag from an output to an input, as a hand does, and let go."""
        self.hold_wire(source, output, target, input_)
        self.page.mouse.up()

    def hold_wire(self, source: str, output: str, target: str, input_: str) -> None:
        """Drag from an output to an input, and hold it there."""
        start = middle(self.port(source, "out", output))
        end = middle(self.port(target, "in", input_))
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2, steps=4)
        self.page.mouse.move(*end, steps=4)

    def run(self) -> None:
        self.page.get_by_test_id("run-button").click()

    def write_code(self, node: str, code: str) -> None:
        """Write a node's code in the inspector, in place of what is there."""
        self.node(node).locator(".node-code").dblclick()
        editor = self.page.get_by_test_id("code-editor").locator(".cm-content")
        editor.press("ControlOrMeta+a")
        editor.press_sequentially(code)
        expect(self.node(node).locator(".node-code")).to_contain_text(code)

    def watched(self, page: Page) -> Page:
        """Write down what a page complains of."""
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        network = ("Failed to load resource", "WebSocket connection", "net::ERR")
        if message.type == "error" and not any(each in message.text for each in network):
            self.complaints.append(message.text)


def enter(browser: Browser, account: Account, url: str, **options: Any) -> Person:
    """Give an account a browser profile and one tab."""
    options = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | options
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    person = Person(account, context, url, context.new_page())
    person.watched(person.page)
    return person


def make_account(server: ServerProcess, email: str, password: str = "correct horse 7") -> Account:
    """Add a user to the server's data and make an API key for them."""
    server.add_user(email, password)
    return Account(email, password, server.api_key(email))


def middle(element: Locator) -> tuple[float, float]:
    """Return where a mouse would take hold of an element."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def failure_picture(page: Page, folder: Path, name: str) -> None:
    """Keep what a page showed when its test failed."""
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"))
