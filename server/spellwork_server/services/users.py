"""Accounts, for administrators; everybody may look at and name their own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from spellwork_server.identity.accounts import Accounts
from spellwork_server.identity.policy import UserAccess, require
from spellwork_server.storage.users import UserRecord

from .service import Call, Nothing, Request, Service, View, operation

Email = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")
]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Password = Annotated[str, StringConstraints(min_length=8, max_length=1024)]
Role = Literal["admin", "member"]


class UserView(View):
    """An account. ``disabled`` ones cannot sign in, and their tokens are refused."""

    id: str
    email: str
    name: str
    role: Role
    disabled: bool = False
    has_password: bool = True
    created_at: float


class UserList(View):
    """Accounts, by email address."""

    items: list[UserView]


class NewUser(Request):
    """An account to make. Without a password the answer has a one-time sign-in link."""

    email: Email
    name: Name | None = None
    role: Role = "member"
    password: Password | None = None


class NewUserView(UserView):
    """The account made; ``link`` is the address of a one-time sign-in link, shown this once."""

    link: str | None = None


class UserId(Request):
    """The account meant."""

    id: str = Field(min_length=1, max_length=64)


class ChangeUser(UserId):
    """What to change of an account; what is left out stays."""

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class LinkView(View):
    """A one-time sign-in link, good for a day, shown this once."""

    link: str


class UserService(Service):
    """Accounts."""

    name = "users"

    def __init__(self, accounts: Accounts, url: str) -> None:
        self._accounts = accounts
        self._url = url

    @operation(summary="List the accounts", rest=("GET", "/v1/users"))
    async def find(self, call: Call, _request: Nothing) -> UserList:
        """List all accounts, by email address. For administrators."""
        require(call.actor, "users.manage")
        return UserList(items=[user_view(each) for each in await self._accounts.find()])

    @operation(
        summary="Make an account", rest=("POST", "/v1/users"), status=201, errors=("email_taken",)
    )
    async def create(self, call: Call, request: NewUser) -> NewUserView:
        """Make an account. For administrators."""
        require(call.actor, "users.manage")
        user = await self._accounts.create(
            request.email, name=request.name or "", role=request.role, password=request.password
        )
        link = (
            None
            if request.password
            else link_address(self._url, await self._accounts.make_link(user.id))
        )
        return NewUserView(**user_view(user).model_dump(), link=link)

    @operation(summary="Look at an account", rest=("GET", "/v1/users/{id}"))
    async def get(self, call: Call, request: UserId) -> UserView:
        """Answer an account: anybody's for administrators, else one's own."""
        require(call.actor, "user.read", UserAccess(request.id))
        return user_view(await self._accounts.get(request.id))

    @operation(
        summary="Change an account",
        rest=("PATCH", "/v1/users/{id}"),
        errors=("last_administrator",),
    )
    async def patch(self, call: Call, request: ChangeUser) -> UserView:
        """Change name, role, password or whether it is disabled. For administrators."""
        actor = require(call.actor, "users.manage")
        if request.password is not None:
            await self._accounts.reset_password(actor, request.id, request.password)
        return user_view(
            await self._accounts.change(
                request.id, name=request.name, role=request.role, disabled=request.disabled
            )
        )

    @operation(
        summary="Disable an account",
        rest=("DELETE", "/v1/users/{id}"),
        errors=("last_administrator",),
    )
    async def remove(self, call: Call, request: UserId) -> UserView:
        """Disable an account: its sign-ins and keys stop at once; what it made stays. For administrators."""
        require(call.actor, "users.manage")
        return user_view(await self._accounts.change(request.id, disabled=True))

    @operation(
        summary="Make a one-time sign-in link", rest=("POST", "/v1/users/{id}/link"), status=201
    )
    async def make_link(self, call: Call, request: UserId) -> LinkView:
        """Make a link by which the account signs in once, in place of any unused one. For administrators."""
        require(call.actor, "users.manage")
        user = await self._accounts.get(request.id)
        return LinkView(link=link_address(self._url, await self._accounts.make_link(user.id)))


def link_address(url: str, token: str) -> str:
    """Return the address of a one-time sign-in link. The token stays out of server logs: it is a fragment."""
    return f"{url}/#/link/{token}"


def user_view(user: UserRecord) -> UserView:
    """Return an account as it is shown."""
    return UserView(
        id=user.id,
        email=user.email,
        name=user.name,
        role=user.role,
        disabled=user.disabled,
        has_password=user.password_hash is not None,
        created_at=user.created_at,
    )
