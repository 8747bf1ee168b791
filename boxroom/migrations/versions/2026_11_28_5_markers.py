"""How far everybody has read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_5_markers"
down_revision = "2026_11_28_4_letters"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "markers",
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("timeline", sa.String(), nullable=False),
        sa.Column("place", NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", "timeline", name="pk_markers"),
    )
