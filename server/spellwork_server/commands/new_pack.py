"""``spellwork new-pack``: the files of a pack's project, ready to be built, tested and changed."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

from spellwork.errors import SpellworkError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


class PackNameInvalid(SpellworkError):
    """The name cannot be a pack's, or something is in the way."""

    code = "bad_request"


PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "spellwork-{dashed}"
version = "0.1.0"
description = "Nodes for Spellwork: {title}"
readme = "README.md"
requires-python = ">=3.11"
# Spellwork itself is where the pack runs; here is what its nodes need beside it.
dependencies = []

[project.entry-points."spellwork.packs"]
{name} = "spellwork_{name}:pack"

[dependency-groups]
test = ["pytest>=9", "spellwork"]

[tool.hatch.build.targets.wheel]
packages = ["src/spellwork_{name}"]

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["src"]
"""

INIT = '''\
"""{title}: nodes for Spellwork."""

from .pack import pack

__all__ = ["pack"]
'''

PACK = '''\
"""The pack, as the entry point names it. Importing it does nothing else."""

from spellwork import Pack

from .counting import count
from .greeting import greet

pack = Pack(name="{name}", version="0.1.0", title="{title}", nodes=(greet, count))
'''

GREETING = '''\
"""A node that computes its output at once."""

from spellwork import node


@node("{name}.greet", title="Greet", category="{title}", output="greeting", example={{"who": "world"}})
async def greet(who: str = "world", loud: bool = False) -> str:
    """Greet somebody, loudly where that is asked for."""
    greeting = f"Hello, {{who}}!"
    return greeting.upper() if loud else greeting
'''

COUNTING = '''\
"""A node that streams: each chunk reaches whoever reads it before the next is made."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from spellwork import Context, node


@node("{name}.count", title="Count", category="{title}", output="numbers", example={{"to": 5}})
def count(ctx: Context, to: Annotated[int, Field(ge=0, le=1_000_000)] = 10) -> Iterator[int]:
    """Count from 1, one number at a time."""
    yield from ctx.track(range(1, to + 1), message="counting")
'''

TESTS = '''\
"""The pack keeps to the rules of every pack, and its nodes do what they say."""

import asyncio

import spellwork
from spellwork import Library
from spellwork.testing import check_pack, import_effects

from spellwork_{name} import pack
from spellwork_{name}.greeting import greet


def test_the_pack_keeps_to_the_rules():
    check_pack(pack)


def test_importing_it_does_nothing_else():
    assert import_effects("spellwork_{name}", {search}) == []


def test_a_node_is_called_as_a_function():
    assert asyncio.run(greet("you", loud=True)) == "HELLO, YOU!"


def test_its_nodes_run_in_a_spell():
    spell = {{
        "schema": 1,
        "nodes": {{"n": {{"type": "{name}.count", "inputs": {{"to": 3}}}}}},
    }}
    result = spellwork.run(spell, library=Library([pack]))
    assert result.outputs["n"] == {{"numbers": [1, 2, 3]}}
'''

README = """\
# {title}

Nodes for Spellwork: `{name}.greet`, and `{name}.count`, which streams.

    pip install --group test   # pytest, and Spellwork
    pytest                     # the rules of every pack, and what the nodes do
    pip wheel . --no-deps      # builds spellwork_{name}-0.1.0-py3-none-any.whl

Onto a canvas of a running server, without restarting it:

    spellwork pack install spellwork_{name}-0.1.0-py3-none-any.whl --canvas ID

Once its ports change, raise `version` of a node and say in `migrate` how an old one becomes a new one.
"""


def new_pack(name: str, folder: Path | None) -> list[Path]:
    """Write the project of a pack into a folder that is not there, or empty; return its files.

    Raises:
        PackNameInvalid: for a name that no pack can have, and a folder that holds something.
    """
    if _NAME.fullmatch(name) is None or keyword.iskeyword(name):
        raise PackNameInvalid(
            f"{name!r} is no name of a pack: lower case letters, digits and _, beginning with a letter"
        )
    folder = folder or Path(f"spellwork-{name.replace('_', '-')}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise PackNameInvalid(f"{folder} is there already, and not empty")
    words = {
        "name": name,
        "dashed": name.replace("_", "-"),
        "title": name.replace("_", " ").capitalize(),
        "search": 'search=["src"]',
    }
    package = f"src/spellwork_{name}"
    files = {
        "pyproject.toml": PYPROJECT,
        "README.md": README,
        f"{package}/__init__.py": INIT,
        f"{package}/pack.py": PACK,
        f"{package}/greeting.py": GREETING,
        f"{package}/counting.py": COUNTING,
        f"{package}/py.typed": "",
        "tests/test_pack.py": TESTS,
    }
    written = []
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.format(**words), "utf-8")
        written.append(file)
    return written
