"""Objects of packs that live in a worker's process: their configurations, and the calls of their methods."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import msgspec

from spellwork import Context, Executor, Step
from spellwork.hosting import CONFIG
from spellwork_server.errors import BadGateway, BadRequest
from spellwork_server.grants.vault import UnknownKeyError, Vault
from spellwork_server.storage.packs import PackRecord

logger = logging.getLogger(__name__)

MOST_CONFIG = 50_000
"""Bytes of one configuration as JSON."""

_METHODS = "spellwork.hosting:objects."


class FindsWorkers(Protocol):
    """The part of the workers that is needed here."""

    def worker_of(self, canvas: str) -> str:
        """Return the worker of a canvas."""


class _Checked(msgspec.Struct, frozen=True):
    """What ``local.ask`` answers to ``check``; it is foreign."""

    config: dict[str, Any] = {}
    secrets: list[str] = []
    whole: dict[str, Any] = {}
    errors: list[dict[str, str]] | None = None


class ObjectConfigs:
    """Configurations by worker and PACK.OBJECT. Secrets in them are encrypted where they are kept."""

    def __init__(self, vault: Callable[[], Vault]) -> None:
        self._vault = vault
        self._configs: dict[str, dict[str, dict[str, Any]]] = {}

    def of(self, worker: str, named: str) -> dict[str, Any]:
        """Return an object's configuration, secrets included; empty where it was never configured."""
        return self._configs.get(worker, {}).get(named, {})

    def read(self, worker: str, records: Sequence[PackRecord]) -> None:
        """Take what is kept of a worker's packs."""
        found: dict[str, dict[str, Any]] = {}
        for record in records:
            if record.sealed is not None:
                try:
                    found |= json.loads(self._vault().decrypt(record.bound_to, record.sealed))
                except UnknownKeyError:
                    logger.exception("the configurations of pack %s cannot be read", record.id)
        if found:
            self._configs[worker] = found
        else:
            self._configs.pop(worker, None)

    def changed(self, record: PackRecord, named: str, answer: Any) -> PackRecord:
        """Return the record with what a worker says of a configuration; raises BadRequest where that does not fit."""
        try:
            checked = msgspec.convert(answer, _Checked)
        except msgspec.ValidationError as error:
            raise BadGateway("The worker's answer is none", code="worker_broken") from error
        if checked.errors is not None:
            errors = checked.errors[:20]
            words = "; ".join(f"{each.get('field')}: {each.get('message')}" for each in errors)
            raise BadRequest(words[:2_000], code="config_invalid", details={"errors": errors})
        if len(msgspec.json.encode(checked.whole)) > MOST_CONFIG:
            raise BadRequest.field("config", f"is over {MOST_CONFIG:,} bytes")
        own = {
            each: self.of(record.worker_id, each) for each in record.configs if each != named
        } | {named: checked.whole}
        shown = {"config": checked.config, "secrets": checked.secrets[:100]}
        sealed = self._vault().encrypt(record.bound_to, json.dumps(own))
        return replace(record, configs={**record.configs, named: shown}, sealed=sealed)


class ConfiguredWorkers:
    """An executor that gives methods of objects their configuration, and leaves all else to the pool."""

    def __init__(self, pool: Executor, workers: FindsWorkers, configs: ObjectConfigs) -> None:
        self._pool = pool
        self._workers = workers
        self._configs = configs

    async def call(self, step: Step, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Carry out one call of a step."""
        target = step.type.target
        if target is not None and target.startswith(_METHODS) and context.canvas is not None:
            named = step.type.id.rpartition(".")[0]
            config = self._configs.of(self._workers.worker_of(context.canvas), named)
            inputs = {**inputs, CONFIG: config}
        return await self._pool.call(step, inputs, context)
