"""Connections to granted hosts: Python's sockets ask the server's broker, since the worker can make none.

A socket of the internet is here, until it is connected, one end of a pair that goes
nowhere. ``connect`` asks the broker for the host and puts the connection that it hands
over in place of it, under the same descriptor. Names are not looked up here: each host
gets an address that exists nowhere else (240.0.0.0/4), by which ``connect`` knows it again.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import threading
from typing import Any

_FIRST = 0xF0000001
_MOST_HOSTS = 100_000
_PLAIN = socket.socket
_INTERNET = (socket.AF_INET, socket.AF_INET6)


class Hosts:
    """An address for each host that was asked for."""

    def __init__(self) -> None:
        self._of: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def address(self, host: str) -> str:
        """Return the address that stands for a host."""
        with self._lock:
            known = self._of.get(host)
            if known is None:
                if len(self._of) >= _MOST_HOSTS:
                    raise OSError(errno.ENOMEM, "too many hosts were asked for")
                number = _FIRST + len(self._of)
                known = socket.inet_ntoa(number.to_bytes(4, "big"))
                self._of[host] = known
                self._names[known] = host
            return known

    def name(self, address: str) -> str:
        """Return the host that an address stands for; the address itself where it is none of ours."""
        return self._names.get(address, address)


class BrokeredSocket(_PLAIN):
    """A socket whose connections the broker makes. TCP only; nothing can listen."""

    broker = -1
    """The descriptor behind which the broker is."""

    hosts = Hosts()

    def __init__(
        self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None
    ) -> None:
        self._options: list[tuple[Any, ...]] = []
        self._pair: socket.socket | None = None
        if fileno is not None or (family != -1 and family not in _INTERNET):
            super().__init__(family, type, proto, fileno)
            return
        kind = socket.SOCK_STREAM if type == -1 else type
        if kind & 0xF != socket.SOCK_STREAM:
            raise PermissionError(errno.EPERM, "a worker makes connections of TCP only")
        ours, self._pair = socket.socketpair()
        handle = ours.detach()
        super().__init__(socket.AF_INET if family == -1 else family, socket.SOCK_STREAM, 0, handle)
        if kind & getattr(socket, "SOCK_NONBLOCK", 0):
            self.setblocking(False)

    def connect(self, address: Any, /) -> None:
        """Have the broker connect it. Raises PermissionError, naming the host, where that was not granted."""
        if self._pair is None:
            super().connect(address)
            return
        handle = ask_for_connection(self.broker, self.hosts.name(str(address[0])), int(address[1]))
        try:
            os.dup2(handle, self.fileno(), inheritable=False)
        finally:
            os.close(handle)
        self._pair.close()
        self._pair = None
        self.settimeout(self.gettimeout())
        for option in self._options:
            with contextlib.suppress(OSError):
                super().setsockopt(*option)

    def connect_ex(self, address: Any, /) -> int:
        """Do the same; return the number of the error, 0 for none."""
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def setsockopt(self, *option: Any) -> None:
        """Set an option; before there is a connection, when there is one."""
        if self._pair is None:
            super().setsockopt(*option)
        else:
            self._options.append(option)

    def bind(self, address: Any, /) -> None:
        """Refuse, but for the address that means any."""
        if self._pair is None or tuple(address)[:2] not in (("", 0), ("0.0.0.0", 0), ("::", 0)):  # noqa: S104 - nothing listens
            raise PermissionError(errno.EPERM, "a worker cannot listen, nor choose its address")

    def listen(self, *_backlog: int) -> None:
        """Refuse."""
        raise PermissionError(errno.EPERM, "a worker cannot listen")

    def close(self) -> None:
        """Close it."""
        if self._pair is not None:
            self._pair.close()
        super().close()

    def detach(self) -> int:
        """Give its descriptor away."""
        if self._pair is not None:
            self._pair.close()
            self._pair = None
        return super().detach()


def ask_for_connection(broker: int, host: str, port: int) -> int:
    """Return the descriptor of a connection to a host. Any thread may ask. Raises OSError."""
    question = json.dumps({"host": host, "port": port}).encode()
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours):
        with contextlib.closing(theirs), _PLAIN(fileno=os.dup(broker)) as door:
            socket.send_fds(door, [question], [theirs.fileno()])
        data, handles, _, _ = socket.recv_fds(ours, 4_096, 1)
    if handles:
        return handles[0]
    if not data:
        raise ConnectionError(errno.ECONNABORTED, f"the server did not answer for {host}:{port}")
    told = json.loads(data)
    raise OSError(int(told["errno"]), str(told["message"]))


def getaddrinfo(
    host: Any,
    port: Any,
    family: int = 0,  # noqa: ARG001 - all of them may be given by name
    type: int = 0,  # noqa: ARG001
    proto: int = 0,  # noqa: ARG001
    flags: int = 0,  # noqa: ARG001
) -> list[tuple[Any, ...]]:
    """Return one address of a host, which ``connect`` knows again. Nothing is looked up."""
    if isinstance(host, bytes):
        host = host.decode("idna")
    number = _port(port)
    kind = socket.SOCK_STREAM
    if host is None or host == "":
        host = "localhost"
    name = str(host)
    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET6, name.partition("%")[0])
        return [(socket.AF_INET6, kind, socket.IPPROTO_TCP, "", (name, number, 0, 0))]
    with contextlib.suppress(OSError):
        socket.inet_pton(socket.AF_INET, name)
        return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (name, number))]
    address = BrokeredSocket.hosts.address(name)
    return [(socket.AF_INET, kind, socket.IPPROTO_TCP, "", (address, number))]


def _port(port: Any) -> int:
    if port is None:
        return 0
    try:
        return int(port)
    except ValueError:
        known = {"http": 80, "https": 443}
        if port in known:
            return known[port]
        raise socket.gaierror(socket.EAI_SERVICE, f"{port!r} is no port") from None


def _gethostbyname(host: str) -> str:
    return str(getaddrinfo(host, 0)[0][4][0])


def install(broker: int) -> None:
    """Have Python's sockets ask the broker behind this descriptor, from now on."""
    os.set_inheritable(broker, False)
    BrokeredSocket.broker = broker
    module: Any = socket
    module.socket = module.SocketType = BrokeredSocket
    module.getaddrinfo = getaddrinfo
    module.gethostbyname = _gethostbyname
    module.gethostbyname_ex = lambda host: (host, [], [_gethostbyname(host)])
