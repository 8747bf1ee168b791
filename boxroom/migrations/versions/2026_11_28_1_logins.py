"""The browsers in which somebody is logged in, or was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_1_logins"
down_revision = "2026_11_27_9_mailboxes"


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("account", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("acting", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("seen", sa.DateTime(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("left", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("browser", "account", name="pk_logins"),
    )
    op.create_index("ix_logins_account", "logins", ["account"])
