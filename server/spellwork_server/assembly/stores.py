"""The stores, on one database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from spellwork_server.grants.vault import Vault
from spellwork_server.identity import Actor
from spellwork_server.settings import Settings
from spellwork_server.storage.api_keys import ApiKeyRecords
from spellwork_server.storage.cache import CacheStore
from spellwork_server.storage.canvases import CanvasRecords
from spellwork_server.storage.comments import CommentRecords
from spellwork_server.storage.database import Database
from spellwork_server.storage.external_workers import ExternalWorkerRecords
from spellwork_server.storage.grants import GrantRecords
from spellwork_server.storage.group_commit import GroupCommit
from spellwork_server.storage.invitations import InvitationRecords
from spellwork_server.storage.journal import JournalStore
from spellwork_server.storage.mentions import MentionRecords
from spellwork_server.storage.outbox import OutboxStore
from spellwork_server.storage.outputs import OutputStore
from spellwork_server.storage.packs import PackRecords
from spellwork_server.storage.processes import ProcessRecords
from spellwork_server.storage.queues import QueueStore
from spellwork_server.storage.run_records import RunRecords
from spellwork_server.storage.secrets import SecretRecords
from spellwork_server.storage.sign_ins import SignInRecords
from spellwork_server.storage.steering import SteerStore
from spellwork_server.storage.tasks import TaskRecords
from spellwork_server.storage.triggers import TriggerRecords
from spellwork_server.storage.update_log import UpdateLog
from spellwork_server.storage.users import UserRecords
from spellwork_server.storage.versions import VersionRecords
from spellwork_server.storage.workers import WorkerRecords


@dataclass(frozen=True, slots=True)
class Stores:
    """What is kept, each behind its own interface."""

    database: Database
    commits: GroupCommit
    users: UserRecords
    sign_ins: SignInRecords
    api_keys: ApiKeyRecords
    canvases: CanvasRecords
    comments: CommentRecords
    mentions: MentionRecords
    invitations: InvitationRecords
    updates: UpdateLog
    versions: VersionRecords
    journal: JournalStore
    outbox: OutboxStore
    outputs: OutputStore
    cache: CacheStore
    runs: RunRecords
    queues: QueueStore
    steering: SteerStore
    processes: ProcessRecords
    workers: WorkerRecords
    packs: PackRecords
    external_workers: ExternalWorkerRecords
    tasks: TaskRecords
    grants: GrantRecords
    secrets: SecretRecords
    triggers: TriggerRecords
    vault: Callable[[], Vault]


def make_stores(settings: Settings) -> Stores:
    """Put the stores on one database. Nothing is opened yet."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database, connections=settings.database_connections)
    commits = GroupCommit(database, interval=settings.commit_interval)
    canvases = CanvasRecords(database)
    return Stores(
        database=database,
        commits=commits,
        users=UserRecords(database),
        sign_ins=SignInRecords(database),
        api_keys=ApiKeyRecords(database),
        canvases=canvases,
        comments=CommentRecords(database),
        mentions=MentionRecords(database),
        invitations=InvitationRecords(database, canvases),
        updates=UpdateLog(database, commits),
        versions=VersionRecords(database, commits),
        journal=JournalStore(database),
        outbox=OutboxStore(database),
        outputs=OutputStore(database),
        cache=CacheStore(database),
        runs=RunRecords(database),
        queues=QueueStore(database, takeovers=settings.max_takeovers),
        steering=SteerStore(database),
        processes=ProcessRecords(database),
        workers=WorkerRecords(database),
        packs=PackRecords(database),
        external_workers=ExternalWorkerRecords(database),
        tasks=TaskRecords(database),
        grants=GrantRecords(database),
        secrets=SecretRecords(database),
        triggers=TriggerRecords(database),
        vault=partial(_open_vault, settings),
    )


def _open_vault(settings: Settings) -> Vault:
    """Open what encrypts secrets, anew at each use: keys may change beside a server that runs."""
    key = settings.secrets_key
    return Vault.open(settings.data, None if key is None else key.get_secret_value())


def finds_actors(stores: Stores) -> Callable[[str], Awaitable[Actor | None]]:
    """Return what finds who has an account and may sign in, by id."""

    async def find_actor(user_id: str) -> Actor | None:
        user = await stores.users.get(user_id)
        if user is None or user.disabled:
            return None
        return Actor(user.id, user.email, user.name, user.role)

    return find_actor
