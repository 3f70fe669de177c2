"""Signing in and out. The refresh token travels in a cookie that no script can read."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from spellwork_server.errors import Unauthenticated
from spellwork_server.identity.accounts import Accounts, SignIn
from spellwork_server.identity.policy import UserAccess, require
from spellwork_server.identity.tokens import SESSION_COOKIE

from .service import Call, Cookie, Done, Nothing, Request, Service, View, operation
from .users import Name, Password, UserView, user_view

REFRESH_COOKIE = "spellwork_refresh"
REFRESH_PATH = "/v1/auth"
"""The refresh token is sent to these routes and nowhere else."""

Secret = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class Login(Request):
    """An email address and a password."""

    email: str = Field(min_length=1, max_length=320)
    password: Secret


class RedeemLink(Request):
    """The token of a one-time sign-in link."""

    token: Secret


class ChangeMe(Request):
    """What somebody may change of their own account."""

    name: Name | None = None


class ChangePassword(Request):
    """A new password; ``current`` may be left out while there is none."""

    password: Password
    current: Secret | None = None


class SignInView(View):
    """An access token for ``Authorization: Bearer``, good for ``expires_in`` seconds."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105 - the scheme's name (RFC 6750), not a secret
    expires_in: int
    user: UserView


class AuthService(Service):
    """Proof of who one is."""

    name = "auth"

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    @operation(
        summary="Sign in with a password",
        rest=("POST", "/v1/auth/login"),
        socket=False,
        public=True,
        errors=("wrong_credentials", "rate_limited"),
    )
    async def login(self, call: Call, request: Login) -> SignInView:
        """Answer an access token and set the refresh cookie. Attempts are limited."""
        return signed_in(
            call,
            await self._accounts.sign_in(request.email, request.password, caller_address(call)),
        )

    @operation(
        summary="Sign in with a one-time link's token",
        rest=("POST", "/v1/auth/link"),
        socket=False,
        public=True,
        errors=("link_invalid", "rate_limited"),
    )
    async def link(self, call: Call, request: RedeemLink) -> SignInView:
        """Use the link up and sign in."""
        return signed_in(
            call, await self._accounts.sign_in_by_link(request.token, caller_address(call))
        )

    @operation(
        summary="Exchange the refresh cookie for a new access token",
        rest=("POST", "/v1/auth/refresh"),
        socket=False,
        public=True,
        errors=("token_invalid", "token_expired", "token_revoked"),
    )
    async def refresh(self, call: Call, _request: Nothing) -> SignInView:
        """Rotate the refresh token. One that is presented twice ends its sign-in everywhere."""
        token = _refresh_token(call)
        if token is None:
            raise Unauthenticated("There is no refresh cookie; sign in")
        return signed_in(call, await self._accounts.refresh(token))

    @operation(summary="Sign out", rest=("POST", "/v1/auth/logout"), socket=False, public=True)
    async def logout(self, call: Call, _request: Nothing) -> Done:
        """End this sign-in: its access and refresh tokens are refused from now on."""
        await self._accounts.sign_out(call.actor, _refresh_token(call))
        _forget_cookies(call)
        return Done()

    @operation(summary="Who am I", rest=("GET", "/v1/auth/me"))
    async def me(self, call: Call, _request: Nothing) -> UserView:
        """Answer the account that the token belongs to."""
        return user_view(await self._accounts.get(_own(call)))

    @operation(summary="Change my name", rest=("PATCH", "/v1/auth/me"))
    async def patch_me(self, call: Call, request: ChangeMe) -> UserView:
        """Change one's own account."""
        return user_view(await self._accounts.change(_own(call), name=request.name))

    @operation(
        summary="Change my password",
        rest=("PUT", "/v1/auth/password"),
        errors=("wrong_password", "rate_limited"),
    )
    async def set_password(self, call: Call, request: ChangePassword) -> Done:
        """Set one's own password; one's other sign-ins end."""
        user_id = _own(call)
        actor = require(call.actor, "credentials.add", UserAccess(user_id))
        await self._accounts.set_password(actor, user_id, request.password, request.current)
        return Done()


def _own(call: Call) -> str:
    actor = require(call.actor, "user.edit", UserAccess(call.actor.user_id) if call.actor else None)
    return actor.user_id


def caller_address(call: Call) -> str:
    """Return the network address that a call comes from."""
    if call.session is not None:
        return call.session.client.address
    return (call.request.remote if call.request is not None else None) or ""


def _refresh_token(call: Call) -> str | None:
    return call.request.cookies.get(REFRESH_COOKIE) if call.request is not None else None


def signed_in(call: Call, sign_in: SignIn) -> SignInView:
    """Set the cookies of a sign-in, and return what the page keeps of it."""
    call.cookies.append(
        Cookie(REFRESH_COOKIE, sign_in.refresh_token, REFRESH_PATH, sign_in.refresh_expires_in)
    )
    call.cookies.append(Cookie(SESSION_COOKIE, sign_in.access_token, "/", sign_in.expires_in))
    return SignInView(
        access_token=sign_in.access_token,
        expires_in=sign_in.expires_in,
        user=user_view(sign_in.user),
    )


def _forget_cookies(call: Call) -> None:
    call.cookies.append(Cookie(REFRESH_COOKIE, "", REFRESH_PATH, 0))
    call.cookies.append(Cookie(SESSION_COOKIE, "", "/", 0))
