"""Archives that were sent ahead."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_8_imports"
down_revision = "2026_11_28_7_sources"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("entries", NUMBER, nullable=False),
        sa.Column("brought", sa.JSON(), nullable=False),
        sa.Column("left_out", sa.JSON(), nullable=False),
        sa.Column("here_already", NUMBER, nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("account", name="pk_imports"),
    )
