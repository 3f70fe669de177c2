"""One server and one Chromium for the browser tests; fresh people and a fresh canvas for each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.parts import require
from tests.server_process import ServerProcess
from tests.wire_cutter import WireCutter

from .people import PATIENCE, Account, Person, chromium, enter, failure_picture, make_account

HERE = Path(__file__).parent
RESULTS = Path("test-results")

LONGEST = 900
"""Seconds that a test in browsers may take where each of its many steps is slow."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a step run out of patience before its test does."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(LONGEST))


@pytest.fixture(scope="session")
def package_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of wheels from which workers' environments are made."""
    return tmp_path_factory.mktemp("index")


@pytest.fixture(scope="session")
def server(
    tmp_path_factory: pytest.TempPathFactory, package_index: Path
) -> Iterator[ServerProcess]:
    many = {
        "SPELLWORK_SIGN_IN_ATTEMPTS": "1000",
        "SPELLWORK_SIGN_IN_ATTEMPTS_PER_ADDRESS": "1000",
    }
    data = tmp_path_factory.mktemp("server") / "data"
    packages = {
        "SPELLWORK_NO_INDEX": "true",
        "SPELLWORK_FIND_LINKS": json.dumps([str(package_index)]),
        "SPELLWORK_PACKS_ALLOWED": json.dumps(["acme-*"]),
        "SPELLWORK_GRANTS_BY": "owners",
    }
    with ServerProcess(data, environment=many | packages) as process:
        yield process


@pytest.fixture(scope="session")
def ada_account(server: ServerProcess) -> Account:
    return make_account(server, "ada@example.org")


@pytest.fixture(scope="session")
def grace_account(server: ServerProcess) -> Account:
    return make_account(server, "grace@example.org")


@pytest.fixture(scope="session")
def rosa_account(server: ServerProcess) -> Account:
    return make_account(server, "rosa@example.org")


@pytest.fixture(scope="session")
def joan_account(server: ServerProcess) -> Account:
    return make_account(server, "joan@example.org")


_open = ExitStack()
"""What ends the browser that is open."""


@cache
def _started() -> Browser:
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable is not None
    expect.set_options(timeout=PATIENCE)
    playwright = _open.enter_context(sync_playwright())
    return _open.enter_context(chromium(playwright, executable))


@pytest.fixture
def browser() -> Browser:
    """Return the Chromium of all browser tests that follow each other in this process."""
    require("chromium")
    if not _started().is_connected():  # a test before made it crash
        _end_browser()
    return _started()


def _end_browser() -> None:
    _started.cache_clear()
    _open.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Any:
    """Close the browser before any other test: Playwright keeps the thread's event loop while it is open."""
    ended = yield
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        _end_browser()
    return ended


@pytest.fixture
def wire(server: ServerProcess) -> Iterator[WireCutter]:
    with WireCutter(server.port) as cutter:
        yield cutter


@pytest.fixture
def arrive(
    browser: Browser, server: ServerProcess, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Person]]:
    """Let people in; at the end, keep pictures where the test failed, and let no page complain."""
    people: list[Person] = []

    def come(account: Account, url: str | None = None, **options: Any) -> Person:
        person = enter(browser, account, url or server.url, **options)
        people.append(person)
        return person

    yield come
    failed = getattr(request.node, "failed", False)
    for person in people:
        if failed:
            _keep_pictures(person.context.pages, request.node.name, person.account.email)
        person.context.close()
    if not failed:
        assert [complaint for person in people for complaint in person.complaints] == []


@pytest.fixture
def ada(arrive: Callable[..., Person], ada_account: Account) -> Person:
    person = arrive(ada_account)
    person.sign_in()
    return person


@pytest.fixture
def grace(arrive: Callable[..., Person], grace_account: Account) -> Person:
    person = arrive(grace_account)
    person.sign_in()
    return person


@pytest.fixture
def rest(server: ServerProcess, ada_account: Account) -> Iterator[httpx.Client]:
    """Ada's own access over REST."""
    with server.http(ada_account.token) as client:
        yield client


@pytest.fixture
def make_canvas(rest: httpx.Client, grace_account: Account) -> Callable[..., str]:
    """Make a canvas of Ada's that Grace may edit; return its id."""

    def make(spell: dict[str, Any] | None = None, name: str = "Together") -> str:
        body = {"name": name} | ({"spell": spell} if spell else {})
        created = rest.post("/v1/canvases", json=body)
        assert created.status_code == 201, created.text
        canvas = str(created.json()["id"])
        shared = rest.put(
            f"/v1/canvases/{canvas}/members", json={"email": grace_account.email, "role": "editor"}
        )
        assert shared.is_success, shared.text
        return canvas

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report


def _keep_pictures(pages: list[Page], test: str, email: str) -> None:
    for number, page in enumerate(pages):
        failure_picture(page, RESULTS, f"{test}-{email.partition('@')[0]}-{number}")
