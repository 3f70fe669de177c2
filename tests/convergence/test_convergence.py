"""Peers with the real Yjs, on both transports, and the server end equal, and nothing that was durable is lost.

Tabs over Socket.IO and standard y-websocket providers draw, type, undo, delete, lose their
connections, send things twice and take things in another order, while the canvas is put over REST,
its log is compacted, and the server is killed or stopped and started again. A seed that once failed
is in BAD_SEEDS.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from spellwork import Spell
from tests.seeds import FACTOR, seeds
from tests.server.rooms.tab import Tab
from tests.server_process import ServerProcess
from tools import client

pytestmark = [
    pytest.mark.requires("node"),
    pytest.mark.soak,
    pytest.mark.timeout(600 if FACTOR == 1 else 0),
]

CONVERGE = Path(__file__).with_name("js") / "converge.mjs"
OFTEN_COMPACTING = Path(__file__).with_name("often_compacting.py")
PEOPLE = ("ada@example.org", "bob@example.org", "cid@example.org")

TOGETHER = 12 if FACTOR == 1 else 50
"""Seeds that go on at once, each on its own canvas; the server is restarted under all of them."""

OPS = 60 if FACTOR == 1 else 500
SEEDS = seeds(24) if FACTOR == 1 else range(1, max(100, 5 * FACTOR) + 1)
BAD_SEEDS: dict[int, str] = {
    9: "a provider edits before its first step 2",
    94: "an undo brings a node back without the type that the server set meanwhile",
    567: "the same",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    data = tmp_path_factory.mktemp("convergence") / "data"
    with ServerProcess(data, program=(str(OFTEN_COMPACTING),)) as process:
        for email in PEOPLE:
            process.add_user(email, "correct horse 7")
        yield process


@pytest.fixture(scope="module")
def tokens(server: ServerProcess) -> list[str]:
    return [server.api_key(email) for email in PEOPLE]


def new_canvas(server: ServerProcess, tokens: Sequence[str], seed: int) -> str:
    with server.http(tokens[0]) as http:
        canvas = http.post("/v1/canvases", json={"name": f"Seed {seed}"}).json()["id"]
        for email in PEOPLE[1:]:
            member = {"email": email, "role": "editor"}
            http.put(f"/v1/canvases/{canvas}/members", json=member).raise_for_status()
    return str(canvas)


def play(
    server: ServerProcess, tokens: list[str], some: Sequence[int], end: Callable[[], None]
) -> list[dict[str, Any]]:
    """Let peers loose on a canvas per seed, ``end`` and start the server midway; return how each seed ended."""
    client.install()
    canvases = [{"seed": seed, "id": new_canvas(server, tokens, seed)} for seed in some]
    ends = []
    with subprocess.Popen(
        [client.node(), str(CONVERGE), str(client.CLIENT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as node:
        assert node.stdin is not None
        assert node.stdout is not None

        def say(line: Any) -> None:
            node.stdin.write(json.dumps(line) + "\n")  # type: ignore[union-attr]
            node.stdin.flush()  # type: ignore[union-attr]

        say({"url": server.url, "tokens": tokens, "canvases": canvases, "ops": OPS})
        for line in node.stdout:
            said = json.loads(line)
            if said.get("restart"):
                end()
                server.start()
                say({})
            elif not said.get("done"):
                ends.append(said)
    assert node.returncode == 0
    canvas_of = {each["seed"]: each["id"] for each in canvases}
    return [end | {"canvas": canvas_of[end["seed"]]} for end in ends]


def what_is_wrong(server: ServerProcess, token: str, end: dict[str, Any]) -> list[str]:
    """Compare the peers' document with pycrdt's reading of it, and with the server's."""
    wrong = list(end["failures"])
    tab = Tab()
    tab.apply(base64.b64decode(end["update"]))
    if tab.state() != end["state"]:
        wrong.append(f"pycrdt reads {tab.state()} where Yjs reads {end['state']}")
    with server.http(token) as http:
        spell = http.get(f"/v1/canvases/{end['canvas']}/spell").json()
    drawn = {key: things for key, things in end["state"].items() if key != "meta"}
    expected = Spell.model_validate(end["state"]["meta"] | drawn).to_json()
    if spell != expected:
        wrong.append(f"the server has {spell}, the peers {expected}")
    return wrong


def groups() -> list[Any]:
    """Return seeds and how the server ends under them: every other group by a kill."""
    tried = sorted({*BAD_SEEDS, *SEEDS})
    chunks = [tried[at : at + TOGETHER] for at in range(0, len(tried), TOGETHER)]
    return [
        pytest.param(each, how, id=f"{each[0]}-{each[-1]}-{how}")
        for each, how in zip(chunks, cycle(("kill", "stop")), strict=False)
    ]


@pytest.mark.rule("C1", "C3", "C7", "C8", "D2", "D4", "R1", "R2", "R3", "Y1", "Y4", "Y5")
@pytest.mark.parametrize(("some", "how"), groups())
def test_peers_on_both_transports_and_the_server_end_equal(
    server: ServerProcess, tokens: list[str], some: list[int], how: str
) -> None:
    ends = play(server, tokens, some, server.kill if how == "kill" else server.stop)
    wrong = {end["seed"]: what_is_wrong(server, tokens[0], end) for end in ends}
    bad = {seed: each for seed, each in wrong.items() if each}
    assert not bad, f"seeds {sorted(bad)}: {json.dumps(bad, ensure_ascii=False)[:4000]}"
    assert sorted(wrong) == some
