"""What a worker that only confines itself keeps from its code: the server's files and secrets, the network, other processes.

Each attack runs as a real cell, fails with words its author understands, and harms nobody.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from spellwork.workers import CallFailed, Confinement, WorkerPool
from spellwork.workers.sandbox import LayeredSandbox
from spellwork_worker import landlock
from spellwork_worker.granted import Sources

from .conftest import Bench
from .test_pool import gone, until

pytestmark = pytest.mark.anyio

SECRET = "a-secret-of-the-server"


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """A bench whose workers have nothing around them: what holds is what they do to themselves."""
    alone = LayeredSandbox(None, None, {})
    async with WorkerPool(size=2, memory_mb=512, sandbox=alone) as pool:
        yield Bench(pool)


@pytest.fixture
async def confined(bench: Bench) -> Bench:
    """A bench whose workers the kernel confines wholly."""
    await bench.run("1")
    confinement = bench.pool.confinement
    assert confinement is not None
    if not confinement.whole:
        reason = f"workers are not confined here: {confinement.reason}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return bench


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory, as a server has one."""
    (tmp_path / "secret.key").write_text(SECRET)
    (tmp_path / "spellwork.db").write_text(SECRET)
    return tmp_path


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """A process with a secret in its environment that has closed its memory, as a server does."""
    program = "from spellwork.workers import close_memory\nassert close_memory()\nprint(1, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "SPELLWORK_OPENAI_API_KEY": SECRET},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        yield process
        process.kill()


async def refused(bench: Bench, code: str, **inputs: object) -> None:
    """Run an attack; it must fail with a word for it, and the same worker must go on."""
    before = await bench.run("import os\nos.getpid()")
    with pytest.raises(CallFailed) as caught:
        await bench.run(textwrap.dedent(code), **inputs)
    message = caught.value.message  # a link is refused as one across file systems would be
    assert message.startswith(
        ("PermissionError: ", "OSError: [Errno 18] Invalid cross-device link")
    )
    assert "cell line" in message
    assert message.endswith("no process but its own") or message.startswith("OSError: [Errno 18]")
    assert SECRET not in f"{message}{caught.value.traceback}"
    assert await bench.run("import os\nos.getpid()") == before


@pytest.mark.parametrize(
    "code",
    [
        "open(f'{data}/secret.key').read()",
        "open(f'{data}/spellwork.db', 'rb').read()",
        "import os\nos.listdir(data)",
        "import os\nos.symlink(f'{data}/secret.key', 'link')\nopen('link').read()",
        "import os\nos.symlink(data, 'folder')\nopen('folder/secret.key').read()",
        "import os\nos.link(f'{data}/secret.key', 'link')",
        "import os\nos.rename(f'{data}/secret.key', 'taken')",
        "import os\nos.chdir(data)\ntry:\n    open('secret.key')\nfinally:\n    os.chdir(os.environ['HOME'])",
        "open(f'{data}/secret.key', 'w').write('forged')",
        "open(f'{data}/new', 'w')",
        "import os\nos.unlink(f'{data}/secret.key')",
        "import os\nos.truncate(f'{data}/secret.key', 0)",
        "import os\nos.open(f'/proc/self/root{data}/secret.key', os.O_RDONLY)",
    ],
)
async def test_the_data_directory_is_closed(confined: Bench, data: Path, code: str) -> None:
    await refused(confined, code, data=str(data))
    assert (data / "secret.key").read_text() == SECRET
    assert sorted(os.listdir(data)) == ["secret.key", "spellwork.db"]  # noqa: PTH208 - it is two names


async def test_what_a_cell_starts_is_confined_too(confined: Bench, data: Path) -> None:
    code = """
        import subprocess
        done = subprocess.run(["cat", f"{data}/secret.key"], capture_output=True, text=True)
        [done.returncode, done.stdout, done.stderr]
    """
    status, out, error = (await confined.run(textwrap.dedent(code), data=str(data)))["result"]
    assert (status, out) == (1, "")
    assert "Permission denied" in error


@pytest.mark.parametrize(
    "code",
    [
        "open(f'/proc/{os.getppid()}/environ').read()",
        "open(f'/proc/{os.getppid()}/cmdline').read()",
        "open(f'/proc/{os.getppid()}/mem', 'rb').read(1)",
        "os.listdir(f'/proc/{os.getppid()}/fd')",
        "open('/proc/1/environ').read()",
        "os.listdir('/proc')",
        "os.listdir(home)",
        "os.listdir('/')",
        "os.listdir('/tmp')",
        "open('/etc/passwd').read()",
        "open('/etc/shadow').read()",
        "os.listdir(project)",
        "open(f'{project}/pyproject.toml').read()",
        "os.listdir(f'{project}/tests')",
        "open('/tmp/spellwork-left-behind', 'w')",
        "open(f'{home}/spellwork-left-behind', 'w')",
        "open(os.__file__, 'a')",
        "open('/dev/shm/spellwork-left-behind', 'w')",
    ],
)
async def test_other_processes_the_home_directory_and_the_project_are_closed(
    confined: Bench, code: str
) -> None:
    project = Path(__file__).parents[2]
    await refused(confined, f"import os\n{code}", home=str(Path.home()), project=str(project))


@pytest.mark.parametrize("member", ["environ", "mem", "maps"])
async def test_a_servers_environment_and_memory_are_closed_even_without_landlock(
    server: subprocess.Popen[str], member: str
) -> None:
    reader = f"""
        import ctypes, os
        from spellwork_worker.kernel import give_up_privileges
        give_up_privileges()
        open("/proc/{server.pid}/{member}", "rb").read(1)
    """
    done = await asyncio.to_thread(_python, reader)
    assert done.returncode == 1
    assert "PermissionError" in done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import socket\nsocket.create_connection(('127.0.0.1', port))",
        "import socket\nsocket.create_server(('127.0.0.1', 0))",
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        "import socket\nsocket.socket(socket.AF_UNIX)",
        "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "import asyncio\nawait asyncio.open_connection('127.0.0.1', port)",
    ],
)
async def test_the_network_is_closed_and_the_servers_port_with_it(
    confined: Bench, code: str
) -> None:
    met: list[str] = []
    listener = await asyncio.start_server(lambda *_: met.append("somebody"), "127.0.0.1", 0)
    async with listener:
        await refused(confined, code, port=listener.sockets[0].getsockname()[1])
    assert met == []


@pytest.mark.parametrize(
    "code",
    [
        "os.kill(os.getppid(), signal.SIGTERM)",
        "os.kill(os.getppid(), 0)",
        "os.kill(1, signal.SIGKILL)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), signal.SIGTERM)",
        "os.setsid()",
        "os.setpgid(0, 0)",
        "import subprocess\nsubprocess.Popen(['sleep', '60'], start_new_session=True)",
        "os.setuid(12345)",
        "os.chroot('.')",
    ],
)
async def test_a_cell_harms_no_other_process_and_leaves_no_group(
    confined: Bench, code: str
) -> None:
    await refused(confined, f"import os, signal\n{code}")


async def test_a_process_whose_parents_are_gone_dies_with_the_worker(confined: Bench) -> None:
    code = """
        import os, time
        read, write = os.pipe()
        if os.fork() == 0:
            try:
                os.setsid()
            except PermissionError:
                pass
            if os.fork() == 0:
                os.write(write, str(os.getpid()).encode())
                while True:
                    time.sleep(60)
            os._exit(0)
        os.wait()
        int(os.read(read, 20))
    """
    pid = (await confined.run(textwrap.dedent(code)))["result"]
    assert not gone(pid)
    with pytest.raises(Exception, match="exit status 7"):
        await confined.run("import os\nos._exit(7)")
    await until(lambda: gone(pid), seconds=20)
    assert await confined.run("1") == {"result": 1}


async def test_another_canvas_private_directory_is_closed(confined: Bench) -> None:
    other = Bench(confined.pool, "other")
    theirs = (await other.run("open('note', 'w').write('mine')\nimport os\nos.getcwd()"))["result"]
    await refused(confined, "open(f'{theirs}/note').read()", theirs=theirs)
    await refused(confined, "open(f'{theirs}/more', 'w')", theirs=theirs)
    await refused(confined, "import os\nos.listdir(theirs)", theirs=theirs)
    pid = (await other.run("import os\nos.getpid()"))["result"]
    await refused(confined, "import os\nos.kill(pid, 9)", pid=pid)
    assert (await other.run("open('note').read()"))["result"] == "mine"


async def test_a_cell_still_does_its_work(confined: Bench) -> None:
    code = """
        import asyncio, concurrent.futures, ctypes.util, datetime, mimetypes, sqlite3, ssl
        import subprocess, sys, tempfile, zoneinfo, pathlib, shutil, os
        import networkx, psutil, spellwork, spellwork_core.text
        at = zoneinfo.ZoneInfo("Europe/Vienna").key if zoneinfo.available_timezones() else "Europe/Vienna"
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "a").write_text("x")
            os.replace(f"{folder}/a", "b")
        shutil.copy("b", "c")
        with sqlite3.connect("rows.db") as _base:
            _base.execute("create table t (n)")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            threads = list(pool.map(abs, [-1, -2]))
        shell = subprocess.run("cat c", shell=True, capture_output=True, text=True).stdout
        again = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, text=True).stdout
        own = psutil.Process().memory_info().rss > 0
        _found = [mimetypes.guess_type("a.html"), ssl.create_default_context(), os.cpu_count(), os.urandom(3)]
        await asyncio.sleep(0)
    """
    outputs = await confined.run(textwrap.dedent(code))
    assert [outputs[name] for name in ("at", "threads", "shell", "again", "own")] == [
        "Europe/Vienna",
        [1, 2],
        "x",
        "1\n",
        True,
    ]


async def test_processes_of_multiprocessing_work(confined: Bench) -> None:
    code = "import multiprocessing as m\n_c = m.get_context('fork')\n_p = _c.Process(target=print, args=(1,))\n_p.start()\n_p.join()\ncode = _p.exitcode"
    assert (await confined.run(code))["code"] == 0


async def test_locks_between_processes_fail_clearly(confined: Bench) -> None:
    await refused(confined, "import multiprocessing\nmultiprocessing.Lock()")


@pytest.mark.parametrize("host", ["127.0.0.1", "spellwork.example"])
async def test_a_library_that_wraps_the_refusal_gets_the_same_words(
    confined: Bench, host: str
) -> None:
    with pytest.raises(CallFailed, match=r"URLError: .*no network \(wire an HTTP node") as caught:
        await confined.run(f"import urllib.request\nurllib.request.urlopen('http://{host}:9/')")
    assert caught.value.details["confined"]


def test_of_a_source_directory_only_packages_and_modules_are_named(tmp_path: Path) -> None:
    for path in (
        "pack/__init__.py",
        "pack/part.py",
        "data/secret.key",
        "data/x.py",
        "one.py",
        "a.txt",
    ):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text("")
    sources = Sources([str(tmp_path)])
    assert sources.paths == [str(tmp_path / "one.py"), str(tmp_path / "pack")]
    found = sources.find_spec("pack", None)
    assert found is not None
    assert found.submodule_search_locations == [str(tmp_path / "pack")]
    assert sources.find_spec("data", None) is None


def test_data_beside_a_virtual_environment_and_a_package_in_one_project_is_closed(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "secret.key").write_text(SECRET)
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text("from .part import value")
    (tmp_path / "pack" / "part.py").write_text("value = 5")
    (tmp_path / ".venv" / "lib").mkdir(parents=True)
    (tmp_path / ".venv" / "lib" / "inside").write_text("read")
    (tmp_path / "own").mkdir()
    program = f"""
        import os, sys
        sys.path.append({str(tmp_path)!r})
        sys.prefix = {str(tmp_path / ".venv")!r}
        from spellwork_worker.confining import confine
        confine({str(tmp_path / "own")!r})
        import pack
        print(pack.value, open({str(tmp_path / ".venv/lib/inside")!r}).read())
        for attempt in (lambda: open({str(tmp_path / "data/secret.key")!r}), lambda: os.listdir({str(tmp_path)!r})):
            try:
                attempt()
            except PermissionError:
                print("closed")
    """
    assert _python(program).stdout.split() == ["5", "read", "closed", "closed"]


def test_what_may_not_be_looked_into_beside_a_module_does_not_open_the_rest(tmp_path: Path) -> None:
    others = tmp_path / "others"
    others.mkdir(mode=0)
    if os.geteuid() == 0:
        os.chown(others, 65_534, 65_534)
    (tmp_path / "own").mkdir()
    (tmp_path / "secret.key").write_text(SECRET)
    (tmp_path / "part.py").write_text("value = 5")
    program = f"""
        import sys
        sys.path.append({str(tmp_path)!r})
        from spellwork_worker.confining import confine
        confine({str(tmp_path / "own")!r})
        import part
        print(part.value)
        try:
            open({str(tmp_path / "secret.key")!r})
        except PermissionError:
            print("closed")
    """
    assert _python(program).stdout.split() == ["5", "closed"]
    others.chmod(0o700)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that others than its maker may enter, too."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_path_with_what_may_not_be_listed_or_followed_leaves_the_sandbox_in_force(
    place: Path,
) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0)
    (place / "led").symlink_to(closed / "package")
    (place / "led.py").symlink_to(closed / "module.py")
    (place / "own").mkdir()
    (place / "secret.key").write_text(SECRET)
    (place / "part.py").write_text("value = 5")
    (place / "own").chmod(0o777)
    program = f"""
        import os, sys
        from pathlib import Path
        import spellwork.workers.sandbox as sandbox
        from spellwork.workers.bubblewrap import _parts
        from spellwork_worker.confining import confine
        if os.geteuid() == 0:  # root may look into everything
            os.setgid(65_534)
            os.setuid(65_534)
        roots = {[str(each) for each in (closed, closed / "inside", place / "led", place)]!r}
        sys.path += roots
        print(sum({str(place)!r} in each for each in sandbox._server_packages()))
        print([_parts(Path(each)) for each in roots[:3]])
        print("landlock" in confine({str(place / "own")!r}).layers)
        import part
        print(part.value)
        try:
            open({str(place / "secret.key")!r})
        except PermissionError:
            print("closed")
    """
    done = _python(program)
    assert done.stdout.splitlines() == ["2", "[[], [], []]", "True", "5", "closed"], done.stderr
    closed.chmod(0o700)


def test_landlock_alone_closes_tcp_where_the_kernel_can() -> None:
    if landlock.version() < 4:
        pytest.skip("Landlock of this kernel knows no TCP")
    program = """
        import socket
        from spellwork_worker import landlock
        from spellwork_worker.kernel import give_up_privileges
        give_up_privileges()
        landlock.restrict(min(landlock.version(), landlock.NEWEST), {})
        for attempt in (lambda s: s.connect(("127.0.0.1", 9)), lambda s: s.bind(("127.0.0.1", 0))):
            with socket.socket() as one:
                try:
                    attempt(one)
                except PermissionError:
                    print("closed")
    """
    assert _python(program).stdout.split() == ["closed", "closed"]


@pytest.mark.parametrize("version", range(1, 8))
def test_every_version_of_landlock_is_asked_only_for_what_it_knows(version: int) -> None:
    files, net, scoped = landlock.handled(version)
    bits = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16, 6: 16, 7: 16}[version]
    assert files == 2**bits - 1
    assert (net, scoped) == (3 if version >= 4 else 0, 3 if version >= 6 else 0)


@pytest.mark.parametrize("version", range(1, 8))
def test_every_version_of_landlock_closes_files(version: int, data: Path) -> None:
    if landlock.version() < version:
        pytest.skip(f"Landlock of this kernel has version {landlock.version()}")
    program = f"""
        from spellwork_worker import landlock
        from spellwork_worker.kernel import give_up_privileges
        give_up_privileges()
        landlock.restrict({version}, {{"/dev/null": landlock.DEVICE, "/usr": landlock.RUN}})
        open("/dev/null", "w").write("x")
        open({str(data / "secret.key")!r})
    """
    assert "PermissionError" in _python(program).stderr


async def test_a_pool_without_a_kernel_that_confines_says_so_once_and_works(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with WorkerPool(size=1) as pool:
        pool._note(Confinement(reason="there is no Landlock"))
        pool._note(Confinement(reason="there is no Landlock"))
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert caplog.records[0].getMessage() == (
            "Python on a canvas can reach the server's files and secrets, the network, "
            "other processes: there is no Landlock"
        )


def _python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        cwd=tempfile.gettempdir(),
        check=False,
    )
