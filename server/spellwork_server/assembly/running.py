"""What runs spells: the workers of canvases, runners, and what tells of runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from spellwork import Library, Limiters
from spellwork.executor import Executor
from spellwork.limits import Limits
from spellwork.outbound.lookups import Lookups
from spellwork.workers import WorkerPool
from spellwork.workers.broker import Broker
from spellwork.workers.environments import Environments
from spellwork.workers.limits import WorkerLimits
from spellwork_server.assembly.outbox import Telling, make_telling
from spellwork_server.assembly.stores import Stores, finds_actors
from spellwork_server.child_spells import ChildSpells
from spellwork_server.external import ExternalWorkers
from spellwork_server.grants.keeper import CanvasGrants
from spellwork_server.identity import Actor
from spellwork_server.package_sources import package_sources
from spellwork_server.packs import CanvasLibraries
from spellwork_server.packs.calling import PackCalls
from spellwork_server.packs.installer import Installer
from spellwork_server.packs.objects import ConfiguredWorkers, ObjectConfigs
from spellwork_server.packs.wheels import Wheels
from spellwork_server.queues.dispatcher import Dispatcher
from spellwork_server.queues.endings import Endings as RunEndings
from spellwork_server.queues.lifeline import Lifeline
from spellwork_server.queues.places import Places
from spellwork_server.queues.processes import Processes, Rhythm
from spellwork_server.queues.steering import Steering
from spellwork_server.rooms import Rooms
from spellwork_server.runs.carrying import Carrying
from spellwork_server.runs.followers import Followers
from spellwork_server.runs.gone_values import GoneValues
from spellwork_server.runs.journal import Journal
from spellwork_server.runs.last_values import LastValues
from spellwork_server.runs.output_cache import SharedCache
from spellwork_server.runs.past_reader import PastReader
from spellwork_server.runs.placement import Placement
from spellwork_server.runs.progress_keeper import ProgressKeeper
from spellwork_server.runs.queueing import Queueing, tries_again
from spellwork_server.runs.retention import Keeping, Retention
from spellwork_server.runs.run import Machinery
from spellwork_server.runs.run_reader import RunReader
from spellwork_server.runs.runners import Runners
from spellwork_server.runs.spell_manager import Managers
from spellwork_server.services.external_workers import tells_of_workers
from spellwork_server.settings import Settings
from spellwork_server.sockets import Channels
from spellwork_server.sockets.relay import Relay
from spellwork_server.storage.run_events import RunEventStore
from spellwork_server.storage.run_progress import ProgressRecords
from spellwork_server.tasks import Tasks
from spellwork_server.tasks.assignees import Assignees
from spellwork_server.workers import Workers


@dataclass(frozen=True, slots=True)
class Running:
    """What runs spells, and tells of it."""

    library: Library
    grants: CanvasGrants
    libraries: CanvasLibraries
    workers: WorkerPool
    places: Workers
    packs: Installer
    wheels: Wheels
    external: ExternalWorkers
    cache: SharedCache
    journal: Journal
    telling: Telling
    tasks: Tasks
    runners: Runners
    reader: RunReader
    progress: ProgressKeeper
    managers: Managers
    processes: Processes
    dispatcher: Dispatcher
    queueing: Queueing
    steering: Steering
    endings: RunEndings
    gone: GoneValues
    retention: Retention


def make_running(
    settings: Settings,
    stores: Stores,
    relay: Relay,
    rooms: Rooms,
    libraries: CanvasLibraries,
    children: ChildSpells,
    current: Callable[[Actor], Awaitable[Actor]],
) -> Running:
    """Put together what runs spells. ``current`` finds what somebody may do now."""
    channels = relay.channels
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
    external = ExternalWorkers(stores.external_workers, libraries, finds_actors(stores))
    external.watch(tells_of_workers(channels))
    cache = SharedCache(stores.cache, stores.commits, settings.cache_memory_bytes)
    journal = Journal(stores.journal, stores.commits, relay)
    telling = make_telling(settings, stores, journal, relay)
    access = stores.canvases.access
    processes = _make_processes(settings, stores)
    executors: dict[str, Executor] = {
        "worker": ConfiguredWorkers(workers, places, configs),
        "external": external,
    }
    tasks = Tasks(stores.tasks, stores.commits, Assignees(stores.users, access))
    machinery = Machinery(
        journal=journal,
        cache=cache,
        executors=executors,
        limits=Limits(
            output_bytes=settings.max_output_bytes,
            seconds=settings.max_run_seconds,
            calls=settings.max_run_calls,
        ),
        limiters=Limiters(settings.limits),
        last=LastValues(stores.outputs),
        children=children,
        inline_bytes=settings.inline_value_bytes,
        max_pending_bytes=settings.max_pending_bytes,
        held_up=Followers(channels).hold_up,
        packages=places.packages,
        secrets=grants.of_run,
        asking=tasks,
        process=lambda: processes.id,
        try_again=tries_again(lambda: dispatcher.now()),  # noqa: PLW0108 - made below
    )
    past = PastReader(RunEventStore(stores.database), stores.outputs)
    runners = Runners(
        libraries=libraries,
        machinery=machinery,
        commits=stores.commits,
        records=stores.runs,
        rooms=rooms,
        access=access,
        grace=settings.grace,
        carrying=Carrying(libraries, machinery, past, access, finds_actors(stores)),
        current=current,
    )
    steering = Steering(stores.steering, stores.runs, runners.find, lambda: processes.id)
    dispatcher = Dispatcher(
        stores.queues, processes, runners, steering.obey, most=settings.queued_runs
    )
    queueing = Queueing(runners, stores.queues, lambda: processes.id, dispatcher.ring)
    endings = RunEndings(stores.queues, runners.find)
    runners.watch_ends(lambda run: endings.note(run.id))
    executors["queue"] = placement = Placement(
        runners,
        queueing,
        endings,
        stores.queues,
        stores.runs,
        stores.outputs,
        dispatcher.resting,
        Places(stores.queues, lambda: processes.id, dispatcher.ring, runners.spawn),
        journal,
    )
    tasks.attach(runners.answered)
    runners.watch_ends(tasks.run_ended)
    runners.watch_stored_ends(tasks.run_gone)
    runners.watch_ends(placement.parent_ended)
    runners.watch_stored_ends(placement.parent_gone)
    wheels = Wheels(settings.data / "packs", settings.max_pack_bytes)
    return Running(
        library=libraries.base,
        grants=grants,
        libraries=libraries,
        workers=workers,
        places=places,
        packs=Installer(stores.packs, wheels, libraries, PackCalls(workers), places, configs),
        wheels=wheels,
        external=external,
        cache=cache,
        journal=journal,
        telling=telling,
        tasks=tasks,
        runners=runners,
        reader=RunReader(
            stores.runs,
            stores.outputs,
            runners.find,
            access,
            settings.inline_value_bytes,
            ProgressRecords(stores.database),
        ),
        progress=ProgressKeeper(runners.open_runs, stores.commits),
        managers=Managers(runners, journal, channels, access),
        processes=processes,
        dispatcher=dispatcher,
        queueing=queueing,
        steering=steering,
        endings=endings,
        gone=GoneValues(stores.outputs, journal),
        retention=Retention(
            stores.database,
            stores.runs,
            stores.commits,
            _keeping(settings),
            lambda: telling.outbox.names,
        ),
    )


def _make_processes(settings: Settings, stores: Stores) -> Processes:
    """Put together what says that this process is there, and sees whether others are."""
    return Processes(
        stores.processes,
        name=settings.process_name,
        queues=settings.queues,
        lifeline=Lifeline(None if stores.database.in_memory else settings.data / "processes"),
        rhythm=Rhythm(settings.process_beat, settings.process_expires),
    )


def _keeping(settings: Settings) -> Keeping:
    """Return for how long what of runs is kept."""
    days = settings.run_days, settings.run_details_days
    whole, details = (None if each is None else each * 86_400 for each in days)
    return Keeping(
        runs=settings.run_retention,
        run_seconds=whole,
        details_seconds=details,
        firing_seconds=settings.firing_days * 86_400,
        task_seconds=settings.task_days * 86_400,
    )


def _make_workers(
    settings: Settings, stores: Stores, channels: Channels, rooms: Rooms, pool: WorkerPool
) -> Workers:
    """Put together what knows the workers of canvases, and makes their environments."""
    return Workers(
        stores.workers,
        pool,
        Environments(
            settings.data / "environments",
            package_sources(settings),
            keep=settings.environments_kept,
            days=settings.environment_days,
        ),
        rooms,
        channels,
        settings,
        finds_actors(stores),
        stores.canvases.access,
    )
