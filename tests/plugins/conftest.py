"""A real model behind both interfaces, and a short way to run one node."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

import spellwork
from spellwork import Event, Library, RunResult
from tests.parts import require

from .ollama_server import OllamaServer

LIBRARY = Library.installed()
RunNode = Callable[..., Awaitable[RunResult]]


@pytest.fixture(scope="session")
def library() -> Library:
    return LIBRARY


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def run_node(events: list[Event]) -> RunNode:
    """Run one node, called ``n``, in a spell of its own."""

    async def run(node_type: str, /, code: str | None = None, **inputs: Any) -> RunResult:
        node = {"type": node_type, "inputs": inputs} | ({"code": code} if code is not None else {})
        return await spellwork.run_async(
            {"schema": 1, "nodes": {"n": node}}, library=LIBRARY, sink=events.append
        )

    return run


@pytest.fixture(scope="session")
def model_url() -> Iterator[str]:
    """The address of the real model's own server, OpenAI's interface under ``/v1``."""
    require("model")
    with subprocess.Popen(
        [sys.executable, "-m", "tests.plugins.llama_server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()


@pytest.fixture
async def ollama(model_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OllamaServer]:
    """The server that speaks Ollama's API, set up as the operator's own."""
    server = OllamaServer(model_url)
    async with TestServer(server.app(), host="127.0.0.1") as served:
        monkeypatch.setenv("SPELLWORK_OLLAMA_URL", str(served.make_url("")).rstrip("/"))
        yield server


@pytest.fixture
def openai(model_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The model's own server, set up as the operator's OpenAI-compatible one."""
    monkeypatch.setenv("SPELLWORK_OPENAI_BASE_URL", f"{model_url}/v1")
    return f"{model_url}/v1"
