"""Spells as files, for whoever is not at the command line: written in any form, and read from any."""

from __future__ import annotations

import asyncio
import base64
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE

import msgspec
from pydantic import JsonValue

from spellwork import Spell, formats, read_spell, validate
from spellwork.errors import SpellworkError
from spellwork.formats import Form
from spellwork.library import Libraries
from spellwork.reading import read_bytes
from spellwork_server.child_spells import ChildSpells
from spellwork_server.errors import BadRequest
from spellwork_server.identity import Actor

from .service import Document, View

MEDIA_TYPES: dict[Form, str] = {
    "json": "application/json",
    "yaml": "text/yaml",
    "manifest": "text/yaml",
    "ir": "application/msgpack",
    "python": "text/x-python",
}

ENDINGS: dict[Form, str] = {
    "json": ".json",
    "yaml": ".yaml",
    "manifest": ".manifest.yaml",
    "ir": ".ir",
    "python": ".py",
}

APART = 50_000
"""Bytes of a file from which it is read by a process of its own: parsers hold the interpreter for seconds."""

APART_SECONDS = 90.0

_NO_NAME = re.compile(r'[\x00-\x1f\x7f\s<>:"/\\|?*]+')


class SpellFile(View):
    """A spell as a file: ``text``, or ``data`` in base64 where the form is no text."""

    form: Form
    name: str
    media_type: str
    text: str | None = None
    data: str | None = None


class SpellRead(View):
    """What a file holds: the spell, and what is wrong with it; ``form`` is the one it was in."""

    form: Form
    spell: dict[str, JsonValue]
    problems: list[dict[str, JsonValue]]


class SpellForms:
    """Writes and reads spells away from the event loop, one at a time: a large one takes a second or two."""

    def __init__(self, libraries: Libraries, children: ChildSpells) -> None:
        self._libraries = libraries
        self._children = children
        self._turn = asyncio.Semaphore()

    async def write(
        self, spell: Spell, form: Form, actor: Actor, canvas: str | None = None
    ) -> Document:
        """Return a spell (that of a canvas, where one is named) as a file. Raises BadRequest where it has no such form, or cannot be compiled to a plan."""
        found = await self._children.for_actor(spell, actor.user_id, actor)
        async with self._turn:
            try:
                content = await asyncio.to_thread(
                    formats.write, spell, form, self._libraries.of(canvas), found.spells.get
                )
            except SpellworkError as error:
                raise _refused(error) from error
        name = (_NO_NAME.sub(" ", spell.name).strip().lstrip(".")[:80] or "spell") + ENDINGS[form]
        binary = form == "ir"
        view = SpellFile(
            form=form,
            name=name,
            media_type=MEDIA_TYPES[form],
            text=None if binary else content.decode(),
            data=base64.b64encode(content).decode() if binary else None,
        )
        return Document(content, MEDIA_TYPES[form], name, view)

    async def read(self, data: bytes, name: str, form: Form | None, actor: Actor) -> SpellRead:
        """Return the spell in a file. Nothing of it runs.

        Raises:
            BadRequest: when it holds none, with line and column where there are any.
        """
        name = _NO_NAME.sub(" ", name.encode("utf-8", "replace").decode())
        told = form or formats.form_of(name, data)
        async with self._turn:
            if len(data) > APART:
                spell = await read_apart(data, name, told)
            else:
                spell = await self._read_here(data, name, told)
        found = await self._children.for_actor(spell, actor.user_id, actor)
        async with self._turn:
            library = self._libraries.of(None)
            problems = await asyncio.to_thread(validate, spell, library, found.spells.get)
        return SpellRead(
            form=told, spell=spell.to_json(), problems=[each.to_json() for each in problems]
        )

    async def _read_here(self, data: bytes, name: str, form: Form) -> Spell:
        try:
            return await asyncio.to_thread(
                read_bytes, data, name, form, library=self._libraries.of(None)
            )
        except SpellworkError as error:
            raise _refused(error) from error


async def read_apart(data: bytes, name: str, form: Form) -> Spell:
    """Return the spell in a file, read by a process of its own with limits and without the server's environment.

    Raises:
        BadRequest: as ``SpellForms.read``, and where the process did not get to the end.
    """
    command = (sys.executable, "-I", "-m", "spellwork.formats", name, form)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={"PYTHONUTF8": "1"}
    )
    try:
        async with asyncio.timeout(APART_SECONDS):
            said, _ = await process.communicate(data)
        answer = msgspec.json.decode(said)
    except (TimeoutError, msgspec.DecodeError) as error:
        raise BadRequest(
            f"{name} takes too much to read", code="format_invalid", details={"form": form}
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if "error" in answer:
        told = answer["error"]
        raise BadRequest(told["message"][:2_000], code=told["code"], details=told["details"])
    return read_spell(answer["spell"])


def _refused(error: SpellworkError) -> BadRequest:
    return BadRequest(error.message[:2_000], code=error.code, details=error.details)
