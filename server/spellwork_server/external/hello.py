"""What an external worker says of itself, checked: nothing of it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from spellwork import Pack
from spellwork.errors import PackInvalid
from spellwork.external.frames import PROTOCOL, Hello
from spellwork.stubs import pack_of

MOST_SCHEMA = 50_000
"""Bytes of the schema of a configuration, and of the configuration."""

MOST_SECRETS = 100


@dataclass(frozen=True, slots=True)
class Told:
    """A worker's own words, fit to be kept and shown."""

    pack: dict[str, Any]
    schema: dict[str, Any]
    config: dict[str, Any]
    secrets: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "pack": self.pack,
            "schema": self.schema,
            "config": self.config,
            "secrets": list(self.secrets),
        }


def read_hello(hello: Hello) -> Told:
    """Return what a worker says of itself; raises PackInvalid."""
    if hello.protocol != PROTOCOL:
        raise PackInvalid(f"it speaks version {hello.protocol}, and this server {PROTOCOL}")
    told = Told(hello.pack, hello.schema, hello.config, tuple(hello.secrets))
    for what, value in (("schema", told.schema), ("configuration", told.config)):
        if len(msgspec.json.encode(value)) > MOST_SCHEMA:
            raise PackInvalid(f"its {what} is over {MOST_SCHEMA:,} bytes")
    if len(told.secrets) > MOST_SECRETS or any(len(each) > 200 for each in told.secrets):
        raise PackInvalid("it names too many secrets")
    stubs_of("check", told)
    return told


def stubs_of(worker: str, told: Told) -> Pack:
    """Return a worker's pack, of stubs that name it; raises PackInvalid."""
    target = f"{worker}/{{id}}/{{version}}"
    return pack_of(told.pack, target=target, isolation="external")[0]


def kept(value: Any) -> Told | None:
    """Return what was kept of a worker, or None where nothing was."""
    if value is None:
        return None
    return Told(value["pack"], value["schema"], value["config"], tuple(value["secrets"]))
