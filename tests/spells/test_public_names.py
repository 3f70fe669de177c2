"""The names that pack authors and scripts import stay."""

from __future__ import annotations

import subprocess
import sys

import spellwork
import spellwork.spell_tests


def test_every_public_name_is_there_once() -> None:
    assert all(hasattr(spellwork, name) for name in spellwork.__all__)
    assert len(set(spellwork.__all__)) == len(spellwork.__all__)


def test_what_the_design_promises_is_public() -> None:
    promised = {
        "Context",
        "Execution",
        "Library",
        "Pack",
        "Spell",
        "Workflow",
        "compile",
        "node",
        "run",
        "run_async",
        "validate",
    }
    assert promised <= set(spellwork.__all__)


def test_every_public_name_of_spell_tests_is_there() -> None:
    assert all(hasattr(spellwork.spell_tests, name) for name in spellwork.spell_tests.__all__)
    assert not hasattr(spellwork.spell_tests, "no_such_name")


def test_workers_and_formats_are_loaded_only_where_they_are_asked_for() -> None:
    """They are a tenth of what the engine takes in memory, and a run of a compiled spell needs none."""
    script = "import sys, spellwork; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    loaded = set(done.stdout.split())
    assert "spellwork.validation" in loaded
    assert not loaded & {"spellwork.workers", "spellwork.formats", "spellwork.standalone", "yaml"}
