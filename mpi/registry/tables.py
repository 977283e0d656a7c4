"""The registry's tables as SQLAlchemy Core sees them; the migrations make them, a test keeps both alike.

Times are ISO 8601 UTC text with microseconds, JSON is text, enums are text: the same bytes on both databases.
"""

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()

# SQLite makes a column its fast row key only when it is declared INTEGER, which has 64 bits there.
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

# Text in the order of its code points, as Python and SQLite sort it, whatever the language of the database.
PLAIN_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def _column(name: str, kind: Any, *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null)


def _key(name: str, kind: Any = ID) -> sa.Column[Any]:
    return sa.Column(name, kind, autoincrement=False, nullable=False)


registry_setting = sa.Table(
    "registry_setting",
    METADATA,
    _key("key", sa.Text()),
    _column("value", sa.Text()),
    sa.PrimaryKeyConstraint("key", name="pk_registry_setting"),
)

# One row: the last number given out of every kind. See counters.py.
registry_counter = sa.Table(
    "registry_counter",
    METADATA,
    _key("counter_id", sa.SmallInteger()),
    *(_column(name, ID) for name in ("record", "person", "link", "task", "judgement", "run", "revision", "key_batch")),
    _column("paged_key_batch", ID),
    sa.PrimaryKeyConstraint("counter_id", name="pk_registry_counter"),
    sa.CheckConstraint("counter_id = 1", name="ck_registry_counter_single"),
)

run = sa.Table(
    "run",
    METADATA,
    _key("run_id"),
    _column("kind", sa.Text()),
    _column("status", sa.Text()),
    _column("request", sa.Text()),
    _column("plan_digest", sa.Text(), null=True),
    _column("cursor", ID),
    _column("state", sa.Text()),
    _column("started_at", sa.Text()),
    _column("finished_at", sa.Text(), null=True),
    _column("summary", sa.Text(), null=True),
    sa.PrimaryKeyConstraint("run_id", name="pk_run"),
    sa.CheckConstraint("status IN ('ingesting', 'placing', 'done', 'abandoned')", name="ck_run_status"),
)

source_system = sa.Table(
    "source_system",
    METADATA,
    _key("source_system_id", sa.SmallInteger()),
    _column("name", sa.Text()),
    sa.PrimaryKeyConstraint("source_system_id", name="pk_source_system"),
    sa.UniqueConstraint("name", name="uq_source_system_name"),
)

# A record lies in three tables, so that the scans which every run makes read nothing they do not need: who is stored
# (this one, 80 bytes a row), the raw values (personal data) and the feature row.
# Tables that take every record of a bulk run have no foreign keys: they cost PostgreSQL a third of its speed
# (measured: 76 to 49 thousand records a second). integrity.py counts what would break them; small tables have theirs.
source_record = sa.Table(
    "source_record",
    METADATA,
    _key("record_id"),
    _column("source_system_id", sa.SmallInteger()),
    _column("source_record_id", sa.Text()),
    _column("key_hash", ID),
    _column("version", sa.Integer()),
    _column("content_digest", sa.LargeBinary()),
    _column("recorded_at", sa.Text(), null=True),
    _column("run_id", ID, null=True),
    sa.PrimaryKeyConstraint("record_id", name="pk_source_record"),
    sa.UniqueConstraint("source_system_id", "source_record_id", name="uq_source_record_key"),
)

record_content = sa.Table(
    "record_content",
    METADATA,
    _key("record_id"),
    _column("raw", sa.Text()),
    sa.PrimaryKeyConstraint("record_id", name="pk_record_content"),
)

record_feature = sa.Table(
    "record_feature",
    METADATA,
    _key("record_id"),
    _column("feature_layout", sa.Text()),
    _column("feature_row", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("record_id", name="pk_record_feature"),
)

_VERSION_STILL_STANDS = sa.text("superseded_revision = 0")

# `superseded_revision` is where the version ceased to be the current one: 0 while no event has said so (a bulk run
# reads first and writes people later), NULL where it came late and never was current. See record_versions.py.
source_record_version = sa.Table(
    "source_record_version",
    METADATA,
    _key("record_id"),
    _key("version", sa.Integer()),
    _column("content_digest", sa.LargeBinary()),
    _column("recorded_at", sa.Text(), null=True),
    _column("raw", sa.Text()),
    _column("run_id", ID, null=True),
    _column("superseded_revision", ID, null=True),
    sa.PrimaryKeyConstraint("record_id", "version", name="pk_source_record_version"),
    sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_source_record_version_record_id"),
    sa.Index(
        "ix_source_record_version_standing",
        "record_id",
        sqlite_where=_VERSION_STILL_STANDS,
        postgresql_where=_VERSION_STILL_STANDS,
    ),
)

_IS_SUPERSEDED = sa.text("superseded_by IS NOT NULL")

person = sa.Table(
    "person",
    METADATA,
    _key("person_id"),
    _column("enterprise_id", sa.Text()),
    _column("created_revision", ID),
    _column("status", sa.Text()),
    _column("superseded_by", ID, null=True),
    _column("changed_revision", ID),
    sa.PrimaryKeyConstraint("person_id", name="pk_person"),
    sa.UniqueConstraint("enterprise_id", name="uq_person_enterprise_id"),
    sa.CheckConstraint("status IN ('active', 'superseded')", name="ck_person_status"),
    sa.CheckConstraint("(status = 'superseded') = (superseded_by IS NOT NULL)", name="ck_person_superseded_by"),
    sa.Index("ix_person_superseded_by", "superseded_by", sqlite_where=_IS_SUPERSEDED, postgresql_where=_IS_SUPERSEDED),
)

# Where an enterprise ID leads instead of its own person; `person.superseded_by` is the row that is open.
redirect = sa.Table(
    "redirect",
    METADATA,
    _key("person_id"),
    _key("valid_from_revision"),
    _column("valid_to_revision", ID, null=True),
    _column("superseded_by", ID),
    sa.PrimaryKeyConstraint("person_id", "valid_from_revision", name="pk_redirect"),
    sa.CheckConstraint("valid_to_revision >= valid_from_revision", name="ck_redirect_validity"),
    sa.Index("ix_redirect_superseded_by", "superseded_by"),
)

_LINK_IS_OPEN = sa.text("valid_to_revision IS NULL")

link = sa.Table(
    "link",
    METADATA,
    _key("link_id"),
    _column("record_id", ID),
    _column("person_id", ID),
    _column("valid_from_revision", ID),
    _column("valid_to_revision", ID, null=True),
    _column("made_by", sa.Text()),
    _column("run_id", ID, null=True),
    _column("match_weight", sa.Double(), null=True),
    _column("via_record_id", ID, null=True),
    _column("level_codes", sa.LargeBinary(), null=True),
    _column("rule_version", sa.Text()),
    sa.PrimaryKeyConstraint("link_id", name="pk_link"),
    sa.CheckConstraint("made_by IN ('rules', 'steward', 'source')", name="ck_link_made_by"),
    sa.CheckConstraint("valid_to_revision >= valid_from_revision", name="ck_link_validity"),
    sa.Index(
        "ux_link_open_record", "record_id", unique=True, sqlite_where=_LINK_IS_OPEN, postgresql_where=_LINK_IS_OPEN
    ),
    sa.Index("ix_link_person", "person_id"),
)

_TASK_IS_OPEN = sa.text("status = 'open'")
_TASK_IS_GOLD = sa.text("gold_verdict IS NOT NULL")

review_task = sa.Table(
    "review_task",
    METADATA,
    _key("task_id"),
    _column("kind", sa.Text()),
    _column("question", sa.Text()),
    _column("record_a", ID),
    _column("record_b", ID, null=True),
    _column("person_a", ID, null=True),
    _column("person_b", ID, null=True),
    _column("match_weight", sa.Double(), null=True),
    _column("level_codes", sa.LargeBinary(), null=True),
    _column("reason", sa.Text()),
    _column("status", sa.Text()),
    _column("created_run", ID, null=True),
    _column("closed_run", ID, null=True),
    _column("closed_reason", sa.Text(), null=True),
    _column("version", sa.Integer()),
    _column("stage", sa.Text()),
    _column("priority", sa.Double()),
    _column("opened_at", sa.Text()),
    _column("closed_at", sa.Text(), null=True),
    _column("claimed_by", sa.Text(), null=True),
    _column("claimed_until", sa.Text(), null=True),
    _column("gold_verdict", sa.Text(), null=True),
    _column("decision_id", ID, null=True),
    sa.PrimaryKeyConstraint("task_id", name="pk_review_task"),
    sa.ForeignKeyConstraint(["record_a"], ["source_record.record_id"], name="fk_review_task_record_a"),
    sa.ForeignKeyConstraint(["record_b"], ["source_record.record_id"], name="fk_review_task_record_b"),
    sa.CheckConstraint(
        "kind IN ('possible_match', 'possible_duplicate', 'stopped_by_veto', 'overlay', 'suspected_wrong_merge')",
        name="ck_review_task_kind",
    ),
    sa.CheckConstraint("status IN ('open', 'closed')", name="ck_review_task_status"),
    sa.CheckConstraint("stage IN ('first', 'second', 'adjudication')", name="ck_review_task_stage"),
    sa.CheckConstraint("gold_verdict IN ('same', 'different')", name="ck_review_task_gold_verdict"),
    sa.Index(
        "ux_review_task_open_question",
        "question",
        unique=True,
        sqlite_where=_TASK_IS_OPEN,
        postgresql_where=_TASK_IS_OPEN,
    ),
    *(
        sa.Index(f"ix_review_task_{name}", name, sqlite_where=_TASK_IS_OPEN, postgresql_where=_TASK_IS_OPEN)
        for name in ("person_a", "person_b")
    ),
    sa.Index("ix_review_task_queue", "priority", "task_id", sqlite_where=_TASK_IS_OPEN, postgresql_where=_TASK_IS_OPEN),
    sa.Index("ix_review_task_question", "question"),
    sa.Index("ix_review_task_gold", "record_a", sqlite_where=_TASK_IS_GOLD, postgresql_where=_TASK_IS_GOLD),
)

# What one reader said of one task. A reading is taken back, never changed; `verdict` has one word more than a
# judgement: escalate.
reading = sa.Table(
    "reading",
    METADATA,
    _key("task_id"),
    _key("place", sa.Integer()),
    _column("stage", sa.Text()),
    _column("reader", sa.Text()),
    _column("verdict", sa.Text()),
    _column("comment", sa.Text()),
    _column("seconds", sa.Double(), null=True),
    _column("read_at", sa.Text()),
    # the records that the reader would let leave a person, as a JSON array of numbers
    _column("leaving", sa.Text()),
    _column("withdrawn_at", sa.Text(), null=True),
    sa.PrimaryKeyConstraint("task_id", "place", name="pk_reading"),
    sa.ForeignKeyConstraint(["task_id"], ["review_task.task_id"], name="fk_reading_task_id"),
    sa.CheckConstraint("verdict IN ('same', 'different', 'unsure', 'escalate')", name="ck_reading_verdict"),
    sa.Index("ix_reading_reader", "reader", "read_at"),
    sa.Index("ix_reading_read_at", "read_at"),
)

# What a steward decided: named by the revision of its first event. `undone_by` and `undoes` are such names too.
decision = sa.Table(
    "decision",
    METADATA,
    _key("decision_id"),
    _column("kind", sa.Text()),
    _column("last_revision", ID),
    _column("task_id", ID, null=True),
    _column("made_by", sa.Text()),
    _column("made_at", sa.Text()),
    _column("reason", sa.Text()),
    _column("undoes", ID, null=True),
    _column("undone_by", ID, null=True),
    sa.PrimaryKeyConstraint("decision_id", name="pk_decision"),
    sa.CheckConstraint("kind IN ('judge', 'merge', 'unmerge', 'split', 'move', 'undo')", name="ck_decision_kind"),
    sa.Index("ix_decision_made_by", "made_by", "decision_id"),
    sa.Index("ix_decision_undoes", "undoes"),
)

decision_person = sa.Table(
    "decision_person",
    METADATA,
    _key("person_id"),
    _key("decision_id"),
    sa.PrimaryKeyConstraint("person_id", "decision_id", name="pk_decision_person"),
    sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"], name="fk_decision_person_decision_id"),
)

judgement = sa.Table(
    "judgement",
    METADATA,
    _key("judgement_id"),
    _column("record_a", ID),
    _column("record_b", ID),
    _column("verdict", sa.Text()),
    _column("made_by", sa.Text()),
    _column("made_at", sa.Text()),
    _column("reason", sa.Text()),
    _column("withdrawn_revision", ID, null=True),
    _column("decision_id", ID, null=True),
    sa.PrimaryKeyConstraint("judgement_id", name="pk_judgement"),
    sa.ForeignKeyConstraint(["record_a"], ["source_record.record_id"], name="fk_judgement_record_a"),
    sa.ForeignKeyConstraint(["record_b"], ["source_record.record_id"], name="fk_judgement_record_b"),
    sa.CheckConstraint("verdict IN ('same', 'different', 'unsure')", name="ck_judgement_verdict"),
    sa.Index("ix_judgement_record_a", "record_a"),
    sa.Index("ix_judgement_record_b", "record_b"),
    sa.Index("ix_judgement_decision", "decision_id"),
)

_BY_STEWARD = sa.text("made_by = 'steward'")

event = sa.Table(
    "event",
    METADATA,
    _key("revision"),
    _column("kind", sa.Text()),
    _column("person_id", ID, null=True),
    _column("payload", sa.Text()),
    _column("made_by", sa.Text()),
    _column("run_id", ID, null=True),
    _column("recorded_at", sa.Text()),
    sa.PrimaryKeyConstraint("revision", name="pk_event"),
    sa.Index("ix_event_person", "person_id", "revision"),
    sa.Index("ix_event_steward", "revision", sqlite_where=_BY_STEWARD, postgresql_where=_BY_STEWARD),
)

# Blocking keys, see blocking_keys.py: those of the last bulk run in pages, sorted; those since then a row a record.
blocking_key_page = sa.Table(
    "blocking_key_page",
    METADATA,
    _key("first_key"),
    _column("entries", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("first_key", name="pk_blocking_key_page"),
)

recent_blocking_keys = sa.Table(
    "recent_blocking_keys",
    METADATA,
    _key("key_batch"),
    _key("record_id"),
    _column("keys", sa.LargeBinary()),
    sa.PrimaryKeyConstraint("key_batch", "record_id", name="pk_recent_blocking_keys"),
    sqlite_with_rowid=False,
)

# Values that too many people share and that are therefore evidence of nothing.
capped_value = sa.Table(
    "capped_value",
    METADATA,
    _key("standard_column", sa.Text()),
    _key("code"),
    sa.PrimaryKeyConstraint("standard_column", "code", name="pk_capped_value"),
)

# What was answered to a writing call: a repeat of its request id gets the same bytes.
answered_request = sa.Table(
    "answered_request",
    METADATA,
    _key("request_id", sa.Text()),
    _column("verb", sa.Text()),
    _column("payload_digest", sa.LargeBinary()),
    _column("response", sa.LargeBinary()),
    _column("answered_at", sa.Text()),
    sa.PrimaryKeyConstraint("request_id", name="pk_answered_request"),
)

# A withdrawn record keeps its row and its versions; it has no feature row and no open link.
withdrawn_record = sa.Table(
    "withdrawn_record",
    METADATA,
    _key("record_id"),
    _column("revision", ID),
    _column("reason", sa.Text()),
    sa.PrimaryKeyConstraint("record_id", name="pk_withdrawn_record"),
    sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_withdrawn_record_record_id"),
)

# An entry hangs on a record, never on a person: it follows its record through merges and splits.
health_record_entry = sa.Table(
    "health_record_entry",
    METADATA,
    _key("source_system_id", sa.SmallInteger()),
    _key("entry_id", PLAIN_TEXT),
    _column("record_id", ID),
    _column("kind", sa.Text()),
    _column("entry_date", PLAIN_TEXT),
    _column("facility", sa.Text()),
    _column("locator", sa.Text()),
    _column("registered_at", sa.Text()),
    sa.PrimaryKeyConstraint("source_system_id", "entry_id", name="pk_health_record_entry"),
    sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_health_record_entry_record_id"),
    sa.Index("ix_health_record_entry_record", "record_id", "entry_date", "entry_id"),
)

# People at the desk. `password_hash` is argon2id; `token_hash` is of the token that gRPC callers send.
account = sa.Table(
    "account",
    METADATA,
    _key("account_name", PLAIN_TEXT),
    _column("display_name", sa.Text()),
    _column("role", sa.Text()),
    _column("status", sa.Text()),
    _column("password_hash", sa.Text()),
    _column("token_hash", sa.LargeBinary(), null=True),
    _column("language", sa.Text()),
    _column("keyboard", sa.Text()),
    _column("created_at", sa.Text()),
    _column("failed_sign_ins", sa.Integer()),
    _column("locked_until", sa.Text(), null=True),
    sa.PrimaryKeyConstraint("account_name", name="pk_account"),
    sa.UniqueConstraint("token_hash", name="uq_account_token_hash"),
    sa.CheckConstraint("role IN ('steward', 'lead', 'auditor', 'admin')", name="ck_account_role"),
    sa.CheckConstraint("status IN ('active', 'closed')", name="ck_account_status"),
)

# A session is known by the hash of what its cookie holds: a stolen table opens nothing.
desk_session = sa.Table(
    "desk_session",
    METADATA,
    _key("session_hash", sa.LargeBinary()),
    _column("account_name", PLAIN_TEXT),
    _column("csrf_token", sa.Text()),
    _column("created_at", sa.Text()),
    _column("seen_at", sa.Text()),
    _column("expires_at", sa.Text()),
    sa.PrimaryKeyConstraint("session_hash", name="pk_desk_session"),
    sa.ForeignKeyConstraint(["account_name"], ["account.account_name"], name="fk_desk_session_account_name"),
    sa.Index("ix_desk_session_account", "account_name"),
)
