"""Pictures of others that were looked at here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_6_remote_media"
down_revision = "2026_11_28_5_markers"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "remote_media",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("octets", NUMBER, nullable=False),
        sa.Column("fetched", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_remote_media"),
    )
    op.create_index("ix_remote_media_seen", "remote_media", ["seen"])
