"""``spellwork upgrade``: old nodes of files become of the newest versions, and each is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from spellwork import Library, Migrated, Pack, formats, node, read_spell
from spellwork_server.cli import main


@node("u.half", version=2, migrate={1: lambda old: Migrated(old, inputs={"n": "number"})})
async def half(number: float = 0) -> float:
    """Half of a number."""
    return number / 2


@node("u.lost", version=2)
async def lost() -> int:
    """Have no migration."""
    return 2


OLD = {
    "schema": 1,
    "name": "Old",
    "nodes": {
        "a": {"type": "u.half", "version": 1, "inputs": {"n": 4}},
        "b": {"type": "u.half", "version": 1},
    },
    "edges": {"e": {"source": "a", "output": "result", "target": "b", "input": "n"}},
}


@pytest.fixture(autouse=True)
def _library(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library([Pack(name="u", version="1", title="U", nodes=(half, lost))])
    monkeypatch.setattr(Library, "installed", lambda: library)


def upgrade(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["upgrade", *map(str, arguments)])


@pytest.mark.rule("15.12")
@pytest.mark.parametrize("name", ["spell.json", "spell.yaml", "folder"])
def test_a_file_is_upgraded_in_its_own_form(tmp_path: Path, name: str) -> None:
    source = tmp_path / "old.json"
    source.write_text(json.dumps(OLD))
    file = tmp_path / name
    if name == "folder":
        formats.write_folder(file, read_spell(source))
    else:
        form = "json" if name.endswith("json") else "yaml"
        file.write_bytes(formats.write(read_spell(source), form))
    check = upgrade("--check", file)
    assert check.exit_code == 1
    assert read_spell(file).nodes["a"].version == 1
    result = upgrade(file)
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        f"{file}: node 'a' (u.half): version 1 to 2",
        f"{file}: node 'b' (u.half): version 1 to 2",
    ]
    spell = read_spell(file)
    assert (spell.nodes["a"].version, spell.nodes["a"].inputs) == (2, {"number": 4})
    assert spell.edges["e"].input == "number"
    again = upgrade("--check", file)
    assert (again.exit_code, again.output) == (0, "")


@pytest.mark.rule("15.12")
def test_a_node_that_stays_is_told_and_the_file_is_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "spell.json"
    text = json.dumps({"nodes": {"a": {"type": "u.lost", "version": 1}}})
    file.write_text(text)
    result = upgrade(file)
    assert result.exit_code == 1
    assert "stays at version 1: 'u.lost' has no migration from version 1" in result.stderr
    assert file.read_text() == text
