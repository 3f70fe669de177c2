"""Every form gives back the spell that was written, exactly, and the same bytes for it everywhere."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

import spellwork
from spellwork import Node, Spell, formats
from spellwork.formats import FormatInvalid, form_of, write
from spellwork.formats.folder import from_files, to_files
from spellwork.reading import read_bytes
from tests.seeds import examples
from tests.spells.drawing import draw
from tests.spells.nodes import library
from tests.spells.spells import HOSTILE, exact, spells

SPELL_FORMS = ("json", "yaml", "python")
"""Those that need no plan."""

SAMPLE = Path(__file__).parents[1] / "golden" / "sample.py"
GOLDEN = Path(__file__).parents[1] / "golden"

SMALL = draw(
    {
        "b": {"type": "half", "position": [1, 2]},
        "a": ("number", {"value": 4}),
        "c": {"type": "code", "code": "a\nb\n"},
    },
    "a.value -> b.value",
    name='A "quoted" name',
)


def back(spell: Spell, form: str) -> Spell:
    return read_bytes(write(spell, form, library), "spell", library=library)


@pytest.mark.rule("10.1")
@pytest.mark.parametrize("form", SPELL_FORMS)
@settings(deadline=None, max_examples=examples(60))
@given(spell=spells)
def test_a_spell_reads_back_exactly(form: str, spell: Spell) -> None:
    data = write(spell, form)
    read = read_bytes(data, "x", form)  # type: ignore[arg-type]
    assert exact(read) == exact(spell)
    assert write(read, form) == data


@pytest.mark.rule("10.1")
@settings(deadline=None, max_examples=examples(60))
@given(spells)
def test_a_folder_reads_back_exactly(spell: Spell) -> None:
    files = to_files(spell)
    read = Spell.model_validate(from_files(files.__getitem__))
    assert exact(read) == exact(spell)
    assert to_files(read) == files
    assert len({path.lower() for path in files}) == len(files)


@pytest.mark.rule("10.1")
@pytest.mark.parametrize("form", formats.FORMS)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_come_back_as_they_were(text: str, form: str) -> None:
    spell = Spell(
        name=text[:200],
        nodes={
            "a": Node(
                type="t.number", inputs={"value": {text: [text, {"x": text}], "y": text}}, code=text
            )
        },
    )
    assert exact(back(spell, form)) == exact(spell)


@pytest.mark.rule("10.1")
@pytest.mark.parametrize("form", ["yaml", "manifest", "ir", "python"])
def test_numbers_keep_their_type_and_values_their_depth(form: str) -> None:
    deep: object = 1
    for _ in range(150):
        deep = [deep]
    odd = [
        math.inf,
        -math.inf,
        math.nan,
        -0.0,
        1e16,
        1e-7,
        5e-324,
        10**30,
        -(2**63) - 1,
        1,
        1.0,
        True,
    ]
    spell = Spell(nodes={"a": Node(type="t.number", inputs={"value": [odd, deep]})})
    assert exact(back(spell, form)) == exact(spell)


@pytest.mark.rule("10.1")
@pytest.mark.parametrize("loader", [yaml.SafeLoader, getattr(yaml, "CSafeLoader", yaml.SafeLoader)])
@settings(deadline=None, max_examples=examples(30))
@given(spell=spells)
def test_any_yaml_reader_reads_what_is_written(loader: type, spell: Spell) -> None:
    read = yaml.load(write(spell, "yaml"), Loader=loader)
    assert exact(Spell.model_validate(read)) == exact(spell)


@pytest.mark.rule("10.1", "10.3")
@pytest.mark.parametrize("form", formats.FORMS)
def test_the_order_of_things_does_not_matter(form: str) -> None:
    body = SMALL.to_json()
    turned = Spell.model_validate(
        {
            key: dict(reversed(value.items())) if isinstance(value, dict) else value
            for key, value in reversed(body.items())
        }
    )
    assert write(turned, form, library) == write(SMALL, form, library)
    assert back(SMALL, form) == SMALL


def test_what_has_no_form_says_so() -> None:
    half = Spell(nodes={"a": Node(type="t.number", inputs={"value": "\ud800"})})
    nan = Spell(nodes={"a": Node(type="t.number", inputs={"value": math.nan})})
    for form in SPELL_FORMS:
        with pytest.raises(FormatInvalid, match="surrogate"):
            write(half, form)
    with pytest.raises(FormatInvalid, match="json"):
        write(nan, "json")
    with pytest.raises(FormatInvalid, match="json, yaml, manifest, ir, python"):
        write(SMALL, "xml")


@pytest.mark.rule("10.3")
def test_the_bytes_are_those_that_are_committed() -> None:
    """Run with SPELLWORK_GOLDEN=write to write them anew, and look at the difference."""
    spell = spellwork.read_spell(SAMPLE)
    files = {f"folder/{path}": data for path, data in to_files(spell).items()}
    files |= {
        "sample.json": write(spell, "json"),
        "sample.yaml": write(spell, "yaml"),
        "sample.py": write(spell, "python"),
        "small.manifest.yaml": write(SMALL, "manifest", library),
        "small.ir": write(SMALL, "ir", library),
    }
    if os.environ.get("SPELLWORK_GOLDEN") == "write":
        for path, data in files.items():
            (GOLDEN / path).parent.mkdir(exist_ok=True, parents=True)
            (GOLDEN / path).write_bytes(data)
    there = [path for path in GOLDEN.rglob("*") if path.is_file()]
    assert {str(path.relative_to(GOLDEN)): path.read_bytes() for path in there} == files


PRINT_ALL = """
import hashlib, sys
from spellwork import Library, formats, read_spell
from spellwork.formats.folder import to_files
spell = read_spell(sys.argv[1])
library = Library.installed()
for form in formats.FORMS:
    print(form, hashlib.sha256(formats.write(spell, form, library)).hexdigest())
print(hashlib.sha256(repr(sorted(to_files(spell).items())).encode()).hexdigest())
"""


@pytest.mark.rule("10.3")
def test_fresh_processes_write_the_same_bytes_whatever_their_seed_and_locale() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-c", PRINT_ALL, str(SAMPLE)],
            check=True,
            capture_output=True,
            env=os.environ
            | {"PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone, "PYTHONUTF8": "0"},
        ).stdout
        for seed, locale, zone in (
            ("0", "C", "UTC"),
            ("1", "C.UTF-8", "Asia/Tokyo"),
            ("4711", "tr_TR", "UTC"),
        )
    }
    assert len(told) == 1
    assert b"python" in told.pop()


@pytest.mark.rule("10.10")
@pytest.mark.parametrize("form", formats.FORMS)
def test_a_file_is_known_by_its_first_bytes_and_by_its_name(form: str, tmp_path: Path) -> None:
    data = write(SMALL, form, library)
    told = "yaml" if form == "manifest" else form
    assert form_of("spell", data) == told
    suffix = {
        "json": ".json",
        "yaml": ".yml",
        "manifest": ".YAML",
        "ir": ".msgpack",
        "python": ".py",
    }[form]
    path = tmp_path / f"spell{suffix}"
    path.write_bytes(data)
    assert spellwork.read_spell(path) == SMALL
    assert read_bytes(b"\xef\xbb\xbf" + data if form != "ir" else data, path.name) == SMALL


@pytest.mark.rule("10.10")
def test_json_with_any_name_is_told_from_yaml() -> None:
    assert form_of("spell.txt", b'\n {"nodes": {}}') == "json"
    assert form_of("spell", b"# a spell\nnodes: {}\n") == "yaml"
    assert form_of("spell", b"# a spell\nfrom spellwork import Workflow\n") == "python"
    assert form_of("spell.json", write(SMALL, "ir", library)) == "ir"


@pytest.mark.rule("10.2")
def test_the_python_source_runs_the_spell(tmp_path: Path) -> None:
    spell = Spell.model_validate(
        {"name": "x", "nodes": {"a": {"type": "core.value", "inputs": {"value": [1, "é"]}}}}
    )
    script = tmp_path / "script.py"
    script.write_bytes(write(spell, "python"))
    ran = subprocess.run([sys.executable, str(script)], check=True, capture_output=True)
    assert json.loads(ran.stdout) == {"a": {"value": [1, "é"]}}


@pytest.mark.rule("10.2")
def test_the_python_source_ends_with_1_when_a_node_fails(tmp_path: Path) -> None:
    spell = Spell.model_validate(
        {"nodes": {"a": {"type": "core.fail", "inputs": {"message": "no luck"}}}}
    )
    script = tmp_path / "script.py"
    script.write_bytes(write(spell, "python"))
    ran = subprocess.run([sys.executable, str(script)], check=False, capture_output=True, text=True)
    assert (ran.returncode, json.loads(ran.stdout), ran.stderr.strip()) == (1, {}, "a: no luck")


@pytest.mark.rule("10.2")
def test_the_python_source_has_one_call_for_each_part() -> None:
    rng = random.Random(1)
    nodes = {f"n{rng.randrange(10**6)}": Node(type="core.value") for _ in range(20)}
    source = write(Spell(nodes=nodes), "python").decode()
    assert source.count("wf.node(") == len(nodes)


@pytest.mark.parametrize("name", ["spell.json", "spell.yaml", "spell.py"])
def test_a_script_runs_a_file_with_no_server(tmp_path: Path, name: str) -> None:
    spell = draw({"a": ("number", {"value": 4}), "b": "half"}, "a.value -> b.value")
    path = tmp_path / name
    path.write_bytes(write(spell, {"json": "json", "yaml": "yaml", "py": "python"}[name[6:]]))
    result = spellwork.run(path, {"a": 10}, library=library)
    assert result.ok
    assert result.outputs == {"a": {"value": 10}, "b": {"value": 5.0}}
    assert spellwork.run(spell.to_json(), scope=["a"], library=library).outputs == {
        "a": {"value": 4}
    }
