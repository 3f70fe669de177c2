"""`spellwork run` of part of a spell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from spellwork_server.cli import main

CHAIN = {
    "schema": 1,
    "name": "Chain",
    "nodes": {
        "a": {"type": "core.value", "inputs": {"value": "one"}},
        "b": {"type": "core.value"},
        "c": {"type": "core.value"},
    },
    "edges": {
        "ab": {"source": "a", "output": "value", "target": "b", "input": "value"},
        "bc": {"source": "b", "output": "value", "target": "c", "input": "value"},
    },
}


@pytest.fixture
def spell(tmp_path: Path) -> Path:
    file = tmp_path / "chain.json"
    file.write_text(json.dumps(CHAIN))
    return file


def run(*arguments: Any) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, ["run", *map(str, arguments)])
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.rule("14.6", "14.7")
def test_part_of_a_spell_runs_with_what_an_earlier_run_printed(spell: Path, tmp_path: Path) -> None:
    code, printed, _ = run(spell, "--scope", "b")
    assert (code, json.loads(printed)) == (0, {"a": {"value": "one"}, "b": {"value": "one"}})
    last = tmp_path / "last.json"
    last.write_text(json.dumps({"b": {"value": "two"}}))
    code, printed, _ = run(spell, "--scope", "c", "--reach", "only", "--last", last)
    assert (code, json.loads(printed)) == (0, {"c": {"value": "two"}})
    code, printed, _ = run(spell, "--scope", "c", "--reach", "onward", "--last", last)
    assert (code, json.loads(printed)) == (0, {"c": {"value": "two"}})
    code, _, said = run(spell, "--scope", "c", "--reach", "only")
    assert (code, "'b'" in said, "(no_value)" in said) == (2, True, True)


@pytest.mark.rule("14.7")
def test_a_file_that_holds_no_outputs_is_refused(spell: Path, tmp_path: Path) -> None:
    last = tmp_path / "last.json"
    last.write_text("[1]")
    code, _, said = run(spell, "--scope", "c", "--reach", "only", "--last", last)
    assert (code, "last.json" in said) == (2, True)


@pytest.mark.rule("14.12")
def test_a_run_over_its_time_says_so(spell: Path) -> None:
    drawn = json.loads(spell.read_text())
    drawn["nodes"]["a"]["settings"] = {"limits": {"delay": 30}}
    spell.write_text(json.dumps(drawn))
    code, _, said = run(spell, "--timeout", "0.05")
    assert (code, said) == (1, "the run failed: the run took longer than 0.05 s (run_timeout)\n")


@pytest.mark.rule("17.16")
def test_what_is_wrong_in_code_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "cells.json"
    codes = {"a": "\nx = rosw", "b": "rows = 1", "c": "y ="}
    nodes = {id: {"type": "code.python", "code": code} for id, code in codes.items()}
    file.write_text(json.dumps({"schema": 1, "nodes": nodes}))
    code, _, said = run(file)
    assert code == 1
    assert "a failed: line 2, column 5: " in said
    assert "did you mean 'rows'?" in said
    assert "c failed: line 1, column 4: " in said


@pytest.mark.rule("17.16")
def test_a_failure_tells_its_line_once(tmp_path: Path) -> None:
    file = tmp_path / "cells.json"
    nodes = {"a": {"type": "code.python", "code": "x = 1\nimport lantern"}}
    file.write_text(json.dumps({"schema": 1, "nodes": nodes}))
    code, _, said = run(file)
    assert code == 1
    assert said.count("line 2") == 1
