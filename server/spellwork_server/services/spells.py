"""Spells in files: any form becomes a spell, and a spell any form. Nothing is kept, and nothing runs."""

from __future__ import annotations

import base64
import binascii

from pydantic import Field, model_validator

from spellwork.formats import Form
from spellwork.spell import Spell
from spellwork_server.errors import BadRequest
from spellwork_server.identity import require

from .service import Call, Document, Request, Service, operation
from .spell_forms import SpellFile, SpellForms, SpellRead

MAX_TEXT = 4_000_000
"""Characters of a file that is read."""


class FileToRead(Request):
    """A file that holds a spell: ``text``, or ``data`` in base64. Its form is told by name and first bytes."""

    name: str = Field(default="file", max_length=255)
    text: str | None = Field(default=None, max_length=MAX_TEXT)
    data: str | None = Field(default=None, max_length=MAX_TEXT)
    form: Form | None = Field(default=None, alias="as")

    @model_validator(mode="after")
    def _one(self) -> FileToRead:
        if (self.text is None) == (self.data is None):
            raise ValueError("give either text or data")
        return self


class SpellToWrite(Request):
    """A spell, and the form to write it in."""

    spell: Spell
    form: Form = Field(alias="as")


class SpellService(Service):
    """Spells to and from files."""

    name = "spells"

    def __init__(self, forms: SpellForms) -> None:
        self._forms = forms

    @operation(
        summary="Read a spell from a file",
        rest=("POST", "/v1/spells/read"),
        errors=("format_invalid", "spell_unreadable"),
        cost=10,
    )
    async def read(self, call: Call, request: FileToRead) -> SpellRead:
        """Answer the spell that a file holds, in whatever form, and what is wrong with it. Python is not run."""
        actor = require(call.actor, "nodes.read")
        return await self._forms.read(_bytes(request), request.name, request.form, actor)

    @operation(
        summary="Write a spell as a file",
        rest=("POST", "/v1/spells/write"),
        errors=("format_invalid",),
        cost=10,
    )
    async def write(self, call: Call, request: SpellToWrite) -> SpellFile | Document:
        """Answer a spell as a file in a form: over REST its bytes."""
        actor = require(call.actor, "nodes.read")
        return await self._forms.write(request.spell, request.form, actor)


def _bytes(request: FileToRead) -> bytes:
    try:
        if request.text is not None:
            return request.text.encode()
        return base64.b64decode(request.data or "", validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        field = "data" if request.text is None else "text"
        raise BadRequest.field(field, f"cannot be read: {error}") from error
