"""``spellwork pack``: packs of a running server's workers."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from spellwork_server.errors import BadRequest, NotFound

from .remote import Remote

_REQUIREMENT = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*([^A-Za-z0-9\s].*)?")

Place = dict[str, str]
"""``{"canvas": ID}`` or ``{"worker": ID}``."""


def place_of(canvas: str | None, worker: str | None) -> Place:
    """Return the place meant; raises BadRequest unless it is one."""
    if (canvas is None) == (worker is None):
        raise BadRequest("Say which worker: --canvas ID (that canvas's) or --worker ID")
    return {"canvas": canvas} if canvas is not None else {"worker": worker or ""}


def install_pack(remote: Remote, source: str, place: Place, sha256: str | None) -> dict[str, Any]:
    """Install a pack from an index (``NAME`` or ``NAME==1.2``) or from a wheel's file; return what it is now."""
    body: dict[str, Any] = dict(place)
    if source.endswith(".whl"):
        body["file"] = upload_pack(remote, Path(source), place)["file"]
    else:
        match = _REQUIREMENT.fullmatch(source.strip())
        if match is None:
            raise BadRequest.field(
                "SOURCE", f"{source!r} is neither NAME, NAME==VERSION nor a .whl file"
            )
        body |= {"distribution": match[1], "specifier": (match[2] or "").strip()}
    if sha256 is not None:
        body["sha256"] = sha256
    return remote.call("POST", "/v1/packs", body)


def upload_pack(remote: Remote, file: Path, place: Place) -> dict[str, Any]:
    """Upload a wheel; return what it is called by."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadRequest.field("SOURCE", f"{file} cannot be read: {error.strerror}") from error
    body = {**place, "name": file.name, "data": base64.b64encode(data).decode()}
    return remote.call("POST", "/v1/packs/files", body)


def list_packs(remote: Remote, place: Place) -> list[dict[str, Any]]:
    """Return the packs of a worker."""
    items: list[dict[str, Any]] = remote.call("GET", f"/v1/packs?{urlencode(place)}")["items"]
    return items


def remove_pack(remote: Remote, name: str, place: Place) -> dict[str, Any]:
    """Remove a pack by the name of its distribution, or of the pack; return what it was."""
    for each in list_packs(remote, place):
        names = {each["id"], each["distribution"], *(pack["name"] for pack in each["packs"])}
        if name in names or name.replace("_", "-").lower() in names:
            remote.call("DELETE", f"/v1/packs/{quote(each['id'], safe='')}")
            return each
    raise NotFound(f"The worker has no pack {name!r}")
