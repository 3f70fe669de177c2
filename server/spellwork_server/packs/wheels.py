"""Wheels that people uploaded: looked at without unpacking them, and kept by their hash."""

from __future__ import annotations

import hashlib
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Collection
from configparser import ConfigParser
from configparser import Error as ConfigError
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from spellwork.pack import ENTRY_POINT_GROUP
from spellwork_server.errors import BadRequest, Conflict, NotFound, TooLarge

from .allowed import normal

MOST_UNPACKED = 20
"""How many times its own size a wheel may have unpacked: no bombs."""

LEAST_UNPACKED = 4 * 1024 * 1024
"""Bytes that any wheel may have unpacked."""

MOST_KEPT = 1_000
"""Wheels that are kept at most; those that nothing is installed from go when a pack is removed."""

MOST_FILES = 20_000
"""Files in a wheel: the list of them is read whole."""

MOST_METADATA = 1024 * 1024
"""Bytes of one file of metadata."""

_NAME = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._]{0,98}[A-Za-z0-9])?)-(?P<version>[A-Za-z0-9.!+_]{1,100})"
    r"(?:-\d[A-Za-z0-9_.]{0,20})?-[A-Za-z0-9._]{1,60}-[A-Za-z0-9._]{1,60}-[A-Za-z0-9._]{1,100}\.whl"
)
_HASH = re.compile(r"[0-9a-f]{64}")
_ADDRESS = re.compile(r"^[^;]*@")
"""A requirement of a package by its address, not by its name and versions."""

_ENTRY = b"PK\x01\x02"
"""How each file begins in an archive's list."""

_UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError),
    *(KeyError, UnicodeError, ConfigError, RuntimeError),
)


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that is kept: what it says of itself, and where it lies."""

    sha256: str
    file_name: str
    distribution: str
    version: str
    size: int
    path: Path


class Wheels:
    """The wheels in a folder, each in one of its own named by the hash of its bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self.limit = limit

    def look_at(self, file_name: str, data: bytes) -> Wheel:
        """Return what a wheel says of itself. Blocks.

        Raises:
            BadRequest: when it is no wheel that brings a pack, saying why.
            TooLarge: when it is over the limit.
        """
        if len(data) > self.limit:
            raise TooLarge(
                f"The file has {len(data):,} bytes; a pack may have {self.limit:,}",
                details={"limit": self.limit},
            )
        return self._read(file_name, data)

    def keep(self, wheel: Wheel, data: bytes) -> None:
        """Keep a wheel that was looked at; keeping it again changes nothing. Blocks. Raises Conflict at MOST_KEPT."""
        if not wheel.path.exists() and sum(1 for _ in self._folder.glob("*")) >= MOST_KEPT:
            raise Conflict(f"At most {MOST_KEPT} files of packs are kept", code="too_many_packs")
        wheel.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not wheel.path.exists():
            draft = wheel.path.with_suffix(f".{os.getpid()}")
            draft.write_bytes(data)
            draft.replace(wheel.path)

    def find(self, sha256: str) -> Wheel:
        """Return a wheel that was kept; raises NotFound. Blocks."""
        folder = self._folder / sha256
        paths = sorted(folder.glob("*.whl")) if _HASH.fullmatch(sha256) else []
        if not paths:
            raise NotFound(
                f"There is no file {sha256[:12]}…; upload it first", details={"file": sha256[:64]}
            )
        return self._read(paths[0].name, paths[0].read_bytes())

    def forget_all_but(self, hashes: Collection[str]) -> None:
        """Remove the wheels that nothing is installed from. Blocks."""
        for folder in self._folder.glob("*"):
            if folder.name not in hashes and _HASH.fullmatch(folder.name):
                for path in folder.glob("*"):
                    path.unlink(missing_ok=True)
                folder.rmdir()

    def _read(self, file_name: str, data: bytes) -> Wheel:
        match = _named(file_name)
        try:
            name, version = _metadata(data, f"{match['name']}-{match['version']}.dist-info")
        except _UNREADABLE as error:
            raise BadRequest.field("data", f"is no wheel that can be read ({error})") from error
        if normal(name) != normal(match["name"]):
            raise BadRequest.field("name", f"is of {match['name']!r}, but the wheel is {name!r}")
        sha256 = hashlib.sha256(data).hexdigest()
        path = self._folder / sha256 / file_name
        return Wheel(sha256, file_name, normal(name), version, len(data), path)


def distribution_of(file_name: str) -> str:
    """Return of which distribution a wheel is, as its name says; raises BadRequest for what is no name of one."""
    return normal(_named(file_name)["name"])


def _named(file_name: str) -> re.Match[str]:
    match = _NAME.fullmatch(file_name)
    if match is None:
        raise BadRequest.field(
            "name", f"{file_name[:200]!r} is not the name of a wheel", "NAME-VERSION-…-any.whl"
        )
    return match


def _metadata(data: bytes, folder: str) -> tuple[str, str]:
    """Return name and version of a wheel; raises BadRequest where it brings no pack, or is a bomb."""
    if data.count(_ENTRY) > MOST_FILES:
        raise BadRequest.field("data", f"holds over {MOST_FILES:,} files")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        unpacked = sum(info.file_size for info in archive.infolist())
        if unpacked > max(LEAST_UNPACKED, MOST_UNPACKED * len(data)):
            raise BadRequest.field("data", f"would have {unpacked:,} bytes unpacked")
        headers = HeaderParser().parsestr(_text(archive, f"{folder}/METADATA"))
        for needed in headers.get_all("Requires-Dist", ()):
            if _ADDRESS.match(needed):  # the installer would go there, wherever that is
                raise BadRequest.field("data", f"requires {needed[:200]!r}, by an address")
        if f"{folder}/entry_points.txt" not in archive.namelist():
            raise BadRequest.field("data", f"brings no pack: no entry point {ENTRY_POINT_GROUP!r}")
        points = ConfigParser(delimiters=("=",), interpolation=None, strict=True)
        points.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
        points.read_string(_text(archive, f"{folder}/entry_points.txt"))
    if not points.has_section(ENTRY_POINT_GROUP):
        raise BadRequest.field("data", f"brings no pack: no entry point {ENTRY_POINT_GROUP!r}")
    return str(headers["Name"]), str(headers["Version"])


def _text(archive: zipfile.ZipFile, name: str) -> str:
    if archive.getinfo(name).file_size > MOST_METADATA:
        raise BadRequest.field("data", f"{name} in it is too large")
    return archive.read(name).decode("utf-8")
