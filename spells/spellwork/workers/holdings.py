"""The values that stay in one worker's process, seen from the engine: handles, and what is asked about them."""

from __future__ import annotations

import asyncio
import itertools
import re
import socket
import uuid
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from spellwork.errors import NodeError
from spellwork.handles import Handle, tell_gone
from spellwork_worker.frames import FromWorker
from spellwork_worker.memory import BESIDE, Memory, MemoryChannel, Untrusted, available
from spellwork_worker.parcels import (
    Drop,
    Encoding,
    Fetch,
    Fetched,
    Kept,
    Let,
    PageRead,
    Parcel,
    ReadPage,
    Refused,
    Shown,
)

from .errors import NotTransferable, ValueGone
from .program import Codec

RESTARTED = "worker restarted"
"""Why a value is gone that was in a process which ended."""

_ASIDE = re.compile(
    rb".\xa4type(?:\xa7fetched|\xa9page_read|\xa7refused|\xa3let|\xa5shown)"
    rb'|\{"type":"(?:fetched|page_read|refused|let|shown)"',
    re.DOTALL,
)
"""How the bodies of frames begin that are about values, in MessagePack and in JSON."""

_PREVIEW_BYTES = 512 * 1024
_LARGE = 256 * 1024
_KINDS = 200
"""Characters of a kind's name."""


_Answer = Fetched | PageRead | Refused


class Holdings:
    """What a process holds. Answers come aside from those of the call under way, at any time.

    Nothing that the process says is trusted: what names a value that nobody knows is
    ignored, and memory that it filled is sealed before anybody looks at it.
    """

    def __init__(
        self,
        codec: Codec,
        send: Callable[[bytes], None],
        fault: Callable[[str], None],
        room: int = 1 << 30,
    ) -> None:
        """``room``: bytes that one value may be, encoded."""
        self.process = uuid.uuid4().hex[:20]
        self.reads: frozenset[Encoding] = frozenset(("json",))
        """The encodings that the process can read."""
        self.beside = False
        """Whether memory may go beside frames."""
        self.inner: socket.socket | None = None
        """The end of the socket for memory that the process inherits."""
        self._codec = codec
        self._send = send
        self._fault = fault
        self._loop = asyncio.get_running_loop()
        self._channel: MemoryChannel | None = None
        self._handles: WeakValueDictionary[int, Handle] = WeakValueDictionary()
        self._asked: dict[int, asyncio.Future[_Answer]] = {}
        self._room = room
        self._numbers = itertools.count(1)
        self._dropped: deque[int] = deque()
        self._scheduled = False
        self._ended = False

    def open(self) -> tuple[int, ...]:
        """Make the socket for memory; return the descriptors that the process is to inherit."""
        if not available():
            return ()
        outer, self.inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        outer.setblocking(False)
        self._channel = MemoryChannel(outer)
        return (self.inner.fileno(),)

    def begin(self) -> None:
        """Close what only the process needs, now that it was started."""
        if self.inner is not None:
            self.inner.close()
            self.inner = None

    def end(self) -> None:
        """Take it that the process is over: all that it held is gone. A second call does nothing."""
        self._dropped.clear()
        if not self._ended:
            self._ended = True
            tell_gone(list(self._handles.values()), RESTARTED)
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(ValueGone(f"the value is gone: {RESTARTED}"))
                asked.exception()  # whoever asked may have gone, too
        self._asked.clear()
        self.begin()
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    # Handles

    @property
    def any(self) -> bool:
        """Whether somebody has a handle of a value in the process."""
        return not self._ended and bool(self._handles)

    @property
    def gone(self) -> str | None:
        """Why nothing is left, or None."""
        return RESTARTED if self._ended else None

    def __len__(self) -> int:
        """Return how many values the engine has handles of."""
        return len(self._handles)

    @property
    def size(self) -> int:
        """Bytes of these values, about."""
        return sum(handle.size for handle in list(self._handles.values()))

    def adopt(self, kept: Kept, node: str, port: str) -> Handle:
        """Return the handle of a value that the process told of."""
        handle = Handle(self, _checked(kept), node, port)
        self._handles[kept.value] = handle
        return handle

    def release(self, value: int) -> None:
        """Have the process let go of a value, together with others of this turn. Any thread may."""
        if self._ended:
            return
        self._dropped.append(value)
        if not self._scheduled:
            self._scheduled = True
            try:
                self._loop.call_soon_threadsafe(self._flush)
            except RuntimeError:  # the loop is closed, and the process with it
                self._ended = True

    def _flush(self) -> None:
        self._scheduled = False
        if self._dropped and not self._ended:
            values = list(self._dropped)
            self._dropped.clear()
            self._send(self._codec.encode(Drop(values)))

    # Asking

    def take(self, body: bytes) -> bool:
        """Take a frame's body that is about values, and say so; any other is for who reads calls."""
        if _ASIDE.match(body) is None:
            return False
        try:
            record = self._codec.decode(body)
        except (msgspec.DecodeError, RecursionError):
            return False
        return self._understood(record)

    def _understood(self, record: FromWorker) -> bool:
        if isinstance(record, Fetched | PageRead | Refused):
            self._answered(record)
        elif isinstance(record, Let):
            self._let(record)
        elif isinstance(record, Shown):
            if (handle := self._handles.get(record.value)) is not None and _fits(record.preview):
                handle.preview = record.preview
        else:
            return False
        return True

    def _let(self, record: Let) -> None:
        why = record.reason[:100]
        lost = [each for value in record.values if (each := self._handles.get(value)) is not None]
        for handle in lost:
            handle.lose(why)
        tell_gone(lost, why)

    def _answered(self, record: Fetched | PageRead | Refused) -> None:
        asked = self._asked.pop(record.number, None)
        if asked is not None and not asked.done():
            asked.set_result(record)

    async def _ask(self, record: Fetch | ReadPage) -> _Answer:
        if self._ended:
            raise ValueGone(f"the value is gone: {RESTARTED}")
        asked: asyncio.Future[_Answer] = self._loop.create_future()
        self._asked[record.number] = asked
        self._send(self._codec.encode(record))
        return await asked

    async def fetch(
        self, handle: Handle, encodings: Sequence[Encoding], limit: int = 0
    ) -> tuple[Parcel, Memory | None]:
        """Return a value, encoded by the process in one of these encodings; it waits for the call under way.

        Raises:
            NotTransferable: it has none of them.
            ValueGone: it is there no more.
        """
        self._require(handle)
        number = next(self._numbers)
        memory = self._lend(number, limit) if self.beside and handle.size > BESIDE // 4 else None
        answer = await self._ask(
            Fetch(number, handle.value, list(encodings), limit, 0 if memory is None else number)
        )
        if isinstance(answer, Refused):
            raise refusal(handle, answer)
        if not isinstance(answer, Fetched) or answer.parcel.encoding not in encodings:
            raise self._broken("another answer came than was asked for")
        parcel = answer.parcel
        if limit and parcel.size > limit:
            raise self._broken("a value is larger than was asked for")
        if parcel.data is not None:
            if len(parcel.data) != parcel.size:
                raise self._broken("a value has another size than was told")
            return parcel, None
        try:
            if memory is None:
                raise Untrusted("a value came in no memory")
            return parcel, memory.sealed(parcel.size)
        except Untrusted as error:
            raise self._broken(str(error)) from error

    def _lend(self, number: int, limit: int) -> Memory | None:
        """Send memory to be filled, beside the frame that comes next; None where too much is on its way."""
        memory = Memory.lent(min(limit, self._room) if limit else self._room)
        try:
            self.give(number, memory)
        except OSError:
            return None
        return memory

    def _broken(self, reason: str) -> NodeError:
        self._fault(reason)
        return ValueGone(f"the value is gone: its worker was ended, for {reason}")

    def give(self, number: int, memory: Memory) -> None:
        """Send memory beside the frame that comes next; raises BlockingIOError where too much waits."""
        assert self._channel is not None
        self._channel.send(number, memory)

    async def decoded(self, handle: Handle) -> Any:
        """Return a value as plain JSON values; see ``Holder``."""
        if handle.plain is not msgspec.UNSET:
            return handle.plain
        parcel, memory = await self.fetch(handle, ["json"])
        data = memory.view() if memory is not None else parcel.data or b""
        try:
            if len(data) > _LARGE:
                return await asyncio.to_thread(msgspec.json.decode, data)
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self._broken(f"a value that is no JSON ({error})") from error

    async def page(self, handle: Handle, request: ReadPage) -> PageRead:
        """Return a page of a value; see ``Holder``. The worker reads it when no call waits."""
        self._require(handle)
        number = next(self._numbers)
        answer = await self._ask(
            msgspec.structs.replace(request, number=number, value=handle.value)
        )
        if isinstance(answer, Refused):
            raise refusal(handle, answer)
        if not isinstance(answer, PageRead):
            raise self._broken("another answer came than was asked for")
        return answer

    def _require(self, handle: Handle) -> None:
        if handle.gone is not None:
            raise gone(handle)


def gone(handle: Handle) -> ValueGone:
    """Return the error that a value is there no more."""
    made = f" of {handle.node!r}" if handle.node else ""
    return ValueGone(
        f"the value{made} is gone: {handle.gone or RESTARTED}; run {handle.node or 'the node'!r} again",
        details={"node": handle.node, "port": handle.port, "why": handle.gone or RESTARTED},
    )


def refusal(handle: Handle, answer: Refused) -> NodeError:
    """Return a worker's refusal as the error that the engine knows."""
    if answer.code == "value_gone":
        return gone(handle)
    if answer.code == "not_transferable":
        return NotTransferable(
            f"the value of {handle.node!r} is a {handle.kind} that cannot leave its worker:"
            f" {answer.message[:500]}",
            details={"node": handle.node, "port": handle.port, "type": handle.kind},
        )
    code = answer.code if answer.code in ("value_not_found", "output_too_large") else "value_gone"
    return NodeError(answer.message[:1_000], code=code, retryable=False)


def _fits(preview: object) -> bool:
    return len(msgspec.json.encode(preview)) <= _PREVIEW_BYTES


def _checked(kept: Kept) -> Kept:
    """Return what a worker told of a value, within bounds."""
    preview = kept.preview if kept.preview is None or _fits(kept.preview) else None
    return msgspec.structs.replace(
        kept, kind=kept.kind[:_KINDS], size=max(0, kept.size), preview=preview
    )
