"""Cells that try to reach what is not theirs: files, secrets, the network, other processes, the kernel.

Each runs as a real cell in a real pool, in all layers at once; each fails with words for its
author, and neither its own worker nor another canvas's takes harm.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from spellwork.workers import CallFailed

from .conftest import LAYERS, Arena

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-the-server"


@pytest.mark.rule("19.1")
async def test_all_layers_are_in_force_and_named(arena: Arena) -> None:
    confinement = arena.pool.confinement
    assert confinement is not None
    assert confinement.whole
    assert set(confinement.layers) | set(confinement.absent) == LAYERS
    if os.environ.get("CI") == "true":
        assert {"bubblewrap", "rlimits", "seccomp"} <= set(confinement.layers), confinement.absent
    assert all(confinement.absent.values())


FILES = [
    "open(f'{data}/spellwork.db', 'rb').read()",
    "open(f'{data}/secrets.key').read()",
    "import os\nos.listdir(data)",
    "open(f'{data}/planted', 'w')",
    "import os\nos.unlink(f'{data}/spellwork.db')",
    "import os\nos.symlink(f'{data}/secrets.key', 'link')\nopen('link').read()",
    "import os\nos.link(f'{data}/secrets.key', 'hard')",
    "import os\nos.mkfifo(f'{data}/pipe')",
    "open(f'/proc/self/root{data}/secrets.key').read()",
    "open(f'/proc/self/cwd/../../..{data}/secrets.key').read()",
    "open('/etc/passwd').read()",
    "open('/etc/shadow').read()",
    "open('/root/.ssh/id_rsa').read()",
    "open('/var/run/docker.sock').read()",
    "open('/dev/sda', 'rb').read(1)",
    "open('/dev/mem', 'rb').read(1)",
    "open('/sys/kernel/security/lsm').read()",
    "open('/proc/sysrq-trigger', 'w')",
    "open('/proc/sys/kernel/core_pattern', 'w')",
    "open('/proc/1/environ').read()",
    "open(f'/proc/{server}/environ').read()",
    "open(f'/proc/{server}/mem', 'rb').read(1)",
    "import os\nos.listdir(f'/proc/{server}/fd')",
    "open('/proc/1/root/etc/passwd').read()",
    "import os\nos.listdir(theirs)",
    "open(f'{theirs}/note').read()",
    "open(f'{theirs}/note', 'w')",
    "import os\nopen(os.__file__, 'a')",
    "import os\nos.listdir('/home')",
    "open('/tmp/left-behind', 'w')",
    "open('/dev/shm/left-behind', 'w')",
    "open('/left-behind', 'w')",
    "import subprocess\nsubprocess.run(['cat', f'{data}/secrets.key'], check=True)",
]


@pytest.mark.rule("19.2")
@pytest.mark.parametrize("code", FILES)
async def test_no_file_is_reached(arena: Arena, tmp_path: Path, code: str) -> None:
    for name in ("spellwork.db", "secrets.key"):
        (tmp_path / name).write_text(SECRET)
    theirs = (await arena.victim.run("import os\nos.getcwd()"))["result"]
    error = await arena.attack(code, data=str(tmp_path), server=os.getpid(), theirs=theirs)
    assert isinstance(error, CallFailed)
    said = ("code in a worker reaches no files", "No such file or directory", "'cat'")
    assert any(words in error.message for words in said), error.message
    assert SECRET not in f"{error.message}{error.traceback}"
    assert sorted(os.listdir(tmp_path)) == ["secrets.key", "spellwork.db"]  # noqa: PTH208 - two names


@pytest.mark.rule("19.2")
async def test_the_environment_holds_nothing(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPELLWORK_SECRETS_KEY", SECRET)
    code = "import os\n[*os.environ, *os.environ.values(), open('/proc/self/status').read()]"
    found = (await arena.attacker.run(code))["result"]
    assert SECRET not in str(found)
    names = (await arena.attacker.run("import os\nsorted(os.environ)"))["result"]
    assert set(names) <= {
        "HOME",
        "TMPDIR",
        "OMP_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "LC_CTYPE",
        "PWD",
    }


@pytest.mark.rule("19.2")
async def test_no_descriptor_leads_out(arena: Arena) -> None:
    code = """
import os
found = []
for _fd in range(256):
    try:
        found.append(os.readlink(f"/proc/self/fd/{_fd}"))
    except OSError:
        pass
"""
    found = (await arena.attacker.run(code))["found"]
    assert found
    assert all(
        link.startswith(("pipe:", "socket:", "/dev/null", "/proc", "anon_inode:", "/memfd:"))
        for link in found
    ), found


NETWORK = [
    "import socket\nsocket.create_connection(('127.0.0.1', port))",
    "import socket\nsocket.create_connection(('93.184.216.34', 80))",
    "import socket\nsocket.create_server(('127.0.0.1', 0))",
    "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('1.1.1.1', 53))",
    "import socket\nsocket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(('::1', port))",
    "import socket\nsocket.socket(socket.AF_UNIX).connect('/run/docker.sock')",
    "import socket\nsocket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).connect('\\0abstract')",
    "import socket\n_a, _b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n_a.sendto(b'x', '/dev/log')",
    "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
    "import socket\nsocket.socket(40, socket.SOCK_STREAM)",  # AF_VSOCK: the machine's host
    "import socket\nsocket.getaddrinfo('example.org', 80)",
    "import asyncio\nawait asyncio.open_connection('127.0.0.1', port)",
    "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{port}/healthz')",
]


@pytest.mark.rule("19.3")
@pytest.mark.parametrize("code", NETWORK)
async def test_no_network_is_reached_and_the_servers_own_port_neither(
    arena: Arena, code: str
) -> None:
    met: list[str] = []
    listener = await asyncio.start_server(lambda *_: met.append("somebody"), "127.0.0.1", 0)
    async with listener:
        error = await arena.attack(code, port=listener.sockets[0].getsockname()[1])
    assert "no network (wire an HTTP node" in error.message
    assert met == []


CALLS = """
import ctypes, os
_c = ctypes.CDLL(None, use_errno=True)
def _call(number, *arguments):
    if _c.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
"""

KERNEL = {
    "socket": "_call(41, 2, 1, 0)",
    "connect of an inherited socket": "_call(42, 3, b'\\2\\0\\0\\x50\\x7f\\0\\0\\1', 16)",
    "a call by the second table's number": "_call(0x40000000 + 41, 2, 1, 0)",
    "io_uring": "_call(425, 8, bytes(120))",
    "ptrace": "_call(101, 16, 1, 0, 0)",
    "another process's memory": "_call(310, 1, None, 0, None, 0, 0)",
    "unshare": "_call(272, 0x10000000)",
    "clone into a namespace": "_call(56, 0x10000000 | 17, 0, 0, 0, 0)",
    "setns": "_call(308, 0, 0)",
    "mount": "_call(165, b'none', b'/', None, 4096, None)",
    "umount": "_call(166, b'/proc', 2)",
    "pivot_root": "_call(155, b'.', b'.')",
    "chroot": "_call(161, b'.')",
    "fsopen": "_call(430, b'tmpfs', 0)",
    "open_tree": "_call(428, -100, b'/', 1)",
    "file handles": "_call(304, 3, bytes(128), 0)",
    "kexec": "_call(246, 0, 0, None, 0)",
    "load a module": "_call(175, b'', 0, b'')",
    "load a module's file": "_call(313, 0, b'', 0)",
    "remove a module": "_call(176, b'ext4', 0)",
    "reboot": "_call(169, 0xfee1dead, 672274793, 0)",
    "bpf": "_call(321, 0, bytes(72), 72)",
    "perf events": "_call(298, bytes(120), 0, -1, -1, 0)",
    "userfaultfd": "_call(323, 0)",
    "keys": "_call(250, 0, -3, 1)",
    "host name": "_call(170, b'mine', 4)",
    "clock": "_call(164, bytes(16), None)",
    "memory of no process": "_call(319, b'm', 0)",
    "shared memory that stays": "_call(29, 0, 4096, 0o1666)",
    "io ports": "_call(172, 3)",
    "descriptors of another process": "_call(438, 3, 0, 0)",
    "swap": "_call(167, b'file', 0)",
    "setsid": "os.setsid()",
    "setpgid": "os.setpgid(0, 0)",
    "a session of its own": "import subprocess\nsubprocess.Popen(['sleep', '9'], start_new_session=True)",
    "signal the server": "os.kill(server, 9)",
    "signal init": "os.kill(1, 9) or os.kill(server, 0)",
    "signal the group above": "os.killpg(server, 9)",
    "become another user": "os.setuid(12345)",
    "raise a limit": "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "raise a limit of another": "import resource\nresource.prlimit(server, resource.RLIMIT_NOFILE, (1, 1))",
    "nice": "os.setpriority(os.PRIO_PROCESS, 0, -20)",
    "trace by /proc": "open('/proc/self/mem', 'r+b').write(b'x')",
    "a device": "os.mknod('disk', 0o60600, os.makedev(8, 0))",
}


@pytest.mark.rule("19.4")
@pytest.mark.parametrize("name", KERNEL)
async def test_the_kernel_gives_no_way_out(arena: Arena, name: str) -> None:
    if os.uname().machine != "x86_64" and "_call(" in KERNEL[name]:
        pytest.skip("the numbers of calls are x86-64's")
    error = await arena.attack(f"{CALLS}\n{KERNEL[name]}", server=os.getpid())
    assert isinstance(error, CallFailed)
    said = ("PermissionError", "ProcessLookupError", "ValueError: not allowed", "OSError: [Errno")
    assert error.message.startswith(said), error.message
