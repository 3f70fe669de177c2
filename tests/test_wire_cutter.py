"""The wire cutter forwards, breaks every connection, and forwards again."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.wire_cutter import WireCutter


@pytest.fixture
def echo_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            while True:
                try:
                    end, _ = listener.accept()
                except OSError:
                    return
                with end:
                    while data := end.recv(1024):
                        end.sendall(data)

        thread = threading.Thread(target=answer)
        thread.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_cut_breaks_what_is_connected_and_a_mend_lets_through_again(echo_port: int) -> None:
    with WireCutter(echo_port) as wire:
        with socket.create_connection(("127.0.0.1", wire.port)) as end:
            end.sendall(b"hello")
            assert end.recv(5) == b"hello"
            wire.cut()
            assert end.recv(5) == b""
        wire.mend()
        with socket.create_connection(("127.0.0.1", wire.port)) as end:
            end.sendall(b"again")
            assert end.recv(5) == b"again"
