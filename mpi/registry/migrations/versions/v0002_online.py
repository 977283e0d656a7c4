"""The online path: blocking keys, capped values, answered requests, withdrawals, entries of the lifelong record."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    _blocking_keys()
    _requests()
    _withdrawals()
    _entries()
    _versions()
    op.create_index(
        "ix_person_superseded_by",
        "person",
        ["superseded_by"],
        unique=False,
        sqlite_where=sa.text("superseded_by IS NOT NULL"),
        postgresql_where=sa.text("superseded_by IS NOT NULL"),
    )
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
        sa.Column("entry_id", PLAIN_TEXT, autoincrement=False, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_date", PLAIN_TEXT, nullable=False),
        sa.Column("facility", sa.Text(), nullable=False),
        sa.Column("locator", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source_system_id", "entry_id", name="pk_health_record_entry"),
        sa.ForeignKeyConstraint(["record_id"], ["source_record.record_id"], name="fk_health_record_entry_record_id"),
    )
    op.create_index(
        "ix_health_record_entry_record",
        "health_record_entry",
        ["record_id", "entry_date", "entry_id"],
        unique=False,
    )


def _versions() -> None:
    """From which revision on a version is no longer the current one.

    A version ceased to be current when the run that brought the next one wrote its first event; where that run wrote
    none, by now. One whose run is newer than that of the next version came late and never was current.
    """
    op.add_column("source_record_version", sa.Column("superseded_revision", ID, nullable=True))
    op.execute(
        """
        WITH first_event AS (SELECT run_id, min(revision) AS revision FROM event GROUP BY run_id),
        newest AS (SELECT coalesce(max(revision), 0) AS revision FROM event),
        every_version AS (
            SELECT record_id, version, run_id FROM source_record
            WHERE record_id IN (SELECT record_id FROM source_record_version)
            UNION ALL SELECT record_id, version, run_id FROM source_record_version
        ),
        next_version AS (
            SELECT record_id, version, run_id, lead(run_id) OVER (PARTITION BY record_id ORDER BY version) AS next_run
            FROM every_version
        )
        UPDATE source_record_version SET superseded_revision = found.revision
        FROM (
            SELECT here.record_id, here.version,
                CASE WHEN here.run_id > here.next_run THEN NULL
                    ELSE coalesce(first_event.revision, newest.revision) END AS revision
            FROM next_version AS here CROSS JOIN newest LEFT JOIN first_event ON first_event.run_id = here.next_run
        ) AS found
        WHERE found.record_id = source_record_version.record_id AND found.version = source_record_version.version
        """
    )
    op.create_index(
        "ix_source_record_version_standing",
        "source_record_version",
        ["record_id"],
        unique=False,
        sqlite_where=sa.text("superseded_revision = 0"),
        postgresql_where=sa.text("superseded_revision = 0"),
    )
