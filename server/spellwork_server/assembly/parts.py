"""The parts of a server, from those that know nothing of others up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from spellwork import Library
from spellwork_server.assembly.identity import Identity, make_identity
from spellwork_server.assembly.running import Running, make_running
from spellwork_server.assembly.stores import Stores, make_stores
from spellwork_server.assembly.triggers import Triggering, make_triggers
from spellwork_server.cells.completion import Completer
from spellwork_server.child_spells import ChildSpells
from spellwork_server.comment_places import CommentPlaces
from spellwork_server.edit_times import EditTimes
from spellwork_server.followed_runs import FollowedRuns
from spellwork_server.health import Health
from spellwork_server.history.keeper import VersionKeeper
from spellwork_server.packs import CanvasLibraries
from spellwork_server.packs.telling import tells
from spellwork_server.rooms import Rooms
from spellwork_server.services.registry import Registry
from spellwork_server.services.version_views import CanvasVersions, VersionViews
from spellwork_server.settings import Settings
from spellwork_server.sockets import Channels, SocketServer
from spellwork_server.sockets.canvas_service import CanvasSockets
from spellwork_server.sockets.relay import Relay
from spellwork_server.sockets.seats import Seats
from spellwork_server.sockets.y_websocket import YWebSockets
from spellwork_server.storage.relayed import RelayStore
from spellwork_server.storage.versions import VersionRecord


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that ``make_app`` put together; for the command line and for tests."""

    settings: Settings
    stores: Stores
    identity: Identity
    channels: Channels
    relay: Relay
    rooms: Rooms
    versions: VersionKeeper
    comment_places: CommentPlaces
    edit_times: EditTimes
    running: Running
    triggering: Triggering
    registry: Registry
    children: ChildSpells
    completer: Completer
    canvas_sockets: CanvasSockets
    sockets: SocketServer
    y_websockets: YWebSockets
    health: Health


def join_parts(settings: Settings) -> Parts:
    """Put the parts together, from those that know nothing of others up; the registry is still empty."""
    stores = make_stores(settings)
    identity = make_identity(settings, stores)
    channels = Channels()
    relay = Relay(channels, RelayStore(stores.database), stores.commits)
    libraries = CanvasLibraries(Library.installed())
    children = ChildSpells(stores.updates, stores.canvases.access)
    rooms = Rooms(settings, stores.updates, channels, libraries, children)
    libraries.watch(tells(channels, rooms.find))
    children.attach(rooms.find)
    rooms.watch(children.committed)
    stores.canvases.watch(children.members_changed)
    comment_places = CommentPlaces(stores.comments)
    rooms.watch(comment_places.edited)
    edit_times = EditTimes(stores.canvases)
    rooms.watch(edit_times.edited)
    versions = _make_versions(settings, stores, channels, rooms)
    running = make_running(
        settings, stores, relay, rooms, libraries, children, identity.authenticator.current
    )
    running.places.on_move = libraries.tell
    running.places.on_remove = running.packs.forget
    registry = Registry()
    canvas_sockets = CanvasSockets(stores.canvases, rooms, channels, FollowedRuns(running.reader))
    seats = Seats(settings.max_sockets)
    sockets = SocketServer(settings, identity.authenticator, registry, channels, seats)
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
        settings, identity.authenticator, stores.canvases, rooms, canvas_sockets.cast, seats
    )
    stores.canvases.watch(y_websockets.members_changed)
    identity.authenticator.watch(y_websockets.user_changed)
    return Parts(
        settings=settings,
        stores=stores,
        identity=identity,
        channels=channels,
        relay=relay,
        rooms=rooms,
        versions=versions,
        comment_places=comment_places,
        edit_times=edit_times,
        running=running,
        triggering=make_triggers(settings, stores, running, relay),
        registry=registry,
        children=children,
        completer=Completer(running.places.program_of),
        canvas_sockets=canvas_sockets,
        sockets=sockets,
        y_websockets=y_websockets,
        health=Health(
            stores.commits, rooms, sockets, libraries.base, running.workers, running.telling.outbox
        ),
    )


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
