"""All tables, on one ``MetaData``.

Ids are ``uuid4().hex``; times are Unix seconds as floats. The migrations in
``storage/migrations`` make exactly these tables, and a test holds the two
together.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def only(condition: str) -> dict[str, Any]:
    """Return what an index has that leaves out the rows without a condition."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


USERS = Table(
    "users",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("email", String(320), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("password_hash", String(400), nullable=True),
    Column("role", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("disabled_at", Float, nullable=True),
)

SIGN_IN_LINKS = Table(
    "sign_in_links",
    METADATA,
    Column("token_hash", String(64), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float, nullable=True),
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("family", String(32), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("expires_at", Float, nullable=False),
    Column("used_at", Float, nullable=True),
    Column("revoked_at", Float, nullable=True),
    Column("follows", String(32), nullable=True),
)
"""``follows`` is the id of the token that this one was given for; ``used_at`` is also when another took its place."""

API_KEYS = Table(
    "api_keys",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float, nullable=True),
    Column("revoked_at", Float, nullable=True),
)

CANVASES = Table(
    "canvases",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("epoch", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)

MEMBERS = Table(
    "members",
    METADATA,
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("role", String(16), nullable=False),
)

UPDATES = Table(
    "updates",
    METADATA,
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("user_id", String(32), nullable=True),
    Column("created_at", Float, nullable=False),
)

SNAPSHOTS = Table(
    "snapshots",
    METADATA,
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

INVITATIONS = Table(
    "invitations",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("email", String(320), nullable=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("created_by", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=True),
    Column("revoked_at", Float, nullable=True),
    Column("used_at", Float, nullable=True),
    Column("uses", Integer, nullable=False),
)
"""Ways onto a canvas: for the one person of an email address, or (a share link) for whoever has it."""

VERSIONS = Table(
    "versions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("name", String(200), nullable=True),
    Column("reason", String(16), nullable=False),
    Column("source", String(32), nullable=True),
    Column("kept", Boolean, nullable=False),
    Column("created_by", String(32), nullable=True),
    Column("created_at", Float, nullable=False),
    Column("authors", JSON, nullable=False),
    Column("changes", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("canvas_id", "number"),
)
"""What a canvas was: the spell as of edit ``seq``, who edited since the version before, and what.
``source`` is the version that was restored; what is ``kept`` is not thinned out."""

COMMENTS = Table(
    "comments",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=False),
    Column("thread", String(32), nullable=False, index=True),
    Column("author_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("node", String(64), nullable=True),
    Column("x", Float, nullable=True),
    Column("y", Float, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("edited_at", Float, nullable=True),
    Column("resolved_at", Float, nullable=True),
    Column("resolved_by", String(32), nullable=True),
    Index(None, "canvas_id", "created_at"),
)
"""Comments; the first of a thread has its id, and alone says where it is and whether it is resolved."""

MENTIONS = Table(
    "mentions",
    METADATA,
    Column("comment_id", ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("read_at", Float, nullable=True),
)

COMMENT_READS = Table(
    "comment_reads",
    METADATA,
    Column("thread", ForeignKey("comments.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("read_at", Float, nullable=False),
)
"""Until when somebody has read a thread."""

STREAMS = Table(
    "streams",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("seq", Integer, nullable=False),
)

PATH_LENGTH = 2_500
"""Characters of a node's path: 32 ids at most, with the number of an iteration each (spells/SPEC.md 13.6)."""

EVENTS = Table(
    "events",
    METADATA,
    Column("stream", String(100), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("run", String(32), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("node", String(PATH_LENGTH), nullable=True),
    Column("at", Float, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("covers", Integer, nullable=False, server_default="1"),
    Index(None, "run", "seq"),
)
"""A row is an event, or ``covers`` several, of which ``seq`` is the last; ``event_rows`` reads and writes them."""

RUN_SPELLS = Table(
    "run_spells",
    METADATA,
    Column("hash", String(32), primary_key=True),
    Column("body", JSON, nullable=False),
)
"""The spells that runs ran, each once for all runs of it: a row as wide as its spell would be written again with each
change, and all of it kept with each run."""

RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=True),
    Column("user_id", String(32), nullable=False, index=True),
    Column("stream", String(100), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
    Column("mode", String(16), nullable=False),
    Column("audience", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("started_at", Float, nullable=True),
    Column("ended_at", Float, nullable=True),
    Column("request", JSON, nullable=False),
    Column("result", JSON(none_as_null=True), nullable=True),
    Column("durable", Boolean, nullable=False, server_default=false()),
    Column("queue", String(64), nullable=True),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("not_before", Float, nullable=True),
    Column("deadline", Float, nullable=True),
    Column("dedupe_key", String(200), nullable=True),
    Column("attempt", Integer, nullable=False, server_default="1"),
    Column("retry", JSON(none_as_null=True), nullable=True),
    Column("process_id", String(32), nullable=True, index=True),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("claimed_at", Float, nullable=True),
    Column("cancel_at", Float, nullable=True),
    Column("trigger_id", String(32), nullable=True),
    Column("forked_from", String(32), nullable=True),
    Column("parent_id", String(32), nullable=True),
    Column("lent", Integer, nullable=False, server_default="0"),
    Column("takeovers", Integer, nullable=False, server_default="0"),
    Column("takeover_nodes", Integer, nullable=False, server_default="0"),
    Column("ran", Float, nullable=False, server_default="0"),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("spell_hash", String(32), nullable=False, server_default="", index=True),
    Index(None, "canvas_id", "created_at"),
    Index(None, "created_at", "id"),
    *[
        Index(None, *names, **only(f"{names[0]} IS NOT NULL"))
        for names in (
            ("trigger_id",),
            ("forked_from",),
            ("parent_id",),
            ("queue", "status", "priority"),
            ("queue", "claimed_at"),
        )
    ],
    Index(
        "ix_runs_claimable",
        "priority",
        "created_at",
        **only("status = 'queued' AND process_id IS NULL"),
    ),
    Index(
        "ix_runs_deadline",
        "deadline",
        **only("ended_at IS NULL AND deadline IS NOT NULL"),
    ),
    Index(
        "uq_runs_queue_dedupe_key",
        "queue",
        "dedupe_key",
        unique=True,
        **only("ended_at IS NULL AND dedupe_key IS NOT NULL"),
    ),
    Index(
        "ix_runs_queue_dedupe_key_created_at",
        "queue",
        "dedupe_key",
        "created_at",
        **only("dedupe_key IS NOT NULL"),
    ),
)
"""A run waits in ``queue`` until a process claims it (``process_id``, ``claimed_at``). With every claim ``fence``
grows by one: whoever writes for the run names the fence it claimed, so a process that lost it writes nothing more.
In one queue, one run at a time that has not ended has a ``dedupe_key``. ``cancel_at``: somebody wants it to end, and
whoever carries it sees to that. ``parent_id`` is the run that placed it, as the call of one
of its nodes. ``lent``: its place in the queue is its own (0), others' while it only waits for them
(1), or wanted back (2). ``takeovers``: how often its process died since a node of it ended that had not before,
``takeover_nodes`` how many had by then. ``ran``: seconds that it went in this attempt, before it was last taken up."""

RUN_PROGRESS = Table(
    "run_progress",
    METADATA,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("told", JSON, nullable=False),
)
"""How far runs are that have not ended, as the process that carries them last wrote it."""

RUN_STEERING = Table(
    "run_steering",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("process_id", String(32), nullable=False, index=True),
    Column("what", String(8), nullable=False),
    Column("asked_at", Float, nullable=False),
    Column("taken", Boolean, nullable=False, server_default=false()),
    Column("status", String(16), nullable=True),
    Column("done", Boolean, nullable=True),
)
"""What is asked of runs that another process carries (pause, play, step), and what that answered: the run's status, and
whether it was done. Whoever asked takes the row away."""

RUN_TOKENS = Table(
    "run_tokens",
    METADATA,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("type", String(200), primary_key=True),
    Column("provider", String(100), primary_key=True),
    Column("model", String(100), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("prompt", Integer, nullable=False),
    Column("completion", Integer, nullable=False),
    Column("total", Integer, nullable=False),
)
"""Tokens that the nodes of a run reported, by their type and whom they asked; "" where that is not known."""

RUN_FIGURES = Table(
    "run_figures",
    METADATA,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("canvas_id", String(32), nullable=True, index=True),
    Column("user_id", String(32), nullable=False, index=True),
    Column("parent_id", String(32), nullable=True),
    Column("shared", Boolean, nullable=False),
    Column("day", Integer, nullable=False, index=True),
    Column("seconds", Float, nullable=False),
    Column("ran", Integer, nullable=False),
    Column("cached", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("words", Text, nullable=False),
)
"""What is counted of a run that has ended, and by which words it is found: apart from ``runs``, whose rows hold what was asked and how it ended.
``day`` counts from 1970, in UTC, and is -1 while the run is laid down; ``words`` are the nodes that failed, and why, in small letters."""

PROCESSES = Table(
    "processes",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("queues", JSON, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("beat_at", Float, nullable=False),
    Column("expires_at", Float, nullable=False, index=True),
)
"""The server processes on this database; one that does not beat until ``expires_at`` is taken to be dead."""

QUEUES = Table(
    "queues",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("concurrency", Integer, nullable=True),
    Column("per_process", Integer, nullable=True),
    Column("rate_count", Integer, nullable=True),
    Column("rate_seconds", Float, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)
"""Queues with settings of their own; any other name is a queue, too. ``state``: open, paused, draining."""

TASKS = Table(
    "tasks",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    Column("node", String(PATH_LENGTH), nullable=False),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("kind", String(16), nullable=False),
    Column("title", String(400), nullable=False),
    Column("text", Text, nullable=False),
    Column("question", JSON, nullable=False),
    Column("assignee_id", String(32), nullable=True, index=True),
    Column("assignee_role", String(16), nullable=True),
    Column("state", String(16), nullable=False, index=True),
    Column("created_by", String(32), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("due_at", Float, nullable=True, index=True),
    Column("remind_at", Float, nullable=True, index=True),
    Column("reminded_at", Float, nullable=True),
    Column("answered_at", Float, nullable=True),
    Column("answered_by", String(32), nullable=True),
    Column("answer", JSON(none_as_null=True), nullable=True),
    Column("handed_at", Float, nullable=True),
    Column("link_hash", String(64), nullable=True, unique=True),
    Column("link_by", String(32), nullable=True),
    UniqueConstraint("run", "node"),
    Index(
        "ix_tasks_not_handed",
        "run",
        **only("answered_at IS NOT NULL AND handed_at IS NULL"),
    ),
)
"""What a run waits for people to answer. ``state``: open, answered, expired, withdrawn; ``answered_at`` is when it
ceased to be open, ``handed_at`` when its run took that. ``link_by`` made the link whose token has ``link_hash``."""

TRIGGERS = Table(
    "triggers",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("run", JSON, nullable=False),
    Column("missed", String(16), nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("next_at", Float, nullable=True, index=True),
    Column("cursor", JSON(none_as_null=True), nullable=True),
    Column("sealed", LargeBinary, nullable=True),
    Column("fault", Text, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)
"""What starts runs of a canvas: ``kind`` is cron, interval, webhook, poll or event. ``run`` has how it runs (queue,
priority, retry), ``cursor`` what was last seen, ``sealed`` the encrypted secret of a webhook, ``fault`` why it does not fire."""

FIRINGS = Table(
    "firings",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("trigger_id", ForeignKey("triggers.id", ondelete="CASCADE"), nullable=False),
    Column("key", String(200), nullable=False),
    Column("due_at", Float, nullable=False),
    Column("fired_at", Float, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("run_id", String(32), nullable=True, index=True),
    Column("reason", Text, nullable=True),
    UniqueConstraint("trigger_id", "key"),
    Index(None, "trigger_id", "fired_at"),
)
"""Every time a trigger fired, or should have. ``key`` is what makes it once only: the time it was due, or what came."""

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("subscriber", String(64), primary_key=True),
    Column("stream", String(100), primary_key=True),
    Column("seq", Integer, nullable=False),
)
"""Up to which event of a stream a subscriber outside has been told."""

RELAYED = Table(
    "relayed",
    METADATA,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Float, nullable=False),
    Column("process", String(12), nullable=False),
    Column("channel", String(150), nullable=False),
    Column("event", String(64), nullable=False),
    Column("body", LargeBinary, nullable=False),
    sqlite_autoincrement=True,
)
"""What a process told its sockets, for those of others. Ids grow in the order of commits, and none comes again."""

WORKERS = Table(
    "workers",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("owner_id", String(32), nullable=True),
    Column("processes", Integer, nullable=False),
    Column("limits", JSON, nullable=False),
    Column("requirements", JSON, nullable=False),
    Column("packs", JSON, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("stopped", Boolean, nullable=False),
    Column("lock", Text, nullable=False),
    Column("locked_for", String(64), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)
"""A canvas's own worker has the canvas's id."""

CANVAS_WORKERS = Table(
    "canvas_workers",
    METADATA,
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), primary_key=True),
    Column("worker_id", ForeignKey("workers.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("chosen_by", String(32), nullable=False),
)
"""The canvases that are on a worker which is not their own."""

OUTPUTS = Table(
    "outputs",
    METADATA,
    Column("hash", String(64), primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("last_used_at", Float, nullable=False, index=True),
)

CACHE = Table(
    "cache",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("user_id", String(32), nullable=True),
    Column("type", Text, nullable=False),
    Column("outputs", JSON, nullable=False),
    Column("policy", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float, nullable=True, index=True),
)

RUN_OUTPUTS = Table(
    "run_outputs",
    METADATA,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("node", String(PATH_LENGTH), primary_key=True),
    Column("port", String(128), primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("preview", JSON(none_as_null=True), nullable=True),
    Column("body", LargeBinary, nullable=True),
)
"""Which run left which value: who may read the run may read the value, and a
value that no run and no cache entry names may go. ``part`` is 0 for an
output's value and counts the streamed chunks that were too large to send.
The values are in ``outputs``, once for all who name them, and found by hash; small
chunks are in ``body``, and the small values of outputs in ``run_values``. (Those from before
these were there are in ``body``, too.)"""

_KEPT_APART = RUN_OUTPUTS.c.body.is_(None)
Index(
    "ix_run_outputs_apart",
    RUN_OUTPUTS.c.hash,
    sqlite_where=_KEPT_APART,
    postgresql_where=_KEPT_APART,
)

RUN_VALUES = Table(
    "run_values",
    METADATA,
    Column("run", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
"""Small values that a run left on its ports: those that came together in a row, as JSON
[[node, port, hash, value], ...]. What a row of a higher number says of a port counts; of a larger value it has no hash."""

PACKS = Table(
    "packs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("worker_id", String(64), nullable=False, index=True),
    Column("distribution", String(200), nullable=False),
    Column("specifier", String(200), nullable=False),
    Column("file_hash", String(64), nullable=True),
    Column("file_name", String(300), nullable=True),
    Column("version", String(200), nullable=True),
    Column("pin", Text, nullable=True),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=True),
    Column("traceback", Text, nullable=True),
    Column("told", JSON, nullable=False),
    Column("configs", JSON, nullable=False),
    Column("sealed", LargeBinary, nullable=True),
    Column("installed_by", ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    Column("created_at", Float, nullable=False),
    UniqueConstraint("worker_id", "distribution"),
)

EXTERNAL_WORKERS = Table(
    "external_workers",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("owner_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("canvases", JSON, nullable=False),
    Column("told", JSON, nullable=True),
    Column("created_at", Float, nullable=False),
    Column("last_seen_at", Float, nullable=True),
)

SECRETS = Table(
    "secrets",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
)
"""Exactly one of ``user_id`` and ``canvas_id`` is set. ``value`` is encrypted, see ``grants/vault.py``."""

GRANTS = Table(
    "grants",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("canvas_id", ForeignKey("canvases.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hosts", JSON, nullable=False),
    Column("secret_id", ForeignKey("secrets.id", ondelete="CASCADE"), nullable=True, index=True),
    Column("granted_by", ForeignKey("users.id", ondelete="SET NULL"), nullable=True),
    Column("created_at", Float, nullable=False),
)
"""A host that the canvas's code may reach, or, with ``secret_id``, a secret and where it may go."""
