"""The first schema: records, people, links, review, history, runs."""

import sqlalchemy as sa
from alembic import op

from mpi.registry.dialects import append_only_ddl

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _settings_and_runs()
    _records()
    _people()
    _review()
    _events()


def _settings_and_runs() -> None:
    """Schema facts, the counters' one row, and the runs."""
    op.create_table(
        "registry_setting",
        sa.Column("key", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_registry_setting"),
    )
    op.create_table(
        "registry_counter",
        sa.Column("counter_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("record", ID, nullable=False),
        sa.Column("person", ID, nullable=False),
        sa.Column("link", ID, nullable=False),
        sa.Column("task", ID, nullable=False),
        sa.Column("judgement", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("revision", ID, nullable=False),
        sa.CheckConstraint("counter_id = 1", name="ck_registry_counter_single"),
        sa.PrimaryKeyConstraint("counter_id", name="pk_registry_counter"),
    )
    op.create_table(
        "run",
        sa.Column("run_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("plan_digest", sa.Text(), nullable=True),
        sa.Column("cursor", ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.Text(), nullable=False),
        sa.Column("finished_at", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.CheckConstraint("status IN ('ingesting', 'placing', 'done', 'abandoned')", name="ck_run_status"),
        sa.PrimaryKeyConstraint("run_id", name="pk_run"),
    )
    op.execute("INSERT INTO registry_counter VALUES (1, 0, 0, 0, 0, 0, 0, 0)")


def _records() -> None:
    """Source systems, current records in three parts, superseded versions."""
    op.create_table(
        "source_system",
        sa.Column("source_system_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_system_id", name="pk_source_system"),
        sa.UniqueConstraint("name", name="uq_source_system_name"),
    )
    op.create_table(
        "source_record",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("source_system_id", sa.SmallInteger(), nullable=False),
        sa.Column("source_record_id", sa.Text(), nullable=False),
        sa.Column("key_hash", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=True),
        sa.Column("run_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("record_id", name="pk_source_record"),
        sa.UniqueConstraint("source_system_id", "source_record_id", name="uq_source_record_key"),
    )
    op.create_table(
        "record_content",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_record_content"),
    )
    op.create_table(
        "record_feature",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("feature_layout", sa.Text(), nullable=False),
        sa.Column("feature_row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_record_feature"),
    )
    op.create_table(
        "source_record_version",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_digest", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.PrimaryKeyConstraint("record_id", "version", name="pk_source_record_version"),
        sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_source_record_version_record_id"),
    )


def _people() -> None:
    """People and the links of records to them."""
    op.create_table(
        "person",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("enterprise_id", sa.Text(), nullable=False),
        sa.Column("created_revision", ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("superseded_by", ID, nullable=True),
        sa.Column("changed_revision", ID, nullable=False),
        sa.CheckConstraint("(status = 'superseded') = (superseded_by IS NOT NULL)", name="ck_person_superseded_by"),
        sa.CheckConstraint("status IN ('active', 'superseded')", name="ck_person_status"),
        sa.PrimaryKeyConstraint("person_id", name="pk_person"),
        sa.UniqueConstraint("enterprise_id", name="uq_person_enterprise_id"),
    )
    op.create_table(
        "link",
        sa.Column("link_id", ID, autoincrement=False, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("valid_from_revision", ID, nullable=False),
        sa.Column("valid_to_revision", ID, nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("match_weight", sa.Double(), nullable=True),
        sa.Column("via_record_id", ID, nullable=True),
        sa.Column("level_codes", sa.LargeBinary(), nullable=True),
        sa.Column("rule_version", sa.Text(), nullable=False),
        sa.CheckConstraint("made_by IN ('rules', 'steward', 'source')", name="ck_link_made_by"),
        sa.CheckConstraint("valid_to_revision >= valid_from_revision", name="ck_link_validity"),
        sa.PrimaryKeyConstraint("link_id", name="pk_link"),
    )
    op.create_index("ix_link_person", "link", ["person_id"], unique=False)
    op.create_index(
        "ux_link_open_record",
        "link",
        ["record_id"],
        unique=True,
        sqlite_where=sa.text("valid_to_revision IS NULL"),
        postgresql_where=sa.text("valid_to_revision IS NULL"),
    )


def _review() -> None:
    """Questions for stewards and what they judged."""
    op.create_table(
        "review_task",
        sa.Column("task_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("record_a", ID, nullable=False),
        sa.Column("record_b", ID, nullable=True),
        sa.Column("person_a", ID, nullable=True),
        sa.Column("person_b", ID, nullable=True),
        sa.Column("match_weight", sa.Double(), nullable=True),
        sa.Column("level_codes", sa.LargeBinary(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_run", ID, nullable=True),
        sa.Column("closed_run", ID, nullable=True),
        sa.Column("closed_reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('possible_match', 'possible_duplicate', 'stopped_by_veto', 'overlay')", name="ck_review_task_kind"
        ),
        sa.CheckConstraint("status IN ('open', 'closed')", name="ck_review_task_status"),
        sa.PrimaryKeyConstraint("task_id", name="pk_review_task"),
        sa.ForeignKeyConstraint(["record_a"], ["source_record.record_id"], name="fk_review_task_record_a"),
        sa.ForeignKeyConstraint(["record_b"], ["source_record.record_id"], name="fk_review_task_record_b"),
    )
    op.create_index(
        "ux_review_task_open_question",
        "review_task",
        ["question"],
        unique=True,
        sqlite_where=sa.text("status = 'open'"),
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "judgement",
        sa.Column("judgement_id", ID, autoincrement=False, nullable=False),
        sa.Column("record_a", ID, nullable=False),
        sa.Column("record_b", ID, nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("withdrawn_revision", ID, nullable=True),
        sa.CheckConstraint("verdict IN ('same', 'different', 'unsure')", name="ck_judgement_verdict"),
        sa.PrimaryKeyConstraint("judgement_id", name="pk_judgement"),
        sa.ForeignKeyConstraint(["record_a"], ["source_record.record_id"], name="fk_judgement_record_a"),
        sa.ForeignKeyConstraint(["record_b"], ["source_record.record_id"], name="fk_judgement_record_b"),
    )
    op.create_index("ix_judgement_record_a", "judgement", ["record_a"], unique=False)
    op.create_index("ix_judgement_record_b", "judgement", ["record_b"], unique=False)


def _events() -> None:
    """The append-only history."""
    op.create_table(
        "event",
        sa.Column("revision", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("recorded_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("revision", name="pk_event"),
    )
    op.create_index("ix_event_person", "event", ["person_id", "revision"], unique=False)
    for statement in append_only_ddl(op.get_bind().dialect.name, "event"):
        op.execute(statement)
