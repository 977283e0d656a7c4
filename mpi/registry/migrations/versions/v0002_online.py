"""The online path: blocking keys, capped values, answered requests, withdrawals, entries of the lifelong record."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _blocking_keys()
    _requests()
    _withdrawals()
    _entries()
    for column in ("person_a", "person_b"):
        op.create_index(
            f"ix_review_task_{column}",
            "review_task",
            [column],
            unique=False,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )


def _blocking_keys() -> None:
    """Keys of the batch by the page, those since then by the row, and values that too many people share."""
    op.create_table(
        "blocking_key_page",
        sa.Column("first_key", ID, autoincrement=False, nullable=False),
        sa.Column("entries", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("first_key", name="pk_blocking_key_page"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Pages of two kilobytes: neither compressed nor moved to a table of their own.
        op.execute("ALTER TABLE blocking_key_page ALTER COLUMN entries SET STORAGE PLAIN")
    op.create_table(
        "blocking_key",
        sa.Column("key", ID, autoincrement=False, nullable=False),
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("key", "record_id", name="pk_blocking_key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "capped_value",
        sa.Column("standard_column", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("code", ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("standard_column", "code", name="pk_capped_value"),
    )


def _requests() -> None:
    """What was answered to a writing call, so that a repeat gets the same bytes."""
    op.create_table(
        "answered_request",
        sa.Column("request_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("verb", sa.Text(), nullable=False),
        sa.Column("payload_digest", sa.LargeBinary(), nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name="pk_answered_request"),
    )


def _withdrawals() -> None:
    """Records that their source took back."""
    op.create_table(
        "withdrawn_record",
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("revision", ID, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name="pk_withdrawn_record"),
        sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_withdrawn_record_record_id"),
    )


def _entries() -> None:
    """The lifelong record: pointers to what sources hold about a person, without clinical content."""
    op.create_table(
        "health_record_entry",
        sa.Column("source_system_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("entry_id", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_date", sa.Text(), nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_system_id", "entry_id", name="pk_health_record_entry"),
        sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_health_record_entry_record_id"),
    )
    op.create_index("ix_health_record_entry_record", "health_record_entry", ["record_id", "entry_date"], unique=False)
