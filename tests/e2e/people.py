"""People at their browsers: who they are, and what they do on a canvas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, expect

from tests.server_process import ServerProcess

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]

PATIENCE = 15_000
"""Milliseconds a page has to show something, on a machine with two busy cores."""


@contextmanager
def chromium(playwright: Playwright, executable: str) -> Iterator[Browser]:
    """Start the machine's own Chromium."""
    browser = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
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
        """Open a canvas and wait until it is live."""
        self.page.goto(f"{self.url}/canvas/{canvas}")
        expect(self.page.get_by_test_id("save-status")).to_have_attribute("data-state", "saved")

    def new_tab(self) -> Page:
        """Open a further tab and make it the one at hand."""
        self.page = self._watched(self.context.new_page())
        return self.page

    def _watched(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._console)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


def enter(browser: Browser, account: Account, url: str, **options: Any) -> Person:
    """Give an account a browser profile and one tab."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", **options
    )
    context.set_default_timeout(PATIENCE)
    person = Person(account, context, url, context.new_page())
    person._watched(person.page)
    return person


def make_account(server: ServerProcess, email: str, password: str = "correct horse 7") -> Account:
    """Add a user to the server's data and make an API key for them."""
    server.add_user(email, password)
    return Account(email, password, server.api_key(email))


def failure_picture(page: Page, folder: Path, name: str) -> None:
    """Keep what a page showed when its test failed."""
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(folder / f"{name}.png"))
