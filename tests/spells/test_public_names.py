"""The names that pack authors and scripts import stay."""

from __future__ import annotations

import spellwork


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
