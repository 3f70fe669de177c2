"""The command line: results on standard output, complaints on standard error, and a telling exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from spellwork import formats
from spellwork_server.cli import main
from spellwork_server.commands import FORMS
from tests.workers.wheels import write_wheel

NODES = {
    "a": {"type": "core.value", "inputs": {"value": 2}},
    "b": {"type": "core.template", "inputs": {"template": "{x} eggs"}},
}
SPELL = {
    "nodes": NODES,
    "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
}
FAILING = {"nodes": {"a": {"type": "core.fail", "inputs": {"message": "no luck"}}}}
CYCLE = {
    "nodes": {"a": {"type": "core.value"}, "b": {"type": "core.value"}},
    "edges": {
        "e": {"source": "a", "output": "value", "target": "b", "input": "value"},
        "f": {"source": "b", "output": "value", "target": "a", "input": "value"},
    },
}


def spellwork(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(spell: object) -> Path:
        path = tmp_path / "spell.json"
        path.write_text(spell if isinstance(spell, str) else json.dumps(spell))
        return path

    return write


def test_run_prints_outputs_as_json(file: Any) -> None:
    result = spellwork("run", file(SPELL))
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {"a": {"value": 2}, "b": {"text": "2 eggs"}}
    assert result.stderr == ""


@pytest.mark.rule("18.34")
def test_run_makes_the_environment_that_a_spell_requires(file: Any, tmp_path: Path) -> None:
    wheels, made = tmp_path / "wheels", tmp_path / "made"
    write_wheel(wheels, "spam", "1.0")
    where = {"SPELLWORK_NO_INDEX": "true", "SPELLWORK_FIND_LINKS": json.dumps([str(wheels)])}
    cell = {"type": "code.python", "code": "import spam\nspam.VERSION"}

    def version(*options: str, **requirements: str) -> Result:
        spell = file({"nodes": {"c": cell}, "requirements": requirements})
        command = ["run", str(spell), "--environments", str(made), *options]
        return CliRunner().invoke(main, command, env=where)

    def told(result: Result) -> Any:
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)["c"]["result"]

    first = version(spam="")
    assert told(first) == "1.0"
    assert " + spam==1.0" in first.stderr
    write_wheel(wheels, "spam", "2.0")
    again = version(spam="")
    assert (told(again), again.stderr) == ("1.0", "")  # as it was locked
    assert told(version("--anew", spam="")) == "2.0"
    refused = version(spam=">=3")
    assert refused.exit_code == 2
    assert "what the spell requires cannot be installed" in refused.stderr
    assert "SPELLWORK_FIND_LINKS" in refused.stderr


@pytest.mark.rule("18.34")
def test_run_makes_no_environment_of_what_is_there_already(file: Any, tmp_path: Path) -> None:
    spell = {"nodes": {"c": {"type": "code.python", "code": "1 + 1"}}}
    required = file(spell | {"requirements": {"click": ">=1", "nowhere": "; python_version < '3'"}})
    result = spellwork("run", required, "--environments", tmp_path / "made")
    assert (result.exit_code, result.stderr) == (0, "")
    assert not (tmp_path / "made").exists()


def test_run_takes_inputs(file: Any) -> None:
    result = spellwork("run", file(SPELL), "--input", "a.value=12")
    assert json.loads(result.stdout)["b"] == {"text": "12 eggs"}


def test_run_ends_with_1_when_a_node_failed(file: Any) -> None:
    result = spellwork("run", file(FAILING))
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {}
    assert "no luck" in result.stderr


@pytest.mark.parametrize(
    ("spell", "options", "said"),
    [
        (CYCLE, (), "cycle"),
        ("{", (), "spell"),
        ({"nodes": []}, (), "nodes"),
        (SPELL, ("--input", "zz=1"), "zz"),
        (SPELL, ("--input", "a.value=two"), "not JSON"),
        (SPELL, ("--input", "a.value"), "NAME=JSON"),
    ],
    ids=["a cycle", "no JSON", "no spell", "an unknown input", "a bare text", "no value"],
)
def test_run_ends_with_2_when_it_cannot_begin(
    file: Any, spell: Any, options: Any, said: str
) -> None:
    result = spellwork("run", file(spell), *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.rule("10.11")
def test_compile_writes_each_form_the_same_every_time(file: Any, tmp_path: Path) -> None:
    path = file(SPELL)
    written = {form: spellwork("compile", path, "--to", form).stdout_bytes for form in FORMS}
    assert yaml.safe_load(written["manifest"])["plan"] == 1
    assert msgspec.msgpack.decode(written["ir"])["plan"]["name"] == "Untitled"
    script = tmp_path / "script.py"
    script.write_bytes(written["python"])
    ran = subprocess.run([sys.executable, script], capture_output=True, check=True)
    assert json.loads(ran.stdout)["b"] == {"text": "2 eggs"}
    for form, content in written.items():
        assert spellwork("compile", path, "--to", form).stdout_bytes == content


@pytest.mark.rule("10.11")
@pytest.mark.parametrize("form", [*FORMS, "folder"])
def test_what_is_compiled_runs_and_compiles_as_the_spell_it_was_made_from(
    file: Any, tmp_path: Path, form: str
) -> None:
    path = file(SPELL)
    made = tmp_path / "made"
    assert spellwork("compile", path, "--to", form, "--output", made).stdout == ""
    assert spellwork("run", made).stdout == spellwork("run", path).stdout
    assert spellwork("diff", path, made).exit_code == 0
    again = tmp_path / "again"
    spellwork("compile", made, "--to", form, "-o", again)
    if form != "folder":
        assert again.read_bytes() == made.read_bytes()
    assert spellwork("format", made, "--check").exit_code == 0


def test_the_forms_that_help_lists_are_those_there_are() -> None:
    assert formats.FORMS == FORMS
    for command in ("compile", "run", "diff", "format", "export", "import"):
        assert f"  {command} " in spellwork("--help").stdout
    assert "manifest|ir|python|folder" in spellwork("compile", "--help").stdout


@pytest.mark.rule("10.11")
def test_a_spell_with_another_inside_is_compiled_with_it(file: Any, tmp_path: Path) -> None:
    (tmp_path / "child.json").write_text(json.dumps({"nodes": {"n": {"type": "core.value"}}}))
    body = {"body": {"spell": "child.json"}}
    path = file({"nodes": {"a": {"type": "core.spell", "settings": body}}})
    for form in ("manifest", "ir"):
        made = tmp_path / form
        assert spellwork("compile", path, "--to", form, "-o", made).exit_code == 0
        assert b"unknown_spell" not in made.read_bytes()
        assert spellwork("format", "--check", made).exit_code == 0


@pytest.mark.rule("10.11")
def test_diff_says_what_differs_and_ends_with_1(file: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    nodes = {
        "a": {"type": "core.value", "inputs": {"value": [3, "\x1b[2J"]}},
        "c": {"type": "core.value", "name": "New"},
    }
    other.write_text(json.dumps({"name": "Other", "nodes": nodes}))
    result = spellwork("diff", file(SPELL), other)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        '~ name: "Untitled" -> "Other"',
        "~ node a (core.value): changed",
        '    inputs.value: 2 -> [3, "\\u001b[2J"]',
        "- node b (core.template): removed",
        '+ node c "New" (core.value): added',
        '- wire e "a.value -> b.x": removed',
    ]
    told = spellwork("diff", tmp_path / "spell.json", other, "--json")
    assert (told.exit_code, json.loads(told.stdout)["changes"][1]["what"]) == (1, "removed")
    assert spellwork("diff", other, other).stdout == ""
    (tmp_path / "broken.json").write_text("{")
    broken = spellwork("diff", other, tmp_path / "broken.json")
    assert broken.exit_code == 2
    assert "line 1, column 2" in broken.stderr


@pytest.mark.rule("10.11")
def test_format_writes_a_file_anew_in_its_own_form(tmp_path: Path) -> None:
    messy = tmp_path / "messy.yaml"
    messy.write_text(
        "edges: {}\nnodes: {b: {type: core.value, inputs: {value: on}}, a: {type: core.text}}\n"
    )
    before = messy.read_bytes()
    check = spellwork("format", "--check", messy)
    assert (check.exit_code, check.stdout.strip(), messy.read_bytes()) == (1, str(messy), before)
    assert spellwork("format", messy).exit_code == 0
    assert messy.read_text().index("a:") < messy.read_text().index("b:")
    assert spellwork("format", "--check", messy).stdout == ""
    messy.write_text("nodes: [")
    assert spellwork("format", messy).exit_code == 2
    assert messy.read_text() == "nodes: ["


@pytest.mark.rule("10.11")
def test_compile_says_why_it_cannot_write(file: Any, tmp_path: Path) -> None:
    nowhere = spellwork("compile", file(SPELL), "-o", tmp_path / "no" / "such")
    assert nowhere.exit_code == 2
    assert "cannot be written" in nowhere.stderr
    unsaid = spellwork("compile", file(SPELL), "--to", "folder")
    assert unsaid.exit_code == 2
    assert "--output" in unsaid.stderr


def test_compile_refuses_a_cycle(file: Any) -> None:
    result = spellwork("compile", file(CYCLE), "--to", "python")
    assert result.exit_code == 2
    assert result.stdout == ""


def test_an_account_is_added_once_and_its_key_is_all_that_token_prints(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    add = ("user", "add", "ada@example.org", "--password", "correct horse", "--data", data)
    assert spellwork(*add).exit_code == 0
    again = spellwork(*add)
    assert again.exit_code == 2
    assert "email_taken" in again.stderr
    key = spellwork("token", "ada@example.org", "--data", data).stdout
    assert key.startswith("sw_")
    assert key.count("\n") == 1
    nobody = spellwork("token", "no@example.org", "--data", data)
    assert nobody.exit_code == 2
    assert "user add no@example.org" in nobody.stderr
    assert spellwork("user", "add", "rubbish", "--password", "x", "--data", data).exit_code == 2


def test_doctor_names_what_it_looked_at(tmp_path: Path) -> None:
    said = spellwork("doctor", "--data", tmp_path).stdout
    assert "pack core" in said
    assert "database: opens" in said


def test_run_loads_no_server() -> None:
    code = "import sys, spellwork_server.commands.spells; print('aiohttp' in sys.modules, 'sqlalchemy' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert result.stdout.strip() == b"False False"
