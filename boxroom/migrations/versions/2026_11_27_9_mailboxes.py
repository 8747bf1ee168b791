"""Buddies: who keeps a mailbox for whom, what lies in it, and what was left with those of others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_9_mailboxes"
down_revision = "2026_11_27_8_conversations"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "buddies",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("uri", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("buddy", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Enum("asked", "agreed", native_enum=False), nullable=False),
        sa.Column("handed", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_buddies")),
        sa.UniqueConstraint("owner", "buddy", name=op.f("uq_buddies_owner_buddy")),
        sa.UniqueConstraint("uri", name=op.f("uq_buddies_uri")),
    )
    op.create_index(op.f("ix_buddies_buddy_state"), "buddies", ["buddy", "state"], unique=False)
    op.create_table(
        "parcels",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("buddy", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("site", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("size", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcels")),
    )
    op.create_index(op.f("ix_parcels_owner_buddy_id"), "parcels", ["owner", "buddy", "id"], unique=False)
    op.create_table(
        "mailboxes",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("buddy", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last", NUMBER, nullable=False),
        sa.Column("failures", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("owner", "buddy", name=op.f("pk_mailboxes")),
    )
    op.create_index(op.f("ix_mailboxes_due"), "mailboxes", ["due"], unique=False)
