"""Take the pictures in docs/: the sample canvas after a run, with two more people on it, in light and in dark.

python -m tools.screenshots
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, expect, sync_playwright

from spellwork_server.samples import samples
from tests.e2e.people import Account, Person, chromium, enter, make_account
from tests.server_process import ServerProcess

from . import client

DOCS = client.ROOT / "docs"
SAMPLE = "penguins"
SIZE = {"width": 1440, "height": 900}
RESTING = """() => new Promise((tell) => {
  const view = document.querySelector(".react-flow__viewport");
  let before = "", same = 0;
  const look = () => {
    same = view.style.transform === before ? same + 1 : 0;
    before = view.style.transform;
    same > 30 ? tell(true) : requestAnimationFrame(look);
  };
  look();
})"""
"""Whether the view has come to rest: the same for thirty frames."""

CORNER = (SIZE["width"] - 60, SIZE["height"] - 60)
"""Empty canvas, where a click takes the focus off the buttons."""

LARGEST = 400_000
"""Bytes a picture may have: the README loads one."""


def draw(server: ServerProcess, account: Account) -> str:
    """Put the sample on a canvas; return its id."""
    spell = next(each["spell"] for each in samples() if each["id"] == SAMPLE)
    with server.http(account.token) as http:
        answer = http.post("/v1/canvases", json={"name": spell["name"], "spell": spell})
        answer.raise_for_status()
        return str(answer.json()["id"])


def show(person: Person, canvas: str) -> None:
    """Open the canvas, run it, and wait until every node has come to an end."""
    person.open(canvas)
    person.page.keyboard.press("l")  # closes the library; the inspector shows with a selection only
    expect(person.page.get_by_test_id("library")).to_have_count(0)
    expect(person.page.get_by_test_id("inspector")).to_have_count(0)
    person.page.get_by_label("Fit all").click()
    person.page.evaluate(RESTING)
    person.run()
    ended = ", ".join(f"[data-state={state}]" for state in ("done", "cached", "failed", "skipped"))
    expect(person.page.locator("article.node")).not_to_have_count(0)
    expect(person.page.locator(f"article.node:not({ended})")).to_have_count(0, timeout=60_000)
    expect(person.page.get_by_test_id("stop-button")).to_be_disabled()
    expect(person.page.locator(".vega-embed canvas, .vega-embed svg").first).to_be_visible()
    person.page.wait_for_load_state("networkidle")
    person.page.get_by_label("Fit all").click()
    person.page.evaluate(RESTING)
    person.page.mouse.click(*CORNER)


def picture(
    browser: Browser,
    server: ServerProcess,
    accounts: list[Account],
    shade: Literal["light", "dark"],
) -> Path:
    """Take one picture and return where it is."""
    account, *others = accounts
    person = enter(browser, account, server.url, viewport=SIZE, color_scheme=shade)
    person.sign_in()
    canvas = draw(server, account)
    show(person, canvas)
    guests = [visit(browser, server, account, other, canvas) for other in others]
    for at, guest in enumerate(guests):
        guest.nodes().nth(1 + 2 * at).locator(".node-head").click()
    expect(person.page.get_by_test_id("remote-cursor")).to_have_count(len(guests))
    expect(person.page.get_by_test_id("remote-selection")).to_have_count(len(guests))
    path = DOCS / f"canvas-{shade}.png"
    person.page.screenshot(path=str(path), animations="disabled")
    for each in (person, *guests):
        each.context.close()
    return path


def visit(
    browser: Browser, server: ServerProcess, owner: Account, account: Account, canvas: str
) -> Person:
    """Let somebody else onto the canvas."""
    with server.http(owner.token) as http:
        member = {"email": account.email, "role": "editor"}
        http.put(f"/v1/canvases/{canvas}/members", json=member).raise_for_status()
    guest = enter(browser, account, server.url, viewport=SIZE)
    guest.sign_in()
    guest.open(canvas)
    guest.page.get_by_label("Fit all").click()
    guest.page.evaluate(RESTING)
    return guest


def main() -> int:
    """Take both pictures; return 1 when one is too large for a page."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        print("chromium is missing: apt-get install chromium")
        return 1
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder)) as server:
        accounts = [
            make_account(server, f"{name}@example.org") for name in ("ada", "grace", "joan")
        ]
        with sync_playwright() as playwright, chromium(playwright, executable) as browser:
            taken = [picture(browser, server, accounts, shade) for shade in ("light", "dark")]
    for path in taken:
        print(f"{path.relative_to(client.ROOT)}  {path.stat().st_size:,} bytes")
    return 1 if any(path.stat().st_size > LARGEST for path in taken) else 0


if __name__ == "__main__":
    sys.exit(main())
