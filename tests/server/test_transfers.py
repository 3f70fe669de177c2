"""``spellwork export`` and ``spellwork import``: files and the canvases of a running server (SPEC D3, D5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner, Result

from spellwork_server.cli import main
from tests.server_process import ServerProcess

SPELL: dict[str, Any] = {
    "schema": 1,
    "name": "Birds",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": 2}, "position": [0, 0]},
        "b": {"type": "code.python", "code": "x * 2\n# twice\n", "position": [240, 0]},
    },
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
    "groups": {"g": {"name": "All", "position": [-20, -20]}},
    "notes": {"n": {"text": "Hello\nthere", "position": [0, 200]}},
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path_factory.mktemp("server") / "data") as process:
        process.add_user("ada@example.org", "correct horse")
        yield process


@pytest.fixture(scope="module")
def key(server: ServerProcess) -> str:
    return server.api_key("ada@example.org")


@pytest.fixture
def http(server: ServerProcess, key: str) -> Iterator[httpx.Client]:
    with server.http(key) as client:
        yield client


@pytest.fixture
def spellwork(server: ServerProcess, key: str) -> Any:
    def call(*arguments: str | Path, **variables: str | None) -> Result:
        environment = {"SPELLWORK_URL": server.url, "SPELLWORK_TOKEN": key} | variables
        return CliRunner().invoke(main, [str(each) for each in arguments], env=environment)

    return call


@pytest.fixture
def canvas(http: httpx.Client) -> str:
    return str(http.post("/v1/canvases", json={"spell": SPELL}).json()["id"])


def drawn(http: httpx.Client, canvas: str) -> Any:
    return http.get(f"/v1/canvases/{canvas}/spell").json()


@pytest.mark.parametrize("name", ["birds.json", "birds.yaml", "birds.yml"])
def test_what_is_exported_is_imported_as_it_was(
    spellwork: Any, http: httpx.Client, canvas: str, tmp_path: Path, name: str
) -> None:
    file = tmp_path / name
    said = spellwork("export", canvas, file)
    assert (said.exit_code, said.output) == (0, ""), said.output
    text = file.read_text()
    assert (yaml.safe_load if file.suffix != ".json" else json.loads)(text) == SPELL
    made = spellwork("import", file)
    assert made.exit_code == 0, made.output
    assert made.stdout.strip() != canvas
    assert drawn(http, made.stdout.strip()) == SPELL
    assert f"/canvas/{made.stdout.strip()}" in made.stderr


@pytest.mark.rule("10.11")
@pytest.mark.parametrize("form", ["manifest", "ir", "python", "folder"])
def test_every_form_is_exported_and_imported(
    spellwork: Any, http: httpx.Client, canvas: str, tmp_path: Path, form: str
) -> None:
    file = tmp_path / "out"
    said = spellwork("export", canvas, file, "--to", form)
    assert (said.exit_code, said.output) == (0, ""), said.output
    made = spellwork("import", file).stdout.strip()
    assert drawn(http, made) == SPELL
    if form == "folder":
        assert (file / "code" / "b.py").read_text() == "x * 2\n# twice\n"
        other = http.post("/v1/canvases", json={"spell": SPELL | {"nodes": {}, "edges": {}}}).json()
        assert spellwork("export", other["id"], file).output == "", "a folder stays one"
        assert not (file / "code").exists()


def test_an_export_goes_to_standard_output_and_is_the_same_every_time(
    spellwork: Any, canvas: str
) -> None:
    written = spellwork("export", canvas)
    assert json.loads(written.stdout) == SPELL
    assert spellwork("export", canvas).stdout == written.stdout
    assert yaml.safe_load(spellwork("export", canvas, "--to", "yaml").stdout) == SPELL


@pytest.mark.rule("D3")
@pytest.mark.rule("D3")
def test_an_import_replaces_what_is_drawn_and_keeps_the_name_where_the_file_has_none(
    spellwork: Any, http: httpx.Client, canvas: str, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    nodes = {"c": {"type": "core.value", "position": [1, 2]}}
    file.write_text(json.dumps({"nodes": nodes}))
    assert spellwork("import", file, "--canvas", canvas).stdout.strip() == canvas
    assert drawn(http, canvas) == {"schema": 1, "name": "Birds", "nodes": nodes, "edges": {}}
    made = spellwork("import", file).stdout.strip()
    assert http.get(f"/v1/canvases/{made}").json()["name"] == "other", "a new one is named like it"


@pytest.mark.rule("D5")
@pytest.mark.rule("D5")
def test_an_import_that_merges_puts_its_things_and_leaves_the_rest(
    spellwork: Any, http: httpx.Client, canvas: str, tmp_path: Path
) -> None:
    file = tmp_path / "more.json"
    more = {"b": SPELL["nodes"]["b"] | {"code": "x"}, "c": {"type": "core.value"}}
    file.write_text(json.dumps({"name": "More", "nodes": more}))
    assert spellwork("import", file, "--canvas", canvas, "--merge").exit_code == 0
    assert drawn(http, canvas) == SPELL | {"nodes": SPELL["nodes"] | more}


@pytest.mark.rule("D6")
def test_an_import_runs_nothing(
    spellwork: Any, http: httpx.Client, canvas: str, tmp_path: Path
) -> None:
    spellwork("export", canvas, tmp_path / "birds.json")
    made = spellwork("import", tmp_path / "birds.json").stdout.strip()
    assert http.get(f"/v1/runs?canvas={made}").json()["items"] == []


@pytest.mark.parametrize(
    ("arguments", "variables", "said"),
    [
        (("export", "nowhere"), {}, "no canvas nowhere"),
        (("export", "../../users"), {}, "no canvas"),
        (("export", "x"), {"SPELLWORK_TOKEN": None}, "--token"),
        (("export", "x"), {"SPELLWORK_TOKEN": "sw_wrong"}, "spellwork token EMAIL"),
        (("export", "x", "--url", "nonsense"), {}, "--url"),
        (("export", "x", "--url", "http://127.0.0.1:1"), {}, "cannot be reached"),
        (("import", "FILE", "--merge"), {}, "--canvas ID"),
        (("import", "FILE", "--canvas", "nowhere"), {}, "no canvas nowhere"),
        (("import", "BROKEN"), {}, "line 1, column 2: not JSON"),
        (("export", "x", "--to", "folder"), {}, "--to"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(
    spellwork: Any,
    tmp_path: Path,
    arguments: tuple[str, ...],
    variables: dict[str, str | None],
    said: str,
) -> None:
    (tmp_path / "FILE").with_suffix(".json").write_text(json.dumps(SPELL))
    (tmp_path / "BROKEN").with_suffix(".json").write_text("{")
    files = {"FILE": tmp_path / "FILE.json", "BROKEN": tmp_path / "BROKEN.json"}
    result = spellwork(*(files.get(each, each) for each in arguments), **variables)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_what_is_exported_is_not_lost_where_it_cannot_be_written(
    spellwork: Any, canvas: str, tmp_path: Path
) -> None:
    result = spellwork("export", canvas, tmp_path / "no" / "such" / "folder.json")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
