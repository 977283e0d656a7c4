"""The stewards' desk: redirects with a history, readings, decisions, accounts, sessions; tasks can be claimed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PLAIN_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
IS_OPEN = sa.text("status = 'open'")

_KINDS = "kind IN ('possible_match', 'possible_duplicate', 'stopped_by_veto', 'overlay', 'suspected_wrong_merge')"


def upgrade() -> None:
    _redirects()
    _tasks()
    _decisions()
    _accounts()


def _redirects() -> None:
    """Every merge so far is a redirect that still holds, since the person's last change."""
    op.create_table(
        "redirect",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("valid_from_revision", ID, autoincrement=False, nullable=False),
        sa.Column("valid_to_revision", ID, nullable=True),
        sa.Column("superseded_by", ID, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "valid_from_revision", name="pk_redirect"),
        sa.CheckConstraint("valid_to_revision >= valid_from_revision", name="ck_redirect_validity"),
    )
    op.create_index("ix_redirect_superseded_by", "redirect", ["superseded_by"], unique=False)
    op.execute(
        "INSERT INTO redirect (person_id, valid_from_revision, superseded_by)"
        " SELECT person_id, changed_revision, superseded_by FROM person WHERE superseded_by IS NOT NULL"
    )


def _tasks() -> None:
    with op.batch_alter_table("review_task") as table:
        table.drop_constraint("ck_review_task_kind", type_="check")
        table.add_column(sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
        table.add_column(sa.Column("stage", sa.Text(), nullable=False, server_default="first"))
        table.add_column(sa.Column("priority", sa.Double(), nullable=False, server_default="1"))
        table.add_column(sa.Column("opened_at", sa.Text(), nullable=False, server_default=""))
        for name, kind in (
            ("closed_at", sa.Text()),
            ("claimed_by", sa.Text()),
            ("claimed_until", sa.Text()),
            ("gold_verdict", sa.Text()),
            ("decision_id", ID),
        ):
            table.add_column(sa.Column(name, kind, nullable=True))
        table.create_check_constraint("ck_review_task_kind", _KINDS)
        table.create_check_constraint("ck_review_task_stage", "stage IN ('first', 'second', 'adjudication')")
        table.create_check_constraint("ck_review_task_gold_verdict", "gold_verdict IN ('same', 'different')")
    # when tasks were opened and closed is known by their runs; single records came at the time of no event that tells
    for column, run in (("opened_at", "created_run"), ("closed_at", "closed_run")):
        op.execute(
            f"UPDATE review_task SET {column} = coalesce("
            f"(SELECT coalesce(finished_at, started_at) FROM run WHERE run_id = {run}),"
            " (SELECT max(recorded_at) FROM event), '')" + (" WHERE status = 'closed'" if column == "closed_at" else "")
        )
    op.create_index(
        "ix_review_task_queue",
        "review_task",
        ["priority", "task_id"],
        unique=False,
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index("ix_review_task_question", "review_task", ["question"], unique=False)
    is_gold = sa.text("gold_verdict IS NOT NULL")
    op.create_index(
        "ix_review_task_gold",
        "review_task",
        ["record_a"],
        unique=False,
        sqlite_where=is_gold,
        postgresql_where=is_gold,
    )


def _decisions() -> None:
    op.create_table(
        "reading",
        sa.Column("task_id", ID, autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("read_at", sa.Text(), nullable=False),
        sa.Column("leaving", sa.Text(), nullable=False),
        sa.Column("withdrawn_at", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("task_id", "place", name="pk_reading"),
        sa.ForeignKeyConstraint(["task_id"], ["review_task.task_id"], name="fk_reading_task_id"),
        sa.CheckConstraint("verdict IN ('same', 'different', 'unsure', 'escalate')", name="ck_reading_verdict"),
    )
    op.create_index("ix_reading_reader", "reading", ["reader", "read_at"], unique=False)
    op.create_index("ix_reading_read_at", "reading", ["read_at"], unique=False)
    op.create_table(
        "decision",
        sa.Column("decision_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_revision", ID, nullable=False),
        sa.Column("task_id", ID, nullable=True),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("undoes", ID, nullable=True),
        sa.Column("undone_by", ID, nullable=True),
        sa.PrimaryKeyConstraint("decision_id", name="pk_decision"),
        sa.CheckConstraint("kind IN ('judge', 'merge', 'unmerge', 'split', 'move', 'undo')", name="ck_decision_kind"),
    )
    op.create_index("ix_decision_made_by", "decision", ["made_by", "decision_id"], unique=False)
    op.create_index("ix_decision_undoes", "decision", ["undoes"], unique=False)
    op.create_table(
        "decision_person",
        sa.Column("person_id", ID, autoincrement=False, nullable=False),
        sa.Column("decision_id", ID, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("person_id", "decision_id", name="pk_decision_person"),
        sa.ForeignKeyConstraint(["decision_id"], ["decision.decision_id"], name="fk_decision_person_decision_id"),
    )
    op.add_column("judgement", sa.Column("decision_id", ID, nullable=True))
    op.create_index("ix_judgement_decision", "judgement", ["decision_id"], unique=False)
    by_steward = sa.text("made_by = 'steward'")
    op.create_index(
        "ix_event_steward",
        "event",
        ["revision"],
        unique=False,
        sqlite_where=by_steward,
        postgresql_where=by_steward,
    )


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("account_name", PLAIN_TEXT, autoincrement=False, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("display_name", "role", "status", "password_hash")),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("language", "keyboard", "created_at")),
        sa.Column("failed_sign_ins", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("account_name", name="pk_account"),
        sa.UniqueConstraint("token_hash", name="uq_account_token_hash"),
        sa.CheckConstraint("role IN ('steward', 'lead', 'auditor', 'admin')", name="ck_account_role"),
        sa.CheckConstraint("status IN ('active', 'closed')", name="ck_account_status"),
    )
    op.create_table(
        "desk_session",
        sa.Column("session_hash", sa.LargeBinary(), autoincrement=False, nullable=False),
        sa.Column("account_name", PLAIN_TEXT, nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("csrf_token", "created_at", "seen_at", "expires_at")),
        sa.PrimaryKeyConstraint("session_hash", name="pk_desk_session"),
        sa.ForeignKeyConstraint(["account_name"], ["account.account_name"], name="fk_desk_session_account_name"),
    )
    op.create_index("ix_desk_session_account", "desk_session", ["account_name"], unique=False)
