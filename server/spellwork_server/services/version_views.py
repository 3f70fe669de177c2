"""What the outside sees of versions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import Field

from spellwork.difference import Change, FieldChange
from spellwork_server.history.summary import Summary
from spellwork_server.storage.users import UserRecords
from spellwork_server.storage.versions import Reason, VersionRecord

from .service import View


class Author(View):
    """Somebody who edited. ``name`` is None where the account is gone."""

    id: str
    name: str | None


class VersionView(View):
    """A version of a canvas: what was drawn when editing came to rest, was saved, or was restored."""

    id: str
    canvas: str
    number: int = Field(description="Counts the versions of the canvas from 1.")
    seq: int = Field(description="Number of the last edit in it.")
    created_at: float = Field(description="Unix seconds.")
    name: str | None = Field(description="Given by a person; a named version stays for good.")
    reason: Reason
    source: str | None = Field(description="The version that was restored, with `restored`.")
    by: Author | None = Field(description="Who saved or restored it.")
    authors: list[Author] = Field(
        description="Who edited since the version before; the server's repairs have no author."
    )
    changes: Summary = Field(description="What is different from the version before.")


class WholeVersion(VersionView):
    """A version with its spell."""

    spell: dict[str, Any] = Field(
        description="As it was, also where it has node types or a schema that are not known here."
    )


class Compared(View):
    """What differs between a version and another, or the canvas as it is now (``after`` is None)."""

    canvas: str
    before: str
    after: str | None
    seq: int = Field(description="Number of the last edit in what it was compared with.")
    name: FieldChange | None
    changes: list[Change]


class CanvasVersions(View):
    """``canvas.versions``: a version is new, or has another name."""

    canvas: str
    version: VersionView


class VersionViews:
    """Makes views of versions, with people's names."""

    def __init__(self, users: UserRecords) -> None:
        self._users = users

    async def of(self, records: Sequence[VersionRecord]) -> list[VersionView]:
        """Return versions as they are shown."""
        names = await self._names(
            {user for each in records for user in (*each.authors, each.created_by) if user}
        )

        def author(user: str) -> Author:
            return Author(id=user, name=names.get(user))

        return [
            VersionView(
                id=each.id,
                canvas=each.canvas_id,
                number=each.number,
                seq=each.seq,
                created_at=each.created_at,
                name=each.name,
                reason=each.reason,
                source=each.source,
                by=author(each.created_by) if each.created_by else None,
                authors=[author(user) for user in each.authors],
                changes=Summary.model_validate(each.changes),
            )
            for each in records
        ]

    async def one(self, record: VersionRecord) -> VersionView:
        """Return one version as it is shown."""
        return (await self.of([record]))[0]

    async def _names(self, users: Iterable[str]) -> dict[str, str]:
        wanted = sorted(users)
        if not wanted:
            return {}
        return {user.id: user.name or user.email for user in await self._users.find(wanted)}
