"""Wheels made on the spot: small zip files, as a build tool would write them."""

from __future__ import annotations

import base64
import hashlib
import textwrap
import zipfile
from pathlib import Path

PACK = """
from collections.abc import Iterator
from spellwork import Context, Pack, node

@node("{name}.double", title="Double", category="Numbers", example={{"number": 2}})
async def double(number: float) -> float:
    '''Twice the number, as version {version} has it.'''
    return number * 2

@node("{name}.count")
def count(ctx: Context, to: int = 3) -> Iterator[int]:
    '''Count, one by one.'''
    ctx.log("counting")
    yield from range(to)

@node("{name}.pick", choices={{"word": lambda node: ["a", "b"]}})
def pick(word: str = "a") -> dict[str, str]:
    '''What was picked.'''
    return {{"word": word}}

@node("{name}.shaped", resolve=lambda node: double.ports, outputs=(), returns="ports")
async def shaped(**inputs: float) -> None:
    '''Has other ports for each node.'''

pack = Pack("{name}", "{version}", "Far things", (double, count, pick, shaped))
"""


def wheel(
    folder: Path,
    name: str = "far",
    version: str = "1.0",
    code: str = PACK,
    *,
    points: str | None = None,
    requires: tuple[str, ...] = (),
) -> Path:
    """Write a wheel of the distribution ``acme-NAME`` that brings a pack; return its path."""
    stem = f"acme_{name}-{version}"
    info = f"{stem}.dist-info"
    metadata = [
        "Metadata-Version: 2.1",
        f"Name: acme-{name}",
        f"Version: {version}",
        *(f"Requires-Dist: {each}" for each in requires),
    ]
    files = {
        f"acme_{name}/__init__.py": textwrap.dedent(code).format(name=name, version=version),
        f"{info}/METADATA": "\n".join([*metadata, ""]),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    points = f"[spellwork.packs]\n{name} = acme_{name}:pack\n" if points is None else points
    if points:
        files[f"{info}/entry_points.txt"] = points
    record = "".join(f"{path},sha256={_digest(text)},{len(text)}\n" for path, text in files.items())
    files[f"{info}/RECORD"] = record + f"{info}/RECORD,,\n"
    path = folder / f"{stem}-py3-none-any.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for each, text in files.items():
            archive.writestr(zipfile.ZipInfo(each), text)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
