"""What posts were typed as."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_7_sources"
down_revision = "2026_11_28_6_remote_media"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("object", NUMBER, nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("object", name="pk_sources"),
    )
