"""``spellwork worker connect``, and the pack commands, as people call them."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from spellwork_server.cli import main
from tests.server.external.test_external_workers import SECONDS, studio
from tests.server.packs.test_packs import shop
from tests.server.packs.wheels import wheel
from tests.server.runs.house import until

pytestmark = pytest.mark.anyio


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for 127.0.0.1 and its key; return both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "studio")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "cert.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return public, private


@asynccontextmanager
async def behind_tls(port: int, public: Path, private: Path) -> AsyncIterator[int]:
    """A proxy that speaks TLS, as a reverse proxy before the server would."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pipe(reader, outer), pipe(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def command(*arguments: str, token: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "spellwork_server", "worker", "connect", *arguments),
        env={**os.environ, "SPELLWORK_WORKER_TOKEN": token},
        stderr=asyncio.subprocess.PIPE,
    )


CAMERA = "tests.server.external.cameras:Camera"


@pytest.mark.rule("W50", "20.13")
async def test_the_command_connects_an_object_by_tls_and_verifies_the_server(
    tmp_path: Path,
) -> None:
    public, private = certificate(tmp_path)
    config = tmp_path / "camera.json"
    config.write_text(json.dumps({"zoom": 3, "password": "only-here"}))
    async with studio(tmp_path) as s:
        port = s.house.server.port
        assert port is not None
        async with behind_tls(port, public, private) as secure:
            url = f"wss://127.0.0.1:{secure}"
            doubtful = await command(url, CAMERA, token=s.token)
            assert doubtful.stderr is not None
            said = (await asyncio.wait_for(doubtful.stderr.readline(), SECONDS)).decode()
            doubtful.kill()
            await doubtful.wait()
            assert "CERTIFICATE_VERIFY_FAILED" in said or "certificate" in said.lower()
            assert s.state == "stopped"
            options = ("--ca", str(public), "--config", str(config))
            process = await command(url, CAMERA, *options, token=s.token)
            try:
                await until(lambda: s.state == "ready", SECONDS)
                left = await s.run("snap")
                assert left["outputs"]["n"]["result"]["zoom"] == 3
            finally:
                process.send_signal(signal.SIGTERM)
                _, error = await asyncio.wait_for(process.communicate(), SECONDS)
            assert process.returncode == 0, error
            assert b"Connected as 'Front door'" in error
            await until(lambda: s.state == "stopped", SECONDS)


@pytest.mark.rule("20.13")
@pytest.mark.parametrize(
    ("target", "config", "said"),
    [
        ("nowhere", None, "is not MODULE:CLASS"),
        ("nowhere:Camera", None, "cannot be imported"),
        ("pathlib:Path", None, "is no ExternalWorker"),
        (CAMERA, '{"zoom": 99}', "zoom"),
        (CAMERA, "{", "cannot be read"),
    ],
)
def test_what_cannot_be_connected_is_told(
    tmp_path: Path, target: str, config: str | None, said: str
) -> None:
    file = tmp_path / "config.json"
    if config is not None:
        file.write_text(config)
    arguments = ["worker", "connect", "ws://127.0.0.1:1", target, "--token", "x"]
    result = CliRunner().invoke(main, [*arguments, "--config", str(file)])
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.rule("W34", "W36")
async def test_packs_are_installed_listed_and_removed_from_the_command_line(tmp_path: Path) -> None:
    async with shop(tmp_path) as s:
        built = wheel(tmp_path / "built")
        broken = wheel(tmp_path / "built", name="bad", code="raise RuntimeError('no luck')")

        async def called(*arguments: str) -> tuple[int, str]:
            options = ["--canvas", s.canvas, "--url", s.house.origin, "--token", str(s.ada.token)]
            result = await asyncio.to_thread(
                CliRunner().invoke, main, ["pack", *arguments, *options]
            )
            return result.exit_code, result.output

        code, said = await called("install", str(built))
        assert (code, said.splitlines()[0]) == (0, "acme-far 1.0: ready, 3 node types")
        assert "without far.shaped" in said
        code, said = await called("install", str(broken))
        assert code == 1
        assert "no luck" in said
        code, said = await called("list")
        assert [line.split(",")[0] for line in said.splitlines() if line[0] != " "] == [
            "acme-bad 1.0: failed",
            "acme-far 1.0: ready",
        ]
        assert (await called("remove", "far"))[0] == 0
        assert (await called("remove", "far"))[0] == 2
        assert (await called("install", "no such thing"))[0] == 2
