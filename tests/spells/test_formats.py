"""Spells and plans as YAML, MessagePack and Python; spells run in a script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import spellwork
from spellwork import Spell, compile, formats
from spellwork.formats import FormatInvalid
from tests.spells.drawing import draw
from tests.spells.nodes import library

SPELL = draw(
    {
        "b": {"type": "half", "position": [1, 2]},
        "a": ("number", {"value": 4}),
        "c": {"type": "code", "code": "a\nb\n"},
    },
    "a.value -> b.value",
    name='A "quoted" name',
)


@pytest.mark.rule("10.1")
def test_yaml_reads_back_as_the_same_spell(tmp_path: Path) -> None:
    written = formats.write(SPELL, "yaml")
    assert Spell.model_validate(yaml.safe_load(written)) == SPELL
    assert b"code: |" in written
    assert b"position: [1, 2]" in written
    (tmp_path / "spell.yaml").write_bytes(written)
    assert spellwork.read_spell(tmp_path / "spell.yaml") == SPELL


@pytest.mark.rule("10.1")
@pytest.mark.parametrize("kind", formats.KINDS)
def test_the_same_spell_gives_the_same_bytes(kind: str) -> None:
    body = SPELL.to_json()
    turned = Spell.model_validate(body | {"nodes": dict(reversed(body["nodes"].items()))})
    assert formats.write(turned, kind, library) == formats.write(SPELL, kind, library)


def test_the_ir_is_the_plan() -> None:
    plan = compile(SPELL, library)
    assert formats.read_ir(formats.write(plan, "ir"))["steps"][1]["recipe"] == plan.steps[1].recipe
    assert formats.write(SPELL, "ir", library) == plan.to_bytes()
    for data in (b"", b"\xc1", b"\x80"):
        with pytest.raises(FormatInvalid):
            formats.read_ir(data)


def test_an_unknown_format_names_those_there_are() -> None:
    with pytest.raises(FormatInvalid, match="yaml, ir, python"):
        formats.write(SPELL, "xml")


@pytest.mark.rule("10.2")
def test_the_python_script_runs_the_spell(tmp_path: Path) -> None:
    spell = Spell.model_validate(
        {"name": "x", "nodes": {"a": {"type": "core.value", "inputs": {"value": [1, "é"]}}}}
    )
    script = tmp_path / "script.py"
    script.write_bytes(formats.write(spell, "python"))
    ran = subprocess.run([sys.executable, str(script)], check=True, capture_output=True, text=True)
    assert json.loads(ran.stdout) == {"a": {"value": [1, "é"]}}


@pytest.mark.parametrize("name", ["spell.json", "spell.yaml"])
def test_a_script_runs_a_file_with_no_server(tmp_path: Path, name: str) -> None:
    spell = draw({"a": ("number", {"value": 4}), "b": "half"}, "a.value -> b.value")
    path = tmp_path / name
    path.write_bytes(
        json.dumps(spell.to_json()).encode() if name.endswith("json") else formats.to_yaml(spell)
    )
    result = spellwork.run(path, {"a": 10}, library=library)
    assert result.ok
    assert result.outputs == {"a": {"value": 10}, "b": {"value": 5.0}}
    assert spellwork.run(spell.to_json(), scope=["a"], library=library).outputs == {
        "a": {"value": 4}
    }
