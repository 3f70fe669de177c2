"""A TCP proxy between a client and a server, whose wire a test can cut and mend."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from types import TracebackType
from typing import Self

CHUNK = 65_536


class WireCutter:
    """Forwards connections to a port on 127.0.0.1. `cut` breaks all and refuses new ones; `mend` allows them.

    A slow wire holds every chunk back for `delay` seconds, and those behind it.
    """

    def __init__(self, target_port: int, *, delay: float = 0) -> None:
        self._target = target_port
        self._delay = delay
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._whole = True
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.cut()
        _shut(self._listener)
        self._acceptor.join()

    def cut(self) -> None:
        """Break every connection, as a pulled plug does, and let no new one through."""
        with self._lock:
            self._whole = False
            for end in self._pairs:
                _shut(end)
            self._pairs.clear()

    def mend(self) -> None:
        """Let connections through again."""
        with self._lock:
            self._whole = True

    def _accept(self) -> None:
        with self._listener:
            while True:
                try:
                    near, _ = self._listener.accept()
                except OSError:
                    return
                self._connect(near)

    def _connect(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            near.close()
            return
        with self._lock:
            whole = self._whole
            if whole:
                self._pairs |= {near, far}
        if whole:
            threading.Thread(target=self._forward, args=(near, far), daemon=True).start()
        else:
            near.close()
            far.close()

    def _forward(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        try:
            with selectors.DefaultSelector() as waiting:
                for each in other:
                    waiting.register(each, selectors.EVENT_READ, data=each)
                while True:
                    for key, _ in waiting.select():
                        end: socket.socket = key.data
                        data = end.recv(CHUNK)
                        if not data:
                            return
                        if self._delay:
                            time.sleep(self._delay)
                        other[end].sendall(data)
        except OSError:
            return
        finally:
            with self._lock:
                self._pairs -= {near, far}
            for each in other:
                _shut(each)
                each.close()


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
