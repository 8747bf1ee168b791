"""When everything was last saved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_1_backups"
down_revision = "2026_11_27_9_mailboxes"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "backups",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("octets", NUMBER, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backups")),
    )
