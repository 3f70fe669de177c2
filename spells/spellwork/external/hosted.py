"""An external worker's object, and the calls of it: the side of the program that has it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from spellwork.context import Context, DetachedHost
from spellwork.declaring import declaration_of, pack_declaration
from spellwork.errors import NodeError, SpellworkError
from spellwork.events import Event
from spellwork.node_type import NodeType
from spellwork.rejection import accepted
from spellwork.spell import Node
from spellwork_worker.values import NotTransferableError, to_plain

from .feeding import Inflow
from .frames import (
    CREDIT,
    MAX_MESSAGE,
    PROTOCOL,
    Answer,
    Ask,
    Call,
    Cancel,
    Chunk,
    Credit,
    Failed,
    Feed,
    FeedEnd,
    FromExternal,
    Hello,
    Log,
    Progress,
    Returned,
    ToExternal,
    encode,
)
from .worker import (
    ExternalWorker,
    config_model,
    pack_of_worker,
    revealed,
    with_secrets,
    without_secrets,
)

Send = Callable[[bytes], None]
"""Sends a message soon; drops it when nobody is connected. Called on the loop's thread."""

MOST_WAITING = 1_000
"""Calls that may wait for the object; more are refused."""

ENDED: Any = object()


class Hosted:
    """One object, open from ``open`` to ``close``. Its calls share it, ``at_once`` of them at a time.

    ``file``: where an edited configuration is kept, secrets included, readable by its owner only.
    """

    def __init__(self, worker: ExternalWorker, file: Path | None = None) -> None:
        self.worker = worker
        self._file = file
        self.pack = pack_of_worker(worker)
        self._types = {(each.id, each.version): each for each in self.pack.nodes}
        self._turns = asyncio.Semaphore(max(1, worker.at_once))
        self._calls: dict[int, tuple[asyncio.Task[None], _Host]] = {}
        self._asking = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._send: Send = _drop

    @classmethod
    def of(cls, kind: type[ExternalWorker], config: Any, file: Path | None = None) -> Hosted:
        """Make the object of a class with a configuration; raises pydantic.ValidationError for a wrong one."""
        return cls(kind(config_model(kind).model_validate(config)), file)

    async def open(self) -> None:
        """Let the object get ready."""
        await self.worker.open()

    async def close(self) -> None:
        """End all calls, then let the object close."""
        self.disconnected()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self.worker.close()

    def connected(self, send: Send) -> None:
        """Send by way of ``send`` from now on, the description of the object first."""
        self._send = send
        self._say_hello()

    def disconnected(self) -> None:
        """Give up the calls under way: whoever asked for them does not hear of them any more."""
        self._send = _drop
        for task, host in self._calls.values():
            host.give_up()
            task.cancel()

    def take(self, record: ToExternal) -> None:
        """Take what the server said."""
        if isinstance(record, Call):
            if len(self._calls) >= MOST_WAITING:
                self._send(encode(Failed(record.id, "worker_busy", "too many calls wait for it")))
                return
            host = _Host(record, self._post, asyncio.get_running_loop())
            task = self._spawn(self._run(record, host))
            self._calls[record.id] = (task, host)
        elif isinstance(record, Ask):
            self._tasks.add(self._spawn(self._answer(record)))
        elif isinstance(record, (Feed, FeedEnd, Credit, Cancel)) and record.id in self._calls:
            task, host = self._calls[record.id]
            if isinstance(record, (Feed, FeedEnd)):
                host.inflow.take(record)
            elif isinstance(record, Credit):
                host.allow(record.chunks)
            else:
                host.give_up()
                task.cancel()

    def _spawn(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _say_hello(self) -> None:
        config: BaseModel = self.worker.config
        shown = without_secrets(config)
        declared = pack_declaration(self.pack)
        declared["nodes"] = [declaration_of(each) for each in self.pack.nodes]
        declared["left_out"] = {}
        schema = type(config).model_json_schema()
        self._send(encode(Hello(PROTOCOL, declared, schema, shown.config, list(shown.secrets))))

    # Calls

    async def _run(self, call: Call, host: _Host) -> None:
        last: FromExternal
        try:
            async with self._turns:
                last = await self._call(call, host)
        except asyncio.CancelledError:
            return
        except BaseException as error:  # noqa: BLE001 - the edge: whatever the object raises becomes data
            last = _failure(call.id, error)
        finally:
            host.give_up()
            self._calls.pop(call.id, None)
        self._post(last)

    async def _call(self, call: Call, host: _Host) -> Returned:
        declared = self._types.get((call.type, call.version))
        if declared is None:
            raise NodeError(
                f"this worker has no {call.type!r}", code="unknown_node_type", retryable=False
            )
        node = Node(type=call.type, version=call.version)
        host.context = Context(call.node, node, host)
        arguments = [host.context] if declared.wants_context else []
        inputs = _inputs(declared, call, host.inflow)
        if declared.form == "sync":
            value = await _in_thread(host, lambda: declared.call(*arguments, **inputs))
        elif declared.form == "async":
            value = await declared.call(*arguments, **inputs)
        else:
            await _drain(declared, declared.call(*arguments, **inputs), host)
            return Returned(call.id, {}, streamed=True)
        return Returned(call.id, _outputs(declared, value))

    def _post(self, record: FromExternal) -> None:
        """Send a record; one that cannot be said, or is too large, as a failure."""
        try:
            message = encode(record)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            assert not isinstance(record, Hello)
            message = encode(Failed(record.id, "not_transferable", f"it cannot be sent: {error}"))
        if len(message) > MAX_MESSAGE and not isinstance(record, Hello):
            details = {"size": len(message), "limit": MAX_MESSAGE}
            words = f"the result is {len(message):,} bytes; at most {MAX_MESSAGE:,} can be sent"
            message = encode(
                Failed(record.id, "output_too_large", words, details=details, retryable=False)
            )
        self._send(message)

    # The object itself

    async def _answer(self, ask: Ask) -> None:
        try:
            async with self._asking:
                value = await self._do(ask)
        except ValidationError as error:
            errors = [
                {"field": ".".join(map(str, each["loc"])), "message": each["msg"]}
                for each in error.errors(include_url=False, include_input=False)
            ][:20]
            words = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
            said = Failed(ask.id, "config_invalid", words, details={"errors": errors})
            self._post(said)
        except Exception as error:  # noqa: BLE001 - the edge: the object's own failure
            self._post(_failure(ask.id, error))
        else:
            self._post(Answer(ask.id, value))

    async def _do(self, ask: Ask) -> Any:
        if ask.what == "export":
            shown = without_secrets(self.worker.config)
            state = to_plain(self.worker.export_state(), "the state")
            return {"config": shown.config, "secrets": list(shown.secrets), "state": state}
        given = ask.value if ask.what == "configure" else ask.value.get("config", {})
        fresh = with_secrets(self.worker.config, given)
        async with _Everything(self._turns, max(1, self.worker.at_once)):
            await self.worker.configure(fresh)
            if ask.what == "import" and ask.value.get("state") is not None:
                self.worker.import_state(ask.value["state"])
        if self._file is not None:
            await asyncio.to_thread(_write, self._file, fresh)
        self._say_hello()
        return None


class _Everything:
    """All turns of a semaphore at once: no call is under way meanwhile."""

    def __init__(self, turns: asyncio.Semaphore, count: int) -> None:
        self._turns = turns
        self._count = count
        self._held = 0

    async def __aenter__(self) -> None:
        try:
            for _ in range(self._count):
                await self._turns.acquire()
                self._held += 1
        except BaseException:
            self._release()
            raise

    async def __aexit__(self, *_error: object) -> None:
        self._release()

    def _release(self) -> None:
        for _ in range(self._held):
            self._turns.release()
        self._held = 0


class _Host(DetachedHost):
    """What a call's context speaks to: the wire. Any thread may report."""

    def __init__(
        self, call: Call, post: Callable[[FromExternal], None], loop: asyncio.AbstractEventLoop
    ) -> None:
        super().__init__(call.run, call.canvas, call.user)
        self.context: Context | None = None
        self._id = call.id
        self._post = post
        self._loop = loop
        self._thread = threading.get_ident()
        self._credit = CREDIT
        self.inflow = Inflow(call.id, post)
        self._room = threading.Condition()
        self._may = asyncio.Event()
        self._may.set()

    def report(self, event: Event) -> None:
        """Send progress, a line of the log, or a chunk that was emitted."""
        record: FromExternal
        if event.kind == "node.progress":
            record = Progress(self._id, event.value, event.message or "")
        elif event.kind == "node.log":
            record = Log(self._id, event.message or "", event.level or "info")
        elif event.kind == "node.chunk":
            record = self.chunk(event.port or "", event.value)
        else:
            return
        if threading.get_ident() == self._thread:
            self._post(record)
        else:
            self._loop.call_soon_threadsafe(self._post, record)

    def chunk(self, port: str, value: Any) -> Chunk:
        """Return a chunk as it is sent; raises NotTransferableError."""
        plain = (
            bytes(value) if isinstance(value, (bytes, bytearray)) else to_plain(value, "a chunk")
        )
        return Chunk(self._id, port, plain)

    def allow(self, chunks: int) -> None:
        """Take credit."""
        with self._room:
            self._credit += max(0, chunks)
            self._room.notify_all()
        self._may.set()

    def give_up(self) -> None:
        """Let nobody wait for credit any more, and tell the method that it is cancelled."""
        self.cancelled = True
        self.inflow.end()
        if self.context is not None:
            self.context.expired = True
        with self._room:
            self._room.notify_all()
        self._may.set()

    async def spend(self) -> None:
        """Wait until one more chunk may be sent."""
        while self._credit <= 0 and not self.cancelled:
            self._may.clear()
            await self._may.wait()
        self._credit -= 1

    def spend_blocking(self) -> None:
        """Do the same in a thread; raises NodeCancelled."""
        with self._room:
            while self._credit <= 0 and not self.cancelled:
                self._room.wait()
            self._credit -= 1
        if self.context is not None:
            self.context.check_cancelled()

    def put(self, port: str, value: Any) -> None:
        """Send a chunk of a generator, from its thread."""
        self._loop.call_soon_threadsafe(self._post, self.chunk(port, value))

    def put_here(self, port: str, value: Any) -> None:
        """Send a chunk of a generator, on the loop's thread."""
        self._post(self.chunk(port, value))


async def _drain(declared: NodeType, items: Any, host: _Host) -> None:
    """Send what a generator yields, at the pace of those who take it."""
    port = declared.outputs[0].name if declared.outputs else ""
    if declared.form == "async generator":
        async with aclosing(items):
            async for item in items:
                await host.spend()
                host.put_here(port, item)
        return

    def work() -> None:
        with closing(items):
            for item in items:
                host.spend_blocking()
                host.put(port, item)

    await _in_thread(host, work)


async def _in_thread(host: _Host, work: Callable[[], Any]) -> Any:
    """Do blocking work in a thread, and wait until it has ended even when cancelled: the object is not to be shared with it."""
    task = asyncio.get_running_loop().run_in_executor(None, work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        host.give_up()
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()
        raise


def _inputs(declared: NodeType, call: Call, inflow: Inflow) -> dict[str, Any]:
    """Return what the method gets: values that were checked, and streams that it reads as they come."""
    inputs = dict(call.inputs)
    for port in declared.inputs:
        if port.name in call.streams:
            inputs[port.name] = _streams(declared, port.name, call.streams[port.name], inflow)
        elif port.name in inputs and (adapter := declared.adapters.get(port.name)) is not None:
            inputs[port.name] = accepted(
                adapter.validate_python, inputs[port.name], f"the input {port.name!r}", port.name
            )
    return inputs


def _streams(declared: NodeType, port: str, count: int | None, inflow: Inflow) -> Any:
    read = inflow.awaited if declared.form.startswith("async") else inflow.blocking
    return read(port) if count is None else [read(f"{port}[{each}]") for each in range(count)]


def _outputs(declared: NodeType, value: Any) -> dict[str, Any]:
    ports = declared.outputs
    if declared.returns == "value":
        return {ports[0].name: to_plain(value)} if ports else {}
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if not isinstance(value, dict):
        raise NodeError(
            f"{declared.id} returned a {type(value).__name__}, not its outputs by port",
            code="invalid_output",
            retryable=False,
        )
    names = {port.name for port in ports}
    return {name: to_plain(each, name) for name, each in value.items() if name in names}


def _failure(id: int, error: BaseException) -> Failed:
    if isinstance(error, NotTransferableError):
        return Failed(
            id, "not_transferable", str(error), details={"type": error.kind}, retryable=False
        )
    code = error.code if isinstance(error, SpellworkError) else "exception"
    message = (
        error.message
        if isinstance(error, SpellworkError)
        else "".join(traceback.format_exception_only(error)).strip()
    )
    return Failed(
        id,
        code,
        message[:10_000],
        "\n".join(_frames(error))[-10_000:] or None,
        getattr(error, "port", None),
        retryable=bool(getattr(error, "retryable", True)),
    )


def _frames(error: BaseException) -> Iterator[str]:
    own = str(Path(__file__).parent.parent)
    for frame in traceback.extract_tb(error.__traceback__):
        if not frame.filename.startswith((own, "<frozen")) and "concurrent" not in frame.filename:
            where = "/".join(Path(frame.filename).parts[-2:])
            yield f"{where}, line {frame.lineno}, in {frame.name}\n    {frame.line}"
    yield "".join(traceback.format_exception_only(error)).strip()


def _write(file: Path, config: BaseModel) -> None:
    """Keep a configuration with its secrets, for the next start."""
    body = json.dumps(revealed(config), indent=2, ensure_ascii=False)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(body + "\n")
    draft.replace(file)


def _drop(_message: bytes) -> None:
    """Send to nobody."""
