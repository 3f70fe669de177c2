"""Inviting people to a canvas, and coming by an invitation: the rules, once for every transport.

An invitation with an address is for that one person, once; one without (a
share link) is for whoever has it and an account. What the person who made one
may no longer do, it does not do either: it is void while they are no owner.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NoReturn

from spellwork_server.errors import BadRequest, Conflict, Forbidden, NotFound
from spellwork_server.storage.canvases import CanvasRecord, CanvasRecords
from spellwork_server.storage.invitations import Invitation, InvitationRecords, higher
from spellwork_server.storage.users import UserRecord, UserRecords, new_account, normal

from .accounts import Accounts, SignIn
from .actor import Actor
from .attempts import Attempts
from .policy import CanvasRole, allowed, require
from .secrets import digest, new_token

EMAIL_SECONDS = 7 * 86_400.0
"""How long an invitation with an address is good."""

MAX_OPEN = 200
"""Invitations and links that one canvas may have at a time."""

NewPeople = Literal["nobody", "administrators", "owners"]
State = Literal["open", "expired", "void"]

REASONS = {
    "unknown": "This invitation is not one of this server's; was its address copied whole?",
    "used": "This invitation was used already; sign in and look among your canvases",
    "revoked": "This invitation was taken back, or replaced by a newer one",
    "expired": "This invitation has expired",
    "void": "The person who made this invitation may no longer invite to this canvas",
}


class InvitationInvalid(NotFound):
    """It lets nobody in (any more); ``details.reason`` is one of REASONS."""

    default_code = "invitation_invalid"

    def __init__(self, reason: str) -> None:
        more = "" if reason == "used" else ". Ask for another"
        super().__init__(REASONS[reason] + more, details={"reason": reason})


class OtherAddress(Forbidden):
    """The invitation is for somebody else than who came with it."""

    default_code = "invitation_for_another"


@dataclass(frozen=True, slots=True)
class Listed:
    """An invitation as the owners of its canvas see it."""

    invitation: Invitation
    by: str
    """The name of who made it."""
    state: State


@dataclass(frozen=True, slots=True)
class Made:
    """What came of inviting: a membership at once, or an invitation with its token, told this once."""

    user: UserRecord | None = None
    listed: Listed | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What an invitation says to whoever holds it."""

    canvas: CanvasRecord
    role: CanvasRole
    by: str
    email: str | None
    account_needed: bool
    """Whether its address has no account yet, so that one is made by accepting."""
    expires_at: float | None


class Invitations:
    """Invitations and share links, with their rules."""

    def __init__(
        self,
        *,
        records: InvitationRecords,
        canvases: CanvasRecords,
        users: UserRecords,
        accounts: Accounts,
        attempts: Attempts,
        new_people: NewPeople,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._records = records
        self._canvases = canvases
        self._users = users
        self._accounts = accounts
        self._attempts = attempts
        self._new_people = new_people
        self._clock = clock

    # For owners

    async def find(self, canvas_id: str) -> list[Listed]:
        """Return the invitations and links that are neither used up nor revoked, the newest first."""
        found = await self._records.of_canvas(canvas_id)
        makers = await self._users.find(sorted({each.created_by for each in found}))
        by_id = {each.id: each for each in makers}
        return [await self._listed(each, by_id.get(each.created_by)) for each in found]

    def may_bring_new_people(self, actor: Actor) -> bool:
        """Tell whether somebody who owns a canvas may invite people without an account to it."""
        if self._new_people == "administrators":
            return actor.is_admin
        return self._new_people == "owners"

    async def invite(self, actor: Actor, canvas_id: str, role: CanvasRole, email: str) -> Made:
        """Make the account of an address a member at once; where there is none, make an invitation.

        A role that allows more than ``role`` stays. Raises Forbidden
        (``no_new_people``) where the actor may not bring new people here,
        BadRequest for an owner to be, Conflict when there are too many.
        """
        address = normal(email)
        user = await self._users.by_email(address)
        if user is not None:
            if user.disabled:
                raise BadRequest.field("email", f"the account of {address} is disabled")
            await self._grow(canvas_id, user.id, role)
            return Made(user=user)
        self._require_new_people(actor, address)
        _require_lesser(role, f"{address} has no account yet, and who comes by a link")
        return await self._make(actor, canvas_id, role, address, EMAIL_SECONDS)

    async def make_link(
        self, actor: Actor, canvas_id: str, role: CanvasRole, seconds: float | None
    ) -> Made:
        """Make a share link, good for ``seconds`` (None: until it is revoked)."""
        _require_lesser(role, "who comes by a link")
        return await self._make(actor, canvas_id, role, None, seconds)

    async def remake(self, actor: Actor, canvas_id: str, invitation_id: str) -> Made:
        """Give an invitation another token and its whole time anew, as the actor's; the old token ends."""
        old = await self._records.get(canvas_id, invitation_id)
        if old is None:
            raise _missing(invitation_id)
        if old.email is not None:
            self._require_new_people(actor, old.email)
        token = new_token()
        seconds = None if old.expires_at is None else old.expires_at - old.created_at
        renewed = await self._records.renew(
            canvas_id,
            invitation_id,
            token_hash=digest(token),
            created_by=actor.user_id,
            seconds=seconds,
        )
        made = await self._records.by_hash(digest(token)) if renewed else None
        if made is None:
            raise _missing(invitation_id)
        return Made(
            listed=await self._listed(made, await self._users.get(actor.user_id)), token=token
        )

    async def revoke(self, canvas_id: str, invitation_id: str) -> None:
        """Let an invitation or link be used no more; who came by it stays. Raises NotFound."""
        if not await self._records.revoke(canvas_id, invitation_id):
            raise _missing(invitation_id)

    # For those who come

    async def look(self, token: str, address: str) -> Facts:
        """Tell what an invitation is for. Raises InvitationInvalid, or RateLimited."""
        self._attempts.note_address(address)
        invitation, maker = await self._valid(token)
        email = invitation.email
        return Facts(
            canvas=await self._canvases.get(invitation.canvas_id),
            role=invitation.role,
            by=maker.name,
            email=email,
            account_needed=email is not None and await self._users.by_email(email) is None,
            expires_at=invitation.expires_at,
        )

    async def accept(self, actor: Actor, token: str, address: str) -> tuple[str, CanvasRole]:
        """Make the actor a member; return the canvas and their role on it. To have a higher role is fine.

        Raises OtherAddress, InvitationInvalid or RateLimited.
        """
        self._attempts.note_address(address)
        require(actor, "canvas.join")
        invitation, _ = await self._valid(token)
        if invitation.email is not None and invitation.email != normal(actor.email):
            raise OtherAddress(
                f"This invitation is for {invitation.email}, and you are signed in as {actor.email}",
                details={"email": invitation.email, "mine": actor.email},
            )
        role = await self._records.admit(invitation, actor.user_id)
        if role is None:
            await self._say_why(token)
        return invitation.canvas_id, role

    async def join(self, token: str, name: str, password: str, address: str) -> tuple[SignIn, str]:
        """Make the account that an invitation is for, an ordinary user's; return its sign-in and the canvas.

        Raises Conflict (``email_taken``) when there is an account already,
        BadRequest for a share link, InvitationInvalid or RateLimited.
        """
        self._attempts.note_address(address)
        invitation, _ = await self._valid(token)
        if invitation.email is None:
            raise BadRequest("A share link needs an account: sign in, and open it again")
        if await self._users.by_email(invitation.email) is not None:
            raise Conflict(
                f"There is an account for {invitation.email}: sign in to accept the invitation",
                code="email_taken",
                details={"email": invitation.email},
            )
        user = new_account(
            invitation.email,
            name=name,
            password_hash=await self._accounts.hash_password(password),
            at=self._clock(),
        )
        if not await self._records.admit_new(invitation, user):
            await self._say_why(token)
        return await self._accounts.begin(user), invitation.canvas_id

    # How

    async def _make(
        self,
        actor: Actor,
        canvas_id: str,
        role: CanvasRole,
        email: str | None,
        seconds: float | None,
    ) -> Made:
        if await self._records.count(canvas_id) >= MAX_OPEN:
            raise Conflict(
                f"A canvas may have {MAX_OPEN} invitations and links; revoke some first",
                code="too_many_invitations",
                details={"limit": MAX_OPEN},
            )
        token = new_token()
        made = await self._records.add(
            canvas_id,
            role,
            email,
            token_hash=digest(token),
            created_by=actor.user_id,
            seconds=seconds,
        )
        return Made(
            listed=await self._listed(made, await self._users.get(actor.user_id)), token=token
        )

    async def _grow(self, canvas_id: str, user_id: str, role: CanvasRole) -> None:
        had = (await self._canvases.access(canvas_id)).roles.get(user_id)
        wanted = higher(had, role)
        if wanted != had:
            await self._canvases.set_member(canvas_id, user_id, wanted)

    def _require_new_people(self, actor: Actor, address: str) -> None:
        if not self.may_bring_new_people(actor):
            raise Forbidden(
                f"There is no account for {address}, and {_who(self._new_people)} may bring new people"
                " here (the server's setting invite_new_people)",
                code="no_new_people",
                details={"email": address, "allowed": self._new_people},
            )

    async def _valid(self, token: str) -> tuple[Invitation, UserRecord]:
        """Return the invitation of a token that lets people in now, and who made it."""
        invitation = await self._records.by_hash(digest(token))
        if invitation is None:
            raise InvitationInvalid("unknown")
        maker = await self._users.get(invitation.created_by)
        reason = self._ended(invitation) or await self._void(invitation, maker)
        if reason or maker is None:
            raise InvitationInvalid(reason or "void")
        return invitation, maker

    def _ended(self, invitation: Invitation) -> Literal["used", "revoked", "expired"] | None:
        if invitation.used_at is not None:
            return "used"
        if invitation.revoked_at is not None:
            return "revoked"
        expired = invitation.expires_at is not None and invitation.expires_at <= self._clock()
        return "expired" if expired else None

    async def _void(
        self, invitation: Invitation, maker: UserRecord | None
    ) -> Literal["void"] | None:
        """Tell whether the maker could not make it now."""
        if maker is None or maker.disabled:
            return "void"
        as_now = Actor(maker.id, maker.email, maker.name, maker.role)
        access = await self._canvases.access(invitation.canvas_id)
        if not allowed(as_now, "canvas.invite", access):
            return "void"
        if invitation.email is None or self.may_bring_new_people(as_now):
            return None
        return None if await self._users.by_email(invitation.email) else "void"

    async def _listed(self, invitation: Invitation, maker: UserRecord | None) -> Listed:
        state: State = "expired" if self._ended(invitation) == "expired" else "open"
        if state == "open" and await self._void(invitation, maker):
            state = "void"
        return Listed(invitation, maker.name if maker else "", state)

    async def _say_why(self, token: str) -> NoReturn:
        """Tell what became of an invitation between the look at it and its use."""
        await self._valid(token)
        raise InvitationInvalid("revoked")


def _require_lesser(role: CanvasRole, who: str) -> None:
    if role == "owner":
        raise BadRequest.field(
            "role",
            f"{who} can be no owner; make them one afterwards",
            ["viewer", "runner", "editor"],
        )


def _who(setting: NewPeople) -> str:
    return "only administrators" if setting == "administrators" else "nobody"


def _missing(invitation_id: str) -> NotFound:
    return NotFound(
        f"There is no open invitation {invitation_id} to this canvas",
        details={"invitation": invitation_id},
    )
