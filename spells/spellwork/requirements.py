"""What a spell requires of the environment its code runs in: packages by name, with specifiers.

A requirement is a name and what of PEP 508 follows a name: extras, versions,
markers. No address, path or option of an installer is one; see SPEC 18.20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from pydantic import StringConstraints

from .values import digest

if TYPE_CHECKING:
    from packaging.requirements import Requirement

    from .node_type import NodeType

MAX_REQUIREMENTS = 100

PackageName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=100, pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$"
    ),
]
"""The name of a distribution, as PEP 508 has it."""

Specifier = Annotated[str, StringConstraints(max_length=300, pattern=r"^[\x20-\x7e]*$")]
"""What follows the name: ``>=2,<4``, ``[extra]>=1``, ``; python_version < "3.13"``; empty for any version."""


def wrong_requirements(requirements: Mapping[str, str]) -> dict[str, str]:
    """Return why each of those that cannot be installed is wrong, by name."""
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - most spells require nothing

    wrong: dict[str, str] = {}
    known: dict[str, str] = {}
    for name, specifier in sorted(requirements.items()):
        read = _read(name, specifier)
        if isinstance(read, str):
            wrong[name] = read
            continue
        other = known.setdefault(canonicalize_name(name), name)
        if other != name:
            wrong[name] = f"it is the same package as {other!r}"
    return wrong


def requirement_lines(requirements: Mapping[str, str]) -> tuple[str, ...]:
    """Return the requirements as an installer reads them, in one order, in one way of writing.

    Those of ``wrong_requirements`` are left out: never give them to an installer.
    """
    if not requirements:
        return ()
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - most spells require nothing

    lines: dict[str, str] = {}
    for name, specifier in sorted(requirements.items()):
        read = _read(name, specifier)
        if not isinstance(read, str):
            read.name = canonicalize_name(name)
            lines.setdefault(read.name, str(read))
    return tuple(lines[name] for name in sorted(lines))


def lacking(wanted: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return those of ``wanted`` that ``given`` does not require, or pins to a version that they do not allow."""
    if not wanted:
        return {}
    from packaging.utils import canonicalize_name  # noqa: PLC0415 - most spells require nothing

    there = {
        canonicalize_name(name): read
        for name, specifier in given.items()
        if not isinstance(read := _read(name, specifier), str)
    }
    found: dict[str, str] = {}
    for name, specifier in sorted(wanted.items()):
        read = _read(name, specifier)
        if isinstance(read, str):
            continue  # the spell itself says what is wrong with it
        own = there.get(canonicalize_name(name))
        if own is None or not all(
            read.specifier.contains(each.version, prereleases=True)
            for each in own.specifier
            if each.operator == "==" and not each.version.endswith("*")
        ):
            found[name] = specifier
    return found


def with_requirements(
    environment: str, requirements: Mapping[str, str], packages: str | None = None
) -> str:
    """Return the environment of a plan whose calls in workers depend on packages, too.

    ``packages`` names those that are installed, where that is known: of what is
    merely required other versions may be had another time.
    """
    if packages is None:
        lines = requirement_lines(requirements)
        packages = digest(*lines) if lines else ""
    return f"{environment}\n{packages}" if packages else environment


def packages_in(environment: str) -> str:
    """Return what the environment of a plan says of the packages of Python workers."""
    return environment.partition("\n")[2]


def environment_for(declared: NodeType, environment: str) -> str:
    """Return what of a plan's environment the calls of a node type depend on."""
    return environment if in_packages(declared) else environment.partition("\n")[0]


def in_packages(declared: NodeType) -> bool:
    """Say whether a node type is called where the packages of a worker are: other languages have none."""
    return declared.isolation == "worker" and declared.language in (None, "python")


def _read(name: str, specifier: str) -> Requirement | str:
    """Return a requirement, or why it is none."""
    from packaging.requirements import (  # noqa: PLC0415 - most spells require nothing
        InvalidRequirement,
        Requirement,
    )

    text = specifier.strip()
    if text and text[0] not in "[<>=!~;(":
        return f"{text!r} is no version: write it like >=2,<4"
    try:
        read = Requirement(f"{name}{text}" if text[:1] != ";" else f"{name} {text}")
    except InvalidRequirement as error:
        return str(error).partition("\n")[0]
    if read.url is not None or read.name != name:
        return "only a name and versions can be given, no address"
    return read
