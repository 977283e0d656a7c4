"""Blocking keys of records that came by themselves: a row a record, in the order of their commits."""

import struct
from itertools import groupby

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    for column in ("key_batch", "paged_key_batch"):
        op.add_column("registry_counter", sa.Column(column, ID, nullable=False, server_default="0"))
    op.create_table(
        "recent_blocking_keys",
        sa.Column("key_batch", ID, autoincrement=False, nullable=False),
        sa.Column("record_id", ID, autoincrement=False, nullable=False),
        sa.Column("keys", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key_batch", "record_id", name="pk_recent_blocking_keys"),
        sqlite_with_rowid=False,
    )
    _move()
    op.drop_table("blocking_key")


def _move() -> None:
    """The keys that have a row each, as the first batch."""
    connection = op.get_bind()
    stored = connection.execute(sa.text("SELECT record_id, key FROM blocking_key ORDER BY record_id"))
    rows = [
        {"key_batch": 1, "record_id": record_id, "keys": _packed([key for _, key in keys])}
        for record_id, keys in groupby(stored, key=lambda row: row.record_id)
    ]
    if rows:
        table = sa.table("recent_blocking_keys", *map(sa.column, ("key_batch", "record_id", "keys")))
        op.bulk_insert(table, rows)
        op.execute("UPDATE registry_counter SET key_batch = 1")


def _packed(keys: list[int]) -> bytes:
    return struct.pack(f"<{len(keys)}q", *keys)
