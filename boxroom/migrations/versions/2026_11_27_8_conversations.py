"""What is still to be asked for conversations, and of whom somebody newly follows; when a conversation was looked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_8_conversations"
down_revision = "2026_11_27_7_handovers"

WHAT = ("outbox", "log", "parcel", "catalogue", "offers", "ancestor", "reply", "replies")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with op.batch_alter_table("visits") as visits:
        before = sa.Enum("outbox", "log", native_enum=False)
        visits.alter_column("what", existing_type=before, type_=sa.Enum(*WHAT, native_enum=False), nullable=False)
        visits.add_column(sa.Column("thread", sa.String(), nullable=True))
    condition = sa.text("thread IS NOT NULL")
    op.create_index(op.f("ix_visits_thread"), "visits", ["thread"], sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "conversations",
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("asked", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle", NUMBER, nullable=False),
        sa.Column("above", NUMBER, nullable=False),
        sa.Column("below", NUMBER, nullable=False),
        sa.Column("lists", NUMBER, nullable=False),
        sa.Column("found", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_conversations")),
    )
    op.create_table(
        "finds",
        sa.Column("object", NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("object", name=op.f("pk_finds")),
    )
