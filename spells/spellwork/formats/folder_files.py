"""Read and write a spell's folder on a disk: whole files or none, and only files that are the spell's own."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from spellwork.errors import FormatInvalid
from spellwork.spell import Spell

from .folder import LAYOUT_FILE, SPELL_FILE, files_of, from_files, to_files
from .yaml_reader import read_yaml

MAX_FILE = 16_000_000
MAX_FOLDER = 256_000_000
"""Bytes."""


def read_folder(folder: Path) -> dict[str, Any]:
    """Return the JSON of the spell in a folder.

    Raises:
        FormatInvalid: when it holds none; for a file that is a symbolic link
            or too large.
    """
    left = MAX_FOLDER

    def read(path: str) -> bytes:
        nonlocal left
        if path == LAYOUT_FILE and not (folder / path).exists():
            return b""
        content = _read(folder, path)
        left -= len(content)
        if left < 0:
            raise FormatInvalid(f"{folder} holds over {MAX_FOLDER:,} bytes")
        return content

    return from_files(read)


def write_folder(folder: Path, spell: Spell) -> list[str]:
    """Write a spell as a folder; return the files that changed, those that went last.

    A file is replaced whole or not at all, ``spell.yaml`` last. What the
    ``spell.yaml`` that is there names and the new one does not is removed.
    Everything else in the folder stays.

    Raises:
        FormatInvalid: when a file in the way is not the spell's own, or is a
            symbolic link.
        OSError: when the disk refuses. Nothing is replaced if it is full.
    """
    files = to_files(spell)
    own = _own(folder)
    changed: list[str] = []
    for path, content in files.items():
        there = _there(folder, path)
        if there is not None and there != content and path not in own:
            raise FormatInvalid(f"{folder / path} is in the way: it belongs to no spell here")
        if there != content:
            changed.append(path)
    staged: dict[str, Path] = {}
    try:
        for path in changed:
            staged[path] = _stage(folder / path, files[path])
        for path, temporary in staged.items():
            temporary.replace(folder / path)
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
    gone = sorted(own - files.keys())
    for path in gone:
        (folder / path).unlink(missing_ok=True)
        with suppress(OSError):  # not empty: others have files there
            (folder / path).parent.rmdir()
    return changed + gone


def changes_of(folder: Path, spell: Spell) -> list[str]:
    """Return the files that ``write_folder`` would change or remove."""
    files, own = to_files(spell), _own(folder)
    changed = [path for path, content in files.items() if _there(folder, path) != content]
    return changed + sorted(own - files.keys())


def _own(folder: Path) -> set[str]:
    """Return the files in a folder that the spell in it names as its own, and that are there."""
    if _there(folder, SPELL_FILE) is None:
        return set()
    try:
        named = files_of(read_yaml(_read(folder, SPELL_FILE)))
    except FormatInvalid as error:
        raise FormatInvalid(
            f"{folder / SPELL_FILE} is no spell's: {error.message}; remove it to write here"
        ) from error
    found = {path for path in named if _there(folder, path) is not None}
    return found | {SPELL_FILE, LAYOUT_FILE}


def _there(folder: Path, path: str) -> bytes | None:
    """Return what is in a file, with the line ends that are written here; None when it is not there."""
    _refuse_links(folder, path)
    if not (folder / path).exists():
        return None
    return _read(folder, path).replace(b"\r\n", b"\n")


def _read(folder: Path, path: str) -> bytes:
    _refuse_links(folder, path)
    file = folder / path
    try:
        if not file.is_file():
            raise FormatInvalid(f"{file} is not there, or is no file")
        with file.open("rb") as stream:
            content = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise FormatInvalid(f"{file} cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE:
        raise FormatInvalid(f"{file} is over {MAX_FILE:,} bytes")
    return content


def _refuse_links(folder: Path, path: str) -> None:
    """Refuse what leads elsewhere: a file, or the folder it is in, that is a symbolic link."""
    at = folder
    for part in path.split("/"):
        at /= part
        if at.is_symlink():
            raise FormatInvalid(f"{at} is a symbolic link: a spell's folder has none")


def _stage(file: Path, content: bytes) -> Path:
    """Write the content beside a file, durable, ready to take its place."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o666 & ~_umask()
        Path(name).chmod(mode)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
