"""A tab beside writers that are no tabs, and spells as files (SPEC D3, D5)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from spellwork import read_spell
from spellwork_server.cli import main
from tests.server_process import ServerProcess

from .people import Account, Person
from .spells import SUM

pytestmark = pytest.mark.requires("chromium")


@pytest.mark.rule("D3", "D5")
def test_the_caret_stays_where_it_is_while_others_write(
    ada: Person,
    make_canvas: Callable[..., str],
    rest: httpx.Client,
    server: ServerProcess,
    ada_account: Account,
    tmp_path: Path,
) -> None:
    canvas = make_canvas(SUM)
    ada.open(canvas)
    ada.node("answer").locator(".node-code").dblclick()
    editor = ada.page.get_by_test_id("code-editor").locator(".cm-content")
    editor.press("ControlOrMeta+Home")
    for _ in range(len("x * ")):
        editor.press("ArrowRight")
    head = {"nodes": {"answer": SUM["nodes"]["answer"] | {"code": "y = 1\nx * 7"}}}
    assert rest.patch(f"/v1/canvases/{canvas}/spell", json=head).is_success
    expect(editor).to_contain_text("y = 1")
    ada.page.keyboard.type("10 + ")
    expect(editor).to_contain_text("x * 10 + 7")
    ada.expect_saved()
    spell = rest.get(f"/v1/canvases/{canvas}/spell").json()
    spell["nodes"]["answer"]["code"] = spell["nodes"]["answer"]["code"].replace("y = 1", "y = 100")
    assert rest.put(f"/v1/canvases/{canvas}/spell", json=spell).is_success
    expect(editor).to_contain_text("y = 100")
    ada.page.keyboard.type("5 - ")
    expect(editor).to_contain_text("x * 10 + 5 - 7")
    ada.expect_saved()
    file = tmp_path / "note.json"
    file.write_text(json.dumps({"notes": {"n": {"text": "From a file"}}}))
    given = ("--canvas", canvas, "--merge", "--url", server.url, "--token", ada_account.token)
    assert CliRunner().invoke(main, ["import", str(file), *given]).exit_code == 0
    expect(ada.page.get_by_text("From a file")).to_be_visible()
    expect(editor).to_be_focused()
    ada.page.keyboard.type("1 - ")
    ada.expect_saved()
    written = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert written["nodes"]["answer"]["code"] == "y = 100\nx * 10 + 5 - 1 - 7"


def test_a_file_comes_in_beside_what_is_drawn_and_one_undo_takes_it_back(
    ada: Person,
    grace: Person,
    make_canvas: Callable[..., str],
    rest: httpx.Client,
    tmp_path: Path,
) -> None:
    canvas = make_canvas(SUM, name="Sum: of/things")
    ada.open(canvas)
    grace.open(canvas)
    for _ in range(3):  # what is out of view is not drawn
        grace.page.get_by_label("Zoom out").click()
    ada.page.keyboard.press("ControlOrMeta+k")
    ada.page.get_by_test_id("palette-search").fill("export")
    with ada.page.expect_download() as download:
        ada.page.keyboard.press("Enter")
    assert download.value.suggested_filename == "Sum of things.json"
    file = tmp_path / "sum.json"
    download.value.save_as(file)
    exported = json.loads(file.read_text())
    assert exported["nodes"].keys() == SUM["nodes"].keys()

    with ada.page.expect_file_chooser() as chooser:  # from here on the browser asks the test
        ada.page.keyboard.press("ControlOrMeta+k")
        ada.page.get_by_test_id("palette-search").fill("import a spell")
        expect(ada.page.get_by_test_id("palette-command:import")).to_be_visible()
        ada.page.keyboard.press("Enter")
    chooser.value.set_files(file)
    expect(ada.page.get_by_text("Added 2 things of sum.json")).to_be_visible()
    expect(grace.nodes()).to_have_count(4)
    theirs = {"notes": {"n": {"text": "Theirs", "position": [100, 200]}}}
    assert rest.patch(f"/v1/canvases/{canvas}/spell", json=theirs).is_success
    expect(grace.page.get_by_text("Theirs")).to_be_visible()
    ada.page.keyboard.press("ControlOrMeta+z")
    expect(grace.nodes()).to_have_count(2)
    expect(grace.page.get_by_text("Theirs")).to_be_visible()
    ada.expect_saved()
    left = rest.get(f"/v1/canvases/{canvas}/spell").json()
    assert (left["nodes"].keys(), left["notes"].keys()) == (SUM["nodes"].keys(), {"n"})


def test_a_dropped_file_lands_where_it_was_dropped_and_one_that_is_no_spell_is_told(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    drop(ada, "note.json", json.dumps({"notes": {"n": {"text": "Dropped here"}}}))
    expect(ada.page.get_by_text("Dropped here")).to_be_visible()
    ada.expect_saved()
    drop(ada, "photo.json", "no spell")
    expect(ada.page.get_by_text("photo.json holds no spell")).to_be_visible()
    expect(ada.nodes()).to_have_count(2)
    assert f"{ada.url}/canvas/" in ada.page.url, "the browser did not leave for the file"


@pytest.mark.parametrize(
    ("command", "ending"), [("export as yaml", ".yaml"), ("export as python", ".py")]
)
def test_what_goes_out_in_a_form_comes_in_again(
    ada: Person,
    make_canvas: Callable[..., str],
    rest: httpx.Client,
    tmp_path: Path,
    command: str,
    ending: str,
) -> None:
    canvas = make_canvas(SUM, name="Sum")
    ada.open(canvas)
    ada.page.keyboard.press("ControlOrMeta+k")
    ada.page.get_by_test_id("palette-search").fill(command)
    with ada.page.expect_download() as download:
        ada.page.keyboard.press("Enter")
    assert download.value.suggested_filename == f"Sum{ending}"
    file = tmp_path / f"sum{ending}"
    download.value.save_as(file)
    assert read_spell(file).to_json() == rest.get(f"/v1/canvases/{canvas}/spell").json()
    drop(ada, file.name, file.read_text())
    expect(ada.page.get_by_text(f"Added 2 things of {file.name}")).to_be_visible()
    ada.expect_saved()
    assert len(rest.get(f"/v1/canvases/{canvas}/spell").json()["nodes"]) == 4


def test_a_file_of_another_form_that_is_no_spell_is_told_with_its_line(
    ada: Person, make_canvas: Callable[..., str]
) -> None:
    ada.open(make_canvas(SUM))
    drop(ada, "evil.py", "from spellwork import Workflow\nopen('/etc/passwd')\n")
    told = "evil.py cannot be read: evil.py: line 2, column 1: open cannot be called here"
    expect(ada.page.get_by_text(told)).to_be_visible()
    expect(ada.nodes()).to_have_count(2)


def drop(person: Person, name: str, text: str) -> None:
    """Drop a file on the middle of the canvas, as a hand from another window does."""
    transfer = person.page.evaluate_handle(
        """([name, text]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], name, { type: "application/json" }));
            return transfer;
        }""",
        [name, text],
    )
    canvas = person.page.get_by_test_id("canvas")
    place = {"dataTransfer": transfer, "clientX": 800, "clientY": 500}
    canvas.dispatch_event("dragover", place)
    canvas.dispatch_event("drop", place)
