"""``make_app``: the one place where the server's parts meet."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from spellwork import Library, Limiters
from spellwork.limits import Limits
from spellwork.outbound.lookups import Lookups
from spellwork.workers import WorkerPool
from spellwork.workers.broker import Broker
from spellwork.workers.environments import Environments
from spellwork.workers.installer import Sources
from spellwork.workers.limits import WorkerLimits

from .cells.completion import Completer
from .child_spells import ChildSpells
from .comment_places import CommentPlaces
from .external import ExternalWorkers
from .external.endpoint import ExternalEndpoint
from .first_start import prepare_first_start
from .followed_runs import FollowedRuns
from .grants.keeper import CanvasGrants
from .grants.vault import Vault
from .health import Health
from .history.keeper import VersionKeeper
from .identity import Actor
from .identity.accounts import Accounts
from .identity.attempts import Attempts
from .identity.authenticator import Authenticator
from .identity.invitations import Invitations
from .identity.passwords import Passwords
from .identity.secrets import signing_key
from .identity.tokens import AccessTokens
from .metrics import Metrics
from .packs import CanvasLibraries
from .packs.allowed import AllowedPacks
from .packs.calling import PackCalls
from .packs.installer import Installer
from .packs.objects import ConfiguredWorkers, ObjectConfigs
from .packs.telling import announce_libraries, tells
from .packs.wheels import Wheels
from .protocol import announce
from .rooms import Rooms
from .runs.followers import Followers
from .runs.gone_values import GoneValues
from .runs.journal import Journal
from .runs.last_values import LastValues
from .runs.output_cache import SharedCache
from .runs.pages import Pages
from .runs.retention import Retention
from .runs.run import Machinery
from .runs.run_reader import RunReader
from .runs.runners import Runners
from .runs.spell_manager import Managers
from .samples import samples
from .services.api_keys import ApiKeyService
from .services.asyncapi import asyncapi_document
from .services.auth import AuthService
from .services.cache import CacheService
from .services.canvases import CanvasService
from .services.code import CodeService
from .services.comments import CommentService, announce_comments
from .services.events import EventService
from .services.external_workers import (
    ExternalWorkerService,
    announce_external_workers,
    listed,
    tells_of_workers,
)
from .services.grants import GrantService
from .services.invitations import InvitationService
from .services.mentions import Mentions, MentionService, announce_mentions
from .services.models import Kind, ModelService, announce_models, installed_model_servers
from .services.nodes import NodeService
from .services.openapi import openapi_document
from .services.packs import PackService
from .services.registry import Registry
from .services.rest import RestApi, json_response
from .services.runs import RunService, announce_runs
from .services.samples import SampleService
from .services.secrets import SecretService
from .services.spell_forms import SpellForms
from .services.spells import SpellService
from .services.users import UserService
from .services.version_views import CanvasVersions, VersionViews
from .services.versions import VersionService, announce_versions
from .services.workers import WorkerService, announce_workers
from .settings import Settings
from .sockets import Channels, SocketServer
from .sockets.canvas_service import CanvasSockets
from .sockets.y_websocket import YWebSockets
from .static_files import StaticFiles
from .storage.api_keys import ApiKeyRecords
from .storage.cache import CacheStore
from .storage.canvases import CanvasRecords
from .storage.comments import CommentRecords
from .storage.database import Database
from .storage.external_workers import ExternalWorkerRecords
from .storage.grants import GrantRecords
from .storage.group_commit import GroupCommit
from .storage.invitations import InvitationRecords
from .storage.journal import JournalStore
from .storage.mentions import MentionRecords
from .storage.outputs import OutputStore
from .storage.packs import PackRecords
from .storage.run_records import RunRecords
from .storage.secrets import SecretRecords
from .storage.sign_ins import SignInRecords
from .storage.update_log import UpdateLog
from .storage.upgrade import upgrade
from .storage.users import UserRecords
from .storage.versions import VersionRecord, VersionRecords
from .storage.workers import WorkerRecords
from .version import VERSION
from .workers import Workers


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
    outputs: OutputStore
    cache: CacheStore
    runs: RunRecords
    workers: WorkerRecords
    packs: PackRecords
    external_workers: ExternalWorkerRecords
    grants: GrantRecords
    secrets: SecretRecords
    vault: Callable[[], Vault]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is."""

    authenticator: Authenticator
    accounts: Accounts
    invitations: Invitations


@dataclass(frozen=True, slots=True)
class Running:
    """What runs spells, and tells of it."""

    library: Library
    libraries: CanvasLibraries
    workers: WorkerPool
    places: Workers
    packs: Installer
    wheels: Wheels
    external: ExternalWorkers
    cache: SharedCache
    journal: Journal
    runners: Runners
    reader: RunReader
    managers: Managers
    gone: GoneValues
    retention: Retention


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that ``make_app`` put together; for the command line and for tests."""

    settings: Settings
    stores: Stores
    identity: Identity
    channels: Channels
    rooms: Rooms
    versions: VersionKeeper
    comment_places: CommentPlaces
    running: Running
    registry: Registry
    children: ChildSpells
    completer: Completer
    canvas_sockets: CanvasSockets
    sockets: SocketServer
    y_websockets: YWebSockets
    health: Health


PARTS = web.AppKey("parts", Parts)


def make_app(settings: Settings) -> web.Application:
    """Return the server as an application. Nothing is opened before the application starts."""
    parts = make_parts(settings)
    app = web.Application(client_max_size=settings.max_body_bytes)
    app[PARTS] = parts
    RestApi(parts.registry, parts.identity.authenticator, settings).mount(app)
    parts.y_websockets.attach(app)
    parts.sockets.attach(app)
    ExternalEndpoint(parts.running.external).attach(app)
    Metrics(parts.running.places, parts.identity.authenticator, settings).attach(app)
    _mount_documents(app, parts)
    StaticFiles().mount(app)
    stores, running = parts.stores, parts.running
    app.cleanup_ctx.append(_entering(stores.database))
    app.cleanup_ctx.append(_upgraded(stores.database))
    for part in (
        stores.commits,
        running.cache,
        running.workers,
        running.external,
        running.journal,
        parts.comment_places,
        parts.versions,
        parts.rooms,
        running.places,
        running.packs,
        running.runners,
        running.gone,
        running.retention,
        parts.completer,
        parts.canvas_sockets,
        parts.y_websockets,
        parts.sockets,
    ):
        app.cleanup_ctx.append(_entering(part))
    app.cleanup_ctx.append(_ready(parts))
    return app


def make_parts(settings: Settings) -> Parts:
    """Put the parts together, from those that know nothing of others up."""
    stores = make_stores(settings)
    identity = make_identity(settings, stores)
    channels = Channels()
    libraries = CanvasLibraries(Library.installed())
    children = ChildSpells(stores.updates, stores.canvases.access)
    rooms = Rooms(settings, stores.updates, channels, libraries, children)
    libraries.watch(tells(channels, rooms.find))
    children.attach(rooms.find)
    rooms.watch(children.committed)
    stores.canvases.watch(children.members_changed)
    comment_places = CommentPlaces(stores.comments)
    rooms.watch(comment_places.edited)
    versions = _make_versions(settings, stores, channels, rooms)
    running = _make_running(
        settings, stores, channels, rooms, libraries, children, identity.authenticator.current
    )
    running.places.on_move = libraries.tell
    running.places.on_remove = running.packs.forget
    registry = Registry()
    canvas_sockets = CanvasSockets(stores.canvases, rooms, channels, FollowedRuns(running.reader))
    sockets = SocketServer(settings, identity.authenticator, registry, channels)
    sockets.on_connect(running.managers.connected)
    sockets.on_disconnect(running.managers.gone)
    sockets.on_disconnect(canvas_sockets.leave_all)
    stores.canvases.watch(running.managers.watch_canvas)
    stores.canvases.watch(running.places.members_changed)
    stores.canvases.watch(canvas_sockets.members_changed)
    identity.authenticator.watch(sockets.user_changed)
    identity.authenticator.watch(
        partial(running.managers.watch_user, identity.authenticator.current)
    )
    y_websockets = YWebSockets(
        settings, identity.authenticator, stores.canvases, rooms, canvas_sockets.cast
    )
    stores.canvases.watch(y_websockets.members_changed)
    identity.authenticator.watch(y_websockets.user_changed)
    parts = Parts(
        settings=settings,
        stores=stores,
        identity=identity,
        channels=channels,
        rooms=rooms,
        versions=versions,
        comment_places=comment_places,
        running=running,
        registry=registry,
        children=children,
        completer=Completer(running.places.program_of),
        canvas_sockets=canvas_sockets,
        sockets=sockets,
        y_websockets=y_websockets,
        health=Health(stores.commits, rooms, sockets, libraries.base, running.workers),
    )
    _fill_registry(parts)
    return parts


def make_stores(settings: Settings) -> Stores:
    """Put the stores on one database. Nothing is opened yet."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(settings.database)
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
        outputs=OutputStore(database),
        cache=CacheStore(database),
        runs=RunRecords(database),
        workers=WorkerRecords(database),
        packs=PackRecords(database),
        external_workers=ExternalWorkerRecords(database),
        grants=GrantRecords(database),
        secrets=SecretRecords(database),
        vault=partial(_open_vault, settings),
    )


def _open_vault(settings: Settings) -> Vault:
    """Open what encrypts secrets, anew at each use: keys may change beside a server that runs."""
    key = settings.secrets_key
    return Vault.open(settings.data, None if key is None else key.get_secret_value())


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
    return Identity(authenticator, accounts, invitations)


def _make_running(
    settings: Settings,
    stores: Stores,
    channels: Channels,
    rooms: Rooms,
    libraries: CanvasLibraries,
    children: ChildSpells,
    current: Callable[[Actor], Awaitable[Actor]],
) -> Running:
    lookups = Lookups()
    grants = CanvasGrants(stores.grants, stores.secrets, stores.vault, lookups)
    workers = WorkerPool(
        settings.worker_processes,
        idle=settings.worker_idle_seconds,
        total=4 * settings.workers,
        limits=WorkerLimits(
            memory_mb=settings.worker_memory_mb,
            cpu_seconds=settings.worker_cpu_seconds,
            processes=settings.worker_max_processes,
            files_mb=settings.worker_files_mb,
            wall_seconds=settings.worker_wall_seconds,
        ),
        records=settings.data / "workers",
        broker=Broker(grants, lookups),
        unconfined=settings.allow_unconfined.split(","),
    )
    places = _make_workers(settings, stores, channels, rooms, workers)
    configs = ObjectConfigs(stores.vault)
    external = ExternalWorkers(stores.external_workers, libraries, _finds_actors(stores))
    external.watch(tells_of_workers(channels))
    cache = SharedCache(stores.cache, stores.commits, settings.cache_memory_bytes)
    journal = Journal(stores.journal, stores.commits, channels)
    access = stores.canvases.access
    runners = Runners(
        libraries=libraries,
        machinery=Machinery(
            journal=journal,
            cache=cache,
            executors={
                "worker": ConfiguredWorkers(workers, places, configs),
                "external": external,
            },
            limits=Limits(
                output_bytes=settings.max_output_bytes,
                seconds=settings.max_run_seconds,
                calls=settings.max_run_calls,
            ),
            limiters=Limiters(settings.limits),
            last=LastValues(stores.outputs),
            children=children,
            inline_bytes=settings.inline_value_bytes,
            held_up=Followers(channels).hold_up,
            packages=places.packages,
            secrets=grants.of_run,
        ),
        commits=stores.commits,
        records=stores.runs,
        rooms=rooms,
        access=access,
        grace=settings.grace,
        current=current,
    )
    wheels = Wheels(settings.data / "packs", settings.max_pack_bytes)
    return Running(
        library=libraries.base,
        libraries=libraries,
        workers=workers,
        places=places,
        packs=Installer(stores.packs, wheels, libraries, PackCalls(workers), places, configs),
        wheels=wheels,
        external=external,
        cache=cache,
        journal=journal,
        runners=runners,
        reader=RunReader(
            stores.runs, stores.outputs, runners.find, access, settings.inline_value_bytes
        ),
        managers=Managers(runners, journal, channels, access),
        gone=GoneValues(stores.outputs, journal),
        retention=Retention(stores.runs, stores.commits, settings.run_retention),
    )


def _make_workers(
    settings: Settings, stores: Stores, channels: Channels, rooms: Rooms, pool: WorkerPool
) -> Workers:
    """Put together what knows the workers of canvases, and makes their environments."""
    sources = Sources(
        index_url=settings.index_url,
        extra_index_urls=settings.extra_index_urls,
        find_links=settings.find_links,
        no_index=settings.no_index,
        build=settings.build_packages,
        variables=settings.uv_variables,
        seconds=settings.provision_seconds,
    )

    return Workers(
        stores.workers,
        pool,
        Environments(
            settings.data / "environments",
            sources,
            keep=settings.environments_kept,
            days=settings.environment_days,
        ),
        rooms,
        channels,
        settings,
        _finds_actors(stores),
        stores.canvases.access,
    )


def _finds_actors(stores: Stores) -> Callable[[str], Awaitable[Actor | None]]:
    """Return what finds who has an account and may sign in, by id."""

    async def find_actor(user_id: str) -> Actor | None:
        user = await stores.users.get(user_id)
        if user is None or user.disabled:
            return None
        return Actor(user.id, user.email, user.name, user.role)

    return find_actor


def _make_versions(
    settings: Settings, stores: Stores, channels: Channels, rooms: Rooms
) -> VersionKeeper:
    """Put together what keeps the versions of canvases, and tells those who have one open."""
    views = VersionViews(stores.users)

    async def tell(record: VersionRecord) -> None:
        event = CanvasVersions(canvas=record.canvas_id, version=await views.one(record))
        channels.publish(
            f"canvas:{record.canvas_id}", "canvas.versions", event.model_dump(mode="json")
        )

    keeper = VersionKeeper(settings, stores.versions, rooms, tell)
    rooms.watch(keeper.committed)
    rooms.greet(keeper.opened)
    return keeper


def _fill_registry(parts: Parts) -> None:
    stores, running, settings = parts.stores, parts.running, parts.settings
    access = stores.canvases.access
    pages = Pages(settings.inline_value_bytes)
    mentions = Mentions(stores.mentions, stores.users, parts.channels)
    forms = SpellForms(running.libraries, parts.children)
    parts.registry.add(
        AuthService(parts.identity.accounts),
        UserService(parts.identity.accounts, settings.url),
        ApiKeyService(stores.api_keys, parts.identity.authenticator),
        CanvasService(stores.canvases, stores.users, parts.rooms, forms, running.places),
        WorkerService(running.places, access, listed(running.external)),
        SpellService(forms),
        InvitationService(parts.identity.invitations, stores.canvases, settings.url),
        NodeService(
            running.libraries, access, parts.rooms, parts.children, PackCalls(running.workers)
        ),
        CodeService(parts.completer, running.libraries, access, parts.rooms, stores.outputs),
        RunService(
            running.runners,
            running.reader,
            running.journal,
            stores.commits,
            access,
            max_spell_nodes=settings.max_spell_nodes,
            pages=pages,
        ),
        EventService(running.journal, running.reader, access),
        CacheService(running.cache, stores.cache, running.reader, pages),
        ModelService(installed_model_servers(), parts.channels, _model_kinds(settings)),
        SampleService(samples),
        SecretService(stores.secrets, stores.vault, access),
        GrantService(stores.grants, stores.secrets, access, settings.grants_by),
        PackService(
            running.packs,
            stores.packs,
            running.wheels,
            AllowedPacks(settings.packs_allowed),
            access,
            running.places,
        ),
        ExternalWorkerService(running.external, access, settings.url),
        CommentService(
            stores.comments,
            stores.canvases,
            parts.rooms,
            mentions,
            parts.channels,
            parts.comment_places,
        ),
        MentionService(stores.mentions, mentions),
        VersionService(
            parts.versions, stores.versions, VersionViews(stores.users), parts.rooms, access
        ),
        parts.canvas_sockets,
    )
    announce_models(parts.registry)
    announce(parts.registry)
    announce_runs(parts.registry)
    announce_comments(parts.registry)
    announce_mentions(parts.registry)
    announce_versions(parts.registry)
    announce_workers(parts.registry)
    announce_libraries(parts.registry)
    announce_external_workers(parts.registry)


def _model_kinds(settings: Settings) -> tuple[Kind, ...]:
    """Ask only such model servers as the operator has: no visit to the internet by default."""
    return ("ollama", "openai") if settings.openai_base_url else ("ollama",)


def _mount_documents(app: web.Application, parts: Parts) -> None:
    """Serve the health report, and the documents that describe both transports."""
    url = parts.settings.url

    async def healthz(_request: web.Request) -> web.Response:
        status, report = parts.health.report()
        return json_response(report, status=status)

    async def openapi(_request: web.Request) -> web.Response:
        return json_response(openapi_document(parts.registry, version=VERSION, url=url))

    async def asyncapi(_request: web.Request) -> web.Response:
        return json_response(asyncapi_document(parts.registry, version=VERSION, url=url))

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/openapi.json", openapi)
    app.router.add_get("/asyncapi.json", asyncapi)


Context = Callable[[web.Application], AsyncIterator[None]]


def _entering(part: AbstractAsyncContextManager[Any]) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        async with part:
            yield

    return context


def _upgraded(database: Database) -> Context:
    async def context(_app: web.Application) -> AsyncIterator[None]:
        await upgrade(database)
        yield

    return context


def _ready(parts: Parts) -> Context:
    """Prepare a first start, then say so in the health report; say when that ends."""

    async def context(_app: web.Application) -> AsyncIterator[None]:
        await prepare_first_start(
            parts.identity.accounts, parts.stores.canvases, parts.rooms, samples()[0]["spell"]
        )
        parts.health.ready = True
        yield

    return context
