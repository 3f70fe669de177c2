"""API keys of one's own, for scripts."""

from __future__ import annotations

from pydantic import Field

from spellwork_server.errors import NotFound
from spellwork_server.identity.authenticator import Authenticator
from spellwork_server.identity.keys import make_api_key
from spellwork_server.identity.policy import UserAccess, require
from spellwork_server.storage.api_keys import ApiKeyRecord, ApiKeyRecords

from .service import Call, Done, Nothing, Request, Service, View, operation


class ApiKeyView(View):
    """A key, without the key: ``prefix`` is how it begins."""

    id: str
    name: str
    prefix: str
    created_at: float
    last_used_at: float | None


class NewApiKeyView(ApiKeyView):
    """A new key, with the key itself: it is shown this once."""

    key: str


class ApiKeyList(View):
    """One's keys, newest first."""

    items: list[ApiKeyView]


class NewApiKey(Request):
    """What the key is for."""

    name: str = Field(default="", max_length=200)


class ApiKeyId(Request):
    """The key meant."""

    id: str = Field(min_length=1, max_length=64)


class ApiKeyService(Service):
    """API keys. A key may do what its user may."""

    name = "api_keys"

    def __init__(self, records: ApiKeyRecords, authenticator: Authenticator) -> None:
        self._records = records
        self._authenticator = authenticator

    @operation(summary="List my API keys", rest=("GET", "/v1/api-keys"))
    async def find(self, call: Call, _request: Nothing) -> ApiKeyList:
        """List one's keys that are not revoked."""
        records = await self._records.of_user(_own(call))
        return ApiKeyList(items=[ApiKeyView(**_shown(each)) for each in records])

    @operation(summary="Make an API key", rest=("POST", "/v1/api-keys"), status=201)
    async def create(self, call: Call, request: NewApiKey) -> NewApiKeyView:
        """Make a key; the answer is the only place where it is ever shown."""
        user_id = _own(call)
        require(call.actor, "credentials.add", UserAccess(user_id))
        record, key = await make_api_key(self._records, user_id, request.name)
        return NewApiKeyView(**_shown(record), key=key)

    @operation(summary="Revoke an API key", rest=("DELETE", "/v1/api-keys/{id}"))
    async def remove(self, call: Call, request: ApiKeyId) -> Done:
        """Revoke one's key: it is refused from now on."""
        user_id = _own(call)
        record = await self._records.get(request.id)
        if record is None or record.user_id != user_id:
            raise NotFound(f"You have no API key {request.id}", details={"api_key": request.id})
        await self._records.revoke(record.id)
        self._authenticator.forget(user_id)
        return Done()


def _own(call: Call) -> str:
    actor = require(call.actor, "user.edit", UserAccess(call.actor.user_id) if call.actor else None)
    return actor.user_id


def _shown(record: ApiKeyRecord) -> dict[str, object]:
    return {name: getattr(record, name) for name in ApiKeyView.model_fields}
