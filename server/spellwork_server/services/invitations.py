"""Invitations and share links: made by the owners of a canvas, used by whoever they are for."""

from __future__ import annotations

from pydantic import Field

from spellwork_server.errors import BadRequest
from spellwork_server.identity.invitations import Invitations, Listed, Made, State
from spellwork_server.identity.policy import CanvasRole, require
from spellwork_server.storage.canvases import CanvasRecords

from .auth import Secret, SignInView, caller_address, signed_in
from .canvases import CanvasId
from .service import Call, Done, Request, Service, View, operation
from .users import Email, Name, Password

LONGEST = 366 * 86_400.0
"""Seconds that a share link may be good for, unless it is for ever."""


class InvitationView(View):
    """An open invitation (with ``email``) or share link (without), as owners see it.

    ``void``: the person who made it may not invite any more, so it lets nobody in.
    """

    id: str
    role: CanvasRole
    email: str | None
    by: str = Field(description="Name of the person who made it.")
    created_at: float
    expires_at: float | None = Field(description="None: it does not expire.")
    uses: int = Field(description="How many people it let in.")
    state: State


class InvitationList(View):
    """What is open, the newest first."""

    items: list[InvitationView]
    new_people: bool = Field(description="Whether the caller may invite people without an account.")


class NewInvitation(CanvasId):
    """Somebody to invite, or, without ``email``, a share link to make."""

    role: CanvasRole
    email: Email | None = None
    expires_in: float | None = Field(
        default=None, ge=60, le=LONGEST, description="Seconds a share link is good; None: for ever."
    )


class MadeInvitation(View):
    """``member``: they had an account and are a member now. Else the invitation, and its ``link``, shown this once."""

    member: str | None = Field(description="Email address of the new member.")
    invitation: InvitationView | None
    link: str | None


class InvitationId(CanvasId):
    """The canvas, and one of its invitations."""

    invitation: str = Field(min_length=1, max_length=64)


class InvitationToken(Request):
    """What the invitation's address ends with."""

    token: Secret


class InvitationFacts(View):
    """What an invitation is for."""

    canvas: str = Field(description="Name of the canvas.")
    role: CanvasRole
    by: str = Field(description="Name of the person who invites.")
    email: str | None = Field(description="Whom it is for; None: for anybody with an account.")
    account_needed: bool = Field(
        description="Whether accepting makes the account: there is none yet."
    )
    expires_at: float | None


class Accepted(View):
    """Where the invitation leads, and what one is there."""

    canvas: str = Field(description="Id of the canvas.")
    role: CanvasRole


class JoinByInvitation(InvitationToken):
    """A name and a password for the new account; the address is the invitation's."""

    name: Name
    password: Password


class Joined(SignInView):
    """Signed in with the new account, and a member of ``canvas`` (its id)."""

    canvas: str


class InvitationService(Service):
    """Ways onto a canvas."""

    name = "invitations"

    def __init__(self, invitations: Invitations, canvases: CanvasRecords, url: str) -> None:
        self._invitations = invitations
        self._canvases = canvases
        self._url = url

    @operation(
        summary="List a canvas's open invitations and share links",
        rest=("GET", "/v1/canvases/{id}/invitations"),
    )
    async def find(self, call: Call, request: CanvasId) -> InvitationList:
        """List what is neither used up nor revoked, the newest first. For owners."""
        actor = require(call.actor, "canvas.invite", await self._canvases.access(request.id))
        found = await self._invitations.find(request.id)
        return InvitationList(
            items=[_view(each) for each in found],
            new_people=self._invitations.may_bring_new_people(actor),
        )

    @operation(
        summary="Invite somebody, or make a share link",
        rest=("POST", "/v1/canvases/{id}/invitations"),
        status=201,
        errors=("no_new_people", "too_many_invitations"),
    )
    async def create(self, call: Call, request: NewInvitation) -> MadeInvitation:
        """Make the account of ``email`` a member; without an account, or without ``email``, make a link.

        An invitation is good for 7 days and once; a newer one for the same
        address replaces it. The server sends no mail: the link is handed on by
        whoever made it. For owners.
        """
        actor = require(call.actor, "canvas.invite", await self._canvases.access(request.id))
        if request.email is None:
            made = await self._invitations.make_link(
                actor, request.id, request.role, request.expires_in
            )
        elif request.expires_in is None:
            made = await self._invitations.invite(actor, request.id, request.role, request.email)
        else:
            raise BadRequest.field("expires_in", "an invitation with an address is good for 7 days")
        return self._made(made)

    @operation(
        summary="Make another link for an invitation",
        rest=("POST", "/v1/canvases/{id}/invitations/{invitation}/link"),
        status=201,
        errors=("no_new_people",),
    )
    async def remake(self, call: Call, request: InvitationId) -> MadeInvitation:
        """Replace an invitation's link by a new one, good as long anew; the old one ends. For owners."""
        actor = require(call.actor, "canvas.invite", await self._canvases.access(request.id))
        return self._made(await self._invitations.remake(actor, request.id, request.invitation))

    @operation(
        summary="Revoke an invitation or share link",
        rest=("DELETE", "/v1/canvases/{id}/invitations/{invitation}"),
    )
    async def remove(self, call: Call, request: InvitationId) -> Done:
        """Let nobody in by it any more; who came by it stays a member. For owners."""
        require(call.actor, "canvas.invite", await self._canvases.access(request.id))
        await self._invitations.revoke(request.id, request.invitation)
        return Done()

    @operation(
        summary="Look at an invitation",
        rest=("POST", "/v1/invitations/look"),
        socket=False,
        public=True,
        errors=("invitation_invalid", "rate_limited"),
    )
    async def look(self, call: Call, request: InvitationToken) -> InvitationFacts:
        """Tell what an invitation is for, to whoever holds it; changes nothing. Attempts are limited."""
        facts = await self._invitations.look(request.token, caller_address(call))
        return InvitationFacts(
            canvas=facts.canvas.name,
            role=facts.role,
            by=facts.by,
            email=facts.email,
            account_needed=facts.account_needed,
            expires_at=facts.expires_at,
        )

    @operation(
        summary="Accept an invitation",
        rest=("POST", "/v1/invitations/accept"),
        errors=("invitation_invalid", "invitation_for_another", "rate_limited"),
    )
    async def accept(self, call: Call, request: InvitationToken) -> Accepted:
        """Become a member. A role that allows more than the invitation's stays. Attempts are limited."""
        actor = require(call.actor, "canvas.join")
        canvas, role = await self._invitations.accept(actor, request.token, caller_address(call))
        return Accepted(canvas=canvas, role=role)

    @operation(
        summary="Make the account that an invitation is for",
        rest=("POST", "/v1/invitations/join"),
        status=201,
        socket=False,
        public=True,
        errors=("invitation_invalid", "email_taken", "rate_limited"),
    )
    async def join(self, call: Call, request: JoinByInvitation) -> Joined:
        """Make an ordinary account for the invitation's address, and sign in. Attempts are limited."""
        sign_in, canvas = await self._invitations.join(
            request.token, request.name, request.password, caller_address(call)
        )
        return Joined(**signed_in(call, sign_in).model_dump(), canvas=canvas)

    def _made(self, made: Made) -> MadeInvitation:
        return MadeInvitation(
            member=made.user.email if made.user else None,
            invitation=_view(made.listed) if made.listed else None,
            link=join_address(self._url, made.token) if made.token else None,
        )


def join_address(url: str, token: str) -> str:
    """Return the address of an invitation. The token is a fragment, which no server, proxy or Referer gets."""
    return f"{url}/#/join/{token}"


def _view(listed: Listed) -> InvitationView:
    kept = listed.invitation
    return InvitationView(
        id=kept.id,
        role=kept.role,
        email=kept.email,
        by=listed.by,
        created_at=kept.created_at,
        expires_at=kept.expires_at,
        uses=kept.uses,
        state=listed.state,
    )
