"""What proves who somebody is."""

from __future__ import annotations

from dataclasses import dataclass

from spellwork_server.assembly.stores import Stores
from spellwork_server.identity.accounts import Accounts
from spellwork_server.identity.attempts import Attempts
from spellwork_server.identity.authenticator import Authenticator
from spellwork_server.identity.invitations import Invitations
from spellwork_server.identity.passwords import Passwords
from spellwork_server.identity.secrets import signing_key
from spellwork_server.identity.tokens import AccessTokens
from spellwork_server.settings import Settings


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is."""

    authenticator: Authenticator
    accounts: Accounts
    invitations: Invitations
    attempts: Attempts


def make_identity(settings: Settings, stores: Stores) -> Identity:
    """Put together what proves who somebody is."""
    tokens = AccessTokens(signing_key(settings.data), settings.access_token_seconds)
    authenticator = Authenticator(tokens, stores.users, stores.sign_ins, stores.api_keys)
    attempts = Attempts(settings.sign_in_attempts, settings.sign_in_attempts_per_address)
    accounts = Accounts(
        users=stores.users,
        sign_ins=stores.sign_ins,
        tokens=tokens,
        authenticator=authenticator,
        passwords=Passwords(),
        attempts=attempts,
        refresh_days=settings.refresh_days,
    )
    invitations = Invitations(
        records=stores.invitations,
        canvases=stores.canvases,
        users=stores.users,
        accounts=accounts,
        attempts=attempts,
        new_people=settings.invite_new_people,
    )
    return Identity(authenticator, accounts, invitations, attempts)
