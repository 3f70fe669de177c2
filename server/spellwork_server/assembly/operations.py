"""Every operation and event that there is, in one registry."""

from __future__ import annotations

from spellwork_server.assembly.parts import Parts
from spellwork_server.assembly.stores import finds_actors
from spellwork_server.packs.allowed import AllowedPacks
from spellwork_server.packs.calling import PackCalls
from spellwork_server.packs.telling import announce_libraries
from spellwork_server.protocol import announce
from spellwork_server.runs.pages import Pages
from spellwork_server.runs.recorded_inputs import InputReader
from spellwork_server.runs.test_bench import TestBench
from spellwork_server.samples import samples
from spellwork_server.services.api_keys import ApiKeyService
from spellwork_server.services.auth import AuthService
from spellwork_server.services.cache import CacheService
from spellwork_server.services.canvases import CanvasService
from spellwork_server.services.code import CodeService
from spellwork_server.services.comments import CommentService, announce_comments
from spellwork_server.services.events import EventService
from spellwork_server.services.external_workers import (
    ExternalWorkerService,
    announce_external_workers,
    listed,
)
from spellwork_server.services.grants import GrantService
from spellwork_server.services.invitations import InvitationService
from spellwork_server.services.mentions import Mentions, MentionService, announce_mentions
from spellwork_server.services.models import (
    Kind,
    ModelService,
    announce_models,
    installed_model_servers,
)
from spellwork_server.services.nodes import NodeService
from spellwork_server.services.packs import PackService
from spellwork_server.services.queues import ProcessService, QueueService
from spellwork_server.services.run_reading import RunLooks, RunReadingService
from spellwork_server.services.runs import RunService, announce_runs
from spellwork_server.services.samples import SampleService
from spellwork_server.services.secrets import SecretService
from spellwork_server.services.spell_forms import SpellForms
from spellwork_server.services.spell_tests import SpellTestService
from spellwork_server.services.spells import SpellService
from spellwork_server.services.tasks import TaskNews, TaskService, announce_tasks
from spellwork_server.services.triggers import TriggerService, announce_triggers
from spellwork_server.services.users import UserService
from spellwork_server.services.version_views import VersionViews
from spellwork_server.services.versions import VersionService, announce_versions
from spellwork_server.services.workers import WorkerService, announce_workers
from spellwork_server.settings import Settings
from spellwork_server.storage.run_figures import RunFigures
from spellwork_server.storage.run_search import RunSearch
from spellwork_server.storage.timeline_events import TimelineEvents
from spellwork_server.tasks.links import TaskLinks


def fill_registry(parts: Parts) -> None:
    """Add all services, and announce what is told without being asked for."""
    stores, running, settings = parts.stores, parts.running, parts.settings
    access = stores.canvases.access
    pages = Pages(settings.inline_value_bytes)
    mentions = Mentions(stores.mentions, stores.users, parts.relay)
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
            queueing=running.queueing,
            endings=running.endings,
            steering=running.steering,
        ),
        QueueService(stores.queues, running.processes, running.dispatcher.ring),
        ProcessService(running.processes),
        RunReadingService(running.reader, _looks(parts), access),
        SpellTestService(
            TestBench(running.libraries, running.runners.machinery),
            running.libraries,
            parts.children,
            running.reader,
            parts.rooms,
            access,
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
        TriggerService(
            parts.triggering.triggers,
            stores.triggers,
            stores.vault,
            access,
            parts.triggering.news,
            settings.url,
        ),
        CommentService(
            stores.comments,
            stores.canvases,
            parts.rooms,
            mentions,
            parts.channels,
            parts.comment_places,
        ),
        MentionService(stores.mentions, mentions),
        _tasks(parts),
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
    announce_tasks(parts.registry)
    announce_versions(parts.registry)
    announce_workers(parts.registry)
    announce_libraries(parts.registry)
    announce_external_workers(parts.registry)
    announce_triggers(parts.registry)


def _looks(parts: Parts) -> RunLooks:
    """Put together what past runs are looked into with."""
    stores, running = parts.stores, parts.running
    return RunLooks(
        search=RunSearch(stores.database),
        figures=RunFigures(stores.database),
        events=TimelineEvents(stores.database),
        inputs=InputReader(
            running.libraries, parts.children, stores.outputs, parts.settings.inline_value_bytes
        ),
        outputs=stores.outputs,
        users=stores.users,
        canvases=stores.canvases,
    )


def _tasks(parts: Parts) -> TaskService:
    """Return what shows tasks to people, and let them be told of changes."""
    stores, tasks = parts.stores, parts.running.tasks
    access = stores.canvases.access
    tasks.watch(TaskNews(stores.tasks, stores.users, access, parts.relay))
    links = TaskLinks(stores.tasks, tasks, finds_actors(stores), access, parts.identity.attempts)
    return TaskService(stores.tasks, tasks, links, access, parts.settings.url)


def _model_kinds(settings: Settings) -> tuple[Kind, ...]:
    """Ask only such model servers as the operator has: no visit to the internet by default."""
    return ("ollama", "openai") if settings.openai_base_url else ("ollama",)
