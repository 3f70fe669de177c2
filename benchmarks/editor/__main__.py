"""Frames per second while somebody pans over 1,000 nodes, beside a bare page that moves 1,000 plain boxes.

    python -m benchmarks.editor [FOLDER]    with a folder, pictures of what was measured go there

The bare page is the limit of this machine in the same browser: one element with 1,000 boxes of a
node's size in it is moved, and nothing else happens. Both are panned by the same steps, one for each
frame: the editor by the wheel, as people do. A browser without a graphics card draws on the
processor, so that only the ratio says something.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from benchmarks.report import Figure, print_figures
from tests.e2e.people import PATIENCE, Person, chromium, enter, make_account
from tests.server_process import ServerProcess

NODES = 1_000
COLUMNS = 40
STEP = (340, 260)
"""Pixels between two nodes, to the right and down."""

SECONDS = 4
SIZE: ViewportSize = {"width": 1440, "height": 900}

FAR, CLOSE = "all in view", "close by"
LEAST = {FAR: 0.8, CLOSE: 0.8}
"""Frames of the editor for each of the bare page's, at least. Far out it draws less than that page does; close by its
nodes have ports, wires and shadows, and come and go at the edges."""

FRAMES = """([seconds, selector]) => new Promise((tell) => {
  const target = document.querySelector(selector);
  const times = [];
  const began = performance.now();
  const frame = (now) => {
    times.push(now);
    if (now - began > seconds * 1000) {
      const lengths = times.slice(1).map((each, at) => each - times[at]).sort((a, b) => a - b);
      tell({
        frames: lengths.length / ((times.at(-1) - times[0]) / 1000),
        slow: lengths[Math.floor(lengths.length * 0.95)],
      });
      return;
    }
    const deltaX = 12 * Math.sign(Math.sin((now - began) / 500) || 1);
    target.dispatchEvent(new WheelEvent("wheel", { deltaX, deltaY: deltaX / 2, bubbles: true, cancelable: true }));
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})"""
"""Pans by a wheel's turn each frame, to and fro; tells frames a second and the 95th of 100 frames in milliseconds."""

BARE = """<!doctype html><style>
body {{ margin: 0; overflow: hidden }}
#all {{ position: absolute; transform-origin: 0 0 }}
#all div {{ position: absolute; width: 250px; height: 160px; background: #fff; border: 1px solid #bbb; border-radius: 6px }}
</style><div id="all">{boxes}</div><script>
let x = 0, y = 0;
const all = document.getElementById("all"), zoom = {zoom};
const move = () => {{ all.style.transform = `translate(${{x}}px, ${{y}}px) scale(${{zoom}})` }};
addEventListener("wheel", (event) => {{ x -= event.deltaX; y -= event.deltaY; move() }});
move();
</script>"""


def place(number: int) -> tuple[int, int]:
    """Return where a node is."""
    return number % COLUMNS * STEP[0], number // COLUMNS * STEP[1]


def drawn() -> dict[str, Any]:
    """Return a spell of 1,000 nodes, each wired from the one before it in its row."""
    nodes = {
        f"n{number}": {
            "type": "core.value",
            "name": f"Step {number}",
            "inputs": {"value": number},
            "position": place(number),
        }
        for number in range(NODES)
    }
    edges = {
        f"e{number}": {
            "source": f"n{number - 1}",
            "output": "value",
            "target": f"n{number}",
            "input": "value",
        }
        for number in range(NODES)
        if number % COLUMNS
    }
    return {"name": "A thousand", "nodes": nodes, "edges": edges}


def bare(browser: Browser, zoom: float) -> dict[str, float]:
    """Measure the page that only moves boxes."""
    page = browser.new_page(viewport=SIZE)
    boxes = "".join(
        f'<div style="left:{x}px;top:{y}px">Step {number}</div>'
        for number, (x, y) in ((number, place(number)) for number in range(NODES))
    )
    page.set_content(BARE.format(boxes=boxes, zoom=zoom))
    found: dict[str, float] = page.evaluate(FRAMES, [SECONDS, "#all"])
    page.close()
    return found


def panned(page: Page) -> dict[str, float]:
    """Measure the editor as it stands."""
    found: dict[str, float] = page.evaluate(FRAMES, [SECONDS, ".react-flow__pane"])
    return found


def zoom_of(page: Page) -> float:
    """Return how large the canvas is drawn."""
    return float(
        page.evaluate(
            "new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform).a"
        )
    )


def section(name: str, editor: dict[str, float], limit: dict[str, float]) -> list[Figure]:
    """Return the figures of one way of looking at the canvas."""
    return [
        Figure(f"{name}: frames of the editor", editor["frames"], "/s"),
        Figure(f"{name}: frames of the bare page (limit)", limit["frames"], "/s"),
        Figure(f"{name}: 95th of 100 frames, editor", editor["slow"], "ms"),
        Figure(
            f"{name}: editor for each of the limit",
            editor["frames"] / limit["frames"],
            "x",
            least=LEAST[name],
        ),
    ]


def measure(browser: Browser, person: Person, canvas: str, pictures: Path | None) -> bool:
    """Measure both ways of looking at the canvas; say whether the targets were met."""
    page = person.page
    person.open(canvas)
    page.keyboard.press("l")  # closes the library
    figures: list[Figure] = []
    far = page.get_by_role("img", name=f"{NODES} nodes seen from afar")
    for name in LEAST:
        page.get_by_test_id("canvas").press(".")
        expect(far).to_be_visible()
        if name == CLOSE:
            page.get_by_title("Zoom to 100 %").click()
            expect(page.locator("article.node").first).to_be_visible()
        if pictures is not None:
            page.wait_for_timeout(1_000)
            page.screenshot(path=str(pictures / f"{name.replace(' ', '-')}.png"))
        figures += section(name, panned(page), bare(browser, zoom_of(page)))
    return print_figures(f"Panning over {NODES:,} nodes", figures)


def main(arguments: list[str]) -> int:
    """Measure and print; return 1 when a target is missed."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    if executable is None:
        print("  left out: there is no chromium here")
        return 0
    pictures = Path(arguments[0]) if arguments else None
    expect.set_options(timeout=PATIENCE)
    with tempfile.TemporaryDirectory() as folder, ServerProcess(Path(folder) / "data") as server:
        ada = make_account(server, "ada@example.org")
        with server.http(ada.token) as http:
            made = http.post("/v1/canvases", json={"name": "A thousand", "spell": drawn()})
            made.raise_for_status()
        with sync_playwright() as playwright, chromium(playwright, executable) as browser:
            person = enter(browser, ada, server.url, viewport=SIZE)
            person.sign_in()
            met = measure(browser, person, made.json()["id"], pictures)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
