"""Cells in the editor: names read without a wire, what is wrong at the name, formatting, completion, renaming."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

from .people import Person

pytestmark = pytest.mark.requires("chromium")

CELLS: dict[str, Any] = {
    "nodes": {
        "orders": {
            "type": "code.python",
            "code": "orders=[ {'city':'Graz'} ]",
            "position": [0, 0],
        },
        "count": {
            "type": "code.python",
            "code": "n = len(orders)\nm = nn",
            "position": [340, 0],
        },
    }
}


@pytest.mark.rule("17.15", "17.9", "17.12", "17.14")
def test_cells_are_written_with_help(ada: Person, make_canvas: Callable[..., str]) -> None:
    canvas = make_canvas(CELLS)
    ada.open(canvas)
    wire = ada.page.get_by_test_id("edge-named count orders")
    expect(wire.locator(".wire.named")).to_have_count(1)

    ada.node("count").locator(".node-head").click()
    code = ada.page.get_by_test_id("code-editor").locator(".cm-content")
    expect(code.locator(".cm-lintRange-warning")).to_have_text("nn")
    expect(ada.page.get_by_test_id("code-signature")).to_contain_text("orders")
    expect(ada.page.get_by_test_id("named-source")).to_contain_text("orders")

    ada.node("orders").locator(".node-head").click()
    code.press("Control+Home")
    code.press("Shift+Alt+F")
    expect(code).to_have_text(re.compile(r'orders = \[\{"city": "Graz"\}\]'))
    code.press("F2")
    ada.page.get_by_test_id("rename-to").fill("sales")
    ada.page.get_by_test_id("rename-to").press("Enter")
    expect(code).to_contain_text("sales = ")
    expect(ada.node("count").locator(".node-code")).to_contain_text("len(sales)")
    expect(ada.page.get_by_test_id("edge-named count sales").locator(".wire")).to_have_count(1)
    ada.page.get_by_test_id("undo").click()
    expect(code).to_contain_text("orders = ")
    expect(ada.node("count").locator(".node-code")).to_contain_text("len(orders)")
    assert ada.complaints == []
