"""The browsers in which somebody is logged in, or was; passkeys, and spare codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_28_2_logins"
down_revision = "2026_11_28_1_backups"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "logins",
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("acting", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("left", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("browser", "account", name="pk_logins"),
    )
    op.create_index("ix_logins_account", "logins", ["account"])
    op.create_table(
        "passkeys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("count", NUMBER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_passkeys"),
    )
    op.create_index("ix_passkeys_account", "passkeys", ["account"])
    op.create_table(
        "spare_codes",
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("account", NUMBER, nullable=False),
        sa.Column("made", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_spare_codes"),
    )
    op.create_index("ix_spare_codes_account", "spare_codes", ["account"])
