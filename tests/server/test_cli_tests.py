"""``spellwork test``: what it prints, what it writes for CI, and how it exits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from spellwork import Spell, formats
from spellwork.formats import write_folder
from spellwork_server.cli import main
from spellwork_server.commands import FORMS

pytestmark = pytest.mark.rule("22.13")


def spell(**tests: Any) -> dict[str, Any]:
    return {
        "nodes": {
            "a": {"type": "core.value", "inputs": {"value": [1, 2]}},
            "b": {"type": "core.template", "inputs": {"template": "{x}!"}},
            "send": {"type": "http.request", "inputs": {"url": "http://127.0.0.1:9/"}},
        },
        "edges": {"e": {"source": "a", "output": "value", "target": "b", "input": "x"}},
        "tests": tests,
    }


def expects(value: Any) -> dict[str, Any]:
    return {"expect": {"a": {"outputs": {"value": {"op": "equals", "value": value}}}}}


def spellwork(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["test", *map(str, arguments)])


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def write(body: object) -> Path:
        path = tmp_path / "spell.json"
        path.write_text(json.dumps(body))
        return path

    return write


def test_all_that_pass_exit_with_0(file: Any) -> None:
    done = spellwork(file(spell(one=expects([1, 2]), two=expects([1, 2]))))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].endswith("spell.json ..")
    assert done.stdout.splitlines()[-1].startswith("2 passed in ")


def test_one_that_fails_exits_with_1_and_says_where(file: Any) -> None:
    named = expects([1, 3]) | {"name": "Adds\x1b[31m up"}
    refused: dict[str, Any] = {"expect": {"send": {}}}
    done = spellwork(file(spell(good=expects([1, 2]), named=named, send=refused)))
    assert done.exit_code == 1
    assert ".FE" in done.stdout
    assert "\x1b" not in done.stdout
    for line in (
        "::named Adds [31m up",
        "  a.value equals at $[1]: it differs",
        "    expected 3",
        "    actual   2",
        "(not_recorded)",
        "1 failed, 1 in error, 1 passed in ",
    ):
        assert line in done.stdout


def test_one_is_run_by_id_or_name(file: Any) -> None:
    path = file(spell(one=expects([1, 2]) | {"name": "First"}, two=expects([])))
    assert spellwork(path, "--test", "First").exit_code == 0
    assert spellwork(path, "--test", "one").exit_code == 0
    assert spellwork(path, "--test", "two").exit_code == 1


def test_no_test_and_no_spell_exit_with_2(file: Any, tmp_path: Path) -> None:
    assert spellwork(file(spell())).exit_code == 2
    missing = spellwork(file(spell(one=expects([1, 2]))), "--test", "nope")
    assert missing.exit_code == 2
    assert "there is no test 'nope'" in missing.stderr
    wrong = tmp_path / "wrong.json"
    wrong.write_text('{"tests": {"t": {"nam": 1}}}')
    assert spellwork(wrong).exit_code == 2


def test_results_are_json_and_junit(file: Any, tmp_path: Path) -> None:
    junit = tmp_path / "report.xml"
    path = file(spell(good=expects([1, 2]), bad=expects("\x00") | {"name": "\x00<"}))
    done = spellwork(path, "--json", "--junit", junit)
    assert done.exit_code == 1
    [told] = json.loads(done.stdout)
    assert [each["outcome"] for each in told["tests"]] == ["failed", "passed"]
    suite = ET.fromstring(junit.read_bytes())[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "1", "0")
    assert [case.find("failure") is not None for case in suite] == [True, False]


def test_every_form_and_a_folder_have_their_tests(tmp_path: Path) -> None:
    drawn = Spell.model_validate(spell(one=expects([1, 2])))
    endings = {"json": "json", "yaml": "yaml", "manifest": "yaml", "ir": "ir", "python": "py"}
    assert set(endings) == set(FORMS)
    paths = []
    for form, ending in endings.items():
        path = tmp_path / form / f"spell.{ending}"
        path.parent.mkdir()
        path.write_bytes(formats.write(drawn, form))
        paths.append(path)
    write_folder(tmp_path / "folder", drawn)
    done = spellwork(*paths, tmp_path / "folder")
    assert done.exit_code == 0, done.output
    assert "6 passed" in done.stdout
