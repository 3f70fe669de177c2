"""What goes in and out of ``packs.*``."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, StringConstraints, model_validator

from .service import Request, View

Specifier = Annotated[
    str,
    StringConstraints(
        max_length=100, pattern=r"^(?:(?:==|>=|<=|>|<|!=|~=|,|\.|\*|\+| |[A-Za-z0-9])*)$"
    ),
]
"""Versions as PEP 440 has them: ``==1.2``, ``>=1,<2``; empty for any."""

Distribution = Annotated[
    str, StringConstraints(max_length=100, pattern=r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Canvas = Annotated[str, Field(min_length=1, max_length=64)]
Worker = Annotated[str, Field(min_length=1, max_length=64)]


class PackOf(View):
    """A pack that an installed distribution brings."""

    name: str
    title: str
    version: str
    nodes: int = Field(description="How many node types.")


class PackObject(View):
    """An object that lives in the worker's process. Its configuration is for those who may change the worker."""

    name: str = Field(description="PACK.OBJECT")
    title: str
    config_schema: dict[str, Any] | None = None
    config: dict[str, Any] | None = Field(default=None, description="Without its secrets.")
    secrets: list[str] | None = Field(
        default=None, description="Fields of the configuration that are never told, as a.b."
    )


class InstalledPack(View):
    """A distribution in a worker's environment that brings packs."""

    id: str
    worker: str
    distribution: str
    specifier: str = Field(description="The versions asked for; empty for any.")
    file: str | None = Field(description="SHA-256 of the wheel, where it was uploaded.")
    file_name: str | None
    version: str | None = Field(description="What was installed.")
    sha256: list[str] = Field(
        description="The hashes that its files may have: those of that version when it was installed."
    )
    state: Literal["installing", "ready", "failed"]
    reason: str | None = Field(description="Why it failed.")
    traceback: str | None = Field(description="Of its import, where that failed.")
    packs: list[PackOf]
    objects: list[PackObject]
    left_out: dict[str, str] = Field(
        description="Node types that cannot be used from a worker, and why."
    )
    installed_by: str | None
    created_at: float


class InstalledPacks(View):
    """A worker's packs, by distribution."""

    worker: str
    items: list[InstalledPack]


class PacksOf(Request):
    """Of which worker: that of a canvas, or by its id."""

    canvas: Canvas | None = None
    worker: Worker | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.canvas is None) == (self.worker is None):
            raise ValueError("say either canvas or worker")
        return self


class PackToInstall(PacksOf):
    """A pack from an index by its name and versions, or the uploaded wheel of that hash."""

    distribution: Distribution | None = None
    specifier: Specifier = ""
    sha256: Hash | None = Field(
        default=None, description="What is installed must have this hash, wherever it comes from."
    )
    file: Hash | None = None

    @model_validator(mode="after")
    def _from_one(self) -> Self:
        if (self.distribution is None) == (self.file is None):
            raise ValueError("say either distribution or file")
        return self


class PackToUpload(PacksOf):
    """A wheel, as base64, for the worker that it is meant for."""

    name: str = Field(min_length=1, max_length=300, description="The file's name.")
    data: str = Field(min_length=1, description="The bytes, in base64.")


class UploadedPack(View):
    """A wheel that is kept, to be installed by its hash."""

    file: str = Field(description="Its SHA-256.")
    name: str
    distribution: str
    version: str
    size: int


class PackId(Request):
    """The installed pack meant."""

    id: str = Field(min_length=1, max_length=64)


class ObjectOfPack(PackId):
    """An object of an installed pack."""

    object: str = Field(min_length=1, max_length=130, description="PACK.OBJECT")


class ObjectConfig(ObjectOfPack):
    """A configuration; secrets that it leaves out stay as they are."""

    config: dict[str, JsonValue]


class ObjectImport(ObjectConfig):
    """A configuration and state that were exported, with the secrets that are to change."""

    state: JsonValue = None


class ObjectExport(View):
    """What an object is, without secrets: ``secrets`` names what must be given anew where it is imported."""

    object: str
    config: dict[str, Any]
    secrets: list[str]
    state: JsonValue = None
