"""Files that commands write: whole or not at all, and what the disk refuses said in one line."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from spellwork import Spell, formats
from spellwork.errors import SpellworkError


class FileUnwritable(SpellworkError):
    """The file cannot be written."""

    code = "file_unwritable"


def write_file(file: Path, content: bytes) -> None:
    """Put ``content`` in a file, in the place of what was there. Raises FileUnwritable."""
    try:
        if file.exists() and not file.is_file():
            file.write_bytes(content)  # a pipe or a device is not replaced
            return
        target = file.resolve()
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
            mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
            temporary.chmod(mode & 0o777)
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise FileUnwritable(f"{file} cannot be written: {error.strerror or error}") from error


def write_folder(folder: Path, spell: Spell) -> list[str]:
    """Write a spell as a folder; return what changed. Raises FileUnwritable, FormatInvalid."""
    try:
        if folder.exists() and not folder.is_dir():
            raise FileUnwritable(f"{folder} is a file, and no folder")
        return formats.write_folder(folder, spell)
    except OSError as error:
        raise FileUnwritable(f"{folder} cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
