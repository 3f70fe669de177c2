"""The server's settings: read once in ``__main__``, frozen, handed to ``make_app``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, StringConstraints, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from spellwork.limiting import LimitRules

KIB = 1024
MIB = 1024 * KIB


DATABASES = ("sqlite+aiosqlite", "postgresql", "postgres", "postgresql+asyncpg")
"""What ``database_url`` may begin with."""


class Settings(BaseSettings):
    """Everything an operator may set, as arguments or ``SPELLWORK_*`` variables."""

    model_config = SettingsConfigDict(env_prefix="SPELLWORK_", frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(
        default=8765, ge=0, le=65_535, description="Port to listen on; 0 picks a free one."
    )
    data: Path = Field(
        default=Path("data"), description="Folder of the database and the secret key."
    )
    database_url: str | None = Field(
        default=None,
        description="sqlite+aiosqlite:///FILE or postgresql://...; default is SQLite in the data folder.",
    )
    database_connections: int = Field(
        default=10, ge=2, le=500, description="Connections to a PostgreSQL server, one more aside."
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis that is told of all events of runs: redis://HOST:PORT/0."
    )
    redis_stream: str = Field(
        default="spellwork:events",
        min_length=1,
        description="Redis stream that events are added to.",
    )
    redis_events_kept: int = Field(
        default=100_000, ge=1, description="Events that stay in the Redis stream, about."
    )
    public_url: str | None = Field(
        default=None, description="URL under which people reach the server, if proxied."
    )
    allowed_origins: tuple[str, ...] = Field(
        default=(), description="Further web origins that may call with cookies."
    )
    access_token_seconds: int = Field(
        default=900, ge=1, le=86_400, description="Life of an access token."
    )
    refresh_days: float = Field(
        default=30, gt=0, le=365, description="Life of an unused refresh token."
    )
    sign_in_attempts: int = Field(
        default=10, ge=1, description="Sign-in attempts a minute for one email address."
    )
    sign_in_attempts_per_address: int = Field(
        default=120, ge=1, description="The same for one network address."
    )
    invite_new_people: Literal["nobody", "administrators", "owners"] = Field(
        default="administrators",
        description=(
            "Who may invite people without an account to a canvas, and so bring new accounts here. "
            "By default administrators, who can make accounts anyway: an account may run code on "
            "this server, so letting every owner of a canvas vouch for people is for you to decide."
        ),
    )
    grace: float = Field(
        default=30, ge=0, description="Seconds an abandoned runner or room is kept for a reconnect."
    )
    connect_timeout: float = Field(
        default=10, gt=0, description="Seconds a socket has to prove who it is."
    )
    max_unproven: int = Field(
        default=256,
        ge=1,
        description="Sockets of one network address that have not yet proved who they are.",
    )
    max_sockets: int = Field(
        default=100,
        ge=1,
        description="Connections of one user that may be open at once: tabs, scripts and Yjs programs together.",
    )
    socket_rate: float = Field(
        default=100,
        gt=0,
        description="What a socket may ask for a second; an event costs 1, a heavy one 5, an edit 0.",
    )
    stop_timeout: float = Field(
        default=10, gt=0, description="Seconds a stop may take to flush and close."
    )
    max_body_bytes: int = Field(default=8 * MIB, ge=KIB, description="Largest REST body.")
    max_event_bytes: int = Field(default=4 * MIB, ge=KIB, description="Largest socket event.")
    max_update_bytes: int = Field(
        default=2 * MIB, ge=KIB, description="Largest single edit of a canvas."
    )
    max_canvas_bytes: int = Field(
        default=64 * MIB,
        ge=64 * KIB,
        description="Most bytes of a canvas's document, about; beyond, it takes only deletions.",
    )
    max_spell_nodes: int = Field(default=5_000, ge=1, description="Most nodes one canvas may hold.")
    max_pending_bytes: int = Field(
        default=4 * MIB, ge=64 * KIB, description="Most bytes held for a socket that lags."
    )
    inline_value_bytes: int = Field(  # no less than storage.output_refs.SMALL_BYTES
        default=64 * KIB, ge=KIB, description="Larger values go by reference."
    )
    commit_interval: float = Field(
        default=0.005, ge=0, le=1, description="Seconds between two group commits."
    )
    cache_memory_bytes: int = Field(
        default=64 * MIB, ge=0, description="Outputs kept in memory before the database."
    )
    workers: int = Field(default=2, ge=1, le=64, description="Worker processes that run code.")
    worker_memory_mb: int = Field(
        default=1024, ge=64, description="Memory one worker process may use."
    )
    allow_unconfined: str = Field(
        default="",
        pattern=r"^(|(files|network)(,(files|network))*)$",
        description=(
            'What code on a canvas may reach where this machine cannot close it: "files", "network" or both,'
            " with a comma. Where it cannot, and this does not say so, the server runs no code."
        ),
    )
    grants_by: Literal["administrators", "owners"] = Field(
        default="administrators",
        description="Who grants a canvas's code hosts of the internet, and secrets.",
    )
    secrets_key: SecretStr | None = Field(
        default=None,
        description=(
            "Key that encrypts secrets, 32 random characters or more; older ones after a comma. Without it"
            " one is made in the data folder."
        ),
    )
    worker_processes: int = Field(
        default=1,
        ge=1,
        le=16,
        description=(
            "Processes of one canvas's worker. With more than one, calls run side by side, "
            "and values that stay in one are copied to another, where they can be."
        ),
    )
    worker_idle_seconds: float = Field(
        default=120, gt=0, description="Seconds after which an unused worker process is ended."
    )
    worker_cpu_seconds: float | None = Field(
        default=3_600, gt=0, description="Processor time that one call may take in a worker."
    )
    worker_wall_seconds: float | None = Field(
        default=86_400, gt=0, description="Seconds that one call may take in a worker."
    )
    worker_files_mb: int = Field(
        default=512, ge=1, description="What a worker's own directory may hold."
    )
    worker_max_processes: int = Field(
        default=128, ge=1, description="Processes and threads that code in a worker may have."
    )
    index_url: str | None = Field(
        default=None, description="Package index of workers' environments, in place of PyPI."
    )
    extra_index_urls: tuple[str, ...] = Field(
        default=(), description="Further package indexes, looked at first."
    )
    find_links: tuple[str, ...] = Field(
        default=(), description="Directories or pages with wheels for workers' environments."
    )
    no_index: bool = Field(
        default=False, description="Take packages from find_links alone, and visit no index."
    )
    build_packages: bool = Field(
        default=False,
        description=(
            "Whether packages without wheels may be built. That runs their code on this "
            "machine as the server's user, outside of every sandbox."
        ),
    )
    uv_variables: dict[Annotated[str, StringConstraints(pattern=r"^UV_[A-Z_]+$")], str] = Field(
        default={}, description="Further UV_* variables for uv, as JSON."
    )
    provision_seconds: float = Field(
        default=900, gt=0, description="Seconds that each step of making an environment may take."
    )
    environments_kept: int = Field(
        default=5, ge=0, description="Environments that are kept though no canvas open uses them."
    )
    environment_days: float = Field(
        default=30, gt=0, description="Days after which an unused environment is removed."
    )
    metrics_for: Literal["loopback", "administrators", "everybody"] = Field(
        default="loopback",
        description=(
            "Who may read /metrics beside API keys of administrators: this very machine "
            "(not through a proxy), nobody, or everybody."
        ),
    )
    max_output_bytes: int = Field(
        default=16 * MIB,
        ge=64 * KIB,
        description="Largest output of one node as JSON; with a larger one it fails.",
    )
    max_run_seconds: float = Field(
        default=86_400,
        gt=0,
        description="Seconds a run may go in one attempt, waits and pauses included, time in the store not; one may ask for less.",
    )
    max_run_calls: int = Field(
        default=1_000_000, ge=1, description="Calls of nodes that one run may make in all."
    )
    limits: LimitRules = Field(
        default=LimitRules(),
        description=(
            "How often nodes may be called, in all runs together, as JSON: "
            '{"server": L, "user": L, "types": {TYPE: L}, "providers": {NAME: L}} with L of '
            '{"concurrency", "rate", "per", "spacing", "delay"}.'
        ),
    )
    queues: Annotated[tuple[str, ...], NoDecode] | None = Field(
        default=None,
        description=(
            "Queues that this process takes runs from, with commas between; without any, from all, "
            "and it goes on with durable runs that are in none."
        ),
    )
    process_name: str = Field(
        default="", max_length=200, description="What this process is shown as; else its machine."
    )
    process_beat: float = Field(
        default=2, gt=0, description="Seconds between two signs of life of this process."
    )
    process_expires: float = Field(
        default=10,
        gt=0,
        description="Seconds without one after which other processes take its runs over.",
    )
    max_takeovers: int = Field(
        default=3,
        ge=1,
        le=100,
        description=(
            "How often the process of a run may die, with no node of it ended in between,"
            " until others do not carry the run on any more."
        ),
    )
    queued_runs: int = Field(
        default=32, ge=1, le=1_000, description="Runs of queues that this process carries at once."
    )
    run_retention: int = Field(
        default=1_000, ge=1, description="Runs of a stream whose events are kept."
    )
    run_days: float | None = Field(
        default=None,
        gt=0,
        description="Days after their end that runs are kept; else by number alone.",
    )
    run_details_days: float | None = Field(
        default=7,
        gt=0,
        description="Days after a run's end that its chunks, progress and all its log lines are kept.",
    )
    firing_days: float = Field(
        default=90, gt=0, description="Days that firings of triggers are kept."
    )
    task_days: float = Field(
        default=90, gt=0, description="Days after its run's end that a settled task is kept."
    )
    version_quiet: float = Field(
        default=120, gt=0, description="Seconds without an edit after which a version is written."
    )
    version_longest: float = Field(
        default=600, gt=0, description="Seconds of editing after which one is written all the same."
    )
    versions_kept: int = Field(
        default=500, ge=1, description="Versions of a canvas that are kept beside those that last."
    )
    packs_allowed: tuple[str, ...] = Field(
        default=(),
        description=(
            "Packs that editors of a canvas may install for it, as JSON: names or patterns (acme-*), each "
            "with @sha256:HEX where only that very file is meant. Without any, only administrators may."
        ),
    )
    max_pack_bytes: int = Field(
        default=4 * MIB, ge=KIB, description="Largest wheel of a pack that somebody may upload."
    )
    ollama_url: str = Field(
        default="http://127.0.0.1:11434", description="Base URL of an Ollama server."
    )
    openai_base_url: str | None = Field(
        default=None, description="Base URL of an OpenAI-compatible server."
    )
    openai_api_key: SecretStr | None = Field(
        default=None, description="Key for the OpenAI-compatible server."
    )
    log_level: str = Field(
        default="info", pattern="^(debug|info|warning|error)$", description="Least severe log line."
    )
    log_json: bool = Field(default=False, description="Write log lines as JSON objects.")

    @field_validator("queues", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [name.strip() for name in value.split(",")] if isinstance(value, str) else value

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str | None) -> str | None:
        if url is not None and url.partition(":")[0] not in DATABASES:
            raise ValueError(
                "the database is a sqlite+aiosqlite:///FILE or a postgresql://USER:PASSWORD@HOST/DATABASE"
            )
        return url

    @property
    def url(self) -> str:
        """The address people open: the public URL, else the one listened on."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite+aiosqlite:///{self.data / 'spellwork.db'}"
